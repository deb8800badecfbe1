//! The rows, and what a command does to them.

mod checks;
mod deliveries;
mod jobs;

use std::collections::BTreeSet;
use std::time::Duration;

use tongbao_core::case::Remedy;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::id::Id;
use tongbao_core::inbox::InboxEntry;
use tongbao_core::job::{JobKey, JobKind, NEVER, Subject};
use tongbao_core::merchant::{ApiKey, Merchant};
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::{DeliveryState, Endpoint, WebhookEvent};
use tongbao_core::{
    Case, CaseKind, CaseState, ChannelId, Currency, EndpointId, EventId, Job, MerchantId, Payment,
    PaymentId, RefundId, StoreId, TillId, Timestamp,
};
use tongbao_store::{
    Change, DataKey, DeliveryTry, IdempotencyRecord, InboxRow, LogEntry, PaymentChange, StoreError,
};

use super::Map;
use crate::saboteur::Bug;
use crate::seed::{DefenceOff, Plan};

/// A job's row.
#[derive(Clone, Debug)]
pub struct JobRow {
    /// Whose.
    pub merchant: MerchantId,
    /// Not before.
    pub due: Timestamp,
    /// Held until then.
    pub lease_until: Option<Timestamp>,
    /// How often it was asked for.
    pub asked: i64,
    /// Rises with every claim.
    pub fence: i64,
}

/// A delivery's row.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// How it stands.
    pub state: DeliveryState,
    /// Not before.
    pub due: Timestamp,
    /// Held until then.
    pub lease_until: Option<Timestamp>,
    /// Since it was scheduled.
    pub tries: u32,
    /// Rises with every claim.
    pub fence: i64,
    /// Every try.
    pub history: Vec<DeliveryTry>,
}

/// What a commit did.
pub(crate) struct Committed {
    /// The jobs that were asked for with a lease, and are held.
    pub(crate) claimed: Vec<Job>,
    /// The payment's row as it was.
    pub(crate) before: Option<Payment>,
}

/// Which receipts have a case already.
type CaseKey = (ChannelId, String, CaseKind, String, i64, Currency);

/// The rows of the model database.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub(crate) merchants: Map<MerchantId, Merchant>,
    pub(crate) api_keys: Map<[u8; 32], ApiKey>,
    pub(crate) channels: Map<ChannelId, ChannelAccount>,
    pub(crate) endpoints: Map<EndpointId, Endpoint>,
    pub(crate) shops: Map<StoreId, Shop>,
    pub(crate) tills: Map<TillId, Till>,
    pub(crate) data_keys: Map<u32, DataKey>,
    /// Payments by id.
    pub payments: Map<PaymentId, Payment>,
    order_numbers: Map<MerchantId, Map<String, PaymentId>>,
    trade_numbers: Map<ChannelId, Map<String, PaymentId>>,
    refund_numbers: Map<MerchantId, Map<String, PaymentId>>,
    refunds: Map<RefundId, PaymentId>,
    /// Every payment's timeline, oldest first.
    pub log: Map<PaymentId, Vec<LogEntry>>,
    /// What is still to be asked.
    pub jobs: Map<JobKey, JobRow>,
    /// What merchants are told.
    pub events: Map<EventId, WebhookEvent>,
    /// How each event fares at each endpoint.
    pub deliveries: Map<(EventId, EndpointId), DeliveryRow>,
    /// Money that should not be there.
    pub cases: Vec<Case>,
    case_keys: BTreeSet<CaseKey>,
    /// What came in.
    pub inbox: Map<(ChannelId, [u8; 32]), InboxRow>,
    pub(crate) idempotency: Map<(MerchantId, String), IdempotencyRecord>,
    bug: Option<Bug>,
    leases_are_short: bool,
    numbers_repeat: bool,
}

