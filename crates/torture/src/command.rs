//! The store's commands as values, so that one can be carried out again.

use std::time::Duration;

use tongbao_core::channel::ChannelAccount;
use tongbao_core::merchant::{ApiKey, Merchant, PolicyPatch};
use tongbao_core::webhook::Endpoint;
use tongbao_core::{ChannelId, EndpointId, EventId, Job, MerchantId, Timestamp};
use tongbao_store::{Change, DataKey, DeliveryClaim, DeliveryResult, Store, StoreError};

/// What a store can be told to write.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are those of the store's contract")]
pub enum Command {
    InsertMerchant(Merchant),
    ChangePolicy(MerchantId, PolicyPatch),
    InsertApiKey(ApiKey),
    InsertDataKey(DataKey),
    SaveChannel(ChannelAccount),
    SaveEndpoint(Endpoint),
    DeleteEndpoint(MerchantId, EndpointId),
    Commit(Box<Change>),
    ClaimJobs {
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    },
    LayAside(Job, Option<Timestamp>),
    TakeUp(ChannelId, Timestamp),
    BringForward(Duration, Timestamp),
    ClaimDeliveries {
        now: Timestamp,
        lease_until: Timestamp,
        per_endpoint: usize,
        limit: usize,
    },
    RecordDelivery(Box<DeliveryResult>),
    Redeliver {
        merchant: MerchantId,
        event: EventId,
        now: Timestamp,
    },
    Replay {
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    },
}

/// What it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Done {
    Nothing,
    Jobs(Vec<Job>),
    Deliveries(Vec<DeliveryClaim>),
    Count(usize),
    Found(bool),
}

impl Command {
    /// Carries it out.
    pub async fn run(self, store: &dyn Store) -> Result<Done, StoreError> {
        let nothing = |()| Done::Nothing;
        match self {
            Self::InsertMerchant(row) => store.insert_merchant(row).await.map(nothing),
            Self::ChangePolicy(merchant, patch) => {
                store.change_policy(merchant, patch).await.map(Done::Found)
            }
            Self::InsertApiKey(row) => store.insert_api_key(row).await.map(nothing),
            Self::InsertDataKey(row) => store.insert_data_key(row).await.map(nothing),
            Self::SaveChannel(row) => store.save_channel(row).await.map(nothing),
            Self::SaveEndpoint(row) => store.save_endpoint(row).await.map(nothing),
            Self::DeleteEndpoint(merchant, id) => {
                store.delete_endpoint(merchant, id).await.map(Done::Found)
            }
            Self::Commit(change) => store.commit(*change).await.map(Done::Jobs),
            Self::ClaimJobs {
                now,
                lease_until,
                limit,
            } => {
                let claimed = store.claim_jobs(now, lease_until, limit).await;
                claimed.map(Done::Jobs)
            }
            Self::LayAside(job, until) => store.lay_aside(job, until).await.map(nothing),
            Self::TakeUp(channel, now) => store.take_up(channel, now).await.map(Done::Count),
            Self::BringForward(by, now) => store.bring_forward(by, now).await.map(Done::Count),
            Self::ClaimDeliveries {
                now,
                lease_until,
                per_endpoint,
                limit,
            } => {
                let claimed = store.claim_deliveries(now, lease_until, per_endpoint, limit);
                claimed.await.map(Done::Deliveries)
            }
            Self::RecordDelivery(result) => store.record_delivery(*result).await.map(nothing),
            Self::Redeliver {
                merchant,
                event,
                now,
            } => store.redeliver(merchant, event, now).await.map(Done::Count),
            Self::Replay {
                merchant,
                endpoint,
                from,
                to,
                now,
            } => {
                let count = store.replay(merchant, endpoint, from, to, now).await;
                count.map(Done::Count)
            }
        }
    }

    /// Whether it is more than one transaction: after a crash some of it may be
    /// there.
    pub fn goes_in_steps(&self) -> bool {
        matches!(self, Self::Replay { .. } | Self::DeleteEndpoint(..))
    }
}

macro_rules! answers {
    ($($answer:ty: $pattern:pat => $value:expr),+ $(,)?) => {
        $(
            /// What the store's caller hears.
            impl TryFrom<Done> for $answer {
                type Error = StoreError;

                fn try_from(done: Done) -> Result<Self, StoreError> {
                    match done {
                        $pattern => Ok($value),
                        other => Err(StoreError::Failed(format!("the store answered {other:?}"))),
                    }
                }
            }
        )+
    };
}

answers! {
    (): Done::Nothing => (),
    Vec<Job>: Done::Jobs(jobs) => jobs,
    Vec<DeliveryClaim>: Done::Deliveries(claims) => claims,
    usize: Done::Count(count) => count,
    bool: Done::Found(found) => found,
}
