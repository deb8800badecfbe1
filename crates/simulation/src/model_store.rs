//! A database in memory that keeps the contract to the letter, with the manners
//! of a remote one: answers take time, and whether a commit happened is
//! sometimes not known.

mod follow;
mod reads;
mod tables;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::inbox::InboxEntry;
use tongbao_core::job::{JobKey, NEVER};
use tongbao_core::merchant::{ApiKey, Merchant, PolicyPatch};
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::{Endpoint, WebhookEvent};
use tongbao_core::{
    Case, CaseId, ChannelId, EndpointId, EventId, Job, MerchantId, Payment, PaymentId, RefundId,
    StoreId, TillId, Timestamp,
};
use tongbao_store::{
    CaseFilter, Change, DataKey, Delivery, DeliveryClaim, DeliveryResult, EventFilter,
    IdempotencyRecord, InboxFilter, InboxRow, LogEntry, Page, PaymentFilter, Pulse, RefundFilter,
    RefundRow, Store, StoreError, Takings,
};

use crate::chance::Chance;
use crate::coverage::{self, Meeting};
use crate::event::WorldKernel;
use crate::saboteur::Bug;
use crate::seed::Plan;
use tables::Committed;
pub use tables::{DeliveryRow, JobRow, Tables};

/// Looks at what every commit changed.
pub trait Witness: Send + Sync {
    /// A payment; `before` is none for a new one.
    fn committed(&self, before: Option<&Payment>, after: &Payment, tables: &Tables);
    /// The last of all cases.
    fn opened(&self, cases: &[Case]);
    /// A message; `alone` when nothing else was written with it.
    fn received(&self, message: &InboxEntry, alone: bool);
    /// Jobs that somebody holds from now on.
    fn claimed(&self, jobs: &[Job]);
    /// A job was carried out by this holder.
    fn finished(&self, job: &Job);
    /// Two have decided at the same time, and one of them has to look again.
    fn met(&self, meeting: Meeting);
    /// Somebody looks for work, and this was due that long ago.
    fn overdue(&self, job: JobKey, since: Timestamp);
}

/// How the database misbehaves, in percent of commits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Written, but the answer is lost.
    pub unknown_after: u32,
    /// Not written, and nobody is told so.
    pub unknown_before: u32,
    /// Refused: the disk is full.
    pub full: u32,
}

/// See the module.
pub struct ModelStore {
    tables: Arc<Mutex<Tables>>,
    kernel: WorldKernel,
    chance: Mutex<Chance>,
    manners: Mutex<Manners>,
    /// No answer takes as many milliseconds as this, in either direction.
    lag: u64,
    witness: Arc<dyn Witness>,
    bug: Option<Bug>,
}

impl ModelStore {
    /// An empty database.
    pub fn new(
        kernel: WorldKernel,
        chance: Chance,
        plan: &Plan,
        witness: Arc<dyn Witness>,
    ) -> Self {
        Self {
            tables: Arc::new(Mutex::new(Tables::of(plan))),
            kernel,
            chance: Mutex::new(chance),
            manners: Mutex::new(plan.faults.store),
            lag: plan.store_lag,
            witness,
            bug: plan.bug,
        }
    }

    /// The rows, for invariants.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it behaves.
    pub fn heal(&self) {
        *self.manners.lock().unwrap_or_else(PoisonError::into_inner) = Manners::default();
    }

    fn wait(&self) -> Duration {
        self.chance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .millis(0, self.lag)
    }

    fn roll(&self) -> Roll {
        let roll = self.draw();
        self.kernel.count(!matches!(roll, Roll::Written));
        roll
    }

    fn draw(&self) -> Roll {
        let manners = *self.manners.lock().unwrap_or_else(PoisonError::into_inner);
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        if chance.percent(manners.full) {
            Roll::Full
        } else if chance.percent(manners.unknown_before) {
            Roll::UnknownBefore
        } else if chance.percent(manners.unknown_after) {
            Roll::UnknownAfter
        } else {
            Roll::Written
        }
    }

    /// The mistake of answering first: the claims are promised, and the rows come
    /// a while later.
    fn write_behind(&self, change: Change) -> Vec<Job> {
        let claims = change
            .jobs
            .iter()
            .filter(|job| job.lease_until.is_some())
            .map(|job| Job {
                key: job.key,
                merchant: job.merchant,
                asked: 1,
                fence: 1,
            })
            .collect();
        let (tables, witness, kernel) = (
            self.tables.clone(),
            self.witness.clone(),
            self.kernel.clone(),
        );
        let wait = Duration::from_millis(200) + self.wait() * 100;
        self.kernel.spawn(u32::MAX, async move {
            kernel.sleep(wait).await;
            let mut tables = tables.lock().unwrap_or_else(PoisonError::into_inner);
            // Too late to tell anybody that it was refused.
            let _ = witnessed(&mut tables, change, &*witness, None);
        });
        claims
    }

