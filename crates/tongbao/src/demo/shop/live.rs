//! A stream that says when an order changed, so that its page can look again.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use http::StatusCode;
use tokio::sync::broadcast::error::RecvError;

use super::Shop;
use super::order_no::OrderNo;

/// Server-sent events whose data is the order's revision: first as it is, then
/// whenever it rises.
pub(super) async fn changes(State(shop): State<Shop>, Path(no): Path<String>) -> Response {
    let Ok(no) = no.parse::<OrderNo>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if shop.book.order(&no).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let stopped = shop.stop.clone().cancelled_owned();
    let events = revisions(shop, no)
        .map(|revision| Ok::<_, Infallible>(Event::default().data(revision.to_string())))
        .take_until(stopped);
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(events).keep_alive(keep_alive).into_response()
}

fn revisions(shop: Shop, no: OrderNo) -> impl Stream<Item = u64> {
    // Listening begins before the first look, so that nothing falls between.
    let changes = shop.book.changes();
    stream::unfold(
        (shop, no, changes, 0),
        async |(shop, no, mut changes, shown)| {
            loop {
                let revision = shop.book.order(&no)?.revision;
                if revision > shown {
                    return Some((revision, (shop, no, changes, revision)));
                }
                match changes.recv().await {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        },
    )
}
