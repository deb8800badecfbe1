//! What a list may be asked for, and what it answers.

use tongbao_core::inbox::InboxEntry;
use tongbao_core::webhook::{DeliveryState, EventType};
use tongbao_core::{
    CaseState, ChannelId, EndpointId, MerchantId, PaymentId, Refund, RefundState, StoreId, TillId,
    Timestamp,
};

/// Where the next page begins: the id of the last row of this one. Ids begin
/// with the time, so their order is the order of the list.
pub type Cursor = String;

/// Some rows, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many as were asked for.
    pub rows: Vec<T>,
    /// `None` on the last page.
    pub next: Option<Cursor>,
}

/// Which payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Whose.
    pub merchant: MerchantId,
    /// Of this shop.
    pub store: Option<StoreId>,
    /// Exactly this order number.
    pub merchant_order_no: Option<String>,
    /// The API's word: `created`, `pending` (also those being closed), `paid`,
    /// `closed`.
    pub state: Option<String>,
    /// Made at or after.
    pub from: Option<Timestamp>,
    /// Made before.
    pub to: Option<Timestamp>,
    /// Behind this row.
    pub cursor: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// Which refunds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundFilter {
    /// Whose.
    pub merchant: MerchantId,
    /// Of this shop's payments.
    pub store: Option<StoreId>,
    /// In this state.
    pub state: Option<RefundState>,
    /// Behind this row.
    pub cursor: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// A refund of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRow {
    /// Out of which payment.
    pub payment: PaymentId,
    /// As it stands.
    pub refund: Refund,
}

/// Which cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFilter {
    /// Whose.
    pub merchant: MerchantId,
    /// In this state.
    pub state: Option<CaseState>,
    /// In any state but resolved.
    pub unresolved: bool,
    /// Of this payment.
    pub payment: Option<PaymentId>,
    /// Behind this row.
    pub cursor: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// Which webhook events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// Whose.
    pub merchant: MerchantId,
    /// Of this type.
    pub kind: Option<EventType>,
    /// Of this payment.
    pub payment: Option<PaymentId>,
    /// Behind this row.
    pub cursor: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// Which incoming messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxFilter {
    /// Whose.
    pub merchant: MerchantId,
    /// Of this account.
    pub channel: Option<ChannelId>,
    /// Of this payment.
    pub payment: Option<PaymentId>,
    /// Behind this row.
    pub cursor: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// One incoming message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    /// As it came first; as its first genuine copy was judged.
    pub entry: InboxEntry,
    /// How often it came.
    pub copies: i64,
    /// When it came last.
    pub last_at: Timestamp,
}

/// How an event fares at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where.
    pub endpoint: EndpointId,
    /// How it stands.
    pub state: DeliveryState,
    /// When it is tried next, while it is pending.
    pub due: Timestamp,
    /// Every try, oldest first.
    pub tries: Vec<DeliveryTry>,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryTry {
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
}

/// What a shop took by one of its tills, and gave back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takings {
    /// The till; none for what the merchant's server and payers themselves did.
    pub till: Option<TillId>,
    /// How many payments.
    pub payments: i64,
    /// Their sum in fen, before refunds.
    pub amount: i64,
    /// How many refunds reached their payers.
    pub refunds: i64,
    /// Their sum in fen.
    pub amount_refunded: i64,
}

/// What an operator's metrics show: each a quick count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Jobs that should have run by now.
    pub jobs_due: i64,
    /// Jobs that were laid aside: nothing will be asked until somebody acts.
    pub jobs_laid_aside: i64,
    /// Deliveries that should have gone out by now.
    pub deliveries_due: i64,
    /// Deliveries whose schedule has run out.
    pub deliveries_exhausted: i64,
    /// Cases that are not resolved.
    pub cases_open: i64,
    /// Those of them that wait for a person.
    pub cases_waiting: i64,
}
