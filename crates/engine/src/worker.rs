//! The worker: claims what is due, runs it, and waits for what is next.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::future::{BoxFuture, FusedFuture};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tongbao_core::schedule::LEASE;
use tongbao_core::{Job, Timestamp};
use tongbao_store::{DeliveryClaim, StoreError};

use crate::clock_step::ClockWatch;
use crate::engine::Engine;
use crate::job::Hand;

/// Jobs in flight. A platform that hangs holds each for the channel timeout.
const JOBS: usize = 256;

/// Webhook deliveries in flight.
const DELIVERIES: usize = 128;

/// Deliveries in flight for one endpoint: its own lane.
const DELIVERIES_AN_ENDPOINT: usize = 8;

/// The worker's longest sleep, unless said otherwise. Work of this process
/// rings; that of another process, and a lease that ran out, is found by looking.
pub(crate) const NAP: Duration = Duration::from_secs(30);

/// How long to wait when more is due than there is room for, or than an
/// endpoint's lane takes: what finishes wakes the worker earlier.
const FULL: Duration = Duration::from_millis(100);

/// Under load every commit rings. One look finds what all of them rang for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// How long to leave a database alone that has just failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a look at the database brought.
struct Found {
    jobs: Vec<Job>,
    deliveries: Vec<DeliveryClaim>,
    rest: Rest,
}

/// When to look again.
enum Rest {
    /// More is due: as soon as something finishes and makes room.
    More,
    /// Nothing is due for so long.
    For(Duration),
}

impl Engine {
    /// Runs jobs and webhook deliveries until `stop`, then finishes what it
    /// holds. May be dropped at any moment: leases run out, and whoever comes
    /// next goes on.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop.fuse());
        let mut held = Held::new(self);
        let mut watch = ClockWatch::new(self.now());
        loop {
            let found = held.look().await;
            let rest = held.take(found);
            match held.rest(rest, stop.as_mut()).await {
                Ended::Stopped => break,
                Ended::TimeToLook { waited } => self.mind_the_clock(&mut watch, waited).await,
            }
        }
        held.finish().await;
    }

    /// Claims what is due, as far as there is room.
    async fn claim(&self, jobs: usize, deliveries: usize) -> Found {
        let now = self.now();
        self.bell.looking();
        let mut found = Found {
            jobs: Vec::new(),
            deliveries: Vec::new(),
            // Looking is cheap; claiming is a write, and a write waits for the
            // disk.
            rest: self.when_to_look(now).await,
        };
        if let Rest::For(_) = found.rest {
            return found;
        }
        let (store, lease_until) = (self.store(), now + LEASE);
        let claim_jobs = async {
            match jobs {
                0 => Ok(Vec::new()),
                room => store.claim_jobs(now, lease_until, room).await,
            }
        };
        let claim_deliveries = async {
            match deliveries {
                0 => Ok(Vec::new()),
                room => {
                    let lane = DELIVERIES_AN_ENDPOINT;
                    store.claim_deliveries(now, lease_until, lane, room).await
                }
            }
        };
        // One wait for the disk serves both. What was claimed is done, whatever
        // else fails.
        let (jobs, deliveries) = futures::join!(claim_jobs, claim_deliveries);
        let failed = jobs.is_err() || deliveries.is_err();
        found.jobs = jobs.unwrap_or_else(|error| no_work(&error));
        found.deliveries = deliveries.unwrap_or_else(|error| no_work(&error));
        found.rest = if failed {
            Rest::For(PAUSE)
        } else {
            self.when_to_look(now).await
        };
        found
    }

    async fn when_to_look(&self, now: Timestamp) -> Rest {
        match self.store().next_due().await {
            Ok(Some(due)) if due <= now => Rest::More,
            Ok(Some(due)) => Rest::For(due.since(now).min(self.nap)),
            Ok(None) => Rest::For(self.nap),
            Err(error) => {
                no_work::<()>(&error);
                Rest::For(PAUSE)
            }
        }
    }
}

