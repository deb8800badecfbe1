//! The rows, and what a command does to them.

use std::collections::BTreeSet;
use std::time::Duration;

use tongbao_core::case::Remedy;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::id::Id;
use tongbao_core::inbox::InboxEntry;
use tongbao_core::job::{JobKey, JobKind, NEVER, NewJob, Subject};
use tongbao_core::merchant::{ApiKey, Merchant};
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::{DeliveryState, Endpoint, WebhookEvent};
use tongbao_core::{
    Case, CaseKind, CaseState, ChannelId, Currency, EndpointId, EventId, Job, MerchantId, Payment,
    PaymentId, RefundId, StoreId, TillId, Timestamp,
};
use tongbao_store::{
    Change, DataKey, DayLimit, DeliveryClaim, DeliveryOutcome, DeliveryResult, DeliveryTry,
    IdempotencyRecord, InboxRow, LogEntry, PaymentChange, StoreError, Unique,
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
type CaseKey = (ChannelId, CaseKind, String, i64, Currency);

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

/// A lease that ends before a slow platform has answered.
const SHORT_LEASE: Duration = Duration::from_secs(3);

/// No job is free for longer than this without being looked for.
const OVERDUE: Duration = Duration::from_mins(1);

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

    fn lease(&self, now: Timestamp, until: Timestamp) -> Timestamp {
        if self.leases_are_short {
            until.min(now + SHORT_LEASE)
        } else {
            until
        }
    }

    /// A job that has been free for too long.
    pub(crate) fn overdue(&self, now: Timestamp) -> Option<(JobKey, Timestamp)> {
        let free_since = |row: &JobRow| row.lease_until.map_or(row.due, |until| until.max(row.due));
        let rows = self.jobs.iter().map(|(key, row)| (*key, free_since(row)));
        rows.into_iter().find(|(_, since)| *since + OVERDUE < now)
    }

    /// The mistake of looking for queries ten minutes late.
    pub(crate) fn next_query_late(&mut self) -> Option<Timestamp> {
        let wait = Duration::from_mins(10);
        let queries = |key: &JobKey| key.kind == JobKind::Query;
        let hidden = self.jobs.extract_if(.., |key, _| queries(key));
        let hidden: Vec<_> = hidden.collect();
        let first = hidden.iter().map(|(_, row)| row.due + wait).min();
        let due = self.next_due();
        self.jobs.extend(hidden);
        due.into_iter().chain(first).min()
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
            let key = (
                case.channel,
                case.kind,
                case.receipt.transaction_id.clone(),
                case.receipt.amount.minor(),
                case.receipt.amount.currency(),
            );
            let known = !self.case_keys.insert(key);
            if !known || self.bug == Some(Bug::CaseOpenedTwice) {
                self.cases.push(opened.case);
                self.tell(opened.event);
            } else if opened.case.remedy == Remedy::Refund {
                // What a query confirms need not be looked at any more.
                let same = |case: &&mut Case| {
                    case.channel == opened.case.channel
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

    pub(super) fn check(&self, change: &Change) -> Result<(), StoreError> {
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

    fn finish(&mut self, job: Job) {
        if let Some(row) = self.jobs.get_mut(&job.key) {
            if row.asked == job.asked {
                self.jobs.remove(&job.key);
            } else {
                row.lease_until = None;
            }
        }
    }

    pub(crate) fn lay_aside(&mut self, job: Job, until: Timestamp) -> Result<(), StoreError> {
        let row = self.jobs.get_mut(&job.key);
        let row = row.filter(|row| row.fence == job.fence);
        let row = row.ok_or(StoreError::Fenced)?;
        row.lease_until = None;
        if row.asked == job.asked {
            row.due = until;
        }
        Ok(())
    }

    pub(crate) fn take_up(&mut self, channel: ChannelId, now: Timestamp) -> usize {
        let mut taken = 0;
        for (key, row) in self.jobs.iter_mut().filter(|(_, row)| row.due >= NEVER) {
            let payment = self.payments.get(&key.payment);
            let attempt = payment.and_then(|payment| payment.attempt_of(key.subject));
            if attempt.is_some_and(|attempt| attempt.channel == channel) {
                row.due = now;
                taken += 1;
            }
        }
        taken
    }

    fn ask(&mut self, job: NewJob, now: Option<Timestamp>) -> Option<Job> {
        // One that nobody has claimed, and that is due earlier, is what is asked for.
        let waits = |row: &JobRow| row.lease_until.is_none() && row.due <= job.due;
        if job.lease_until.is_none() && self.jobs.get(&job.key).is_some_and(waits) {
            return None;
        }
        let lease = job
            .lease_until
            .map(|until| self.lease(now.unwrap_or(job.due), until));
        let row = self.jobs.entry(job.key).or_insert(JobRow {
            merchant: job.merchant,
            due: job.due,
            lease_until: None,
            asked: 0,
            fence: 0,
        });
        row.asked += 1;
        // What is claimed is due when its lease ends, until it is asked for again.
        row.due = row.due.min(job.due);
        let lease = lease?;
        let now = now.unwrap_or(job.due);
        if row.lease_until.is_some_and(|until| until > now) {
            return None;
        }
        row.due = lease;
        row.lease_until = Some(lease);
        row.fence += 1;
        Some(Job {
            key: job.key,
            merchant: job.merchant,
            asked: row.asked,
            fence: row.fence,
        })
    }

    fn tell(&mut self, event: WebhookEvent) {
        let listens = |endpoint: &&Endpoint| {
            endpoint.merchant == event.merchant
                && (endpoint.event_types.is_empty() || endpoint.event_types.contains(&event.kind))
                && (endpoint.store.is_none() || endpoint.store == event.store)
        };
        let listening: Vec<_> = self
            .endpoints
            .values()
            .filter(listens)
            .map(|row| row.id)
            .collect();
        for endpoint in listening {
            self.deliveries.insert(
                (event.id, endpoint),
                pending(event.created_at, 0, Vec::new()),
            );
        }
        self.events.insert(event.id, event);
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

    pub(crate) fn claim_jobs(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Vec<Job> {
        let lease_until = self.lease(now, lease_until);
        let free =
            |row: &JobRow| row.due <= now && row.lease_until.is_none_or(|until| until <= now);
        let mut due: Vec<_> = self
            .jobs
            .iter()
            .filter(|(_, row)| free(row))
            .map(|(key, row)| (row.due, *key))
            .collect();
        due.sort();
        due.truncate(limit);
        due.into_iter()
            .filter_map(|(_, key)| {
                let row = self.jobs.get_mut(&key)?;
                row.due = lease_until;
                row.lease_until = Some(lease_until);
                row.fence += 1;
                Some(Job {
                    key,
                    merchant: row.merchant,
                    asked: row.asked,
                    fence: row.fence,
                })
            })
            .collect()
    }

    pub(crate) fn claim_deliveries(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        per_endpoint: usize,
        limit: usize,
    ) -> Vec<DeliveryClaim> {
        let leased = |row: &DeliveryRow| row.lease_until.is_some_and(|until| until > now);
        let mut lanes: Map<EndpointId, usize> = Map::new();
        for ((_, endpoint), row) in &self.deliveries {
            if row.state == DeliveryState::Pending && leased(row) {
                *lanes.entry(*endpoint).or_default() += 1;
            }
        }
        let mut due: Vec<_> = self
            .deliveries
            .iter()
            .filter(|(_, row)| {
                row.state == DeliveryState::Pending && row.due <= now && !leased(row)
            })
            .map(|(key, row)| (row.due, *key))
            .collect();
        due.sort();
        let mut claims = Vec::new();
        let crowded = self.bug == Some(Bug::OneLaneForAll);
        for (_, key) in due {
            if crowded && lanes.values().sum::<usize>() >= 1 {
                break;
            }
            let Some(endpoint) = self.endpoints.get(&key.1).filter(|row| row.enabled) else {
                continue;
            };
            let lane = lanes.entry(key.1).or_default();
            if *lane >= per_endpoint || claims.len() >= limit {
                continue;
            }
            *lane += 1;
            let (Some(row), Some(event)) = (self.deliveries.get_mut(&key), self.events.get(&key.0))
            else {
                continue;
            };
            row.lease_until = Some(lease_until);
            row.fence += 1;
            claims.push(DeliveryClaim {
                event: event.clone(),
                endpoint: endpoint.clone(),
                tries: row.tries,
                fence: row.fence,
            });
        }
        claims
    }

    pub(crate) fn record_delivery(&mut self, result: DeliveryResult) -> Result<(), StoreError> {
        let key = (result.claim.event.id, result.claim.endpoint.id);
        let row = self.deliveries.get_mut(&key).ok_or(StoreError::Fenced)?;
        if row.fence != result.claim.fence {
            return Err(StoreError::Fenced);
        }
        row.lease_until = None;
        row.tries += 1;
        row.history.push(DeliveryTry {
            at: result.at,
            request_headers: result.request_headers,
            status: result.status,
            answer: result.answer,
            took_millis: result.took_millis,
        });
        match result.outcome {
            DeliveryOutcome::Delivered => row.state = DeliveryState::Delivered,
            DeliveryOutcome::Retry { due } => row.due = due,
            DeliveryOutcome::Exhausted => row.state = DeliveryState::Exhausted,
            DeliveryOutcome::Gone => {
                if let Some(endpoint) = self.endpoints.get_mut(&key.1) {
                    endpoint.enabled = false;
                }
            }
        }
        Ok(())
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

    pub(crate) fn redeliver(
        &mut self,
        merchant: MerchantId,
        event: EventId,
        now: Timestamp,
    ) -> usize {
        if self
            .events
            .get(&event)
            .is_none_or(|row| row.merchant != merchant)
        {
            return 0;
        }
        let mut count = 0;
        for (_, row) in self
            .deliveries
            .range_mut((event, lowest())..=(event, highest()))
        {
            *row = pending(now, row.fence, std::mem::take(&mut row.history));
            count += 1;
        }
        count
    }

    pub(crate) fn replay(
        &mut self,
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> usize {
        let Some(listener) = self
            .endpoints
            .get(&endpoint)
            .filter(|row| row.merchant == merchant)
        else {
            return 0;
        };
        let wanted: Vec<_> = self
            .events
            .values()
            .filter(|event| {
                event.merchant == merchant
                    && (from..to).contains(&event.created_at)
                    && (listener.event_types.is_empty()
                        || listener.event_types.contains(&event.kind))
                    && (listener.store.is_none() || listener.store == event.store)
            })
            .map(|event| event.id)
            .collect();
        for event in &wanted {
            let old = self.deliveries.remove(&(*event, endpoint));
            let (fence, history) = old.map_or((0, Vec::new()), |row| (row.fence, row.history));
            self.deliveries
                .insert((*event, endpoint), pending(now, fence, history));
        }
        wanted.len()
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

fn pending(due: Timestamp, fence: i64, history: Vec<DeliveryTry>) -> DeliveryRow {
    DeliveryRow {
        state: DeliveryState::Pending,
        due,
        lease_until: None,
        tries: 0,
        fence,
        history,
    }
}

fn lowest() -> EndpointId {
    EndpointId::from_bits(0)
}

fn highest() -> EndpointId {
    EndpointId::from_bits(u128::MAX)
}
