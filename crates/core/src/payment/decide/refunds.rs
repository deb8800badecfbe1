//! Money on its way back. The payment's version is the lock: two requests at
//! the same instant are decided one after the other.

use super::Draft;
use super::cases::Opening;
use crate::payment::MAX_REFUNDS;
use crate::refund::{Refund, RefundEffect, RefundReport};
use crate::schedule::REFUND_PAUSE;
use crate::{AttemptId, CaseKind, Effect, Money, Receipt, Refusal, Rules, Source, State};

impl Draft {
    /// The merchant wants money to go back.
    pub(super) fn refund_requested(&mut self, refund: Refund) -> Result<(), Refusal> {
        if let Some(known) = self.payment.same_refund(&refund) {
            return Err(Refusal::AlreadyRefunded(known.id));
        }
        match self.payment.state {
            State::Paid { attempt, .. } if attempt == refund.attempt => {}
            State::Paid { .. }
            | State::Created
            | State::Pending
            | State::Closing { .. }
            | State::Closed { .. } => return Err(Refusal::NotPaid),
        }
        self.start_refund(refund, MAX_REFUNDS)
    }

    /// Money goes back, if there is so much of it.
    pub(super) fn start_refund(&mut self, mut refund: Refund, most: usize) -> Result<(), Refusal> {
        let rest = self.payment.refundable(refund.attempt);
        let fits = rest.is_some_and(|rest| {
            rest.currency() == refund.amount.currency()
                && (1..=rest.minor()).contains(&refund.amount.minor())
        });
        if !fits {
            let rest = rest.unwrap_or(Money::fen(0));
            return Err(Refusal::AboveRest { rest });
        }
        if self.payment.refunds.len() >= most {
            return Err(Refusal::TooManyRefunds);
        }
        refund.starts_at = self.turn(refund.attempt);
        self.effects.push(Effect::StartRefund {
            refund: refund.id,
            after: refund.starts_at.since(self.now),
        });
        self.payment.refunds.push(refund);
        self.changed = true;
        Ok(())
    }

    /// Platforms want a pause between two refunds of one order.
    fn turn(&self, attempt: AttemptId) -> crate::Timestamp {
        let before = self.payment.refunds.iter();
        let last = before
            .filter(|refund| refund.attempt == attempt)
            .map(|refund| refund.starts_at + REFUND_PAUSE)
            .max();
        let longest = self.now + REFUND_PAUSE * u32::try_from(MAX_REFUNDS).unwrap_or(u32::MAX);
        // A clock that was set back by more than the longest queue tells nothing.
        last.filter(|turn| *turn <= longest)
            .map_or(self.now, |turn| turn.max(self.now))
    }

    /// A channel said something of a refund, or nothing.
    pub(super) fn refund_reported(
        &mut self,
        report: &RefundReport,
        rules: Rules,
    ) -> Result<(), Refusal> {
        let place = self
            .payment
            .refunds
            .iter()
            .position(|refund| refund.id == report.refund)
            .ok_or(Refusal::UnknownRefund)?;
        let before = self.payment.refunds[place].clone();
        let step = before.on(report, self.now, rules.trust);
        let (id, attempt) = (step.refund.id, step.refund.attempt);
        let of_case = step.refund.case.is_some();
        self.changed |= step.changed;
        self.payment.refunds[place] = step.refund;
        for effect in step.effects {
            match effect {
                RefundEffect::Start { after } => {
                    self.effects.push(Effect::StartRefund { refund: id, after });
                }
                RefundEffect::Query { after } => {
                    self.effects.push(Effect::QueryRefund { refund: id, after });
                }
                RefundEffect::Tell(kind) if of_case => self.case_refund_ended(place, kind),
                RefundEffect::Waits if of_case => self.case_refund_waits(id),
                // It has its case.
                RefundEffect::OpenCase if of_case => {}
                // Its failure says what for.
                RefundEffect::Waits => {}
                RefundEffect::Tell(kind) => {
                    self.effects.push(Effect::TellRefund { kind, refund: id });
                }
                RefundEffect::OpenCase => self.refund_is_abnormal(place, report.source),
            }
        }
        if step.changed {
            self.see_to_cases_of(attempt);
        }
        Ok(())
    }

    /// One case for a refund, under the platform's number of it.
    fn refund_is_abnormal(&mut self, place: usize, source: Source) {
        let refund = &self.payment.refunds[place];
        let receipt = Receipt {
            amount: refund.amount,
            transaction_id: refund.refund_no.clone().unwrap_or_default(),
            payer: None,
            paid_at: None,
        };
        let opening = Opening::RefundAbnormal(refund.id);
        let attempts = self.payment.attempts.iter();
        let attempt = attempts
            .map(|attempt| attempt.id)
            .position(|id| id == refund.attempt);
        if let Some(attempt) = attempt {
            let kind = CaseKind::RefundAbnormal;
            self.open_case(kind, attempt, receipt, source, opening);
        }
    }
}