fn no_work<T>(error: &StoreError) -> Vec<T> {
    tracing::error!(%error, "the database gave no work");
    Vec::new()
}

/// What is under way. It goes on whatever else is waited for.
struct Held<'a> {
    engine: &'a Engine,
    work: FuturesUnordered<BoxFuture<'a, Done>>,
    jobs: usize,
    deliveries: usize,
}

/// What a finished future was.
enum Done {
    Job,
    Delivery,
}

/// Why a rest ended.
#[derive(PartialEq, Eq)]
enum Ended {
    Stopped,
    TimeToLook {
        /// At least so long.
        waited: Duration,
    },
}

impl<'a> Held<'a> {
    fn new(engine: &'a Engine) -> Self {
        // The set wakes itself after each round in which it polled all that it
        // holds. One that never ends keeps it asleep beside a single busy one.
        let never: BoxFuture<'a, Done> = Box::pin(std::future::pending());
        Self {
            engine,
            work: FuturesUnordered::from_iter([never]),
            jobs: 0,
            deliveries: 0,
        }
    }

    /// Looks for more. What finishes meanwhile is the room of the next look, so
    /// that the busier the disk, the more comes with one claim.
    async fn look(&mut self) -> Found {
        let room = (JOBS - self.jobs, DELIVERIES - self.deliveries);
        let mut claim = pin!(self.engine.claim(room.0, room.1).fuse());
        loop {
            futures::select_biased! {
                done = self.work.select_next_some() => self.let_go(&done),
                found = claim => return found,
            }
        }
    }

    fn take(&mut self, found: Found) -> Rest {
        let engine = self.engine;
        self.jobs += found.jobs.len();
        self.deliveries += found.deliveries.len();
        for job in found.jobs {
            self.work.push(Box::pin(async move {
                if let Err(error) = engine.run_job(job, Hand::Worker).await {
                    tracing::error!(kind = job.key.kind.as_str(), payment = %job.key.payment, %error, "a job failed; it runs again when its lease ends");
                }
                Done::Job
            }));
        }
        for claim in found.deliveries {
            self.work.push(Box::pin(async move {
                let (event, endpoint) = (claim.event.id, claim.endpoint.id);
                if let Err(error) = engine.deliver(claim).await {
                    tracing::error!(%event, %endpoint, %error, "a webhook failed; it goes out again when its lease ends");
                }
                Done::Delivery
            }));
        }
        found.rest
    }

    /// Works until it is time to look again.
    async fn rest(
        &mut self,
        rest: Rest,
        mut stop: Pin<&mut impl FusedFuture<Output = ()>>,
    ) -> Ended {
        let clock = self.engine.clock();
        let looked = self.engine.now();
        let (more, wait) = match rest {
            Rest::More => (true, FULL),
            Rest::For(wait) => {
                self.engine.bell.looks_again_at(looked + wait);
                (false, wait)
            }
        };
        let rung_early = Ended::TimeToLook {
            waited: Duration::ZERO,
        };
        // What rings before somebody listens is kept by the bell.
        let mut rung = pin!(
            async {
                self.engine.bell.rung().await;
                let passed = self.engine.now().since(looked);
                if passed < BETWEEN_LOOKS {
                    clock.sleep(BETWEEN_LOOKS.saturating_sub(passed)).await;
                }
            }
            .fuse()
        );
        let mut slept = clock.sleep(wait).fuse();
        loop {
            futures::select_biased! {
                () = stop => return Ended::Stopped,
                done = self.work.select_next_some() => {
                    self.let_go(&done);
                    if more {
                        return rung_early;
                    }
                }
                () = rung => return rung_early,
                () = slept => return Ended::TimeToLook { waited: wait },
            }
        }
    }

    async fn finish(&mut self) {
        while self.jobs + self.deliveries > 0 {
            let done = self.work.select_next_some().await;
            self.let_go(&done);
        }
    }

    fn let_go(&mut self, done: &Done) {
        match done {
            Done::Job => self.jobs -= 1,
            Done::Delivery => self.deliveries -= 1,
        }
    }
}