impl Tables {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            bug: plan.bug,
            leases_are_short: plan.off == DefenceOff::Leases,
            numbers_repeat: plan.off == DefenceOff::UniqueNumbers
                || plan.bug == Some(Bug::OrderNumberNotUnique),
            ..Self::default()
        }
    }

    pub(crate) fn shops_of(&self, merchant: MerchantId) -> impl Iterator<Item = &Shop> {
        self.shops
            .values()
            .filter(move |row| row.merchant == merchant)
    }

    pub(crate) fn tills_of(&self, merchant: MerchantId) -> impl Iterator<Item = &Till> {
        self.tills
            .values()
            .filter(move |row| row.merchant == merchant)
    }

    /// Whether a service provider asks there for one of those that it acts for.
    pub(crate) fn is_of_a_sub_merchant(&self, channel: ChannelId) -> bool {
        let channel = self.channels.get(&channel);
        channel.is_some_and(|channel| channel.settings.get("sub_mch_id").is_some())
    }

    /// Adds it, or revokes its key; a key that is revoked stays so.
    fn save_till(&mut self, till: Till) {
        let revoked_at = till.revoked_at;
        let row = self.tills.entry(till.id).or_insert(till);
        row.revoked_at = row.revoked_at.or(revoked_at);
    }

    pub(crate) fn by_order_no(&self, merchant: MerchantId, number: &str) -> Option<&Payment> {
        let id = self.order_numbers.get(&merchant)?.get(number)?;
        self.payments.get(id)
    }

    pub(crate) fn by_refund_no(&self, merchant: MerchantId, number: &str) -> Option<&Payment> {
        let id = self.refund_numbers.get(&merchant)?.get(number)?;
        self.payments.get(id)
    }

    pub(crate) fn by_refund(&self, merchant: MerchantId, refund: RefundId) -> Option<&Payment> {
        let payment = self.payments.get(self.refunds.get(&refund)?)?;
        Some(payment).filter(|payment| payment.merchant == merchant)
    }

    /// The payment whose attempt the channel knows by this number.
    pub fn by_out_trade_no(&self, channel: ChannelId, number: &str) -> Option<&Payment> {
        self.payments.get(self.owner(channel, number)?)
    }

    fn owner(&self, channel: ChannelId, number: &str) -> Option<&PaymentId> {
        self.trade_numbers.get(&channel)?.get(number)
    }

    /// The jobs of one payment.
    pub fn jobs_of(&self, payment: PaymentId) -> impl Iterator<Item = JobKey> + Clone {
        let key = move |kind, subject| JobKey {
            kind,
            payment,
            subject,
        };
        let of_kind = move |kind| {
            let last = Subject::Refund(RefundId::from_bits(u128::MAX));
            self.jobs
                .range(key(kind, Subject::Payment)..=key(kind, last))
        };
        let rows = JobKind::ALL.into_iter().flat_map(of_kind);
        rows.map(|(key, _)| *key)
    }

    /// Whole or not at all: everything that can refuse is looked at first.
    pub(crate) fn commit(&mut self, change: Change) -> Result<Committed, StoreError> {
        self.check(&change)?;
        let now = change.log.last().map(|entry| entry.at);
        if let Some(account) = change.channel {
            self.save_channel(*account)?;
        }
        if let Some(endpoint) = change.endpoint {
            self.endpoints.insert(endpoint.id, *endpoint);
        }
        if let Some(shop) = change.shop {
            self.shops.insert(shop.id, *shop);
        }
        if let Some(till) = change.till {
            self.save_till(*till);
        }
        let before = change.payment.and_then(|change| self.put_payment(change));
        for entry in change.log {
            self.log.entry(entry.payment).or_default().push(entry);
        }
        if let Some(job) = change.finish {
            self.finish(job);
        }
        let claimed = change
            .jobs
            .into_iter()
            .filter_map(|job| self.ask(job, now))
            .collect();
        for event in change.events {
            self.tell(event);
        }
        for moved in change.moved {
            let same = |case: &&mut Case| case.id == moved.case.id;
            if let Some(row) = self.cases.iter_mut().find(same) {
                *row = moved.case;
            }
            if let Some(event) = moved.event {
                self.tell(event);
            }
        }
        for opened in change.cases {
            let case = &opened.case;
            let number = match self.bug {
                Some(Bug::CaseOfAnyNumber) => String::new(),
                _ => case.out_trade_no.clone(),
            };
            let key = (
                case.channel,
                number,
                case.kind,
                case.receipt.transaction_id.clone(),
                case.receipt.amount.minor(),
                case.receipt.amount.currency(),
            );
            let known = !self.case_keys.insert(key);
            if !known {
                self.cases.push(opened.case);
                self.tell(opened.event);
            } else if opened.case.remedy == Remedy::Refund {
                // What a query confirms need not be looked at any more.
                let same = |case: &&mut Case| {
                    case.channel == opened.case.channel
                        && case.out_trade_no == opened.case.out_trade_no
                        && case.kind == opened.case.kind
                        && case.receipt.transaction_id == opened.case.receipt.transaction_id
                        && case.receipt.amount == opened.case.receipt.amount
                };
                let open = |case: &&mut Case| same(case) && case.state == CaseState::Open;
                for case in self.cases.iter_mut().filter(open) {
                    case.remedy = Remedy::Refund;
                }
            }
        }
        if let Some(entry) = change.inbox {
            self.receive(entry);
        }
        if let Some(record) = change.idempotency {
            self.idempotency
                .insert((record.merchant, record.key.clone()), record);
        }
        Ok(Committed { claimed, before })
    }

    /// Answers with the row that was there before.
    fn put_payment(&mut self, change: PaymentChange) -> Option<Payment> {
        let mut payment = change.payment;
        // A store writes what it is told has changed, and nothing else.
        if let Some(stored) = self.payments.get(&payment.id) {
            for attempt in &mut payment.attempts {
                if !change.attempts.contains(&attempt.id)
                    && let Some(old) = stored.attempt(attempt.id)
                {
                    *attempt = old.clone();
                }
            }
        }
        if let Some(stored) = self.payments.get(&payment.id) {
            for refund in &mut payment.refunds {
                if !change.refunds.contains(&refund.id)
                    && let Some(old) = stored.refund(refund.id)
                {
                    *refund = old.clone();
                }
            }
        }
        for refund in &payment.refunds {
            self.refunds.insert(refund.id, payment.id);
            if let Some(number) = &refund.merchant_refund_no {
                let numbers = self.refund_numbers.entry(payment.merchant).or_default();
                numbers.insert(number.clone(), payment.id);
            }
        }
        for attempt in &payment.attempts {
            if self.owner(attempt.channel, &attempt.out_trade_no).is_none() {
                let numbers = self.trade_numbers.entry(attempt.channel).or_default();
                numbers.insert(attempt.out_trade_no.clone(), payment.id);
            }
        }
        if !self.payments.contains_key(&payment.id) {
            let numbers = self.order_numbers.entry(payment.merchant).or_default();
            numbers.insert(payment.order.merchant_order_no.clone(), payment.id);
        }
        self.payments.insert(payment.id, payment)
    }

    fn receive(&mut self, entry: InboxEntry) {
        let key = (entry.channel, entry.body_hash);
        if let Some(row) = self.inbox.get_mut(&key) {
            row.copies += 1;
            row.last_at = entry.received_at;
        } else {
            let last_at = entry.received_at;
            self.inbox.insert(
                key,
                InboxRow {
                    entry,
                    copies: 1,
                    last_at,
                },
            );
        }
    }

    pub(crate) fn bring_forward(&mut self, by: Duration, now: Timestamp) -> usize {
        let mut moved = 0;
        let mut earlier = |due: &mut Timestamp, lease_until: &mut Option<Timestamp>| {
            if *due > now || lease_until.is_some_and(|until| until > now) {
                *due = *due - by;
                *lease_until = lease_until.map(|until| until - by);
                moved += 1;
            }
        };
        for row in self.jobs.values_mut().filter(|row| row.due < NEVER) {
            earlier(&mut row.due, &mut row.lease_until);
        }
        for row in self.deliveries.values_mut() {
            if row.state == DeliveryState::Pending {
                earlier(&mut row.due, &mut row.lease_until);
            }
        }
        moved
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let jobs = self
            .jobs
            .values()
            .map(|row| row.lease_until.map_or(row.due, |l| l.max(row.due)));
        let deliveries = self
            .deliveries
            .iter()
            .filter(|((_, endpoint), row)| {
                row.state == DeliveryState::Pending
                    && self
                        .endpoints
                        .get(endpoint)
                        .is_some_and(|endpoint| endpoint.enabled)
            })
            .map(|(_, row)| row.lease_until.map_or(row.due, |until| until.max(row.due)));
        jobs.chain(deliveries).min()
    }

    /// A process died. What it had claimed is found again, unless a mistake says
    /// otherwise.
    pub(crate) fn holder_died(&mut self) {
        if self.bug == Some(Bug::ClaimsDieWithTheirHolder) {
            self.jobs.retain(|_, row| row.lease_until.is_none());
        }
    }

    pub(crate) fn save_channel(&mut self, account: ChannelAccount) -> Result<(), StoreError> {
        let stored = self.channels.get(&account.id).map_or(0, |row| row.version);
        if account.version != stored + 1 {
            return Err(StoreError::Conflict);
        }
        self.channels.insert(account.id, account);
        Ok(())
    }

    pub(crate) fn delete_endpoint(&mut self, merchant: MerchantId, id: EndpointId) -> bool {
        if self
            .endpoints
            .get(&id)
            .is_none_or(|row| row.merchant != merchant)
        {
            return false;
        }
        self.deliveries.retain(|(_, endpoint), _| *endpoint != id);
        self.endpoints.remove(&id).is_some()
    }
}
