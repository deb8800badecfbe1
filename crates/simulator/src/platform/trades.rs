//! All trades, found by any of their names.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::refund::{Refund, RefundKey};
use super::trade::{Paid, Prepay, Trade, TradeId, TradeState};

/// By id.
#[derive(Debug, Default)]
pub(super) struct Trades {
    rows: BTreeMap<TradeId, Trade>,
    by_number: BTreeMap<String, TradeId>,
    /// Codes and prepay ids, those that have ended included.
    by_handle: BTreeMap<String, TradeId>,
    by_transaction: BTreeMap<String, TradeId>,
    by_refund_id: BTreeMap<String, RefundKey>,
    by_out_refund_no: BTreeMap<String, RefundKey>,
}

impl Trades {
    pub(super) fn next_id(&self) -> TradeId {
        TradeId(self.rows.last_key_value().map_or(1, |(last, _)| last.0 + 1))
    }

    pub(super) fn insert(&mut self, trade: Trade) {
        let id = trade.id;
        self.by_number
            .insert(number(&trade.mch_id, &trade.out_trade_no), id);
        for handle in &trade.handles {
            self.by_handle.insert(handle.clone(), id);
        }
        if let Some(paid) = trade.ever_paid() {
            self.by_transaction.insert(paid.transaction_id.clone(), id);
        }
        for (place, refund) in trade.refunds.iter().enumerate() {
            let key = RefundKey { trade: id, place };
            self.by_refund_id.insert(refund.refund_id.clone(), key);
            self.by_out_refund_no
                .insert(number(&trade.mch_id, &refund.out_refund_no), key);
        }
        self.rows.insert(id, trade);
    }

    pub(super) fn add_refund(&mut self, id: TradeId, refund: Refund) {
        let Some(trade) = self.rows.get_mut(&id) else {
            return;
        };
        let key = RefundKey {
            trade: id,
            place: trade.refunds.len(),
        };
        self.by_refund_id.insert(refund.refund_id.clone(), key);
        self.by_out_refund_no
            .insert(number(&trade.mch_id, &refund.out_refund_no), key);
        trade.refunds.push(refund);
    }

    pub(super) fn refund(&self, key: RefundKey) -> Option<&Refund> {
        self.get(key.trade)?.refunds.get(key.place)
    }

    pub(super) fn refund_by_id(&self, refund_id: &str) -> Option<RefundKey> {
        self.by_refund_id.get(refund_id).copied()
    }

    pub(super) fn refund_by_number(&self, mch_id: &str, out_refund_no: &str) -> Option<RefundKey> {
        let number = number(mch_id, out_refund_no);
        self.by_out_refund_no.get(&number).copied()
    }

    pub(super) fn renew(&mut self, id: TradeId, prepay: Prepay) {
        let Some(trade) = self.rows.get_mut(&id) else {
            return;
        };
        for handle in prepay.handles() {
            if self.by_handle.insert(handle.clone(), id).is_none() {
                trade.handles.push(handle);
            }
        }
        trade.prepay = Some(prepay);
    }

    pub(super) fn set_paid(&mut self, id: TradeId, paid: Paid) {
        self.by_transaction.insert(paid.transaction_id.clone(), id);
        if let Some(trade) = self.rows.get_mut(&id) {
            trade.in_cashier.clear();
            trade.state = TradeState::Success(paid);
        }
    }

    pub(super) fn get(&self, id: TradeId) -> Option<&Trade> {
        self.rows.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: TradeId) -> Option<&mut Trade> {
        self.rows.get_mut(&id)
    }

    pub(super) fn by_number(&self, mch_id: &str, out_trade_no: &str) -> Option<&Trade> {
        self.get(*self.by_number.get(&number(mch_id, out_trade_no))?)
    }

    pub(super) fn by_handle(&self, handle: &str) -> Option<&Trade> {
        self.get(*self.by_handle.get(handle)?)
    }

    pub(super) fn by_transaction(&self, transaction_id: &str) -> Option<&Trade> {
        self.get(*self.by_transaction.get(transaction_id)?)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Trade> {
        self.rows.values()
    }
}

impl Serialize for Trades {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.values())
    }
}

impl<'de> Deserialize<'de> for Trades {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut trades = Self::default();
        for trade in Vec::<Trade>::deserialize(deserializer)? {
            trades.insert(trade);
        }
        Ok(trades)
    }
}

/// A merchant's number has no slash in it.
fn number(mch_id: &str, number: &str) -> String {
    format!("{mch_id}/{number}")
}
