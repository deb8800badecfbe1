//! What came, what was kept of it, and what waits in cases.

use std::collections::BTreeMap;

use serde::Serialize;
use tongbao_core::{Case, CaseState, Currency, MerchantId, Payment, RefundState, State};
use tongbao_store::snapshot::Dossier;

/// One merchant's money in one currency, in its smallest unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// How many payments there are.
    pub payments: u64,
    /// How many of them are paid.
    pub paid: u64,
    /// What the paid ones ask for.
    pub accepted: i128,
    /// What attempts received.
    pub received: i128,
    /// What of it is kept as cases: paid twice, after the close, a wrong amount.
    pub in_cases: i128,
    /// What has gone back of it.
    pub refunded: i128,
    /// What is on its way back: the payer may have it at any moment.
    pub refunding: i128,
    /// What platforms say has come for orders that nobody here knows, in open
    /// cases.
    pub unknown: i128,
}

impl Sums {
    /// Received money that is neither accepted nor a case: zero.
    pub fn difference(&self) -> i128 {
        self.received - self.accepted - self.in_cases
    }
}

pub(super) type All = BTreeMap<(MerchantId, Currency), Sums>;

pub(super) fn count(all: &mut All, dossier: &Dossier) {
    let Dossier { payment, cases, .. } = dossier;
    let asked = payment.order.amount;
    let sums = all.entry((payment.merchant, asked.currency())).or_default();
    sums.payments += 1;
    if matches!(payment.state, State::Paid { .. }) {
        sums.paid += 1;
        sums.accepted += i128::from(asked.minor());
    }
    count_refunds(all, payment);
    for attempt in &payment.attempts {
        let Some(received) = attempt.received else {
            continue;
        };
        let sums = all
            .entry((payment.merchant, received.currency()))
            .or_default();
        sums.received += i128::from(received.minor());
        // From the case's own row, so that the two sides are told apart.
        let case = cases.iter().find(|case| {
            case.attempt == Some(attempt.id)
                && Some(&case.receipt.transaction_id) == attempt.transaction_id.as_ref()
        });
        if let Some(case) = case.filter(|_| !is_accepted(payment, attempt.id)) {
            sums.in_cases += i128::from(case.receipt.amount.minor());
        }
    }
}

fn count_refunds(all: &mut All, payment: &Payment) {
    for refund in &payment.refunds {
        let key = (payment.merchant, refund.amount.currency());
        let sums = all.entry(key).or_default();
        let amount = i128::from(refund.amount.minor());
        if refund.state == RefundState::Succeeded {
            sums.refunded += amount;
        } else if refund.state.is_open() {
            sums.refunding += amount;
        }
    }
}

fn is_accepted(payment: &Payment, id: tongbao_core::AttemptId) -> bool {
    matches!(payment.state, State::Paid { attempt, .. } if attempt == id)
}

/// A case of no payment.
pub(super) fn claimed(all: &mut All, case: &Case) {
    if case.state != CaseState::Resolved {
        let amount = case.receipt.amount;
        let sums = all.entry((case.merchant, amount.currency())).or_default();
        sums.unknown += i128::from(amount.minor());
    }
}
