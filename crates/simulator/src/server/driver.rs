//! What happens by itself: timers, notifications, snapshots.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use reqwest::Client;
use reqwest::redirect::Policy;

use super::Simulator;
use super::clock::wait;
use crate::{Delivered, Outgoing, Platform, TryId};

/// The clock may be set while we wait, so we never wait longer than this in one go.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Snapshots follow each other no faster than this.
const BETWEEN_SNAPSHOTS: Duration = Duration::from_secs(1);
/// More of a merchant's answer is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

impl Simulator {
    /// Does what falls due, sends notifications and keeps the snapshot, for ever. The program
    /// runs one of these beside the router; [`serve`](super::serve) does it by itself.
    pub async fn drive(&self) {
        futures::join!(self.keep_time(), self.keep_snapshot());
    }

    async fn keep_time(&self) {
        let client = match client() {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "no HTTP client, so no notifications");
                return;
            }
        };
        let mut changed = self.shared.revision.subscribe();
        let mut sending = FuturesUnordered::new();
        loop {
            changed.mark_unchanged();
            for outgoing in self.fire() {
                sending.push(send(&client, outgoing));
            }
            let pause = self.look(|platform, now| {
                platform
                    .next_due()
                    .map_or(LONGEST_WAIT, |due| due.since(now))
            });
            let mut change = pin!(changed.changed().fuse());
            let mut pause = pin!(wait(pause.min(LONGEST_WAIT)).fuse());
            futures::select_biased! {
                (id, delivered) = sending.select_next_some() => {
                    self.act(|platform, now| platform.answered(now, id, delivered));
                }
                _ = change => {}
                () = pause => {}
            }
        }
    }

    /// Looks first: firing with nothing due must not count as a change.
    fn fire(&self) -> Vec<Outgoing> {
        if self.look(|platform, now| platform.next_due().is_some_and(|due| due <= now)) {
            self.act(Platform::fire)
        } else {
            Vec::new()
        }
    }

    async fn keep_snapshot(&self) {
        if self.shared.snapshot.is_none() {
            return;
        }
        let mut changed = self.shared.revision.subscribe();
        while changed.changed().await.is_ok() {
            self.save().await;
            wait(BETWEEN_SNAPSHOTS).await;
        }
    }
}

/// As the platform sends: no redirect is followed, no proxy of ours is used.
fn client() -> reqwest::Result<Client> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
}

async fn send(client: &Client, outgoing: Outgoing) -> (TryId, Delivered) {
    let exchange = exchange(client, outgoing.request);
    let delivered = match tokio::time::timeout(outgoing.answer_within, exchange).await {
        Ok(Ok(delivered)) => delivered,
        Ok(Err(error)) => Delivered::NoAnswer(innermost(&error)),
        Err(_) => Delivered::NoAnswer(format!(
            "no answer within {} seconds",
            outgoing.answer_within.as_secs()
        )),
    };
    (outgoing.id, delivered)
}

async fn exchange(client: &Client, request: http::Request<Bytes>) -> reqwest::Result<Delivered> {
    let mut response = client.execute(request.try_into()?).await?;
    let status = response.status().as_u16();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok(Delivered::Http {
        status,
        body: body.freeze(),
    })
}

/// "Connection refused" says more than "error sending request".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
