//! Where payments, jobs, webhooks and the inbox are kept.
//!
//! [`Store`] is the whole contract: whole commands, never free SQL, so that one
//! command is one transaction and two databases can be held against each other
//! call by call. What [`Store::commit`] has answered survives a power cut.
//!
//! Nothing here decides anything about money: rows go in and come out as the
//! values of `tongbao-core`.

// So that unit tests can be told the same stories as the others.
#[cfg(test)]
extern crate self as tongbao_store;

mod change;
mod error;
mod read;
pub mod snapshot;

pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::merchant::{ApiKey, Merchant, PolicyPatch};
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::{Endpoint, WebhookEvent};
use tongbao_core::{
    Case, CaseId, ChannelId, EndpointId, EventId, Job, MerchantId, Payment, PaymentId, RefundId,
    StoreId, TillId, Timestamp,
};

pub use change::{
    Change, DataKey, DayLimit, DeliveryClaim, DeliveryOutcome, DeliveryResult, IdempotencyRecord,
    LogEntry, MovedCase, OpenedCase, PaymentChange,
};
pub use error::{StoreError, Unique};
pub use read::{
    CaseFilter, Cursor, Delivery, DeliveryTry, EventFilter, InboxFilter, InboxRow, Page,
    PaymentFilter, Pulse, RefundFilter, RefundRow, Takings,
};

