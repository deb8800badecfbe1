//! Asking the channel because somebody wants to know now.

use tongbao_core::{Event, JobKind, MerchantId, Payment, PaymentId, RefundId};

use crate::commit::Also;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::job::Ask;
use crate::refund;

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

    /// Asks the channel what has become of the refund, unless it has an end or waits
    /// for its turn to be sent, and returns its payment as it is then.
    pub async fn refresh_refund(
        &self,
        payment: Payment,
        refund: RefundId,
    ) -> Result<Payment, EngineError> {
        let now = self.now();
        let asked = payment.refund(refund).and_then(|refund| {
            let ask = refund::what_to_ask(JobKind::RefundQuery, refund)?;
            let channel = payment.attempt(refund.attempt)?.channel;
            (refund.starts_at <= now).then(|| (refund.clone(), ask, channel))
        });
        let Some((refund, ask, channel)) = asked else {
            return Ok(payment);
        };
        let Some(open) = self.open_if_sound(channel).await? else {
            return Ok(payment);
        };
        let report = self.ask_refund(&open, &payment, &refund, ask).await;
        let event = Event::RefundReported {
            report: Box::new(report),
        };
        let decided = self.decide(payment, event, open.rules(), Also::default());
        Ok(decided.await?.payment)
    }
}
