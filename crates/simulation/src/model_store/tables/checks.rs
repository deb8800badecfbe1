//! What a command is refused for.

use tongbao_core::shop::Till;
use tongbao_core::{Case, MerchantId, StoreId};
use tongbao_store::{Change, DayLimit, PaymentChange, StoreError, Unique};

use super::Tables;
use crate::saboteur::Bug;

impl Tables {
    pub(in super::super) fn check(&self, change: &Change) -> Result<(), StoreError> {
        if let Some(record) = &change.idempotency
            && self
                .idempotency
                .contains_key(&(record.merchant, record.key.clone()))
        {
            return Err(StoreError::Taken(Unique::IdempotencyKey));
        }
        self.check_shops(change)?;
        if let Some(PaymentChange {
            payment,
            read_version,
            attempts,
            refunds,
        }) = &change.payment
        {
            let stored = self.payments.get(&payment.id);
            let wins = self.bug == Some(Bug::LastWriterWins) && stored.is_some();
            if stored.map(|stored| stored.version) != *read_version && !wins {
                return Err(StoreError::Conflict);
            }
            let numbers = self.order_numbers.get(&payment.merchant);
            let owner = numbers.and_then(|numbers| numbers.get(&payment.order.merchant_order_no));
            if !self.numbers_repeat && owner.is_some_and(|id| *id != payment.id) {
                return Err(StoreError::Taken(Unique::MerchantOrderNo));
            }
            let taken = attempts
                .iter()
                .filter_map(|id| payment.attempt(*id))
                .any(|attempt| {
                    self.owner(attempt.channel, &attempt.out_trade_no)
                        .is_some_and(|id| *id != payment.id)
                });
            if taken {
                return Err(StoreError::Taken(Unique::Other));
            }
            let news = refunds.iter().filter_map(|id| payment.refund(*id));
            for refund in news.filter_map(|refund| refund.merchant_refund_no.as_ref()) {
                let owner = self.by_refund_no(payment.merchant, refund);
                if owner.is_some_and(|owner| owner.id != payment.id) {
                    return Err(StoreError::Taken(Unique::MerchantRefundNo));
                }
            }
        }
        if let Some(limit) = &change.limit {
            self.keep_limit(limit)?;
        }
        for moved in &change.moved {
            let as_read = |case: &&Case| case.id == moved.case.id && case.state == moved.read_state;
            if !self.cases.iter().any(|case| as_read(&case)) {
                return Err(StoreError::Conflict);
            }
        }
        if let Some(job) = &change.finish {
            let bare = self.bug == Some(Bug::FenceNotCompared);
            let held = self
                .jobs
                .get(&job.key)
                .is_some_and(|row| row.fence == job.fence || bare);
            if !held {
                return Err(StoreError::Fenced);
            }
        }
        Ok(())
    }

    /// Names and stores: what a change with a shop or in a shop is refused for.
    fn check_shops(&self, change: &Change) -> Result<(), StoreError> {
        if let Some(shop) = &change.shop {
            let mut others = self.shops_of(shop.merchant);
            if others.any(|row| row.name == shop.name) {
                return Err(StoreError::Taken(Unique::Name));
            }
        }
        if let Some(till) = &change.till {
            self.check_store(till.merchant, Some(till.store))?;
            let same = |row: &&Till| {
                row.store == till.store && row.name == till.name && row.revoked_at.is_none()
            };
            let mut others = self.tills.values().filter(same);
            if !self.tills.contains_key(&till.id) && others.next().is_some() {
                return Err(StoreError::Taken(Unique::Name));
            }
        }
        if let Some(endpoint) = &change.endpoint {
            self.check_store(endpoint.merchant, endpoint.store)?;
        }
        if let Some(change) = &change.payment {
            self.check_store(change.payment.merchant, change.payment.order.store)?;
            self.check_tills(change)?;
        }
        let told = change.cases.iter().map(|opened| &opened.event);
        for event in change.events.iter().chain(told) {
            self.check_store(event.merchant, event.store)?;
        }
        Ok(())
    }

    /// Whether a row may name this shop.
    fn check_store(&self, merchant: MerchantId, store: Option<StoreId>) -> Result<(), StoreError> {
        let known = |id| {
            self.shops
                .get(&id)
                .is_some_and(|row| row.merchant == merchant)
        };
        if store.is_none_or(known) {
            return Ok(());
        }
        let detail = "the store is not one of the merchant";
        Err(StoreError::Failed(detail.to_owned()))
    }

    /// Whoever takes money or gives it back stands in the payment's own store.
    fn check_tills(&self, change: &PaymentChange) -> Result<(), StoreError> {
        let PaymentChange { payment, .. } = change;
        let attempts = payment.attempts.iter().map(|attempt| attempt.till);
        let refunds = payment.refunds.iter().map(|refund| refund.till);
        for till in attempts.chain(refunds).flatten() {
            let row = self.tills.get(&till);
            if row.map(|row| row.store) != payment.order.store {
                let detail = "the till is not one of the payment's store";
                return Err(StoreError::Failed(detail.to_owned()));
            }
        }
        Ok(())
    }

    fn keep_limit(&self, limit: &DayLimit) -> Result<(), StoreError> {
        let own = self.payments.values();
        let own = own.filter(|payment| payment.merchant == limit.merchant);
        let gone: i64 = own
            .flat_map(|payment| &payment.refunds)
            .filter(|refund| refund.automatic)
            .filter(|refund| (limit.from..limit.to).contains(&refund.created_at))
            .map(|refund| refund.amount.minor())
            .sum();
        if gone + limit.fen > limit.most_fen && self.bug != Some(Bug::DayLimitNotChecked) {
            return Err(StoreError::AboveLimit);
        }
        Ok(())
    }
}