/// A database that keeps what a payment gateway must not forget.
///
/// Every method is one transaction. Times come in as arguments: a store has no
/// clock.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes a decision and everything that must follow from it, or nothing.
    ///
    /// Fails with [`StoreError::Conflict`] when the payment is no longer at the
    /// version that was read (load it again and decide again), and with
    /// [`StoreError::Taken`] when a unique number is in use.
    ///
    /// Answers the claims of those jobs of the change that asked for a lease
    /// (`lease_until`) and got it: all but those that another holds, which are
    /// only brought forward.
    async fn commit(&self, change: Change) -> Result<Vec<Job>, StoreError>;

    /// Leases up to `limit` jobs that are due and that nobody holds, the longest
    /// due first. One whose lease ran out counts from the end of its lease.
    async fn claim_jobs(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError>;

    /// Lays a claimed job aside: it is due again `until` then; without that, when it
    /// is asked for again or taken up. One that was asked for again since the claim
    /// is only let go of. `Fenced` when another holds it.
    async fn lay_aside(&self, job: Job, until: Option<Timestamp>) -> Result<(), StoreError>;

    /// Makes due what was laid aside without a time, of attempts over this channel.
    /// Answers how many jobs that is.
    async fn take_up(&self, channel: ChannelId, now: Timestamp) -> Result<usize, StoreError>;

    /// Leases deliveries that are due, at most `per_endpoint` in flight for one
    /// endpoint (leases included), so that a slow endpoint fills its own lane
    /// alone. Disabled endpoints are passed over.
    async fn claim_deliveries(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        per_endpoint: usize,
        limit: usize,
    ) -> Result<Vec<DeliveryClaim>, StoreError>;

    /// Writes what came of a delivery: the try, with what was sent and answered,
    /// and the delivery's next state.
    async fn record_delivery(&self, result: DeliveryResult) -> Result<(), StoreError>;

    /// The time of the next job or delivery that nobody holds, leases that run
    /// out included. `None` when there is nothing to wait for. It may have
    /// passed although nothing can be claimed: in a lane that is full.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The clock by which everything was scheduled was set back by so much and is
    /// `now`: what is due or leased until later is brought forward as much.
    /// What is laid aside stays there. Answers how many rows that is.
    async fn bring_forward(&self, by: Duration, now: Timestamp) -> Result<usize, StoreError>;

    /// Sends an event again, now, to every endpoint that it was meant for, under
    /// the same id and in the same bytes. A try that is under way is `Fenced`.
    /// Answers how many deliveries that is.
    async fn redeliver(
        &self,
        merchant: MerchantId,
        event: EventId,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Sends the endpoint every event of `[from, to)` that it listens to, now,
    /// under the same ids, oldest first, whether or not it had them before.
    async fn replay(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// The payment of that id, with its attempts.
    async fn payment(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<Option<Payment>, StoreError>;

    /// The payment of the merchant's own order number.
    async fn payment_by_order_no(
        &self,
        merchant: MerchantId,
        merchant_order_no: &str,
    ) -> Result<Option<Payment>, StoreError>;

    /// The payment whose attempt the channel knows by this number.
    async fn payment_by_out_trade_no(
        &self,
        channel: ChannelId,
        out_trade_no: &str,
    ) -> Result<Option<Payment>, StoreError>;

    /// The payment of a checkout page.
    async fn payment_by_checkout_token(&self, token: &str) -> Result<Option<Payment>, StoreError>;

    /// The payment that the refund of that id is of.
    async fn payment_by_refund(
        &self,
        merchant: MerchantId,
        id: RefundId,
    ) -> Result<Option<Payment>, StoreError>;

    /// The payment that the refund of the merchant's own number is of.
    async fn payment_by_refund_no(
        &self,
        merchant: MerchantId,
        merchant_refund_no: &str,
    ) -> Result<Option<Payment>, StoreError>;

    /// A merchant's refunds, newest first.
    async fn refunds(&self, filter: RefundFilter) -> Result<Page<RefundRow>, StoreError>;

    /// A merchant's payments, newest first.
    async fn payments(&self, filter: PaymentFilter) -> Result<Page<Payment>, StoreError>;

    /// Everything that happened to a payment, oldest first.
    async fn timeline(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
    ) -> Result<Vec<LogEntry>, StoreError>;

    /// One case.
    async fn case(&self, merchant: MerchantId, id: CaseId) -> Result<Option<Case>, StoreError>;

    /// A merchant's cases, newest first.
    async fn cases(&self, filter: CaseFilter) -> Result<Page<Case>, StoreError>;

    /// A merchant's webhook events, newest first.
    async fn events(&self, filter: EventFilter) -> Result<Page<WebhookEvent>, StoreError>;

    /// One webhook event.
    async fn event(
        &self,
        merchant: MerchantId,
        id: EventId,
    ) -> Result<Option<WebhookEvent>, StoreError>;

    /// How an event fared at each of its endpoints, with every try.
    async fn deliveries(
        &self,
        merchant: MerchantId,
        event: EventId,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// What came in from platforms, newest first.
    async fn inbox(&self, filter: InboxFilter) -> Result<Page<InboxRow>, StoreError>;

    /// What was promised under an idempotency key.
    async fn idempotency(
        &self,
        merchant: MerchantId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;

    /// Adds a merchant.
    async fn insert_merchant(&self, merchant: Merchant) -> Result<(), StoreError>;
    /// All merchants, oldest first.
    async fn merchants(&self) -> Result<Vec<Merchant>, StoreError>;
    /// Changes what a merchant decided for all payments: what is given, and nothing
    /// else. Answers whether there is such a merchant.
    async fn change_policy(&self, id: MerchantId, patch: PolicyPatch) -> Result<bool, StoreError>;
    /// One merchant.
    async fn merchant(&self, id: MerchantId) -> Result<Option<Merchant>, StoreError>;

    /// Adds a key of the API.
    async fn insert_api_key(&self, key: ApiKey) -> Result<(), StoreError>;
    /// The key with this SHA-256.
    async fn api_key(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError>;

    /// Adds a channel account (`version` 1) or changes one (`version` is one
    /// more than the row's, else [`StoreError::Conflict`]).
    async fn save_channel(&self, account: ChannelAccount) -> Result<(), StoreError>;
    /// One channel account, whoever's it is: a notification names no merchant.
    async fn channel(&self, id: ChannelId) -> Result<Option<ChannelAccount>, StoreError>;
    /// A merchant's channel accounts, oldest first.
    async fn channels(&self, merchant: MerchantId) -> Result<Vec<ChannelAccount>, StoreError>;

    /// A merchant's shops, oldest first.
    async fn shops(&self, merchant: MerchantId) -> Result<Vec<Shop>, StoreError>;
    /// One shop.
    async fn shop(&self, merchant: MerchantId, id: StoreId) -> Result<Option<Shop>, StoreError>;
    /// The tills of a shop, oldest first.
    async fn tills(&self, merchant: MerchantId, store: StoreId) -> Result<Vec<Till>, StoreError>;
    /// One till.
    async fn till(&self, merchant: MerchantId, id: TillId) -> Result<Option<Till>, StoreError>;
    /// The till whose key has this SHA-256, whoever's it is, also when it is revoked.
    async fn till_by_hash(&self, hash: [u8; 32]) -> Result<Option<Till>, StoreError>;
    /// What a shop took in `[from, to)`, by when it was paid, and gave back in
    /// it, by when the payer had the money; by till, each that did either.
    async fn takings(
        &self,
        merchant: MerchantId,
        store: StoreId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Takings>, StoreError>;

    /// Adds or changes an endpoint.
    async fn save_endpoint(&self, endpoint: Endpoint) -> Result<(), StoreError>;
    /// A merchant's endpoints, oldest first.
    async fn endpoints(&self, merchant: MerchantId) -> Result<Vec<Endpoint>, StoreError>;
    /// One endpoint.
    async fn endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<Option<Endpoint>, StoreError>;
    /// Removes an endpoint, with the deliveries that wait for it; what it was
    /// told before stays to be seen. Answers whether there was one.
    async fn delete_endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<bool, StoreError>;

    /// Adds a wrapped data key.
    async fn insert_data_key(&self, key: DataKey) -> Result<(), StoreError>;
    /// All wrapped data keys.
    async fn data_keys(&self) -> Result<Vec<DataKey>, StoreError>;

    /// Whether it can be written to: by how the last write ended, and when that
    /// failed, by another one.
    async fn ready(&self) -> Result<(), StoreError>;

    /// What an operator's metrics show.
    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError>;
}
