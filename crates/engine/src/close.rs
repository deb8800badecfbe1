//! Closing: query first, then at the channel, then here.

use tongbao_core::{Event, MerchantId, Payment, PaymentId, Rules};
use tongbao_store::{StoreError, Unique};

use crate::commit::Also;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::{Answered, IdempotencyKey};

impl Engine {
    /// Closes the payment. It comes back `closed`, or `paid` when the channel
    /// says that the payer was faster, or still `pending` when the channel does
    /// not answer; then the worker goes on until one of the two is certain.
    ///
    /// The same request under the same key goes on with the work while there is
    /// any, and hears the outcome once there is one.
    pub async fn close(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<Payment>, EngineError> {
        let payment = self.payment(merchant, payment).await?;
        let id = payment.id;
        let before = self
            .made_before::<PaymentId>(merchant, key.as_ref())
            .await?;
        let replayed = before.is_some();
        if replayed && payment.is_final() {
            return Ok(Answered {
                answer: payment,
                replayed,
            });
        }
        let now = self.now();
        let record = key.as_ref().filter(|_| !replayed);
        let also = Also {
            inline: true,
            idempotency: record.map(|key| key.record(merchant, id, now)),
            ..Also::default()
        };
        let decided = self
            .decide(payment, Event::CloseRequested, Rules::default(), also)
            .await;
        match decided {
            // The same request was faster.
            Err(EngineError::Store(StoreError::Taken(Unique::IdempotencyKey))) => {
                self.made_before::<PaymentId>(merchant, key.as_ref())
                    .await?;
                Ok(Answered {
                    answer: self.payment(merchant, id).await?,
                    replayed: true,
                })
            }
            decided => Ok(Answered {
                answer: self.drive(decided?, None).await,
                replayed,
            }),
        }
    }
}
