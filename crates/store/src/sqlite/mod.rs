//! SQLite: one file, one thread that writes, readers beside it.
//!
//! - **Writes** queue for one thread, which takes all that wait into one
//!   transaction and answers when it is on the disk: durable per command, paid
//!   per batch.
//! - **Reads** run where they are asked, on a connection of their own, and take
//!   microseconds.
//! - The database is in WAL mode with `synchronous=FULL`: with less, a power cut
//!   takes back what was acknowledged.

mod batch;
mod cases;
mod channels;
mod clock;
mod column;
mod commit;
mod connection;
#[cfg(test)]
mod cost;
mod damage;
mod data_keys;
mod deliveries;
mod disk;
mod endpoints;
mod events;
mod failure;
mod file_system;
mod heads;
mod idempotency;
mod inbox;
mod jobs;
mod keys;
mod lock;
mod merchants;
mod migrate;
mod page;
mod payments;
mod place;
mod pulse;
mod readers;
mod refunds;
mod shops;
mod snapshot;
mod statement;
mod timeline;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::job::NEVER;
use tongbao_core::merchant::{ApiKey, Merchant, PolicyPatch};
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::{Endpoint, EventType, WebhookEvent};
use tongbao_core::{
    Case, CaseId, ChannelId, EndpointId, EventId, Job, MerchantId, Payment, PaymentId, RefundId,
    StoreId, TillId, Timestamp,
};

pub use file_system::FileSystem;
pub use migrate::{Migrated, migrate};
pub use place::Place;
pub use snapshot::SqliteSnapshot;

use crate::{
    CaseFilter, Change, DataKey, Delivery, DeliveryClaim, DeliveryResult, EventFilter,
    IdempotencyRecord, InboxFilter, InboxRow, LogEntry, Page, PaymentFilter, Pulse, RefundFilter,
    RefundRow, Store, StoreError, Takings,
};
use commit::Commit;
use deliveries::{Loaded, Record, Replay};
use jobs::JobText;
use lock::Lock;
use readers::Readers;
use refunds::Named;
use writer::Writer;

/// A store in one SQLite file.
///
/// Dropping it finishes what waits to be written; [`SqliteStore::close`] does
/// the same without holding up the thread.
pub struct SqliteStore {
    // Dropped in this order: the last connection to close carries the log over
    // into the database, and the lock goes after everything else.
    readers: Readers,
    writer: Writer,
    /// The last write found no room, or a disk that does not take it.
    failing: AtomicBool,
    _lock: Option<Lock>,
}

impl SqliteStore {
    /// Opens the database at `path`, makes it where there is none, and brings it
    /// to this program's schema.
    ///
    /// One process at a time: a second one is refused. `path` must be on a local
    /// disk.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        disk::warn_of_network(path);
        let place = Place::new(path);
        let db = open(&place)?;
        Ok(Self {
            readers: Readers::new(place.clone()),
            writer: Writer::start(place, db)?,
            failing: AtomicBool::new(false),
            _lock: Some(lock),
        })
    }

    /// The same without a thread, a lock or a file of the system's: for a
    /// simulation, which brings all three. The database's file must be there, and
    /// the future does the writer's work whenever it is polled.
    pub fn driven(
        place: &Place,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), StoreError> {
        let (writer, work) = Writer::apart(place.clone(), open(place)?);
        let store = Self {
            readers: Readers::new(place.clone()),
            writer,
            failing: AtomicBool::new(false),
            _lock: None,
        };
        Ok((store, work))
    }

    /// Finishes what waits to be written, and lets go of the file. Whoever asks
    /// later is told so.
    pub async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }

    /// Ends when a bug has stopped the writer. Reads go on and writes fail:
    /// only a new start helps.
    pub async fn died(&self) {
        self.writer.died().await;
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.read(query)
    }

    async fn write<T, F>(&self, command: F) -> Result<T, StoreError>
    where
        F: FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let outcome = self.writer.write(command).await;
        let failing = matches!(
            outcome,
            Err(StoreError::Full(_) | StoreError::CommitUnknown(_) | StoreError::Closed)
        );
        self.failing.store(failing, Ordering::Relaxed);
        outcome
    }
}

