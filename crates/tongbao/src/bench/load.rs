//! A load generator that costs little, because it shares the machine with what
//! it measures: one thread, plain bytes over kept connections, one request at a
//! time on each.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::latency::Latencies;
use super::stopwatch::Stopwatch;

/// A longer answer than any that is expected here.
const ANSWER_MAX: usize = 64 * 1_024;

/// Requests to one address.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) address: SocketAddr,
    /// So many requests are under way at once.
    pub(super) connections: usize,
    /// No new request is sent after this time.
    pub(super) enough: Duration,
    /// The server hangs when all is not answered by then.
    pub(super) limit: Duration,
}

/// What came of it.
pub(super) struct Answered {
    pub(super) count: usize,
    /// From the first byte sent to the last byte received.
    pub(super) wall: Duration,
    pub(super) latencies: Latencies,
}

/// One answer, as far as a bench looks at it.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
}

impl Load {
    /// Sends each of `count` requests once, as far as it gets. `on_answer` fails on any that is not
    /// as it should be, and that ends the bench: a server that refuses quickly
    /// is not fast.
    pub(super) fn send<'a>(
        &self,
        count: usize,
        request: impl Fn(usize) -> &'a [u8],
        on_answer: impl FnMut(usize, &Answer<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Answered> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let work = self.work(count, request, on_answer);
        runtime.block_on(async {
            tokio::time::timeout(self.limit, work)
                .await
                .with_context(|| format!("not answered within {:?}", self.limit))?
        })
    }

    async fn work<'a>(
        &self,
        count: usize,
        request: impl Fn(usize) -> &'a [u8],
        on_answer: impl FnMut(usize, &Answer<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Answered> {
        let connect = (0..self.connections).map(|_| Connection::open(self.address));
        let connections = try_join_all(connect).await?;
        let next = Cell::new(0);
        let taken = RefCell::new(Vec::with_capacity(count));
        let on_answer = RefCell::new(on_answer);
        let watch = Stopwatch::start();
        let lanes = connections.into_iter().map(async |mut connection| {
            loop {
                let place = next.get();
                let sent = watch.elapsed();
                if place >= count || sent > self.enough {
                    return anyhow::Ok(());
                }
                next.set(place + 1);
                let answer = connection.exchange(request(place)).await?;
                taken
                    .borrow_mut()
                    .push(watch.elapsed().saturating_sub(sent));
                (*on_answer.borrow_mut())(place, &answer)
                    .with_context(|| format!("request {place}"))?;
            }
        });
        try_join_all(lanes).await?;
        let wall = watch.elapsed();
        let taken = taken.into_inner();
        Ok(Answered {
            count: taken.len(),
            wall,
            latencies: Latencies::new(taken),
        })
    }
}

/// A kept connection.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8 * 1_024),
        })
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            ensure!(self.buffer.len() <= ANSWER_MAX, "the answer is too long");
            if let Some(head) = Head::read(&self.buffer)? {
                break head;
            }
        };
        let end = head.length + head.body_length;
        ensure!(end <= ANSWER_MAX, "the answer is too long");
        while self.buffer.len() < end {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
        }
        Ok(Answer {
            status: head.status,
            body: &self.buffer[head.length..end],
        })
    }
}

/// What must be known of an answer's head to find its end.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    body_length: usize,
}

impl Head {
    /// `None` while its end has not come.
    fn read(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes[..end]).context("the head is not text")?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
            .and_then(|rest| rest.get(..3))
            .and_then(|digits| digits.parse().ok())
            .context("this is not HTTP/1.1")?;
        let body_length = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let Some((_, body_length)) = body_length else {
            bail!("status {status} without Content-Length; chunks are not read here");
        };
        Ok(Some(Self {
            status,
            length: end + 4,
            body_length: body_length.trim().parse().context("Content-Length")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_answer_is_found_in_its_head() {
        let bytes = b"HTTP/1.1 201 Created\r\nDate: x\r\ncontent-length: 2\r\n\r\n{}";
        let head = Head::read(bytes).unwrap().unwrap();
        assert_eq!(
            head,
            Head {
                status: 201,
                length: bytes.len() - 2,
                body_length: 2
            }
        );
    }

    #[test]
    fn half_a_head_waits_for_the_rest() {
        assert_eq!(Head::read(b"HTTP/1.1 200 OK\r\nContent-Le").unwrap(), None);
    }

    #[test]
    fn an_answer_without_an_end_is_an_error() {
        assert!(Head::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(Head::read(b"SSH-2.0-x\r\nContent-Length: 1\r\n\r\n").is_err());
    }
}
