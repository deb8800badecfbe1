//! The wall clock is set back.
//!
//! Everything that is due is written down in wall time, so that it outlives the
//! process. When somebody corrects a clock that was an hour ahead, all of it
//! would be an hour late: queries, closes, webhooks, and the leases of whoever
//! died meanwhile. So the worker, which waits on a clock that does not jump,
//! notices, and brings the schedule forward by as much.
//!
//! What was written after the step and before it was noticed is then early by as
//! much: a question too many, never one too few.

use std::time::Duration;

use tongbao_core::Timestamp;

use crate::engine::Engine;

/// A smaller step costs no more than itself.
const STEP: Duration = Duration::from_secs(5);

/// What a look at the clock should have shown, and what the schedule is owed.
pub(crate) struct ClockWatch {
    seen: Timestamp,
    owed: Duration,
}

impl ClockWatch {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            seen: now,
            owed: Duration::ZERO,
        }
    }

    /// The clock shows `now`, at least `waited` after the last look.
    fn look(&mut self, now: Timestamp, waited: Duration) -> Duration {
        let step = (self.seen + waited).since(now);
        self.seen = now;
        if step >= STEP {
            self.owed += step;
        }
        self.owed
    }
}

impl Engine {
    /// To be called after every wait. A database that cannot be written now is
    /// asked again after the next one.
    pub(crate) async fn mind_the_clock(&self, watch: &mut ClockWatch, waited: Duration) {
        let now = self.now();
        let by = watch.look(now, waited);
        if by.is_zero() {
            return;
        }
        match self.store().bring_forward(by, now).await {
            Ok(moved) => {
                watch.owed = Duration::ZERO;
                tracing::warn!(
                    ?by,
                    moved,
                    "the machine's clock was set back; what is scheduled was brought forward"
                );
                metrics::counter!("tongbao_clock_set_back_total").increment(1);
            }
            Err(error) => {
                tracing::error!(?by, %error, "the machine's clock was set back, and what is scheduled stays late");
            }
        }
    }

    /// For the start: the database was last written at that time, so that a clock
    /// that shows less was set back since.
    pub async fn database_was_written_at(&self, at: Timestamp) {
        let mut watch = ClockWatch::new(at);
        self.mind_the_clock(&mut watch, Duration::ZERO).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);
    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_clock_that_goes_forward_owes_nothing() {
        let mut watch = ClockWatch::new(NOON);
        let second = Duration::from_secs(1);
        assert_eq!(watch.look(NOON + second, second), Duration::ZERO);
        // Suspended, or set forward.
        assert_eq!(watch.look(NOON + HOUR, second), Duration::ZERO);
        assert_eq!(
            watch.look(NOON + HOUR, Duration::from_secs(2)),
            Duration::ZERO
        );
    }

    #[test]
    fn a_clock_that_is_set_back_owes_the_step_until_it_is_paid() {
        let mut watch = ClockWatch::new(NOON);
        let waited = Duration::from_secs(30);
        let back = NOON + waited - HOUR;
        assert_eq!(watch.look(back, waited), HOUR);
        assert_eq!(watch.look(back + waited, waited), HOUR);
        assert_eq!(watch.look(back - HOUR, Duration::ZERO), HOUR * 2 + waited);
    }
}