    /// A claim. What finds nothing writes nothing, and there is nothing to lose on
    /// the way back.
    async fn claim<T>(
        &self,
        apply: impl FnOnce(&mut Tables) -> Vec<T> + Send,
    ) -> Result<Vec<T>, StoreError> {
        self.kernel.sleep(self.wait()).await;
        let claims = match self.roll() {
            Roll::Full => return Err(StoreError::Full("no space left on device".to_owned())),
            Roll::UnknownBefore => return Err(unknown()),
            Roll::UnknownAfter => {
                apply(&mut self.tables());
                Err(unknown())
            }
            Roll::Written => Ok(apply(&mut self.tables())),
        };
        if claims.as_ref().is_ok_and(Vec::is_empty) {
            return claims;
        }
        self.kernel.sleep(self.wait()).await;
        claims
    }

    /// A command: it takes time on the way in and on the way out, and a node that
    /// dies on the way out has written all the same.
    async fn command<T>(
        &self,
        apply: impl FnOnce(&mut Tables) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.kernel.sleep(self.wait()).await;
        let roll = self.roll();
        let out = match roll {
            Roll::Full => Err(StoreError::Full("no space left on device".to_owned())),
            Roll::UnknownBefore => Err(unknown()),
            Roll::UnknownAfter => apply(&mut self.tables()).and(Err(unknown())),
            Roll::Written => apply(&mut self.tables()),
        };
        self.kernel.sleep(self.wait()).await;
        out
    }
}

fn unknown() -> StoreError {
    StoreError::CommitUnknown("the connection was lost".to_owned())
}

/// Commits, and lets the witness look.
///
/// Where another database answered claims first, they are these: each has its
/// own fences.
fn witnessed(
    tables: &mut Tables,
    change: Change,
    witness: &dyn Witness,
    theirs: Option<&[Job]>,
) -> Result<Vec<Job>, StoreError> {
    let id = change.payment.as_ref().map(|change| change.payment.id);
    let known_cases = tables.cases.len();
    let finish = change.finish;
    let message = change.inbox.clone();
    let alone = change.payment.is_none()
        && change.log.is_empty()
        && change.jobs.is_empty()
        && change.events.is_empty()
        && change.cases.is_empty()
        && change.moved.is_empty();
    let overtaken = coverage::is_overtaken(tables, &change);
    let written = tables.commit(change);
    if let (Err(StoreError::Conflict), Some(meeting)) = (&written, overtaken) {
        witness.met(meeting);
    }
    let Committed {
        mut claimed,
        before,
    } = written?;
    if let Some(theirs) = theirs {
        tables.adopt_fences(&mut claimed, theirs);
    }
    if let Some(job) = finish {
        witness.finished(&job);
    }
    witness.claimed(&claimed);
    if let Some(message) = message {
        witness.received(&message, alone);
    }
    for count in known_cases..tables.cases.len() {
        witness.opened(&tables.cases[..=count]);
    }
    if let Some(after) = id.and_then(|id| tables.payments.get(&id)) {
        witness.committed(before.as_ref(), after, tables);
    }
    Ok(claimed)
}

enum Roll {
    Written,
    UnknownAfter,
    UnknownBefore,
    Full,
}

#[async_trait]
impl Store for ModelStore {
    async fn commit(&self, mut change: Change) -> Result<Vec<Job>, StoreError> {
        // The world is set up before there is time.
        let sets_up = change.channel.is_some()
            || change.endpoint.is_some()
            || change.shop.is_some()
            || change.till.is_some();
        if sets_up {
            return self.tables().commit(change).map(|done| done.claimed);
        }
        let witness = self.witness.clone();
        if let Some(bug) = self.bug {
            let id = change.payment.as_ref().map(|change| change.payment.id);
            let id = id.or(change.finish.map(|job| job.key.payment));
            let stored = id.and_then(|id| self.tables().payments.get(&id).cloned());
            bug.tamper(&mut change, stored.as_ref());
            if bug.writes_behind(&change) {
                return Ok(self.write_behind(change));
            }
        }
        self.command(move |tables| witnessed(tables, change, &*witness, None))
            .await
    }

    async fn claim_jobs(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let witness = self.witness.clone();
        self.claim(|tables| {
            if let Some((job, since)) = tables.overdue(now) {
                witness.overdue(job, since);
            }
            let claimed = tables.claim_jobs(now, lease_until, limit);
            witness.claimed(&claimed);
            claimed
        })
        .await
    }

    async fn lay_aside(&self, job: Job, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.command(|tables| tables.lay_aside(job, until.unwrap_or(NEVER)))
            .await
    }

