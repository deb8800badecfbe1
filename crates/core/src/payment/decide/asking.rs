//! When a channel is asked next.
//!
//! An open attempt without a job would be forgotten, so every decision about
//! one ends in a query from here, in a `Start` or in a `Close`, each of which
//! brings a report that is decided in its turn. None of them may bring itself
//! about without a wait.

use std::time::Duration;

use super::{Draft, Place};
use crate::schedule::{HINT_INTERVAL, late_look, late_retry};
use crate::{AttemptId, Effect, Source, Timestamp};

/// A channel that hints at more is asked again after this breath.
pub(super) const BREATH: Duration = Duration::from_secs(1);

/// Clocks are set back by less than this in the ordinary course of things.
const CLOCK_STEP: Duration = Duration::from_mins(1);

/// An order from the future is taken to be this old: past every grace, and
/// asked about once a minute.
const AGE_UNKNOWN: Duration = Duration::from_mins(10);

impl Draft {
    /// One decision asks for one query of an attempt, at the earliest time.
    pub(super) fn query(&mut self, id: AttemptId, wait: Duration) {
        for effect in &mut self.effects {
            if let Effect::Query { attempt, after } = effect
                && *attempt == id
            {
                *after = wait.min(*after);
                return;
            }
        }
        self.effects.push(Effect::Query {
            attempt: id,
            after: wait,
        });
    }

    /// An open attempt is asked about until it has an end.
    pub(super) fn ask_again(&mut self, place: Place) {
        self.ask_again_within(place, Duration::MAX);
    }

    /// The same, after so long at the latest.
    pub(super) fn ask_again_within(&mut self, place: Place, most: Duration) {
        let gap = self.gap(place).min(most.max(BREATH));
        let wait = self.until_hint(place).map_or(gap, |hint| hint.min(gap));
        self.query(self.payment.attempts[place].id, wait);
    }

    /// Money may come late, also by an attempt that is over. Answers whether
    /// there will be another look.
    pub(super) fn look_later(&mut self, place: Place) -> bool {
        let look = late_look(self.ended_at(place), self.now);
        let wait = look.into_iter().chain(self.until_hint(place)).min();
        if let Some(wait) = wait {
            self.query(self.payment.attempts[place].id, wait);
        }
        wait.is_some()
    }

    /// A look that brought no answer was none.
    pub(super) fn look_again(&mut self, place: Place) {
        self.look_later(place);
        let wait = late_retry(self.ended_at(place), self.now);
        self.query(self.payment.attempts[place].id, wait);
    }

    /// A message that proves too little makes us ask: at most one query a
    /// minute, however many come. The second within the minute asks when the
    /// minute is over, since it may know of a payment that the first query could
    /// not see; the others are answered by that one.
    pub(super) fn hint(&mut self, place: Place) {
        let attempt = &mut self.payment.attempts[place];
        let at = match attempt.hinted_at {
            Some(planned) if planned > self.now && planned <= self.now + HINT_INTERVAL => return,
            Some(last) if last <= self.now => self.now.max(last + HINT_INTERVAL),
            // Never, or by a clock that was set back since.
            Some(_) | None => self.now,
        };
        attempt.hinted_at = Some(at);
        let (id, wait) = (attempt.id, at.since(self.now));
        self.changed = true;
        self.query(id, wait);
    }

    /// The channel itself says that a query will tell more. It is asked soon,
    /// unless it said so a short while ago: one that contradicts itself would be
    /// asked as fast as it can answer.
    pub(super) fn ask_soon(&mut self, place: Place) {
        let interval = HINT_INTERVAL.max(self.gap(place));
        let attempt = &mut self.payment.attempts[place];
        let lately = |at: Timestamp| at <= self.now + HINT_INTERVAL && self.now < at + interval;
        if attempt.hinted_at.is_some_and(lately) {
            return;
        }
        attempt.hinted_at = Some(self.now);
        let id = attempt.id;
        self.changed = true;
        self.query(id, BREATH);
    }

    /// What was said may not be acted on. An answer to our own call was the
    /// answer to a job, and is as good as none; everything else is a hint.
    pub(super) fn proves_too_little(&mut self, place: Place, source: Source) {
        match source {
            Source::Answer | Source::Query | Source::Close | Source::Reverse => {
                self.unknown(place, source, false);
            }
            Source::Notification | Source::Bill | Source::Operator => self.hint(place),
        }
    }

    /// How old the order is. A clock that was set back by much tells no age.
    pub(super) fn age(&self, place: Place) -> Duration {
        let created_at = self.payment.attempts[place].created_at;
        if created_at > self.now + CLOCK_STEP {
            AGE_UNKNOWN
        } else {
            self.now.since(created_at)
        }
    }

    /// When the attempt ended. With a clock that was set back by much, it is
    /// watched from now on; else it would be looked at until the clock has caught
    /// up.
    fn ended_at(&mut self, place: Place) -> Timestamp {
        let attempt = &mut self.payment.attempts[place];
        let ended_at = attempt.ended_at.filter(|at| *at <= self.now + CLOCK_STEP);
        self.changed |= ended_at.is_none();
        *attempt.ended_at.insert(ended_at.unwrap_or(self.now))
    }

    /// A query that a hint asked for stays asked for until its time, whichever
    /// job runs before. One that jitter brought forward was it; one that a clock
    /// set back has moved far away is a minute away.
    pub(super) fn until_hint(&mut self, place: Place) -> Option<Duration> {
        let attempt = &mut self.payment.attempts[place];
        let wait = attempt.hinted_at?.since(self.now);
        if wait.is_zero() {
            return None;
        }
        let rest = if wait <= HINT_INTERVAL / 9 {
            Duration::ZERO
        } else {
            wait.min(HINT_INTERVAL)
        };
        if rest != wait {
            attempt.hinted_at = Some(self.now + rest);
            self.changed = true;
        }
        (!rest.is_zero()).then_some(rest)
    }
}
