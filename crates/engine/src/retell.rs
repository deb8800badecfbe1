//! Telling a merchant again.

use std::fmt;
use std::str::FromStr;

use tongbao_core::order::Invalid;
use tongbao_core::{EndpointId, EventId, MerchantId, Timestamp};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::{Answered, IdempotencyKey};

/// How many deliveries were asked for: all there is to say again to the same
/// request.
#[derive(Clone, Copy)]
struct Deliveries(usize);

const UNIT: &str = "deliveries:";

impl fmt::Display for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{UNIT}{}", self.0)
    }
}

impl FromStr for Deliveries {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let count = text.strip_prefix(UNIT).ok_or(())?;
        count.parse().map(Self).map_err(|_| ())
    }
}

impl Engine {
    /// Sends one event again, to every endpoint that it was meant for, under the
    /// same id and in the same bytes. Answers how many deliveries that is. The
    /// same request under the same key sends nothing more.
    pub async fn redeliver(
        &self,
        merchant: MerchantId,
        event: EventId,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<usize>, EngineError> {
        if let Some(answered) = self.retold_before(merchant, key.as_ref()).await? {
            return Ok(answered);
        }
        if self.store().event(merchant, event).await?.is_none() {
            return Err(EngineError::NotFound("event"));
        }
        let count = self.store().redeliver(merchant, event, self.now()).await?;
        self.retold(merchant, key, count).await
    }

    /// Sends an endpoint every event of `[from, to)` that it listens to. The same
    /// request under the same key sends nothing more.
    pub async fn replay(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<usize>, EngineError> {
        if let Some(answered) = self.retold_before(merchant, key.as_ref()).await? {
            return Ok(answered);
        }
        if from >= to {
            return Err(Invalid::new("from", "is not before `to`").into());
        }
        self.endpoint_of(merchant, endpoint).await?;
        let count = self
            .store()
            .replay(merchant, endpoint, from, to, self.now())
            .await?;
        self.retold(merchant, key, count).await
    }

    async fn retold_before(
        &self,
        merchant: MerchantId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Answered<usize>>, EngineError> {
        let before = self.made_before::<Deliveries>(merchant, key).await?;
        Ok(before.map(|promised| Answered {
            answer: promised.resource.0,
            replayed: true,
        }))
    }

    /// The key comes last: when it was not written, telling once more does no
    /// harm, and telling nobody would.
    async fn retold(
        &self,
        merchant: MerchantId,
        key: Option<IdempotencyKey>,
        count: usize,
    ) -> Result<Answered<usize>, EngineError> {
        self.bell.ring();
        let Deliveries(answer) = self
            .found(merchant, key.as_ref(), Deliveries(count))
            .await?;
        Ok(Answered {
            answer,
            replayed: false,
        })
    }
}
