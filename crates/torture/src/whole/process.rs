//! One process: its store, and the thread that would write, as a task.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures::channel::oneshot;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::merchant::{ApiKey, Merchant, PolicyPatch};
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::{Endpoint, WebhookEvent};
use tongbao_core::{
    Case, CaseId, ChannelId, EndpointId, EventId, Job, MerchantId, Payment, PaymentId, RefundId,
    StoreId, TillId, Timestamp,
};
use tongbao_simulation::gateway::OPENING;
use tongbao_simulation::kernel::NodeId;
use tongbao_store::sqlite::SqliteStore;
use tongbao_store::{
    CaseFilter, Change, DataKey, Delivery, DeliveryClaim, DeliveryResult, EventFilter,
    IdempotencyRecord, InboxFilter, InboxRow, LogEntry, Page, PaymentFilter, Pulse, RefundFilter,
    RefundRow, Store, StoreError, Takings,
};

use super::Bug;
use super::desk::Desk;
use crate::command::{Command, Done};
use crate::driven::Driven;

type Answer = Result<Done, StoreError>;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Command, oneshot::Sender<Answer>)>,
    writer: Option<Waker>,
}

/// See the module.
pub(super) struct Process {
    pub(super) node: NodeId,
    desk: Arc<Desk>,
    driven: Mutex<Driven>,
    store: Arc<SqliteStore>,
    queue: Mutex<Queue>,
    /// As a payment was read last, for a reader that is planted to be behind.
    read_before: Mutex<Option<Payment>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    pub(super) fn start(desk: Arc<Desk>, node: NodeId) -> Arc<Self> {
        let driven = desk.open();
        if node != OPENING {
            desk.let_it_fail();
        }
        Arc::new(Self {
            node,
            store: driven.store().clone(),
            driven: Mutex::new(driven),
            desk,
            queue: Mutex::default(),
            read_before: Mutex::default(),
        })
    }

