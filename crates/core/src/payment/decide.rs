//! `(payment, event, now) → (payment', effects) | refusal`.

mod asking;
mod case_refunds;
mod cases;
mod money;
mod refunds;
mod standing;
mod till;

use std::time::Duration;

use crate::webhook::EventType;
use crate::{
    Attempt, AttemptState, CloseReason, Effect, Event, Outcome, Payment, Refusal, Report, Rules,
    Scene, Source, State, Step, Timestamp,
};

use super::MAX_ATTEMPTS;

impl Payment {
    /// The next state, and the effects that must follow in the same
    /// transaction.
    pub fn on(self, event: Event, now: Timestamp, rules: Rules) -> Result<Step, Refusal> {
        let mut draft = Draft {
            payment: self,
            effects: Vec::new(),
            changed: false,
            closes_later: false,
            now,
        };
        match event {
            Event::AttemptStarted { attempt } => draft.attempt_started(*attempt)?,
            Event::Reported { report } => draft.reported(*report, rules)?,
            Event::RefundRequested { refund } => draft.refund_requested(*refund)?,
            Event::RefundReported { report } => draft.refund_reported(&report, rules)?,
            Event::CaseDue { attempt, refund } => {
                draft.case_due(attempt, refund.map(|refund| *refund), &rules.policy)?;
            }
            Event::CaseStopped { case, need } => draft.case_stopped(&case, need)?,
            Event::CaseDecided {
                case,
                decision,
                refund,
            } => draft.case_decided(&case, *decision, refund.map(|refund| *refund))?,
            Event::CloseRequested => draft.close_requested()?,
            Event::Expired => draft.expired(),
        }
        Ok(draft.finish())
    }
}

/// A decision while it is being made.
struct Draft {
    payment: Payment,
    effects: Vec<Effect>,
    changed: bool,
    /// The next report may close the payment, not this one.
    closes_later: bool,
    now: Timestamp,
}

/// Which attempt of the payment, by its place.
type Place = usize;

impl Draft {
    fn finish(mut self) -> Step {
        if self.changed {
            self.payment.version += 1;
        }
        Step {
            payment: self.payment,
            effects: self.effects,
            changed: self.changed,
        }
    }

    fn attempt_started(&mut self, attempt: Attempt) -> Result<(), Refusal> {
        // Written down before; whoever started it could not know.
        if self.payment.attempt(attempt.id).is_some() {
            return Err(Refusal::AlreadyOpen(attempt.id));
        }
        let same_code = |known: &&Attempt| {
            known.code_digest.is_some() && known.code_digest == attempt.code_digest
        };
        if let Some(known) = self.payment.attempts.iter().find(same_code) {
            return Err(Refusal::AlreadyOpen(known.id));
        }
        self.payment.wants_a_payer(self.now)?;
        // A second code would be a second charge while the first may still be
        // paid, whatever the channel.
        let same_way = |open: &&Attempt| {
            open.scene == attempt.scene
                && (open.channel == attempt.channel || attempt.scene == Scene::Barcode)
                && open.payer == attempt.payer
        };
        let open = self
            .payment
            .attempts
            .iter()
            .filter(|other| other.state.is_open());
        if let Some(open) = open.clone().find(same_way) {
            return Err(Refusal::AlreadyOpen(open.id));
        }
        if self.payment.attempts.len() >= MAX_ATTEMPTS {
            return Err(Refusal::TooManyAttempts);
        }
        self.effects.push(Effect::Start {
            attempt: attempt.id,
            after: Duration::ZERO,
        });
        self.payment.attempts.push(attempt);
        let place = self.payment.attempts.len() - 1;
        if self.is_at_a_till(place) {
            // Whatever becomes of the process that has the code in its hand.
            self.ask_again(place);
        }
        self.payment.state = State::Pending;
        self.changed = true;
        Ok(())
    }

    fn close_requested(&mut self) -> Result<(), Refusal> {
        match self.payment.state {
            State::Paid { .. } => return Err(Refusal::AlreadyPaid),
            State::Closed { .. } => {}
            State::Created | State::Pending | State::Closing { .. } => {
                self.close(CloseReason::Requested);
            }
        }
        Ok(())
    }

