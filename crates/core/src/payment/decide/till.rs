//! The payer stands at a till and has shown a code: the money may be taken at
//! any moment, or not at all, and nobody is notified of either.
//!
//! So the channel is asked at the till's pace. What is not paid in time is not
//! closed but reversed: unpaid it is closed there for good, paid the money goes
//! back. A query comes right before every reverse, since one that says "paid" is
//! the end of it. From the first reverse on there is no way back: one whose
//! answer was lost may arrive any time later, and would return money that had
//! been called paid. Only a query that shows it ends the attempt; the channel's
//! own "done" does not.

use std::time::Duration;

use super::asking::BREATH;
use super::cases::Opening;
use super::{Draft, Place};
use crate::schedule::{
    NOT_FOUND_GRACE, REVERSE_GIVES_UP, REVERSE_NOT_BEFORE, REVERSE_SETTLES, TILL, query_gap,
};
use crate::{
    AttemptState, CaseKind, Effect, Failure, Outcome, Patience, Receipt, Reversal, Source,
};

/// A question is never repeated faster.
const LEAST_GAP: Duration = Duration::from_secs(1);

impl Draft {
    pub(super) fn is_at_a_till(&self, place: Place) -> bool {
        self.payment.attempts[place].is_reversed_not_closed()
    }

    /// How long until an open attempt is asked about again.
    pub(super) fn gap(&self, place: Place) -> Duration {
        let age = self.age(place);
        if !self.is_at_a_till(place) || age >= TILL {
            return query_gap(age);
        }
        let every = Duration::from_secs(self.patience(place).query_every_secs.into());
        let rest = self.until_reverse(place).unwrap_or(every);
        every.min(rest).max(LEAST_GAP)
    }

    /// It stands, unpaid: wait for the payer, or take it back. "Unpaid" is only
    /// news when it is the answer to a question just asked.
    pub(super) fn wait_or_reverse(&mut self, place: Place, source: Source) {
        let waits = self.until_reverse(place).is_some() || self.settles(place);
        if waits || source != Source::Query {
            self.ask_again(place);
        } else {
            self.reverse(place);
        }
    }

    /// Not known there. A code dies within a minute, and the order with it, so
    /// what cannot be found after that, and after a reverse, is over.
    pub(super) fn not_found_at_the_till(&mut self, place: Place, source: Source) {
        let Some(reversal) = self.payment.attempts[place].reversal else {
            self.wait_or_reverse(place, source);
            return;
        };
        let asked = self.now.since(reversal.since) >= BREATH && source == Source::Query;
        if asked && self.age(place) >= NOT_FOUND_GRACE {
            self.ended(place, AttemptState::Closed, None, source);
        } else {
            self.ask_again(place);
        }
    }

    /// Nobody wants this order any more.
    pub(super) fn end_there(&mut self, place: Place) {
        if self.is_at_a_till(place) {
            self.query(self.payment.attempts[place].id, Duration::ZERO);
        } else {
            self.close_when_old_enough(place);
        }
    }

    /// It was over, and stands all the same.
    pub(super) fn end_there_again(&mut self, place: Place, source: Source) {
        if !self.is_at_a_till(place) {
            self.end_there(place);
        } else if source == Source::Query && !self.settles(place) {
            self.reverse(place);
        }
    }

    /// Not before the channel would take it.
    pub(super) fn reverse(&mut self, place: Place) {
        let after = REVERSE_NOT_BEFORE.saturating_sub(self.age(place));
        let now = self.now;
        let attempt = &mut self.payment.attempts[place];
        attempt.reversal = Some(Reversal {
            since: attempt.reversal.map_or(now, |reversal| reversal.since),
            asked_at: now + after,
            accepted_at: None,
            refused: false,
        });
        let attempt = attempt.id;
        self.changed = true;
        self.effects.push(Effect::Reverse { attempt, after });
    }

