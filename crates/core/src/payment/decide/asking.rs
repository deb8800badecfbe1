//! When a channel is asked next.

use std::time::Duration;

use super::{Draft, Place};
use crate::schedule::{HINT_INTERVAL, late_look, query_gap};
use crate::{Effect, Timestamp};

impl Draft {
    /// At most one query a minute, however many hints.
    pub(super) fn hint(&mut self, place: Place) {
        let attempt = &mut self.payment.attempts[place];
        let fresh = |at: Timestamp| self.now.since(at) < HINT_INTERVAL && at <= self.now;
        if attempt.hinted_at.is_some_and(fresh) {
            return;
        }
        attempt.hinted_at = Some(self.now);
        self.changed = true;
        self.effects.push(Effect::Query {
            attempt: attempt.id,
            after: Duration::ZERO,
        });
    }

    pub(super) fn ask_again(&mut self, place: Place) {
        let attempt = &self.payment.attempts[place];
        let after = query_gap(self.now.since(attempt.created_at));
        self.effects.push(Effect::Query {
            attempt: attempt.id,
            after,
        });
    }

    /// Money may come late, also by an attempt that is over.
    pub(super) fn look_later(&mut self, place: Place) {
        let attempt = &self.payment.attempts[place];
        if let Some(after) = attempt
            .ended_at
            .and_then(|ended| late_look(ended, self.now))
        {
            self.effects.push(Effect::Query {
                attempt: attempt.id,
                after,
            });
        }
    }
}
