//! Server-sent events: a page hears of every change of what it shows.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{FutureExt, Stream, stream};
use http::HeaderName;
use http::header::CONTENT_TYPE;
use tokio::sync::broadcast::{self, error::RecvError};
use tongbao_core::{Payment, PaymentId};

use super::seats::Seat;
use crate::app::App;

/// A word now and then keeps proxies from closing the connection; the payment is
/// looked at again with it, since another process may have changed it.
const WORD: Duration = Duration::from_secs(15);

/// What a page shows of a payment, as an event's data; the same text, the same
/// view. `None` ends the stream after the last one.
pub(crate) trait Shown: Send + 'static {
    fn look(&self, payment: &Payment) -> (String, bool);
}

struct Watch<S> {
    app: App,
    shown: S,
    payment: Payment,
    changes: broadcast::Receiver<PaymentId>,
    seat: Seat,
    last: Option<String>,
    over: bool,
}

/// The event stream of a payment, beginning with how it stands.
pub(crate) fn events<S: Shown + Sync>(
    app: App,
    payment: Payment,
    changes: broadcast::Receiver<PaymentId>,
    seat: Seat,
    shown: S,
) -> Response {
    let watch = Watch {
        app,
        shown,
        payment,
        changes,
        seat,
        last: None,
        over: false,
    };
    let body = Body::from_stream(stream_of(watch));
    // A proxy that collects answers before it passes them on would keep every event.
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

fn stream_of<S: Shown + Sync>(
    watch: Watch<S>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold(watch, |mut watch| async move {
        let text = watch.next().await?;
        Some((Ok(Bytes::from(text)), watch))
    })
}

impl<S: Shown + Sync> Watch<S> {
    /// The next piece of the stream.
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.over {
                return None;
            }
            let (text, last) = self.shown.look(&self.payment);
            self.over = last;
            if self.last.as_ref() != Some(&text) {
                let event = format!("data: {text}\n\n");
                self.last = Some(text);
                return Some(event);
            }
            if last {
                return None;
            }
            let word = self.changed().await?;
            if let Ok(Some(payment)) = self.read().await {
                self.payment = payment;
            }
            if word {
                return Some(":\n\n".to_owned());
            }
        }
    }

    /// Waits until the payment may have changed; `true` when it is only time for
    /// a word, `None` at the end.
    async fn changed(&mut self) -> Option<bool> {
        let word = self.app.engine.clock().sleep(WORD).fuse();
        let payment = self.payment.id;
        let heard = &mut self.changes;
        let news = async {
            loop {
                match heard.recv().await {
                    Ok(id) if id != payment => {}
                    // Who missed some looks for himself.
                    Ok(_) | Err(RecvError::Lagged(_)) => return Some(false),
                    Err(RecvError::Closed) => return None,
                }
            }
        };
        let mut word = std::pin::pin!(word);
        let mut news = std::pin::pin!(news.fuse());
        let mut closed = std::pin::pin!(self.seat.closed().fuse());
        futures::select_biased! {
            () = closed => None,
            changed = news => changed,
            () = word => Some(true),
        }
    }

    async fn read(&self) -> Result<Option<Payment>, tongbao_store::StoreError> {
        let store = self.app.engine.store();
        store.payment(self.payment.merchant, self.payment.id).await
    }
}