    /// The answer to a reverse. Whatever it is, a query follows.
    pub(super) fn reverse_answered(&mut self, place: Place, outcome: &Outcome) {
        let now = self.now;
        let attempt = &mut self.payment.attempts[place];
        let (id, open) = (attempt.id, attempt.state.is_open());
        match outcome {
            Outcome::Revoked => {
                let reversal = attempt.reversal.get_or_insert(Reversal {
                    since: now,
                    asked_at: now,
                    accepted_at: None,
                    refused: false,
                });
                reversal.accepted_at.get_or_insert(now);
                self.changed = true;
                self.query(id, BREATH);
            }
            Outcome::Refused { .. } => {
                if let Some(reversal) = &mut attempt.reversal {
                    reversal.refused = true;
                }
                self.unknown(place, Source::Reverse, true);
            }
            Outcome::UserPaying if open => {
                attempt.state = AttemptState::UserPaying;
                self.unknown(place, Source::Reverse, false);
            }
            Outcome::Unknown { ask_now, .. } => self.unknown(place, Source::Reverse, *ask_now),
            _ => self.unknown(place, Source::Reverse, false),
        }
    }

    /// Money that comes by this attempt goes back, and is never "paid".
    pub(super) fn is_being_taken_back(&self, place: Place) -> bool {
        let attempt = &self.payment.attempts[place];
        let reversed = attempt.reversal.is_some() || attempt.state == AttemptState::Reversed;
        reversed && attempt.received.is_none()
    }

    /// The reverse is repeated while it may bring the money back; a refund does it
    /// when it cannot.
    pub(super) fn paid_while_taken_back(&mut self, place: Place, receipt: Receipt, source: Source) {
        let attempt = &self.payment.attempts[place];
        let (id, accepted) = match attempt.reversal {
            Some(reversal) => (attempt.id, reversal.accepted_at),
            None => (attempt.id, attempt.ended_at),
        };
        let until = match (accepted, attempt.reversal) {
            (Some(at), _) => at + REVERSE_SETTLES,
            (None, Some(reversal)) if !reversal.refused => reversal.since + REVERSE_GIVES_UP,
            (None, _) => self.now,
        };
        if self.now >= until {
            self.paid_after_reverse(place, receipt, source);
            return;
        }
        self.changed = true;
        match source {
            Source::Query if accepted.is_none() => self.reverse(place),
            Source::Query => self.query(id, self.gap(place).max(LEAST_GAP)),
            Source::Answer | Source::Close | Source::Reverse => self.query(id, BREATH),
            Source::Notification | Source::Bill | Source::Operator => {
                self.hint(place);
                self.query(id, REVERSE_SETTLES);
            }
        }
    }

    fn paid_after_reverse(&mut self, place: Place, receipt: Receipt, source: Source) {
        let kind = if receipt.amount == self.payment.order.amount {
            CaseKind::PaidAfterClose
        } else {
            CaseKind::AmountMismatch
        };
        self.receive(place, &receipt, AttemptState::Failed);
        self.payment.attempts[place].failure = Some(Failure {
            code: "paid_after_reverse".into(),
            detail: "the money came after this attempt was to be reversed; it goes back".into(),
            platform_code: None,
        });
        self.open_case(kind, place, receipt, source, Opening::Money);
    }

    /// How long the payer is still waited for; `None` when the time is up.
    fn until_reverse(&self, place: Place) -> Option<Duration> {
        let attempt = &self.payment.attempts[place];
        if attempt.reversal.is_some() {
            return None;
        }
        let patience = Duration::from_secs(self.patience(place).reverse_after_secs.into());
        // Who may be typing a password is waited for, whoever wants it closed.
        let may_pay = matches!(
            attempt.state,
            AttemptState::Unknown | AttemptState::UserPaying
        );
        let limit = if self.payment.takes_money() || may_pay {
            patience.max(REVERSE_NOT_BEFORE)
        } else {
            REVERSE_NOT_BEFORE
        };
        let rest = limit.saturating_sub(self.age(place));
        (!rest.is_zero()).then_some(rest)
    }

    /// The channel has said that it is done, and may need a while to show it.
    fn settles(&self, place: Place) -> bool {
        let accepted = self.payment.attempts[place]
            .reversal
            .and_then(|reversal| reversal.accepted_at);
        accepted.is_some_and(|at| self.now < at + REVERSE_SETTLES && at <= self.now + LEAST_GAP)
    }

    fn patience(&self, place: Place) -> Patience {
        self.payment.attempts[place].patience.unwrap_or_default()
    }
}
