//! `(payment, event, now) → (payment', effects) | refusal`.

use std::time::Duration;

use crate::case::Remedy;
use crate::schedule::{
    CONFIRM_AFTER, HINT_INTERVAL, NOT_FOUND_GRACE, late_look, query_gap, start_gap,
};
use crate::webhook::EventType;
use crate::{
    Action, Attempt, AttemptState, CaseKind, CloseReason, Effect, Event, Failure, Grade, Outcome,
    Payment, Raised, Receipt, Refusal, Report, Rules, Source, State, Step, Timestamp,
};

use super::MAX_ATTEMPTS;

/// A channel that hints at more is asked again after this breath: one that
/// contradicts itself would otherwise be asked as fast as it can answer.
const BREATH: Duration = Duration::from_secs(1);

impl Payment {
    /// The next state, and the effects that must follow in the same
    /// transaction.
    pub fn on(self, event: Event, now: Timestamp, rules: Rules) -> Result<Step, Refusal> {
        let mut draft = Draft {
            payment: self,
            effects: Vec::new(),
            changed: false,
            now,
        };
        match event {
            Event::AttemptStarted { attempt } => draft.attempt_started(*attempt)?,
            Event::Reported { report } => draft.reported(*report, rules)?,
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
        match self.payment.state {
            State::Paid { .. } => return Err(Refusal::AlreadyPaid),
            State::Closed { .. } | State::Closing { .. } => return Err(Refusal::AlreadyClosed),
            State::Created | State::Pending => {}
        }
        if self.now >= self.payment.expires_at {
            return Err(Refusal::Expired);
        }
        let same_way =
            |open: &&Attempt| open.channel == attempt.channel && open.scene == attempt.scene;
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
        self.effects.extend(open.map(|attempt| Effect::Query {
            attempt: attempt.id,
            after: Duration::ZERO,
        }));
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
        match outcome {
            Outcome::Success { receipt } if grade >= rules.trust => {
                self.paid(place, receipt, source, rules);
            }
            Outcome::Success { receipt } => self.paid_they_say(place, receipt, source, grade),
            _ if grade < rules.trust => self.hint(place),
            Outcome::Accepted { action } => self.accepted(place, action),
            Outcome::NotPaid => self.not_paid(place, AttemptState::Pending),
            Outcome::UserPaying => self.not_paid(place, AttemptState::UserPaying),
            Outcome::Closed => self.ended(place, AttemptState::Closed, None),
            Outcome::Revoked => self.ended(place, AttemptState::Reversed, None),
            Outcome::PayError { failure } | Outcome::Refused { failure } => {
                self.ended(place, AttemptState::Failed, Some(failure));
            }
            Outcome::NotFound => self.not_found(place),
            Outcome::Unknown { ask_now, .. } => self.unknown(place, source, ask_now),
        }
        Ok(())
    }

    /// Money has come, and it is proven.
    fn paid(&mut self, place: Place, receipt: Receipt, source: Source, rules: Rules) {
        let id = self.payment.attempts[place].id;
        if self.is_known(place, &receipt) {
            return;
        }
        if receipt.amount != self.payment.order.amount {
            self.paid_a_wrong_amount(place, receipt, source);
            return;
        }
        match self.payment.state {
            State::Created | State::Pending | State::Closing { .. } => {
                self.settle(place, &receipt, source);
            }
            State::Closed { .. } if rules.policy.accept_late => {
                self.settle(place, &receipt, source);
            }
            State::Closed { .. } => {
                self.receive(place, &receipt, AttemptState::Succeeded);
                self.open_case(
                    CaseKind::PaidAfterClose,
                    place,
                    receipt,
                    source,
                    Remedy::Refund,
                );
            }
            // The same number, another trade: nothing may be guessed here.
            State::Paid { attempt, .. } if attempt == id => {
                self.open_case(CaseKind::PaidTwice, place, receipt, source, Remedy::Review);
            }
            State::Paid { .. } => {
                self.receive(place, &receipt, AttemptState::Succeeded);
                self.open_case(CaseKind::PaidTwice, place, receipt, source, Remedy::Refund);
            }
        }
    }

    /// Platforms repeat themselves; the second telling changes nothing.
    fn is_known(&self, place: Place, receipt: &Receipt) -> bool {
        let attempt = &self.payment.attempts[place];
        attempt.received == Some(receipt.amount)
            && attempt.transaction_id.as_ref() == Some(&receipt.transaction_id)
    }

    fn settle(&mut self, place: Place, receipt: &Receipt, source: Source) {
        self.receive(place, receipt, AttemptState::Succeeded);
        let id = self.payment.attempts[place].id;
        self.payment.state = State::Paid {
            attempt: id,
            at: receipt.paid_at.unwrap_or(self.now),
        };
        self.effects.push(Effect::Tell(EventType::PaymentPaid));
        if source == Source::Notification {
            self.effects.push(Effect::Query {
                attempt: id,
                after: CONFIRM_AFTER,
            });
        }
        // The payer may not pay twice: every other way is closed.
        let others = self
            .payment
            .attempts
            .iter()
            .filter(|other| other.state.is_open());
        self.effects
            .extend(others.map(|other| Effect::Close { attempt: other.id }));
    }

    /// What came is written once; nothing overwrites it.
    fn receive(&mut self, place: Place, receipt: &Receipt, state: AttemptState) {
        let attempt = &mut self.payment.attempts[place];
        attempt.state = state;
        attempt.ended_at = Some(self.now);
        attempt.received = Some(receipt.amount);
        attempt.transaction_id = Some(receipt.transaction_id.clone());
        attempt.payer.clone_from(&receipt.payer);
        attempt.failure = None;
        self.changed = true;
    }

    fn paid_a_wrong_amount(&mut self, place: Place, receipt: Receipt, source: Source) {
        let attempt = &self.payment.attempts[place];
        if attempt.received.is_some() {
            // Two proven amounts for one order: a person must look.
            self.open_case(
                CaseKind::AmountMismatch,
                place,
                receipt,
                source,
                Remedy::Review,
            );
            return;
        }
        let failure = Failure {
            code: "amount_mismatch".into(),
            detail: format!(
                "{} came where {} was asked; the money goes back, start another attempt",
                receipt.amount, self.payment.order.amount
            ),
            platform_code: None,
        };
        self.receive(place, &receipt, AttemptState::Failed);
        self.payment.attempts[place].failure = Some(failure);
        self.open_case(
            CaseKind::AmountMismatch,
            place,
            receipt,
            source,
            Remedy::Refund,
        );
        self.close_if_nothing_is_open();
    }

    /// A message claims that money has come, and proves too little: the platform
    /// is asked. A genuine one with a wrong amount is kept as a case besides.
    fn paid_they_say(&mut self, place: Place, receipt: Receipt, source: Source, grade: Grade) {
        if self.is_known(place, &receipt) {
            return;
        }
        if grade >= Grade::Shared && receipt.amount != self.payment.order.amount {
            self.open_case(
                CaseKind::AmountMismatch,
                place,
                receipt,
                source,
                Remedy::Review,
            );
        }
        self.hint(place);
    }

    /// At most one query a minute, however many hints.
    fn hint(&mut self, place: Place) {
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

    fn open_case(
        &mut self,
        kind: CaseKind,
        place: Place,
        receipt: Receipt,
        source: Source,
        remedy: Remedy,
    ) {
        let attempt = &mut self.payment.attempts[place];
        let raised = Raised {
            kind,
            transaction_id: receipt.transaction_id.clone(),
            amount: receipt.amount,
        };
        if attempt.raised.contains(&raised) {
            return;
        }
        attempt.raised.push(raised);
        self.changed = true;
        let attempt = attempt.id;
        self.effects.push(Effect::OpenCase {
            kind,
            attempt,
            receipt,
            source,
            remedy,
        });
        self.effects.push(Effect::Tell(EventType::CaseOpened));
    }

    fn accepted(&mut self, place: Place, action: Action) {
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

    fn not_paid(&mut self, place: Place, state: AttemptState) {
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
                    let attempt = self.payment.attempts[place].id;
                    self.effects.push(Effect::Start {
                        attempt,
                        after: Duration::ZERO,
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

    fn ended(&mut self, place: Place, state: AttemptState, failure: Option<Failure>) {
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

    fn not_found(&mut self, place: Place) {
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
    fn unknown(&mut self, place: Place, source: Source, ask_now: bool) {
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

    fn ask_again(&mut self, place: Place) {
        let attempt = &self.payment.attempts[place];
        let after = query_gap(self.now.since(attempt.created_at));
        self.effects.push(Effect::Query {
            attempt: attempt.id,
            after,
        });
    }

    /// Money may come late, also by an attempt that is over.
    fn look_later(&mut self, place: Place) {
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

impl Payment {
    /// A payer may still be sent to a channel.
    const fn takes_money(&self) -> bool {
        matches!(self.state, State::Created | State::Pending)
    }
}
