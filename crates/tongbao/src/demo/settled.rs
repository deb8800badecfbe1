//! What the terminal says when the demo has ended.

use std::fmt;

use tongbao_core::Money;
use tongbao_engine::audit::{Report, Severity};

use crate::audit::{Verdict, Words};

/// The audit in two lines; in full when it found something.
pub(super) struct Settled {
    pub(super) report: Report,
}

impl Settled {
    pub(super) fn is_sound(&self) -> bool {
        self.report.count(Severity::Wrong) == 0
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.report;
        if !self.is_sound() {
            let words = Words {
                report,
                no_key: None,
            };
            return write!(f, "审计 Audit\n{words}");
        }
        let sums = || report.sums.values();
        let fen = |minor: i128| Money::fen(i64::try_from(minor).unwrap_or(i64::MAX));
        write!(
            f,
            "审计 Audit  {payments} payments, {paid} paid; received {received} = accepted {accepted} \
             + in cases {in_cases}\n            {verdict}",
            payments = report.payments,
            paid = sums().map(|sums| sums.paid).sum::<u64>(),
            received = fen(sums().map(|sums| sums.received).sum()),
            accepted = fen(sums().map(|sums| sums.accepted).sum()),
            in_cases = fen(sums().map(|sums| sums.in_cases).sum()),
            verdict = Verdict(report),
        )
    }
}
