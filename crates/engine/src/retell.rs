//! Telling a merchant again.

use tongbao_core::order::Invalid;
use tongbao_core::{EndpointId, EventId, MerchantId, Timestamp};

use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// Sends one event again, to every endpoint that it was meant for, under the
    /// same id and in the same bytes. Answers how many deliveries that is.
    pub async fn redeliver(
        &self,
        merchant: MerchantId,
        event: EventId,
    ) -> Result<usize, EngineError> {
        if self.store().event(merchant, event).await?.is_none() {
            return Err(EngineError::NotFound("event"));
        }
        let count = self.store().redeliver(merchant, event, self.now()).await?;
        self.work.notify_one();
        Ok(count)
    }

    /// Sends an endpoint every event of `[from, to)` that it listens to.
    pub async fn replay(
        &self,
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<usize, EngineError> {
        if from >= to {
            return Err(Invalid::new("from", "is not before `to`").into());
        }
        self.endpoint_of(merchant, endpoint).await?;
        let count = self
            .store()
            .replay(merchant, endpoint, from, to, self.now())
            .await?;
        self.work.notify_one();
        Ok(count)
    }
}