fn open(place: &Place) -> Result<Connection, StoreError> {
    let mut db = connection::writer(place)?;
    let Migrated { from, to } = migrate::apply(&mut db)?;
    if from != to {
        tracing::info!(from, to, "the database has a new schema");
    }
    Ok(db)
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, change: Change) -> Result<Vec<Job>, StoreError> {
        let commit = Commit::new(change);
        self.write(move |db| commit.run(db)).await
    }

    async fn claim_jobs(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        if limit == 0 || !self.read(|db| jobs::any_ready(db, now))? {
            return Ok(Vec::new());
        }
        self.write(move |db| jobs::claim(db, now, lease_until, limit))
            .await
    }

    async fn lay_aside(&self, job: Job, until: Option<Timestamp>) -> Result<(), StoreError> {
        let job = JobText::new(job);
        self.write(move |db| job.lay_aside(db, until.unwrap_or(NEVER)))
            .await
    }

    async fn take_up(&self, channel: ChannelId, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| jobs::take_up(db, channel, now)).await
    }

    async fn claim_deliveries(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        per_endpoint: usize,
        limit: usize,
    ) -> Result<Vec<DeliveryClaim>, StoreError> {
        if self
            .read(|db| deliveries::due(db, now, per_endpoint, limit))?
            .is_empty()
        {
            return Ok(Vec::new());
        }
        let leased = self
            .write(move |db| deliveries::claim(db, now, lease_until, per_endpoint, limit))
            .await?;
        // Leased they are, whatever comes of reading them.
        let unread = |error: StoreError| StoreError::CommitUnknown(error.to_string());
        let loaded: Vec<_> = self
            .read(|db| {
                let all = leased.iter().map(|leased| deliveries::load(db, leased));
                all.collect::<Result<_, _>>()
            })
            .map_err(unread)?;
        let mut claims = Vec::with_capacity(leased.len());
        for loaded in loaded {
            match loaded {
                Loaded::Claim(claim) => claims.push(*claim),
                Loaded::Gone => {}
                Loaded::Unreadable(unreadable) => {
                    let parked = self.write(move |db| unreadable.park(db)).await;
                    parked.map_err(unread)?;
                }
            }
        }
        Ok(claims)
    }

    async fn record_delivery(&self, result: DeliveryResult) -> Result<(), StoreError> {
        let record = Record::new(result);
        self.write(move |db| record.write(db)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|db| {
            let (job, delivery) = (jobs::next_ready(db)?, deliveries::next_ready(db)?);
            Ok([job, delivery].into_iter().flatten().min())
        })
    }

    async fn bring_forward(&self, by: Duration, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| clock::bring_forward(db, by, now))
            .await
    }

    async fn redeliver(
        &self,
        merchant: MerchantId,
        event: EventId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |db| deliveries::redeliver(db, merchant, event, now))
            .await
    }

    /// In steps, so that other writers go between: after a crash some of the
    /// events may have been scheduled.
    async fn replay(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let replay = Replay {
            merchant,
            endpoint,
            from,
            to,
            now,
        };
        let mut scheduled = 0;
        for kind in EventType::ALL {
            let mut next = Some((replay.from.as_millis(), 0));
            while let Some(after) = next {
                let replay = replay.clone();
                let step = self.write(move |db| replay.step(db, kind, after)).await?;
                scheduled += step.scheduled;
                next = step.next;
            }
        }
        Ok(scheduled)
    }

    async fn payment(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        self.read(|db| payments::by_id(db, merchant, id))
    }

    async fn payment_by_order_no(
        &self,
        merchant: MerchantId,
        merchant_order_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        self.read(|db| payments::by_order_no(db, merchant, merchant_order_no))
    }

    async fn payment_by_out_trade_no(
        &self,
        channel: ChannelId,
        out_trade_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        self.read(|db| payments::by_out_trade_no(db, channel, out_trade_no))
    }

    async fn payment_by_checkout_token(&self, token: &str) -> Result<Option<Payment>, StoreError> {
        self.read(|db| payments::by_checkout_token(db, token))
    }

    async fn payment_by_refund(
        &self,
        merchant: MerchantId,
        id: RefundId,
    ) -> Result<Option<Payment>, StoreError> {
        self.read(|db| payments::by_refund(db, merchant, &Named::Id(id)))
    }

    async fn payment_by_refund_no(
        &self,
        merchant: MerchantId,
        merchant_refund_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let name = Named::Number(merchant_refund_no.to_owned());
        self.read(|db| payments::by_refund(db, merchant, &name))
    }

    async fn refunds(&self, filter: RefundFilter) -> Result<Page<RefundRow>, StoreError> {
        self.read(|db| refunds::list(db, &filter))
    }

    async fn payments(&self, filter: PaymentFilter) -> Result<Page<Payment>, StoreError> {
        self.read(|db| payments::list(db, &filter))
    }

    async fn timeline(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
    ) -> Result<Vec<LogEntry>, StoreError> {
        self.read(|db| timeline::of(db, merchant, payment))
    }

    async fn case(&self, merchant: MerchantId, id: CaseId) -> Result<Option<Case>, StoreError> {
        self.read(|db| cases::by_id(db, merchant, id))
    }

    async fn cases(&self, filter: CaseFilter) -> Result<Page<Case>, StoreError> {
        self.read(|db| cases::list(db, &filter))
    }

    async fn events(&self, filter: EventFilter) -> Result<Page<WebhookEvent>, StoreError> {
        self.read(|db| events::list(db, &filter))
    }

    async fn event(
        &self,
        merchant: MerchantId,
        id: EventId,
    ) -> Result<Option<WebhookEvent>, StoreError> {
        self.read(|db| events::by_id(db, merchant, id))
    }

    async fn deliveries(
        &self,
        merchant: MerchantId,
        event: EventId,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(|db| deliveries::of_event(db, merchant, event))
    }

    async fn inbox(&self, filter: InboxFilter) -> Result<Page<InboxRow>, StoreError> {
        self.read(|db| inbox::list(db, &filter))
    }

    async fn idempotency(
        &self,
        merchant: MerchantId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.read(|db| idempotency::of(db, merchant, key))
    }

    async fn insert_merchant(&self, merchant: Merchant) -> Result<(), StoreError> {
        self.write(move |db| merchants::insert(db, &merchant)).await
    }

    async fn merchants(&self) -> Result<Vec<Merchant>, StoreError> {
        self.read(merchants::all)
    }

    async fn change_policy(&self, id: MerchantId, patch: PolicyPatch) -> Result<bool, StoreError> {
        self.write(move |db| merchants::change_policy(db, id, patch))
            .await
    }

    async fn merchant(&self, id: MerchantId) -> Result<Option<Merchant>, StoreError> {
        self.read(|db| merchants::by_id(db, id))
    }

    async fn insert_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.write(move |db| merchants::insert_api_key(db, &key))
            .await
    }

    async fn api_key(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.read(|db| merchants::api_key(db, hash))
    }

    async fn save_channel(&self, account: ChannelAccount) -> Result<(), StoreError> {
        self.write(move |db| channels::save(db, &account)).await
    }

    async fn channel(&self, id: ChannelId) -> Result<Option<ChannelAccount>, StoreError> {
        self.read(|db| channels::by_id(db, id))
    }

    async fn channels(&self, merchant: MerchantId) -> Result<Vec<ChannelAccount>, StoreError> {
        self.read(|db| channels::all(db, merchant))
    }

    async fn shops(&self, merchant: MerchantId) -> Result<Vec<Shop>, StoreError> {
        self.read(|db| shops::all(db, merchant))
    }

    async fn shop(&self, merchant: MerchantId, id: StoreId) -> Result<Option<Shop>, StoreError> {
        self.read(|db| shops::by_id(db, merchant, id))
    }

    async fn tills(&self, merchant: MerchantId, store: StoreId) -> Result<Vec<Till>, StoreError> {
        self.read(|db| shops::tills(db, merchant, store))
    }

    async fn till(&self, merchant: MerchantId, id: TillId) -> Result<Option<Till>, StoreError> {
        self.read(|db| shops::till(db, merchant, id))
    }

    async fn till_by_hash(&self, hash: [u8; 32]) -> Result<Option<Till>, StoreError> {
        self.read(|db| shops::till_by_hash(db, hash))
    }

    async fn takings(
        &self,
        merchant: MerchantId,
        store: StoreId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Takings>, StoreError> {
        self.read(|db| shops::takings(db, merchant, store, from, to))
    }

    async fn save_endpoint(&self, endpoint: Endpoint) -> Result<(), StoreError> {
        self.write(move |db| endpoints::save(db, &endpoint)).await
    }

    async fn endpoints(&self, merchant: MerchantId) -> Result<Vec<Endpoint>, StoreError> {
        self.read(|db| endpoints::all(db, merchant))
    }

    async fn endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<Option<Endpoint>, StoreError> {
        self.read(|db| endpoints::by_id(db, merchant, id))
    }

    /// It is gone with the first step; what waited for it goes in further ones.
    async fn delete_endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<bool, StoreError> {
        let found = self
            .write(move |db| endpoints::delete(db, merchant, id))
            .await?;
        while found
            && self
                .write(move |db| endpoints::clear_some(db, merchant, id))
                .await?
                > 0
        {}
        Ok(found)
    }

    async fn insert_data_key(&self, key: DataKey) -> Result<(), StoreError> {
        self.write(move |db| data_keys::insert(db, &key)).await
    }

    async fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        self.read(data_keys::all)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        if self.failing.load(Ordering::Relaxed) {
            return self.write(|db| jobs::fences(db, 1).map(drop)).await;
        }
        self.next_due().await.map(drop)
    }

    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError> {
        self.read(|db| pulse::take(db, now))
    }
}
