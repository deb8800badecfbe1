//! What a command writes.

use tongbao_core::channel::ChannelAccount;
use tongbao_core::inbox::InboxEntry;
use tongbao_core::job::NewJob;
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::{Endpoint, WebhookEvent};
use tongbao_core::{
    AttemptId, Case, CaseState, Event, Job, MerchantId, Payment, PaymentId, RefundId, Rules,
    Timestamp,
};

/// A decision and everything that must follow from it: written whole or not at
/// all.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The payment's next state.
    pub payment: Option<PaymentChange>,
    /// What happened to the payment, for the timeline, in this order.
    pub log: Vec<LogEntry>,
    /// The job that this change carries out. When the row was asked for again
    /// meanwhile it is kept, without its lease; when another holds it, the
    /// change fails with `Fenced`. Applied before `jobs`.
    pub finish: Option<Job>,
    /// What is to be asked next. A job that exists already is brought forward
    /// when this one is due earlier, and counts as asked for again.
    pub jobs: Vec<NewJob>,
    /// What merchants are told: each goes to the endpoints that listen to its type
    /// and shop; for one that is off it waits.
    pub events: Vec<WebhookEvent>,
    /// Money that should not be there.
    pub cases: Vec<OpenedCase>,
    /// Cases that stand elsewhere than before. One that is no longer as it was read
    /// is a `Conflict`.
    pub moved: Vec<MovedCase>,
    /// What the refunds of this change may not exceed; else it fails with
    /// `AboveLimit`.
    pub limit: Option<DayLimit>,
    /// The message that led to it. One with the same body for the same channel
    /// and payment is counted instead of kept again; one that was refused is
    /// counted with any of its body that names no payment, and gives its row to
    /// the first genuine copy.
    pub inbox: Option<InboxEntry>,
    /// The merchant's name for the request.
    pub idempotency: Option<IdempotencyRecord>,
    /// What the request made, when it is a channel account.
    pub channel: Option<Box<ChannelAccount>>,
    /// What the request made, when it is an endpoint.
    pub endpoint: Option<Box<Endpoint>>,
    /// What the request made, when it is a shop. A name that another shop of the
    /// merchant has is [`Taken`](crate::StoreError::Taken).
    pub shop: Option<Box<Shop>>,
    /// What the request made, when it is a till, or revoked. A name that another
    /// till of the shop has, whose key is good, is
    /// [`Taken`](crate::StoreError::Taken).
    pub till: Option<Box<Till>>,
}

/// A payment as it is from now on.
#[derive(Clone, Debug)]
pub struct PaymentChange {
    /// The next state, at its next version.
    pub payment: Payment,
    /// The version that was read; `None` inserts the payment.
    pub read_version: Option<i64>,
    /// The attempts that are new or differ from what was read.
    pub attempts: Vec<AttemptId>,
    /// The refunds that are new or differ from what was read.
    pub refunds: Vec<RefundId>,
}

/// A case, and what the merchant is told of it. A case of the same channel,
/// kind, trade and amount is written once, and told of once; told again with
/// `Refund` where it was `Review`, it is to be refunded from then on.
#[derive(Clone, Debug)]
pub struct OpenedCase {
    /// What is wrong.
    pub case: Case,
    /// `case.opened`.
    pub event: WebhookEvent,
}

/// A case that was written before, and what the merchant is told of it now.
#[derive(Clone, Debug)]
pub struct MovedCase {
    /// Where it stood when it was read.
    pub read_state: CaseState,
    /// As it is from now on.
    pub case: Case,
    /// Told in the same transaction.
    pub event: Option<WebhookEvent>,
}

/// How much may go back of a merchant's cases in a day without a person. Every
/// automatic refund that was written down between the two moments counts,
/// whatever became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLimit {
    /// Whose.
    pub merchant: MerchantId,
    /// The day's first moment.
    pub from: Timestamp,
    /// The first moment of the next.
    pub to: Timestamp,
    /// In fen, with this change's.
    pub most_fen: i64,
    /// What this change adds, in fen.
    pub fen: i64,
}

/// One line of a payment's timeline: folding them all gives the payment.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub payment: PaymentId,
    /// The version that it led to.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// What happened; `None` for the payment's creation.
    pub event: Option<Event>,
    /// By which rules it was judged.
    pub rules: Rules,
    /// The API's word for the payment's state afterwards.
    pub state: String,
}

/// The merchant's name for a request that may arrive twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Whose key.
    pub merchant: MerchantId,
    /// At most 255 characters.
    pub key: String,
    /// SHA-256 over method, path and body.
    pub fingerprint: [u8; 32],
    /// The id of what the request made: `pay_…`, `att_…`, `whe_…`.
    pub resource: String,
    /// When.
    pub created_at: Timestamp,
}

/// A delivery that somebody has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryClaim {
    /// What is to be told.
    pub event: WebhookEvent,
    /// To whom.
    pub endpoint: Endpoint,
    /// How many tries there have been since it was (re)scheduled.
    pub tries: u32,
    /// The lease: rises with every claim.
    pub fence: i64,
}

/// What a try came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// 2xx.
    Delivered,
    /// To be tried again.
    Retry {
        /// Not before.
        due: Timestamp,
    },
    /// The schedule has run out.
    Exhausted,
    /// 410: the endpoint wants no more; it is switched off, and its deliveries
    /// wait.
    Gone,
}

/// One try of a delivery, with what was sent and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryResult {
    /// The claim that it carries out; `Fenced` when another holds it.
    pub claim: DeliveryClaim,
    /// When it was sent.
    pub at: Timestamp,
    /// The headers that were sent, one a line.
    pub request_headers: String,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The beginning of the answer, or what went wrong.
    pub answer: String,
    /// How long it took, in milliseconds.
    pub took_millis: i64,
    /// What it came to.
    pub outcome: DeliveryOutcome,
}

/// A data key, wrapped by the key that is kept outside the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKey {
    /// In front of every value that it seals.
    pub id: u32,
    /// Whose values it seals.
    pub merchant: MerchantId,
    /// The key under its seal.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}
