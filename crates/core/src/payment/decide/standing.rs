//! No money: where the order stands at its channel.

use super::{BREATH, Draft, Place};
use crate::schedule::{NOT_FOUND_GRACE, start_gap};
use crate::{Action, AttemptState, Effect, Failure, Source, State};

impl Draft {
    pub(super) fn accepted(&mut self, place: Place, action: Action) {
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
                self.ask_or_close(place);
            }
            AttemptState::Succeeded
            | AttemptState::Failed
            | AttemptState::Closed
            | AttemptState::Reversed => self.look_later(place),
        }
    }

    pub(super) fn not_paid(&mut self, place: Place, state: AttemptState) {
        let attempt = &mut self.payment.attempts[place];
        match attempt.state {
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying => {
                if attempt.state != state {
                    attempt.state = state;
                    self.changed = true;
                }
                // The channel has the order, but its answer was lost, and with it
                // what the payer needs: the same order again brings it back.
                if attempt.action.is_none() && self.payment.takes_money() {
                    let attempt = &self.payment.attempts[place];
                    let after = start_gap(self.now.since(attempt.created_at));
                    self.effects.push(Effect::Start {
                        attempt: attempt.id,
                        after,
                    });
                }
                self.ask_or_close(place);
            }
            AttemptState::Succeeded => self.contradicted(place),
            // A close that did not stick.
            AttemptState::Closed | AttemptState::Failed => {
                let attempt = attempt.id;
                self.effects.push(Effect::Close { attempt });
                self.look_later(place);
            }
            AttemptState::Reversed => self.look_later(place),
        }
    }

    /// The order stands at the channel, unpaid: go on asking while the payment
    /// wants money, close it when it does not.
    fn ask_or_close(&mut self, place: Place) {
        let attempt = &self.payment.attempts[place];
        let (attempt, state) = (attempt.id, attempt.state);
        match self.payment.state {
            State::Created | State::Pending => self.ask_again(place),
            // Closing under the payer's fingers would take money and lose it.
            State::Closing { .. } | State::Paid { .. } | State::Closed { .. }
                if state == AttemptState::UserPaying =>
            {
                self.ask_again(place);
            }
            State::Closing { .. } | State::Paid { .. } | State::Closed { .. } => {
                self.effects.push(Effect::Close { attempt });
            }
        }
    }

    pub(super) fn ended(&mut self, place: Place, state: AttemptState, failure: Option<Failure>) {
        let attempt = &mut self.payment.attempts[place];
        match attempt.state {
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying => {
                attempt.state = state;
                attempt.failure = failure;
                attempt.ended_at = Some(self.now);
                self.changed = true;
                self.look_later(place);
                self.close_if_nothing_is_open();
            }
            AttemptState::Succeeded => self.contradicted(place),
            AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed => {
                self.look_later(place);
            }
        }
    }

    pub(super) fn not_found(&mut self, place: Place) {
        let attempt = &self.payment.attempts[place];
        let (id, age) = (attempt.id, self.now.since(attempt.created_at));
        match attempt.state {
            // It never arrived: send it again, under its own number.
            AttemptState::Unknown if self.payment.takes_money() => {
                self.effects.push(Effect::Start {
                    attempt: id,
                    after: start_gap(age),
                });
            }
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying
                if !self.payment.takes_money() && age >= NOT_FOUND_GRACE =>
            {
                self.ended(place, AttemptState::Closed, None);
            }
            AttemptState::Unknown | AttemptState::Pending | AttemptState::UserPaying => {
                self.ask_again(place);
            }
            AttemptState::Succeeded => self.contradicted(place),
            AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed => {
                self.look_later(place);
            }
        }
    }

    /// Silence is not failure: ask again, and leave the question open.
    pub(super) fn unknown(&mut self, place: Place, source: Source, ask_now: bool) {
        let attempt = &self.payment.attempts[place];
        // The silence after an order belongs on the timeline; that after one of
        // many queries does not.
        self.changed |= matches!(source, Source::Answer | Source::Close);
        let (attempt, open) = (attempt.id, attempt.state.is_open());
        if ask_now {
            self.effects.push(Effect::Query {
                attempt,
                after: BREATH,
            });
        } else if open {
            self.ask_again(place);
        } else {
            self.look_later(place);
        }
    }

    /// States never move backward. What was said is kept, and the platform is
    /// asked again.
    fn contradicted(&mut self, place: Place) {
        self.changed = true;
        self.look_later(place);
    }
}
