//! Two ledgers of the same money: the gateway's file and the platform's books.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;
use tongbao_core::{Attempt, Case, CaseKind, MerchantId, Refund, RefundState};
use tongbao_engine::audit::{Keys, Severity, audit};
use tongbao_simulator::{Platform, TradeState};
use tongbao_store::CaseFilter;
use tongbao_store::snapshot::Snapshot;
use tongbao_store::sqlite::SqliteSnapshot;

use super::clock::ManualClock;

/// Compares the two when a world ends, whatever its test was about.
pub(super) struct Books {
    pub(super) database: TempDir,
    pub(super) platform: Arc<Mutex<Platform>>,
    pub(super) clock: Arc<ManualClock>,
    /// Why this world's may differ.
    pub(super) excuse: Mutex<Option<&'static str>>,
}

/// What came under which numbers, and what went back: fen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ledger {
    received: BTreeSet<(String, String, i64)>,
    returned: BTreeSet<(String, i64)>,
}

impl Books {
    /// The database's file.
    pub(super) fn file(&self) -> PathBuf {
        self.database.path().join("tongbao.db")
    }

    fn ours(&self) -> Ledger {
        let snapshot = SqliteSnapshot::open(&self.file()).unwrap();
        let report = audit(&snapshot, &Keys::None, self.clock.time(), &mut |_| {}).unwrap();
        assert_eq!(report.count(Severity::Wrong), 0, "{:#?}", report.findings);
        let mut ledger = Ledger::default();
        for merchant in snapshot.merchants().unwrap() {
            ledger.received.extend(strangers(&snapshot, merchant.id));
            let ids = snapshot.payment_ids(merchant.id, None, 1_000).unwrap();
            for id in ids {
                let payment = snapshot.dossier(merchant.id, id).unwrap().payment;
                ledger
                    .received
                    .extend(payment.attempts.iter().filter_map(receipt));
                let done = |refund: &&Refund| refund.state == RefundState::Succeeded;
                let refunds = payment.refunds.iter().filter(done);
                let line = |refund: &Refund| (refund.out_refund_no.clone(), refund.amount.minor());
                ledger.returned.extend(refunds.map(line));
            }
        }
        ledger
    }

    fn theirs(&self) -> Ledger {
        let platform = self.platform.lock().unwrap_or_else(PoisonError::into_inner);
        let truth = platform.truth();
        truth.check().unwrap();
        let received = truth.trades().filter_map(|trade| match &trade.state {
            TradeState::Success(paid) => Some((
                trade.out_trade_no.clone(),
                paid.transaction_id.clone(),
                trade.amount_fen.cast_signed(),
            )),
            _ => None,
        });
        let returned = truth.refunds().map(|(_, refund)| refund);
        let returned = returned.filter(|refund| refund.state.word() == "SUCCESS");
        Ledger {
            received: received.collect(),
            returned: returned
                .map(|refund| (refund.out_refund_no.clone(), refund.fen.cast_signed()))
                .collect(),
        }
    }
}

/// Money for orders that are not ours is in view as a case.
fn strangers(snapshot: &SqliteSnapshot, merchant: MerchantId) -> Vec<(String, String, i64)> {
    let filter = CaseFilter {
        merchant,
        state: None,
        unresolved: false,
        payment: None,
        cursor: None,
        limit: 1_000,
    };
    let cases = snapshot.cases(&filter).unwrap().rows.into_iter();
    let unknown = cases.filter(|case| case.kind == CaseKind::UnknownPayment);
    let line = |case: Case| {
        let fen = case.receipt.amount.minor();
        (case.out_trade_no, case.receipt.transaction_id, fen)
    };
    unknown.map(line).collect()
}

fn receipt(attempt: &Attempt) -> Option<(String, String, i64)> {
    let amount = attempt.received?.minor();
    let trade = attempt.transaction_id.clone()?;
    Some((attempt.out_trade_no.clone(), trade, amount))
}

impl Drop for Books {
    fn drop(&mut self) {
        let excused = self.excuse.get_mut().is_ok_and(|excuse| excuse.is_some());
        if !excused && !std::thread::panicking() {
            assert_eq!(self.ours(), self.theirs(), "ours, and the platform's");
        }
    }
}
