//! `GET /_sim/events`: something has changed, look again.

use std::convert::Infallible;
use std::pin::pin;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::FutureExt as _;
use futures::stream::{self, Stream};
use tokio::sync::watch;

use super::Simulator;

/// One event a change, the first at once; changes in quick succession may share one.
pub(super) async fn stream(
    State(simulator): State<Simulator>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut revision = simulator.shared.revision.subscribe();
    revision.mark_changed();
    let closing = simulator.shared.closing.subscribe();
    let events = stream::unfold((revision, closing), |(mut revision, mut closing)| async {
        let number = next(&mut revision, &mut closing).await?;
        let event = Event::default().event("changed").data(number.to_string());
        Some((Ok(event), (revision, closing)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// `None` when the server is stopping.
async fn next(
    revision: &mut watch::Receiver<u64>,
    closing: &mut watch::Receiver<bool>,
) -> Option<u64> {
    {
        let mut closed = pin!(closing.wait_for(|closing| *closing).fuse());
        let mut changed = pin!(revision.changed().fuse());
        futures::select_biased! {
            _ = closed => return None,
            changed = changed => changed.ok()?,
        }
    }
    Some(*revision.borrow_and_update())
}
