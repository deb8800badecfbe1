//! No money: where the order stands at its channel.

use std::time::Duration;

use super::{Draft, Place};
use crate::schedule::{NOT_FOUND_GRACE, PAYING_GRACE, start_gap};
use crate::{Action, AttemptState, Effect, Failure, Source};

impl Draft {
    pub(super) fn accepted(&mut self, place: Place, action: Action, source: Source) {
        let attempt = &mut self.payment.attempts[place];
        match attempt.state {
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying => {
                if attempt.state == AttemptState::Unknown {
                    attempt.state = AttemptState::Pending;
                    self.changed = true;
                }
                // A repeated order may bring a fresh code; the newest lives longest.
                if attempt.action.as_ref() != Some(&action) {
                    attempt.action = Some(action);
                    self.changed = true;
                }
                self.ask_or_close(place, source);
            }
            AttemptState::Failed | AttemptState::Closed => self.stands_all_the_same(place, source),
            AttemptState::Succeeded | AttemptState::Reversed => {
                self.look_later(place);
            }
        }
    }

    pub(super) fn not_paid(&mut self, place: Place, state: AttemptState, source: Source) {
        let attempt = &mut self.payment.attempts[place];
        match attempt.state {
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying => {
                let lacks_action = attempt.action.is_none() && state == AttemptState::Pending;
                if attempt.state != state {
                    attempt.state = state;
                    self.changed = true;
                }
                if lacks_action && self.payment.takes_money() && !self.is_at_a_till(place) {
                    self.order_again(place, source);
                }
                self.ask_or_close(place, source);
            }
            AttemptState::Succeeded => self.contradicted(place, source),
            AttemptState::Closed | AttemptState::Failed => self.stands_all_the_same(place, source),
            AttemptState::Reversed => {
                self.look_later(place);
            }
        }
    }

    /// The channel has the order, but its answer was lost, and with it what the
    /// payer needs: the same order again brings it back. When that was just tried
    /// the next try waits.
    fn order_again(&mut self, place: Place, source: Source) {
        let after = match source {
            Source::Answer => start_gap(self.age(place)),
            _ => Duration::ZERO,
        };
        self.start(place, after);
    }

    fn start(&mut self, place: Place, after: Duration) {
        let attempt = self.payment.attempts[place].id;
        self.effects.push(Effect::Start { attempt, after });
    }

    /// The order stands at the channel, unpaid: go on asking while the payment
    /// wants money, close it when it does not.
    pub(super) fn ask_or_close(&mut self, place: Place, source: Source) {
        if self.is_at_a_till(place) {
            self.wait_or_reverse(place, source);
            return;
        }
        let state = self.payment.attempts[place].state;
        let wants_money = self.payment.takes_money();
        // Closing under the payer's fingers would take money and lose it. But
        // nobody types a password for ever.
        let paying =
            state == AttemptState::UserPaying && self.now < self.payment.expires_at + PAYING_GRACE;
        if wants_money || paying {
            self.ask_again(place);
        } else {
            self.close_there(place, source);
        }
    }

    /// Close it at its channel; when that was just tried, ask first.
    fn close_there(&mut self, place: Place, source: Source) {
        if source == Source::Close {
            self.ask_again(place);
        } else {
            self.close_when_old_enough(place);
        }
    }

    /// A channel may refuse to close a young order, or say that it is closed and
    /// leave it open. Until then the payer may still pay, so it is asked about as
    /// any other.
    pub(super) fn close_when_old_enough(&mut self, place: Place) {
        let attempt = &self.payment.attempts[place];
        let (attempt, least) = (attempt.id, attempt.close_after_secs);
        let wait = Duration::from_secs(least.into()).saturating_sub(self.age(place));
        if wait.is_zero() {
            self.effects.push(Effect::Close { attempt });
        } else {
            self.ask_again_within(place, wait);
        }
    }

    /// A close that did not stick, or a refusal that was none. Nobody waits for
    /// this money any more.
    fn stands_all_the_same(&mut self, place: Place, source: Source) {
        self.changed = true;
        if matches!(source, Source::Close | Source::Reverse) {
            self.look_again(place);
            return;
        }
        self.end_there_again(place, source);
        self.look_later(place);
    }

    pub(super) fn ended(
        &mut self,
        place: Place,
        state: AttemptState,
        failure: Option<Failure>,
        source: Source,
    ) {
        let attempt = &mut self.payment.attempts[place];
        match attempt.state {
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying => {
                attempt.state = state;
                attempt.failure = failure;
                attempt.ended_at = Some(self.now);
                self.changed = true;
                self.look_later(place);
            }
            AttemptState::Succeeded => self.contradicted(place, source),
            AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed => {
                self.look_later(place);
            }
        }
    }

    pub(super) fn not_found(&mut self, place: Place, source: Source) {
        let age = self.age(place);
        let state = self.payment.attempts[place].state;
        if state.is_open() && self.is_at_a_till(place) {
            self.not_found_at_the_till(place, source);
            return;
        }
        match state {
            // It never arrived: send it again, under its own number.
            AttemptState::Unknown if self.payment.takes_money() => {
                self.start(place, start_gap(age));
            }
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying
                if self.payment.takes_money() || age < NOT_FOUND_GRACE =>
            {
                self.ask_again(place);
            }
            // The channel had it once, and somebody may hold its code: not to be
            // found is not to be closed.
            AttemptState::Pending | AttemptState::UserPaying if source != Source::Close => {
                self.close_there(place, source);
            }
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying => {
                self.ended(place, AttemptState::Closed, None, source);
            }
            AttemptState::Succeeded => self.contradicted(place, source),
            AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed => {
                self.look_later(place);
            }
        }
    }

    /// Silence is not failure: ask again, and leave the question open.
    pub(super) fn unknown(&mut self, place: Place, source: Source, ask_now: bool) {
        // The silence after an order belongs on the timeline; that after one of
        // many queries does not.
        self.changed |= matches!(source, Source::Answer | Source::Close | Source::Reverse);
        if ask_now {
            self.ask_soon(place);
        }
        if self.payment.attempts[place].state.is_open() {
            self.ask_again(place);
        } else {
            self.look_again(place);
        }
    }

    /// States never move backward. What was said is kept, and the platform is
    /// asked again; a bill or a notification that comes after the last look is
    /// worth a question of its own.
    pub(super) fn contradicted(&mut self, place: Place, source: Source) {
        self.changed = true;
        if !self.look_later(place) && source != Source::Query {
            self.hint(place);
        }
    }
}
