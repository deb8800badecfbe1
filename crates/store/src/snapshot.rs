//! One state of a whole database, for whoever looks through all of it.

use tongbao_core::channel::ChannelAccount;
use tongbao_core::job::JobKey;
use tongbao_core::merchant::Merchant;
use tongbao_core::webhook::{DeliveryState, Endpoint, WebhookEvent};
use tongbao_core::{Case, EndpointId, EventId, MerchantId, Payment, PaymentId, Timestamp};

use crate::{CaseFilter, DataKey, EventFilter, InboxFilter, InboxRow, LogEntry, Page, StoreError};

/// A database as it stood at one moment, whatever is written meanwhile.
///
/// It can write nothing, takes no lock, and may be held beside a store that is
/// open. It never holds more in memory than it is asked for; an answer that
/// cannot be read as what it should be is `Corrupt`, and the next one is read
/// all the same.
pub trait Snapshot {
    /// What is wrong with one part of the database itself, one line each.
    fn damage(&self, part: Part, line: &mut dyn FnMut(String)) -> Result<(), StoreError>;

    /// How many payments there are.
    fn count_payments(&self) -> Result<u64, StoreError>;

    /// All merchants, oldest first.
    fn merchants(&self) -> Result<Vec<Merchant>, StoreError>;
    /// A merchant's channel accounts, oldest first.
    fn channels(&self, merchant: MerchantId) -> Result<Vec<ChannelAccount>, StoreError>;
    /// A merchant's endpoints, oldest first.
    fn endpoints(&self, merchant: MerchantId) -> Result<Vec<Endpoint>, StoreError>;
    /// All wrapped data keys.
    fn data_keys(&self) -> Result<Vec<DataKey>, StoreError>;

    /// The next payments behind `after`, in the order in which they were made.
    fn payment_ids(
        &self,
        merchant: MerchantId,
        after: Option<PaymentId>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError>;
    /// Everything about one payment.
    fn dossier(&self, merchant: MerchantId, payment: PaymentId) -> Result<Dossier, StoreError>;

    /// A merchant's cases, newest first.
    fn cases(&self, filter: &CaseFilter) -> Result<Page<Case>, StoreError>;
    /// A merchant's webhook events, newest first.
    fn events(&self, filter: &EventFilter) -> Result<Page<WebhookEvent>, StoreError>;
    /// How an event stands at each of its endpoints.
    fn standings(&self, merchant: MerchantId, event: EventId) -> Result<Vec<Standing>, StoreError>;
    /// What came in from platforms, newest first.
    fn inbox(&self, filter: &InboxFilter) -> Result<Page<InboxRow>, StoreError>;
}

/// A part of the database that can be damaged as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Pages, indexes, and what a column may hold.
    Pages,
    /// Tables, indexes and triggers are those of this program.
    Schema,
    /// Every row that belongs to another one, of the same merchant, finds it.
    References,
    /// Numbers of which there may be one.
    Numbers,
    /// What a row names without belonging to it.
    Links,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Pages,
        Self::Schema,
        Self::References,
        Self::Numbers,
        Self::Links,
    ];
}

/// A payment with everything that was written beside it.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// As it stands, with its attempts.
    pub payment: Payment,
    /// Oldest first.
    pub timeline: Vec<LogEntry>,
    /// What is still to be asked.
    pub jobs: Vec<JobRow>,
    /// Money that should not be there.
    pub cases: Vec<Case>,
    /// What the merchant is told of it.
    pub events: Vec<(WebhookEvent, Vec<Standing>)>,
}

/// A job, claimed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Which one.
    pub key: JobKey,
    /// Not before.
    pub due: Timestamp,
    /// Held until then.
    pub lease_until: Option<Timestamp>,
}

/// How an event stands at one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where.
    pub endpoint: EndpointId,
    /// How it stands.
    pub state: DeliveryState,
    /// When it is tried next, while it is pending.
    pub due: Timestamp,
    /// How many tries there have been since it was scheduled.
    pub tries: u32,
}
