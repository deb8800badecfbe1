//! Closing: query first, then at the channel, then here.

use tongbao_core::{Event, MerchantId, Payment, PaymentId, Rules};

use crate::commit::Also;
use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// Closes the payment. It comes back `closed`, or `paid` when the channel
    /// says that the payer was faster, or still `pending` when the channel does
    /// not answer; then the worker goes on until one of the two is certain.
    pub async fn close(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
    ) -> Result<Payment, EngineError> {
        let payment = self.payment(merchant, payment).await?;
        let also = Also {
            inline: true,
            ..Also::default()
        };
        let decided = self
            .decide(payment, Event::CloseRequested, Rules::default(), also)
            .await?;
        Ok(self.drive(decided).await)
    }
}
