//! Money that goes back, asked for once however often the request comes.

use tongbao_channels::{RefundCall, RefundOrder, Stamp};
use tongbao_core::merchant::Merchant;
use tongbao_core::refund::RefundReport;
use tongbao_core::{
    Event, Failure, Grade, MerchantId, Money, Payment, PaymentId, Refund, RefundId, RefundOutcome,
    RefundState, Refusal, Source, State, TillId,
};
use tongbao_store::{StoreError, Unique};

use crate::commit::Also;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::IdempotencyKey;
use crate::mint;
use crate::open_channel::OpenChannel;
use crate::seams::Target;

/// What a merchant wants to go back.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// The merchant's own number, unique for ever.
    pub merchant_refund_no: String,
    /// How much.
    pub amount: Money,
    /// What the payer reads.
    pub reason: Option<String>,
    /// The till that asks, where one does; of the payment's own shop.
    pub till: Option<TillId>,
}

/// A refund, and whether this very request made it.
#[derive(Clone, Debug)]
pub struct RequestedRefund {
    /// As it stands now.
    pub payment: Payment,
    /// Which of its refunds.
    pub refund: RefundId,
    /// This request made it.
    pub fresh: bool,
    /// The same request, under the same key, made it before.
    pub replayed: bool,
}

/// What is asked of a channel about a refund.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskRefund {
    Start,
    Query,
}

impl Engine {
    /// Writes the refund down under its own number, then asks the channel, and
    /// waits for its answer no longer than the channel's timeout. That the channel
    /// takes it says nothing of the money: the worker asks until the platform has
    /// said what became of it. The same number returns the same refund.
    pub async fn refund(
        &self,
        merchant: &Merchant,
        payment: PaymentId,
        new: NewRefund,
        key: Option<IdempotencyKey>,
    ) -> Result<RequestedRefund, EngineError> {
        let payment = self.payment(merchant.id, payment).await?;
        let before = self
            .made_before::<RefundId>(merchant.id, key.as_ref())
            .await?;
        if let Some(promised) = before
            && let Some(refund) = payment.refund(promised.resource)
        {
            return Ok(RequestedRefund {
                replayed: promised.at == refund.created_at,
                refund: promised.resource,
                payment,
                fresh: false,
            });
        }
        let now = self.now();
        let id: RefundId = mint::new_id(&*self.seams.mint, now);
        let attempt = match payment.state {
            State::Paid { attempt, .. } => attempt,
            State::Created | State::Pending | State::Closing { .. } | State::Closed { .. } => {
                return Err(Refusal::NotPaid.into());
            }
        };
        let mut refund = Refund::new(id, mint::token_of(id), attempt, new.amount, now);
        refund.merchant_refund_no = Some(new.merchant_refund_no);
        refund.reason = new.reason;
        refund.till = new.till;
        refund.validate()?;
        if let Some(known) = self.same_refund(&payment, &refund).await? {
            return self.found_refund(payment, known, key.as_ref()).await;
        }
        let channel = payment.attempt(attempt).map(|attempt| attempt.channel);
        let channel = channel.ok_or(EngineError::NotFound("attempt"))?;
        let open = self.open_channel(channel).await?;
        open.channel.can_refund()?;
        let also = Also {
            idempotency: key.as_ref().map(|key| key.record(merchant.id, id, now)),
            inline: true,
            ..Also::default()
        };
        let event = Event::RefundRequested {
            refund: Box::new(refund.clone()),
        };
        let payment_id = payment.id;
        match self.decide(payment, event, open.rules(), also).await {
            Ok(decided) => Ok(RequestedRefund {
                payment: self.drive(decided, None).await,
                refund: id,
                fresh: true,
                replayed: false,
            }),
            // Somebody was faster with the same number or key: look again.
            Err(
                EngineError::Refused(Refusal::AlreadyRefunded(_))
                | EngineError::Store(StoreError::Taken(
                    Unique::MerchantRefundNo | Unique::IdempotencyKey,
                )),
            ) => {
                let payment = self.payment(merchant.id, payment_id).await?;
                let known = self.same_refund(&payment, &refund).await?;
                let known = known.ok_or(EngineError::Busy)?;
                self.found_refund(payment, known, key.as_ref()).await
            }
            Err(error) => Err(error),
        }
    }

    /// The refund of that id, with its payment.
    pub async fn payment_of_refund(
        &self,
        merchant: MerchantId,
        refund: RefundId,
    ) -> Result<Payment, EngineError> {
        let found = self.store().payment_by_refund(merchant, refund).await?;
        found.ok_or(EngineError::NotFound("refund"))
    }

    /// The refund that has the number already; an error when it was another
    /// request's.
    async fn same_refund(
        &self,
        payment: &Payment,
        refund: &Refund,
    ) -> Result<Option<RefundId>, EngineError> {
        let Some(number) = &refund.merchant_refund_no else {
            return Ok(None);
        };
        let found = self.store().payment_by_refund_no(payment.merchant, number);
        let Some(of) = found.await? else {
            return Ok(None);
        };
        let Some(known) = of.same_refund(refund) else {
            return Ok(None);
        };
        let field = if of.id == payment.id {
            known.difference(refund)
        } else {
            Some("payment")
        };
        match field {
            Some(field) => Err(EngineError::RefundDiffers {
                field,
                refund: known.id,
            }),
            None => Ok(Some(known.id)),
        }
    }

