//! The worker: claims what is due, runs it, and waits for what is next.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tongbao_core::Timestamp;
use tongbao_core::schedule::LEASE;

use crate::engine::Engine;
use crate::error::EngineError;

/// Jobs in flight. A platform that hangs holds each for the channel timeout.
const JOBS: usize = 256;

/// Webhook deliveries in flight.
const DELIVERIES: usize = 128;

/// Deliveries in flight for one endpoint: its own lane.
const DELIVERIES_AN_ENDPOINT: usize = 8;

/// The longest sleep. Work of this process rings; that of another process, and a
/// lease that ran out, is found by looking.
const NAP: Duration = Duration::from_secs(30);

/// How long to wait when more is due than there is room for, or than an
/// endpoint's lane takes: what finishes wakes the worker earlier.
const FULL: Duration = Duration::from_millis(100);

/// How long to leave a database alone that has just failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a finished future was.
enum Done {
    Job,
    Delivery,
}

impl Engine {
    /// Runs jobs and webhook deliveries until `stop`, then finishes what it
    /// holds. May be dropped at any moment: leases run out, and whoever comes
    /// next goes on.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop.fuse());
        let mut work: FuturesUnordered<BoxFuture<'_, Done>> = FuturesUnordered::new();
        let (mut jobs, mut deliveries) = (0, 0);
        loop {
            let wait = match self.fill(&mut work, &mut jobs, &mut deliveries).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "the database gave no work");
                    PAUSE
                }
            };
            // What has been rung since `fill` looked is kept by the bell.
            let mut rung = pin!(self.work.notified().fuse());
            let mut slept = self.clock().sleep(wait).fuse();
            futures::select_biased! {
                () = stop => break,
                done = work.select_next_some() => match done {
                    Done::Job => jobs -= 1,
                    Done::Delivery => deliveries -= 1,
                },
                () = rung => {}
                () = slept => {}
            }
        }
        while work.next().await.is_some() {}
    }

    /// Claims as much as there is room for, and answers how long to wait for
    /// more.
    async fn fill<'a>(
        &'a self,
        work: &mut FuturesUnordered<BoxFuture<'a, Done>>,
        jobs: &mut usize,
        deliveries: &mut usize,
    ) -> Result<Duration, EngineError> {
        let now = self.now();
        let lease_until = now + LEASE;
        // Looking is cheap; claiming is a write, and a write waits for the disk.
        if let Some(wait) = self.nothing_due(now).await? {
            return Ok(wait);
        }
        if *jobs < JOBS {
            let claimed = self
                .store()
                .claim_jobs(now, lease_until, JOBS - *jobs)
                .await?;
            *jobs += claimed.len();
            for job in claimed {
                work.push(Box::pin(async move {
                    if let Err(error) = self.run_job(job, false).await {
                        tracing::error!(kind = job.key.kind.as_str(), payment = %job.key.payment, %error, "a job failed; it runs again when its lease ends");
                    }
                    Done::Job
                }));
            }
        }
        if *deliveries < DELIVERIES {
            let room = DELIVERIES - *deliveries;
            let claimed = self
                .store()
                .claim_deliveries(now, lease_until, DELIVERIES_AN_ENDPOINT, room)
                .await?;
            *deliveries += claimed.len();
            for claim in claimed {
                work.push(Box::pin(async move {
                    let (event, endpoint) = (claim.event.id, claim.endpoint.id);
                    if let Err(error) = self.deliver(claim).await {
                        tracing::error!(%event, %endpoint, %error, "a webhook failed; it goes out again when its lease ends");
                    }
                    Done::Delivery
                }));
            }
        }
        Ok(self.nothing_due(now).await?.unwrap_or(FULL))
    }

    /// How long until something is due; none when something is.
    async fn nothing_due(&self, now: Timestamp) -> Result<Option<Duration>, EngineError> {
        let next = self.store().next_due().await?;
        Ok(match next {
            Some(due) if due <= now => None,
            Some(due) => Some(due.since(now).min(NAP)),
            None => Some(NAP),
        })
    }
}