    fn expired(&mut self) {
        match self.payment.state {
            State::Paid { .. } | State::Closed { .. } => {}
            // The clock was set back since the job was written.
            State::Created | State::Pending | State::Closing { .. }
                if self.now < self.payment.expires_at =>
            {
                self.effects.push(Effect::Expire);
            }
            State::Created | State::Pending | State::Closing { .. } => {
                self.close(CloseReason::Expired);
            }
        }
    }

    /// Query first: an order that was paid a second ago is paid, not closed.
    fn close(&mut self, reason: CloseReason) {
        if !matches!(self.payment.state, State::Closing { .. }) {
            self.payment.state = State::Closing { reason };
            self.changed = true;
        }
        let open = self
            .payment
            .attempts
            .iter()
            .filter(|attempt| attempt.state.is_open());
        for id in open.map(|attempt| attempt.id).collect::<Vec<_>>() {
            self.query(id, Duration::ZERO);
        }
        self.close_if_nothing_is_open();
    }

    fn close_if_nothing_is_open(&mut self) {
        if let State::Closing { reason } = self.payment.state
            && !self
                .payment
                .attempts
                .iter()
                .any(|attempt| attempt.state.is_open())
        {
            self.payment.state = State::Closed {
                reason,
                at: self.now,
            };
            self.changed = true;
            self.effects.push(Effect::Tell(EventType::PaymentClosed));
        }
    }

    fn reported(&mut self, report: Report, rules: Rules) -> Result<(), Refusal> {
        let Report {
            attempt,
            source,
            grade,
            outcome,
        } = report;
        let place = self
            .payment
            .attempts
            .iter()
            .position(|known| known.id == attempt);
        let place = place.ok_or(Refusal::UnknownAttempt)?;
        let answer = (source == Source::Query).then(|| {
            if grade >= rules.trust {
                cases::Answer::of(&outcome)
            } else {
                cases::Answer::Silence
            }
        });
        match outcome {
            Outcome::Success { receipt } if grade >= rules.trust => {
                self.paid(place, receipt, source, rules);
            }
            Outcome::Success { receipt } => self.paid_they_say(place, receipt, source, grade),
            _ if grade < rules.trust => self.proves_too_little(place, source),
            outcome if source == Source::Reverse => self.reverse_answered(place, &outcome),
            Outcome::Accepted { action } => self.accepted(place, action, source),
            Outcome::NotPaid => self.not_paid(place, AttemptState::Pending, source),
            Outcome::UserPaying => self.not_paid(place, AttemptState::UserPaying, source),
            Outcome::Closed => self.ended(place, AttemptState::Closed, None, source),
            Outcome::Revoked => self.ended(place, AttemptState::Reversed, None, source),
            Outcome::PayError { failure } => {
                let was_open = self.payment.attempts[place].state.is_open();
                self.ended(place, AttemptState::Failed, Some(failure), source);
                // The platforms ask for it: until then the number is half alive.
                if was_open && self.is_at_a_till(place) {
                    self.reverse(place);
                }
            }
            Outcome::Refused { failure } => {
                self.ended(place, AttemptState::Failed, Some(failure), source);
            }
            Outcome::NotFound => self.not_found(place, source),
            Outcome::Unknown { ask_now, .. } => self.unknown(place, source, ask_now),
        }
        if let Some(answer) = answer {
            self.claims_answered(place, &answer);
        }
        if !self.closes_later {
            self.close_if_nothing_is_open();
        }
        Ok(())
    }
}

impl Payment {
    /// Whether a payer who comes now may still be sent to a channel.
    pub fn wants_a_payer(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.state {
            State::Paid { .. } => Err(Refusal::AlreadyPaid),
            State::Closed { .. } | State::Closing { .. } => Err(Refusal::AlreadyClosed),
            State::Created | State::Pending if now >= self.expires_at => Err(Refusal::Expired),
            State::Created | State::Pending => Ok(()),
        }
    }

    /// A payer may still be sent to a channel.
    const fn takes_money(&self) -> bool {
        matches!(self.state, State::Created | State::Pending)
    }
}