    async fn found_refund(
        &self,
        payment: Payment,
        refund: RefundId,
        key: Option<&IdempotencyKey>,
    ) -> Result<RequestedRefund, EngineError> {
        let refund = self.found(payment.merchant, key, refund).await?;
        Ok(RequestedRefund {
            payment,
            refund,
            fresh: false,
            replayed: false,
        })
    }

    /// One exchange with the channel about a refund. Silence is a report as well.
    pub(crate) async fn ask_refund(
        &self,
        open: &OpenChannel,
        payment: &Payment,
        refund: &Refund,
        ask: AskRefund,
    ) -> RefundReport {
        let attempt = payment.attempt(refund.attempt);
        let notify_url = self.notify_url(open.account.id);
        let order = RefundOrder {
            out_trade_no: attempt.map_or("", |attempt| &attempt.out_trade_no),
            out_refund_no: &refund.out_refund_no,
            received: attempt
                .and_then(|attempt| attempt.received)
                .unwrap_or(refund.amount),
            amount: refund.amount,
            reason: refund.reason.as_deref(),
            notify_url: &notify_url,
        };
        let (call, source) = match ask {
            AskRefund::Start => (RefundCall::Start(order), Source::Answer),
            AskRefund::Query => (RefundCall::Query(order), Source::Query),
        };
        let (grade, outcome) = self.exchange_refund(open, &call).await;
        self.count_refund(open, ask, &outcome);
        RefundReport {
            refund: refund.id,
            source,
            grade,
            outcome,
        }
    }

    async fn exchange_refund(
        &self,
        open: &OpenChannel,
        call: &RefundCall<'_>,
    ) -> (Grade, RefundOutcome) {
        let stamp = Stamp {
            now: self.now(),
            nonce: mint::nonce(&*self.seams.mint),
        };
        let request = match open.channel.encode_refund(call, &stamp) {
            Ok(request) => request,
            Err(error) => {
                // Nothing was sent this time: it waits, with its number, for
                // somebody who mends the account.
                let failure = Failure {
                    code: "channel_cannot".to_owned(),
                    detail: error.to_string(),
                    platform_code: None,
                };
                return (Grade::Strong, RefundOutcome::NotYet { failure });
            }
        };
        self.seams.faults.point("before_send");
        let timeout = self.config.channel_timeout;
        let transport = &self.seams.transport;
        let sent = transport.send(Target::Platform, request, timeout).await;
        self.seams.faults.point("after_response");
        match sent {
            Ok(response) => {
                let answer = open.channel.decode_refund(call, &response, self.now());
                (answer.grade, answer.outcome)
            }
            Err(error) => {
                let why = error.to_string();
                (Grade::Strong, RefundOutcome::Unknown { why })
            }
        }
    }

    fn count_refund(&self, open: &OpenChannel, ask: AskRefund, outcome: &RefundOutcome) {
        let call = match ask {
            AskRefund::Start => "refund",
            AskRefund::Query => "refund_query",
        };
        let word = match outcome {
            RefundOutcome::Processing { .. } => "processing",
            RefundOutcome::Succeeded { .. } => "succeeded",
            RefundOutcome::Abnormal { .. } => "abnormal",
            RefundOutcome::Closed { .. } => "closed",
            RefundOutcome::Refused { .. } => "refused",
            RefundOutcome::NotYet { .. } => "not_yet",
            RefundOutcome::NotFound => "not_found",
            RefundOutcome::Unknown { .. } => "unknown",
        };
        match outcome {
            RefundOutcome::Unknown { why }
                if self.said.is_news(open.account.id, call, why, self.now()) =>
            {
                tracing::warn!(channel = %open.account.id, call, why, "the channel's answer is unknown");
            }
            RefundOutcome::NotYet { failure } | RefundOutcome::Refused { failure } => {
                let (code, detail) = (&failure.platform_code, &failure.detail);
                tracing::warn!(channel = %open.account.id, call, code, detail, "the channel does not take a refund");
            }
            _ => {}
        }
        let kind = open.account.kind.clone();
        metrics::counter!("tongbao_channel_calls_total", "kind" => kind, "call" => call, "outcome" => word)
        .increment(1);
    }
}

/// What the job comes to by now: the refund may have moved on since it was
/// written.
pub(crate) fn what_to_ask(kind: tongbao_core::JobKind, refund: &Refund) -> Option<AskRefund> {
    use tongbao_core::JobKind;
    let sends = refund.state == RefundState::Unknown && !refund.refused;
    let may_change = refund.state.is_open() || refund.refused;
    match kind {
        JobKind::Refund if sends => Some(AskRefund::Start),
        JobKind::Refund | JobKind::RefundQuery if may_change => Some(AskRefund::Query),
        JobKind::Refund
        | JobKind::RefundQuery
        | JobKind::Start
        | JobKind::Query
        | JobKind::Close
        | JobKind::Reverse
        | JobKind::Case
        | JobKind::Expire => None,
    }
}
