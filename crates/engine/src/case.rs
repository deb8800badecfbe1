//! Money that should not be there: what the gateway does about it, and people.

use tongbao_core::case::{CaseAction, Decision, Need};
use tongbao_core::merchant::Merchant;
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{
    Case, CaseDue, CaseId, CaseKey, CaseKind, CaseState, Event, Job, MerchantId, Payment, Refund,
    RefundId, Refusal, Resolution, Rules,
};
use tongbao_store::{CaseFilter, Change, MovedCase, StoreError, Unique};

use crate::commit::{Also, Decided, webhook_body};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::{Answered, IdempotencyKey};
use crate::mint;
use crate::view::CaseView;

/// What a person wants done about a case.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// What.
    pub action: CaseAction,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A payment has a handful of cases; one that claims forge has at most nine for
/// each attempt.
const MOST: usize = 200;

impl Engine {
    /// The case, or `NotFound`.
    pub async fn case(&self, merchant: MerchantId, id: CaseId) -> Result<Case, EngineError> {
        let found = self.store().case(merchant, id).await?;
        found.ok_or(EngineError::NotFound("case"))
    }

    /// A person decides, whatever the limits. A refund that is decided here is
    /// written down under its own number before the channel is asked; the answer
    /// waits for the channel's no longer than its timeout.
    pub async fn resolve_case(
        &self,
        merchant: &Merchant,
        id: CaseId,
        new: NewDecision,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<Case>, EngineError> {
        if self
            .made_before::<CaseId>(merchant.id, key.as_ref())
            .await?
            .is_some()
        {
            return self.decided_before(merchant.id, id).await;
        }
        let decision = Decision {
            action: new.action,
            by: new.by,
            reason: new.reason,
            at: self.now(),
        };
        decision.validate()?;
        let also = Also {
            idempotency: key
                .as_ref()
                .map(|key| key.record(merchant.id, id, decision.at)),
            inline: true,
            ..Also::default()
        };
        match self.decide_case(merchant, id, decision, also).await {
            Ok(()) => Ok(Answered {
                answer: self.case(merchant.id, id).await?,
                replayed: false,
            }),
            // The same request, twice at once: the other one has been carried out.
            Err(EngineError::Store(StoreError::Taken(Unique::IdempotencyKey))) => {
                self.made_before::<CaseId>(merchant.id, key.as_ref())
                    .await?;
                self.decided_before(merchant.id, id).await
            }
            Err(error) => Err(error),
        }
    }

    async fn decided_before(
        &self,
        merchant: MerchantId,
        id: CaseId,
    ) -> Result<Answered<Case>, EngineError> {
        Ok(Answered {
            answer: self.case(merchant, id).await?,
            replayed: true,
        })
    }

    async fn decide_case(
        &self,
        merchant: &Merchant,
        id: CaseId,
        decision: Decision,
        also: Also,
    ) -> Result<(), EngineError> {
        let case = self.case(merchant.id, id).await?;
        let (Some(payment), Some(key)) = (case.payment, case.key()) else {
            return self.resolve_unknown(case, decision, also).await;
        };
        let payment = self.payment(merchant.id, payment).await?;
        let refund = match decision.action {
            CaseAction::Refund => {
                let open = self.open_channel(case.channel).await?;
                open.channel.can_refund()?;
                Some(Box::new(self.refund_of(case.kind, &key)))
            }
            CaseAction::Accept | CaseAction::Dismiss => None,
        };
        let event = Event::CaseDecided {
            case: Box::new(key),
            decision: Box::new(decision),
            refund,
        };
        let rules = Rules {
            policy: merchant.policy.without_limits(),
            ..Rules::default()
        };
        let decided = self.decide(payment, event, rules, also).await?;
        self.drive(decided, None).await;
        Ok(())
    }

    /// There is no payment to lock: the case's own row is.
    async fn resolve_unknown(
        &self,
        case: Case,
        decision: Decision,
        also: Also,
    ) -> Result<(), EngineError> {
        if let Some(resolution) = case.resolution {
            return Err(Refusal::CaseResolved(resolution).into());
        }
        let resolution = match decision.action {
            CaseAction::Refund => return Err(Refusal::CaseNotRefundable.into()),
            CaseAction::Accept => Resolution::Accepted,
            CaseAction::Dismiss => Resolution::Dismissed,
        };
        let now = decision.at;
        let read_state = case.state;
        let case = Case {
            state: CaseState::Resolved,
            need: None,
            resolution: Some(resolution),
            resolved_at: Some(now),
            decision: Some(decision),
            ..case
        };
        let kind = EventType::CaseResolved;
        let event = WebhookEvent {
            id: mint::new_id(&*self.seams.mint, now),
            merchant: case.merchant,
            payment: None,
            store: None,
            kind,
            // It was opened as the first.
            sequence: 2,
            body: webhook_body(kind, 2, &CaseView::from(&case), now),
            created_at: now,
        };
        let change = Change {
            moved: vec![MovedCase {
                read_state,
                case,
                event: Some(event),
            }],
            idempotency: also.idempotency,
            ..Change::default()
        };
        match self.commit(change, now).await {
            Ok(_) => Ok(()),
            Err(StoreError::Conflict) => Err(EngineError::Busy),
            Err(error) => Err(error.into()),
        }
    }

    /// One step of one case that nobody need take by hand. The merchant's limits are
    /// read anew each time.
    pub(crate) async fn case_job(
        &self,
        job: Job,
        payment: Payment,
        also: Also,
    ) -> Result<Option<Decided>, EngineError> {
        let Some(attempt) = payment.attempt_of(job.key.subject) else {
            return self.drop_job(job).await;
        };
        let merchant = self.store().merchant(job.merchant).await?;
        let merchant = merchant.ok_or(EngineError::NotFound("merchant"))?;
        let rules = Rules {
            policy: merchant.policy,
            ..Rules::default()
        };
        let (attempt, channel) = (attempt.id, attempt.channel);
        let key = match payment.case_due(attempt, &rules.policy) {
            None => return self.drop_job(job).await,
            Some(CaseDue::Other) => {
                let event = Event::CaseDue {
                    attempt,
                    refund: None,
                };
                return self.decide(payment, event, rules, also).await.map(Some);
            }
            Some(CaseDue::Refund(key)) => key,
        };
        let stopped = |need| Event::CaseStopped {
            case: Box::new(key.clone()),
            need,
        };
        let open = self.open_channel(channel).await?;
        if open.channel.can_refund().is_err() {
            let event = stopped(Need::ChannelCannot);
            return self.decide(payment, event, rules, also).await.map(Some);
        }
        let kind = payment.raised(&key).map(|raised| raised.kind);
        let refund = Refund {
            automatic: true,
            ..self.refund_of(kind.unwrap_or(CaseKind::PaidTwice), &key)
        };
        let event = Event::CaseDue {
            attempt,
            refund: Some(Box::new(refund)),
        };
        let decided = self.decide(payment.clone(), event, rules, also.clone());
        match decided.await {
            Err(EngineError::Store(StoreError::AboveLimit)) => {
                let event = stopped(Need::DayLimit);
                self.decide(payment, event, rules, also).await.map(Some)
            }
            decided => decided.map(Some),
        }
    }

    fn refund_of(&self, kind: CaseKind, key: &CaseKey) -> Refund {
        let now = self.now();
        let id: RefundId = mint::new_id(&*self.seams.mint, now);
        let mut refund = Refund::new(id, mint::token_of(id), key.attempt, key.amount, now);
        refund.reason = Some(payer_reads(kind).to_owned());
        refund
    }

    /// The rows of a payment's cases.
    pub(crate) async fn cases_of(&self, payment: &Payment) -> Result<Vec<Case>, EngineError> {
        let filter = CaseFilter {
            merchant: payment.merchant,
            state: None,
            unresolved: false,
            payment: Some(payment.id),
            cursor: None,
            limit: MOST,
        };
        Ok(self.store().cases(filter).await?.rows)
    }
}

/// Why the payer has his money back.
const fn payer_reads(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::AmountMismatch => "金额不符，原路退回",
        CaseKind::PaidTwice => "重复支付，原路退回",
        CaseKind::PaidAfterClose => "订单已关闭，原路退回",
        CaseKind::UnknownPayment | CaseKind::RefundAbnormal => "原路退回",
    }
}