    async fn take_up(&self, channel: ChannelId, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self.tables().take_up(channel, now))
    }

    async fn claim_deliveries(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        per_endpoint: usize,
        limit: usize,
    ) -> Result<Vec<DeliveryClaim>, StoreError> {
        self.claim(|tables| tables.claim_deliveries(now, lease_until, per_endpoint, limit))
            .await
            .map(|mut claims| {
                if let Some(bug) = self.bug {
                    for claim in &mut claims {
                        bug.tamper_claim(claim);
                    }
                }
                claims
            })
    }

    async fn record_delivery(&self, mut result: DeliveryResult) -> Result<(), StoreError> {
        if let Some(bug) = self.bug {
            bug.tamper_result(&mut result);
        }
        self.command(|tables| tables.record_delivery(result)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(match self.bug {
            Some(Bug::LooksTooLate) => self.tables().next_query_late(),
            _ => self.tables().next_due(),
        })
    }

    async fn bring_forward(&self, by: Duration, now: Timestamp) -> Result<usize, StoreError> {
        self.command(|tables| Ok(tables.bring_forward(by, now)))
            .await
    }

    async fn redeliver(
        &self,
        merchant: MerchantId,
        event: EventId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.command(|tables| Ok(tables.redeliver(merchant, event, now)))
            .await
    }

    async fn replay(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.command(|tables| Ok(tables.replay(merchant, endpoint, from, to, now)))
            .await
    }

    async fn payment(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        self.kernel.sleep(self.wait()).await;
        Ok(self
            .tables()
            .payments
            .get(&id)
            .filter(|p| p.merchant == merchant)
            .cloned())
    }

    async fn payment_by_order_no(
        &self,
        merchant: MerchantId,
        merchant_order_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        self.kernel.sleep(self.wait()).await;
        Ok(self
            .tables()
            .by_order_no(merchant, merchant_order_no)
            .cloned())
    }

    async fn payment_by_out_trade_no(
        &self,
        channel: ChannelId,
        out_trade_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        self.kernel.sleep(self.wait()).await;
        Ok(self
            .tables()
            .by_out_trade_no(channel, out_trade_no)
            .cloned())
    }

    async fn payment_by_checkout_token(&self, token: &str) -> Result<Option<Payment>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .payments
            .values()
            .find(|payment| payment.checkout_token == token)
            .cloned())
    }

    async fn payment_by_refund(
        &self,
        merchant: MerchantId,
        id: RefundId,
    ) -> Result<Option<Payment>, StoreError> {
        self.kernel.sleep(self.wait()).await;
        Ok(self.tables().by_refund(merchant, id).cloned())
    }

    async fn payment_by_refund_no(
        &self,
        merchant: MerchantId,
        merchant_refund_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        self.kernel.sleep(self.wait()).await;
        let tables = self.tables();
        Ok(tables.by_refund_no(merchant, merchant_refund_no).cloned())
    }

    async fn refunds(&self, filter: RefundFilter) -> Result<Page<RefundRow>, StoreError> {
        Ok(reads::refunds(&self.tables(), &filter))
    }

    async fn payments(&self, filter: PaymentFilter) -> Result<Page<Payment>, StoreError> {
        Ok(reads::payments(&self.tables(), &filter))
    }

    async fn timeline(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
    ) -> Result<Vec<LogEntry>, StoreError> {
        Ok(reads::timeline(&self.tables(), merchant, payment))
    }

    async fn case(&self, merchant: MerchantId, id: CaseId) -> Result<Option<Case>, StoreError> {
        self.kernel.sleep(self.wait()).await;
        let tables = self.tables();
        let own = |case: &&Case| case.id == id && case.merchant == merchant;
        Ok(tables.cases.iter().find(own).cloned())
    }

    async fn cases(&self, filter: CaseFilter) -> Result<Page<Case>, StoreError> {
        Ok(reads::cases(&self.tables(), &filter))
    }

    async fn events(&self, filter: EventFilter) -> Result<Page<WebhookEvent>, StoreError> {
        Ok(reads::events(&self.tables(), &filter))
    }

    async fn event(
        &self,
        merchant: MerchantId,
        id: EventId,
    ) -> Result<Option<WebhookEvent>, StoreError> {
        Ok(self
            .tables()
            .events
            .get(&id)
            .filter(|event| event.merchant == merchant)
            .cloned())
    }

    async fn deliveries(
        &self,
        merchant: MerchantId,
        event: EventId,
    ) -> Result<Vec<Delivery>, StoreError> {
        Ok(reads::deliveries(&self.tables(), merchant, event))
    }

    async fn inbox(&self, filter: InboxFilter) -> Result<Page<InboxRow>, StoreError> {
        Ok(reads::inbox(&self.tables(), &filter))
    }

    async fn idempotency(
        &self,
        merchant: MerchantId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.kernel.sleep(self.wait()).await;
        Ok(self
            .tables()
            .idempotency
            .get(&(merchant, key.to_owned()))
            .cloned())
    }

    async fn insert_merchant(&self, merchant: Merchant) -> Result<(), StoreError> {
        self.tables().merchants.insert(merchant.id, merchant);
        Ok(())
    }

    async fn merchants(&self) -> Result<Vec<Merchant>, StoreError> {
        Ok(self.tables().merchants.values().cloned().collect())
    }

    async fn change_policy(&self, id: MerchantId, patch: PolicyPatch) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let row = tables.merchants.get_mut(&id);
        Ok(row
            .map(|row| row.policy = patch.apply(row.policy))
            .is_some())
    }

    async fn merchant(&self, id: MerchantId) -> Result<Option<Merchant>, StoreError> {
        let mut merchant = self.tables().merchants.get(&id).cloned();
        if let Some(merchant) = &mut merchant {
            let limits = &mut merchant.policy.auto_refund;
            match self.bug {
                Some(Bug::CaseLimitNotChecked) => limits.per_case_fen = i64::MAX,
                Some(Bug::OffSwitchNotRead) => limits.enabled = true,
                _ => {}
            }
        }
        Ok(merchant)
    }

    async fn insert_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.tables().api_keys.insert(key.hash, key);
        Ok(())
    }

    async fn api_key(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.tables().api_keys.get(&hash).cloned())
    }

    async fn save_channel(&self, account: ChannelAccount) -> Result<(), StoreError> {
        self.command(|tables| tables.save_channel(account)).await
    }

    async fn channel(&self, id: ChannelId) -> Result<Option<ChannelAccount>, StoreError> {
        let tables = self.tables();
        let mut found = tables.channels.get(&id).cloned();
        if let (Some(bug), Some(channel)) = (self.bug, &mut found) {
            bug.tamper_channel(channel, tables.channels.values());
        }
        Ok(found)
    }

    async fn channels(&self, merchant: MerchantId) -> Result<Vec<ChannelAccount>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .channels
            .values()
            .filter(|row| row.merchant == merchant)
            .cloned()
            .collect())
    }

    async fn shops(&self, merchant: MerchantId) -> Result<Vec<Shop>, StoreError> {
        Ok(self.tables().shops_of(merchant).cloned().collect())
    }

    async fn shop(&self, merchant: MerchantId, id: StoreId) -> Result<Option<Shop>, StoreError> {
        let tables = self.tables();
        Ok(tables.shops_of(merchant).find(|row| row.id == id).cloned())
    }

    async fn tills(&self, merchant: MerchantId, store: StoreId) -> Result<Vec<Till>, StoreError> {
        let tables = self.tables();
        let rows = tables.tills_of(merchant);
        Ok(rows.filter(|row| row.store == store).cloned().collect())
    }

    async fn till(&self, merchant: MerchantId, id: TillId) -> Result<Option<Till>, StoreError> {
        let tables = self.tables();
        Ok(tables.tills_of(merchant).find(|row| row.id == id).cloned())
    }

    async fn till_by_hash(&self, hash: [u8; 32]) -> Result<Option<Till>, StoreError> {
        let tables = self.tables();
        let mut rows = tables.tills.values();
        Ok(rows.find(|row| row.hash == hash).cloned())
    }

    async fn takings(
        &self,
        merchant: MerchantId,
        store: StoreId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Takings>, StoreError> {
        Ok(reads::takings(&self.tables(), merchant, store, from, to))
    }

    async fn save_endpoint(&self, endpoint: Endpoint) -> Result<(), StoreError> {
        self.tables().endpoints.insert(endpoint.id, endpoint);
        Ok(())
    }

    async fn endpoints(&self, merchant: MerchantId) -> Result<Vec<Endpoint>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .endpoints
            .values()
            .filter(|row| row.merchant == merchant)
            .cloned()
            .collect())
    }

    async fn endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<Option<Endpoint>, StoreError> {
        Ok(self
            .tables()
            .endpoints
            .get(&id)
            .filter(|row| row.merchant == merchant)
            .cloned())
    }

    async fn delete_endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<bool, StoreError> {
        Ok(self.tables().delete_endpoint(merchant, id))
    }

    async fn insert_data_key(&self, key: DataKey) -> Result<(), StoreError> {
        self.tables().data_keys.insert(key.id, key);
        Ok(())
    }

    async fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        Ok(self.tables().data_keys.values().cloned().collect())
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError> {
        Ok(reads::pulse(&self.tables(), now))
    }
}

/// Rows by their keys.
pub(crate) type Map<K, V> = BTreeMap<K, V>;
