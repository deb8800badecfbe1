//! Reading a body within bounds.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

/// No request of ours or of a platform's is larger.
const LIMIT: usize = 64 * 1024;

/// So much more is read and thrown away: a sender that is still writing would
/// see a broken connection instead of the answer.
const DRAINED: usize = 8 * 1024 * 1024;

/// A body that was not read to its end.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Its first 64 KiB.
    TooLarge(Bytes),
    /// The sender went away, or broke the rules of HTTP.
    Broken,
}

/// Reads the whole body, or as much of it as anybody may send.
pub(crate) async fn read_body(mut body: Body) -> Result<Bytes, Unread> {
    let Some(mut read) = next(&mut body).await? else {
        return Ok(Bytes::new());
    };
    let mut joined = BytesMut::new();
    loop {
        if joined.len() + read.len() > LIMIT {
            joined.extend_from_slice(&read[..LIMIT - joined.len()]);
            drain(body).await;
            return Err(Unread::TooLarge(joined.freeze()));
        }
        match next(&mut body).await? {
            // Nearly every body comes in one piece.
            None if joined.is_empty() => return Ok(read),
            None => {
                joined.extend_from_slice(&read);
                return Ok(joined.freeze());
            }
            Some(more) => {
                joined.extend_from_slice(&read);
                read = more;
            }
        }
    }
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, Unread> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::Broken)?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

async fn drain(mut body: Body) {
    let mut thrown_away = 0;
    while thrown_away < DRAINED
        && let Ok(Some(data)) = next(&mut body).await
    {
        thrown_away += data.len();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::stream;

    use super::*;

    fn read(pieces: &[usize]) -> Result<Bytes, Unread> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|len| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; *len])))
            .collect();
        read_body(Body::from_stream(stream::iter(pieces)))
            .now_or_never()
            .unwrap()
    }

    #[test]
    fn a_body_is_read_whole_up_to_the_limit() {
        assert_eq!(read(&[]).unwrap().len(), 0);
        assert_eq!(read(&[LIMIT]).unwrap().len(), LIMIT);
        assert_eq!(read(&[1, LIMIT - 2, 1]).unwrap().len(), LIMIT);
    }

    #[test]
    fn a_larger_one_is_cut_there() {
        for pieces in [
            &[LIMIT + 1][..],
            &[LIMIT, 1],
            &[1, LIMIT],
            &[10, 2 * 1024 * 1024, 5],
        ] {
            match read(pieces) {
                Err(Unread::TooLarge(beginning)) => assert_eq!(beginning.len(), LIMIT),
                other => panic!("{pieces:?}: {other:?}"),
            }
        }
    }
}
