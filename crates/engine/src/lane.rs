//! A share of the worker for each channel: a platform that hangs holds up its own
//! jobs and nobody else's.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tongbao_core::{ChannelId, Timestamp};

use crate::seams::Clock;

/// Calls of one channel under way at once.
const SEATS: usize = 64;

/// How long a job waits for a seat before its channel counts as hanging. Until a
/// call of it comes back within this time, no other job waits for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a job is laid aside that finds its channel hanging.
pub(crate) const ASIDE: Duration = Duration::from_secs(5);

/// Every channel's lane.
#[derive(Default)]
pub(crate) struct Lanes {
    lanes: Mutex<BTreeMap<ChannelId, Arc<Lane>>>,
}

struct Lane {
    seats: Arc<Semaphore>,
    hangs: AtomicBool,
}

/// Leave to call; given back when dropped.
pub(crate) struct Seat {
    lane: Arc<Lane>,
    since: Timestamp,
    _permit: OwnedSemaphorePermit,
}

impl Lanes {
    /// A seat in the channel's lane; `None` when it hangs.
    pub(crate) async fn seat(&self, channel: ChannelId, clock: &dyn Clock) -> Option<Seat> {
        let lane = self.lane(channel);
        let permit = match lane.seats.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) if lane.hangs.load(Ordering::Relaxed) => return None,
            Err(_) => {
                let mut free = pin!(lane.seats.clone().acquire_owned().fuse());
                let mut patience = clock.sleep(PATIENCE).fuse();
                futures::select_biased! {
                    permit = free => permit.ok()?,
                    () = patience => {
                        lane.hangs.store(true, Ordering::Relaxed);
                        return None;
                    }
                }
            }
        };
        Some(Seat {
            lane,
            since: clock.now(),
            _permit: permit,
        })
    }

    fn lane(&self, channel: ChannelId) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(Lane {
                seats: Arc::new(Semaphore::new(SEATS)),
                hangs: AtomicBool::new(false),
            })
        };
        lanes.entry(channel).or_insert_with(new).clone()
    }
}

impl Seat {
    /// The call has come back.
    pub(crate) fn answered(self, now: Timestamp) {
        if now.since(self.since) < PATIENCE {
            self.lane.hangs.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use tongbao_core::id::Id;

    use super::*;

    /// Waiting takes no time.
    struct Hasty;

    impl Clock for Hasty {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(0)
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    const NOON: Timestamp = Timestamp::from_secs(0);

    #[tokio::test]
    async fn a_channel_hangs_until_a_call_of_it_comes_back_in_time() {
        let lanes = Lanes::default();
        let (one, other) = (ChannelId::from_bits(1), ChannelId::from_bits(2));
        let mut taken = Vec::new();
        for _ in 0..SEATS {
            taken.push(lanes.seat(one, &Hasty).await.unwrap());
        }
        assert!(lanes.seat(one, &Hasty).await.is_none());
        assert!(lanes.lane(one).hangs.load(Ordering::Relaxed));
        assert!(lanes.seat(other, &Hasty).await.is_some());

        // It was a timeout: the next one may have the seat, and nobody waits.
        taken
            .pop()
            .unwrap()
            .answered(NOON + Duration::from_secs(10));
        taken.push(lanes.seat(one, &Hasty).await.unwrap());
        assert!(lanes.lane(one).hangs.load(Ordering::Relaxed));

        taken.pop().unwrap().answered(NOON);
        assert!(!lanes.lane(one).hangs.load(Ordering::Relaxed));
    }
}
