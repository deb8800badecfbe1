//! SIGTERM and Ctrl-C.

use std::pin::pin;

use anyhow::Context;
use futures::future::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancelled by the first SIGTERM or SIGINT. The second ends the process at
/// once: everything acknowledged is on the disk already.
pub(super) fn on_signal() -> anyhow::Result<CancellationToken> {
    let mut term = signal(SignalKind::terminate()).context("SIGTERM cannot be heard")?;
    let mut int = signal(SignalKind::interrupt()).context("SIGINT cannot be heard")?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    #[expect(clippy::disallowed_methods, reason = "only the program spawns")]
    tokio::spawn(async move {
        for first in [true, false] {
            select(pin!(term.recv()), pin!(int.recv())).await;
            if first {
                tracing::info!("stopping; once more to stop at once");
                stopping.cancel();
            } else {
                std::process::exit(130);
            }
        }
    });
    Ok(stop)
}