    /// What the writer's thread does.
    pub(super) async fn work(self: Arc<Self>) {
        loop {
            let batch = poll_fn(|context| {
                let mut queue = lock(&self.queue);
                if queue.waiting.is_empty() {
                    queue.writer = Some(context.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(queue.waiting.drain(..).collect::<Vec<_>>())
            })
            .await;
            let (commands, askers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            let answers = self.desk.carry_out(&mut lock(&self.driven), &commands);
            // Nobody hears anything from a machine without power.
            for (asker, answer) in askers.into_iter().zip(answers.unwrap_or_default()) {
                // Nobody waiting is no error.
                let _ = asker.send(answer);
            }
        }
    }

    pub(super) fn close(&self) {
        // The store's own drop does the rest: this process did nothing else.
        self.desk.disk.machine().kill();
    }

    async fn write<T>(&self, command: Command) -> Result<T, StoreError>
    where
        T: TryFrom<Done, Error = StoreError>,
    {
        self.written(command).await?.try_into()
    }

    async fn written(&self, command: Command) -> Answer {
        if self.node == OPENING {
            let answers = self.desk.carry_out(&mut lock(&self.driven), &[command]);
            let answer = answers.and_then(|mut answers| answers.pop());
            return answer.unwrap_or(Err(StoreError::Closed));
        }
        self.travel().await;
        let (asker, answer) = oneshot::channel();
        let early = self.answered_early(&command);
        self.enqueue(command, asker);
        if early {
            return Ok(Done::Jobs(Vec::new()));
        }
        // Without an answer the machine is off, and so is whoever asks.
        let answer = answer.await.unwrap_or(Err(StoreError::Closed));
        self.travel().await;
        match answer {
            Err(StoreError::Full(_) | StoreError::CommitUnknown(_))
                if self.desk.bug == Some(Bug::RefusalSwallowed) =>
            {
                Ok(Done::Jobs(Vec::new()))
            }
            answer => answer,
        }
    }

    fn enqueue(&self, command: Command, asker: oneshot::Sender<Answer>) {
        let mut queue = lock(&self.queue);
        queue.waiting.push_back((command, asker));
        if let Some(writer) = queue.writer.take() {
            writer.wake();
        }
    }

    /// The planted writer answers what wants no claim before it has written it.
    fn answered_early(&self, command: &Command) -> bool {
        let Command::Commit(change) = command else {
            return false;
        };
        let wants_claim = change.jobs.iter().any(|job| job.lease_until.is_some());
        self.desk.bug == Some(Bug::AnswerBeforeCommit) && !wants_claim
    }

    /// To the writer, and back.
    async fn travel(&self) {
        let wait = self.desk.chance().millis(0, 4);
        if wait > Duration::ZERO {
            self.desk.kernel.sleep(wait).await;
        }
    }

    async fn look(&self) {
        if self.node != OPENING {
            self.travel().await;
        }
    }

    /// What the planted readers make of a payment.
    fn as_read(&self, payment: Option<Payment>) -> Option<Payment> {
        let bug = self.desk.bug?;
        let payment = payment?;
        let before = lock(&self.read_before).replace(payment.clone());
        let before = before.filter(|before| before.id == payment.id);
        Some(match (bug, before) {
            (Bug::ReaderIsBehind, Some(before)) => before,
            (Bug::ReaderSeesTornData, Some(before)) => Payment {
                attempts: before.attempts,
                ..payment
            },
            _ => payment,
        })
    }

    fn read(&self, payment: Option<Payment>) -> Option<Payment> {
        match self.desk.bug {
            None => payment,
            Some(_) => self.as_read(payment),
        }
    }
}

#[async_trait]
impl Store for Process {
    async fn commit(&self, change: Change) -> Result<Vec<Job>, StoreError> {
        self.write(Command::Commit(Box::new(change))).await
    }

    async fn claim_jobs(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let command = Command::ClaimJobs {
            now,
            lease_until,
            limit,
        };
        self.write(command).await
    }

    async fn lay_aside(&self, job: Job, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.write(Command::LayAside(job, until)).await
    }

    async fn take_up(&self, channel: ChannelId, now: Timestamp) -> Result<usize, StoreError> {
        self.write(Command::TakeUp(channel, now)).await
    }

    async fn bring_forward(&self, by: Duration, now: Timestamp) -> Result<usize, StoreError> {
        self.write(Command::BringForward(by, now)).await
    }

    async fn claim_deliveries(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        per_endpoint: usize,
        limit: usize,
    ) -> Result<Vec<DeliveryClaim>, StoreError> {
        let command = Command::ClaimDeliveries {
            now,
            lease_until,
            per_endpoint,
            limit,
        };
        self.write(command).await
    }

    async fn record_delivery(&self, result: DeliveryResult) -> Result<(), StoreError> {
        let command = Command::RecordDelivery(Box::new(result));
        self.write(command).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_due().await
    }

    async fn redeliver(
        &self,
        merchant: MerchantId,
        event: EventId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let command = Command::Redeliver {
            merchant,
            event,
            now,
        };
        self.write(command).await
    }

    async fn replay(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let command = Command::Replay {
            merchant,
            endpoint,
            from,
            to,
            now,
        };
        self.write(command).await
    }

    async fn payment(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<Option<Payment>, StoreError> {
        self.look().await;
        self.store
            .payment(merchant, id)
            .await
            .map(|found| self.read(found))
    }

    async fn payment_by_order_no(
        &self,
        merchant: MerchantId,
        merchant_order_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        self.look().await;
        self.store
            .payment_by_order_no(merchant, merchant_order_no)
            .await
    }

    async fn payment_by_out_trade_no(
        &self,
        channel: ChannelId,
        out_trade_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        self.look().await;
        let found = self
            .store
            .payment_by_out_trade_no(channel, out_trade_no)
            .await;
        found.map(|found| self.read(found))
    }

    async fn payment_by_checkout_token(&self, token: &str) -> Result<Option<Payment>, StoreError> {
        self.store.payment_by_checkout_token(token).await
    }

    async fn payment_by_refund(
        &self,
        merchant: MerchantId,
        id: RefundId,
    ) -> Result<Option<Payment>, StoreError> {
        let payment = self.store.payment_by_refund(merchant, id).await?;
        Ok(self.read(payment))
    }

    async fn payment_by_refund_no(
        &self,
        merchant: MerchantId,
        merchant_refund_no: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let found = self
            .store
            .payment_by_refund_no(merchant, merchant_refund_no);
        Ok(self.read(found.await?))
    }

    async fn refunds(&self, filter: RefundFilter) -> Result<Page<RefundRow>, StoreError> {
        self.store.refunds(filter).await
    }

    async fn payments(&self, filter: PaymentFilter) -> Result<Page<Payment>, StoreError> {
        self.store.payments(filter).await
    }

    async fn timeline(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
    ) -> Result<Vec<LogEntry>, StoreError> {
        self.store.timeline(merchant, payment).await
    }

    async fn case(&self, merchant: MerchantId, id: CaseId) -> Result<Option<Case>, StoreError> {
        self.store.case(merchant, id).await
    }

    async fn cases(&self, filter: CaseFilter) -> Result<Page<Case>, StoreError> {
        self.store.cases(filter).await
    }

    async fn events(&self, filter: EventFilter) -> Result<Page<WebhookEvent>, StoreError> {
        self.store.events(filter).await
    }

    async fn event(
        &self,
        merchant: MerchantId,
        id: EventId,
    ) -> Result<Option<WebhookEvent>, StoreError> {
        self.store.event(merchant, id).await
    }

    async fn deliveries(
        &self,
        merchant: MerchantId,
        event: EventId,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.store.deliveries(merchant, event).await
    }

    async fn inbox(&self, filter: InboxFilter) -> Result<Page<InboxRow>, StoreError> {
        self.store.inbox(filter).await
    }

    async fn idempotency(
        &self,
        merchant: MerchantId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.look().await;
        self.store.idempotency(merchant, key).await
    }

    async fn insert_merchant(&self, merchant: Merchant) -> Result<(), StoreError> {
        self.write(Command::InsertMerchant(merchant)).await
    }

    async fn change_policy(&self, id: MerchantId, patch: PolicyPatch) -> Result<bool, StoreError> {
        self.write(Command::ChangePolicy(id, patch)).await
    }

    async fn merchants(&self) -> Result<Vec<Merchant>, StoreError> {
        self.store.merchants().await
    }

    async fn merchant(&self, id: MerchantId) -> Result<Option<Merchant>, StoreError> {
        self.store.merchant(id).await
    }

    async fn insert_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.write(Command::InsertApiKey(key)).await
    }

    async fn api_key(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.store.api_key(hash).await
    }

    async fn save_channel(&self, account: ChannelAccount) -> Result<(), StoreError> {
        self.write(Command::SaveChannel(account)).await
    }

    async fn channel(&self, id: ChannelId) -> Result<Option<ChannelAccount>, StoreError> {
        self.store.channel(id).await
    }

    async fn channels(&self, merchant: MerchantId) -> Result<Vec<ChannelAccount>, StoreError> {
        self.store.channels(merchant).await
    }

    async fn shops(&self, merchant: MerchantId) -> Result<Vec<Shop>, StoreError> {
        self.store.shops(merchant).await
    }

    async fn shop(&self, merchant: MerchantId, id: StoreId) -> Result<Option<Shop>, StoreError> {
        self.store.shop(merchant, id).await
    }

    async fn tills(&self, merchant: MerchantId, store: StoreId) -> Result<Vec<Till>, StoreError> {
        self.store.tills(merchant, store).await
    }

    async fn till(&self, merchant: MerchantId, id: TillId) -> Result<Option<Till>, StoreError> {
        self.store.till(merchant, id).await
    }

    async fn till_by_hash(&self, hash: [u8; 32]) -> Result<Option<Till>, StoreError> {
        self.store.till_by_hash(hash).await
    }

    async fn takings(
        &self,
        merchant: MerchantId,
        store: StoreId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Takings>, StoreError> {
        self.store.takings(merchant, store, from, to).await
    }

    async fn save_endpoint(&self, endpoint: Endpoint) -> Result<(), StoreError> {
        self.write(Command::SaveEndpoint(endpoint)).await
    }

    async fn endpoints(&self, merchant: MerchantId) -> Result<Vec<Endpoint>, StoreError> {
        self.store.endpoints(merchant).await
    }

    async fn endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<Option<Endpoint>, StoreError> {
        self.store.endpoint(merchant, id).await
    }

    async fn delete_endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<bool, StoreError> {
        self.write(Command::DeleteEndpoint(merchant, id)).await
    }

    async fn insert_data_key(&self, key: DataKey) -> Result<(), StoreError> {
        self.write(Command::InsertDataKey(key)).await
    }

    async fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        self.store.data_keys().await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.store.ready().await
    }

    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError> {
        self.store.pulse(now).await
    }
}
