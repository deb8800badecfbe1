//! Money has come, or a message says so.

use super::cases::Opening;
use super::{Draft, Place};
use crate::schedule::CONFIRM_AFTER;
use crate::webhook::EventType;
use crate::{AttemptState, CaseKind, Effect, Failure, Grade, Receipt, Rules, Source, State};

/// So many cases one attempt may lead to by mere claims: whoever has leaked a
/// shared key could make any number of them. What a platform proves is always
/// kept.
const MAX_CLAIMS: usize = 8;

impl Draft {
    /// Money has come, and it is proven.
    pub(super) fn paid(&mut self, place: Place, receipt: Receipt, source: Source, rules: Rules) {
        if self.is_known(place, &receipt) {
            return;
        }
        if self.is_being_taken_back(place) {
            self.paid_while_taken_back(place, receipt, source);
            return;
        }
        if self.payment.attempts[place].received.is_some() {
            // The same number, another trade or another amount: what was received
            // stands, and a person must look.
            let kind = self.what_is_wrong(&receipt);
            self.open_case(kind, place, receipt, source, Opening::SecondReceipt);
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
            State::Closed { .. } | State::Paid { .. } => {
                let kind = self.what_is_wrong(&receipt);
                self.receive(place, &receipt, AttemptState::Succeeded);
                self.open_case(kind, place, receipt, source, Opening::Money);
            }
        }
    }

    /// Why this money should not be there.
    fn what_is_wrong(&self, receipt: &Receipt) -> CaseKind {
        match self.payment.state {
            _ if receipt.amount != self.payment.order.amount => CaseKind::AmountMismatch,
            State::Closed { .. } => CaseKind::PaidAfterClose,
            State::Created | State::Pending | State::Closing { .. } | State::Paid { .. } => {
                CaseKind::PaidTwice
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
            self.query(id, CONFIRM_AFTER);
        }
        // The payer may not pay twice: every other way is closed.
        for other in 0..self.payment.attempts.len() {
            if self.payment.attempts[other].state.is_open() {
                self.end_there(other);
            }
        }
    }

    /// What came is written once; nothing overwrites it.
    pub(super) fn receive(&mut self, place: Place, receipt: &Receipt, state: AttemptState) {
        let attempt = &mut self.payment.attempts[place];
        attempt.state = state;
        attempt.ended_at = Some(self.now);
        attempt.received = Some(receipt.amount);
        attempt.transaction_id = Some(receipt.transaction_id.clone());
        if receipt.payer.is_some() {
            attempt.payer.clone_from(&receipt.payer);
        }
        attempt.failure = None;
        self.changed = true;
    }

    fn paid_a_wrong_amount(&mut self, place: Place, receipt: Receipt, source: Source) {
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
            Opening::Money,
        );
    }

    /// A message claims that money has come, and proves too little: the platform
    /// is asked. A genuine one that cannot be right is kept as a case besides.
    pub(super) fn paid_they_say(
        &mut self,
        place: Place,
        receipt: Receipt,
        source: Source,
        grade: Grade,
    ) {
        if self.is_known(place, &receipt) {
            return;
        }
        let attempt = &self.payment.attempts[place];
        let wrong = receipt.amount != self.payment.order.amount || attempt.received.is_some();
        if wrong && grade >= Grade::Shared && attempt.raised.len() < MAX_CLAIMS {
            let (id, kind) = (attempt.id, self.what_is_wrong(&receipt));
            self.open_case(kind, place, receipt, source, Opening::Claim);
            // What was planned for an earlier hint may not be there any more: where
            // money has come, nothing more is asked.
            if let Some(wait) = self.until_hint(place) {
                self.query(id, wait);
            }
        }
        self.proves_too_little(place, source);
    }
}
