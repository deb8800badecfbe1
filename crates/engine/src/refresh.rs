//! Asking the channel because somebody wants to know now.

use tongbao_core::{Event, MerchantId, Payment, PaymentId};

use crate::commit::Also;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::job::Ask;

impl Engine {
    /// Asks every open attempt's channel, and returns the payment as it is then. An
    /// account that cannot be opened tells nothing, and keeps nothing from being
    /// told.
    pub async fn refresh(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
    ) -> Result<Payment, EngineError> {
        let mut payment = self.payment(merchant, payment).await?;
        let open: Vec<_> = payment
            .attempts
            .iter()
            .filter(|attempt| attempt.state.is_open())
            .cloned()
            .collect();
        for attempt in open {
            let Some(channel) = self.open_if_sound(attempt.channel).await? else {
                continue;
            };
            let report = self
                .ask(&channel, &payment, &attempt, Ask::Query, None)
                .await;
            let event = Event::Reported {
                report: Box::new(report),
            };
            payment = self
                .decide(payment, event, channel.rules(), Also::default())
                .await?
                .payment;
        }
        Ok(payment)
    }
}
