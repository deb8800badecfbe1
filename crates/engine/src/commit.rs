//! Decide, and write the decision down with everything that must follow from
//! it. The only place that writes payments.

use std::time::Duration;

use serde::Serialize;
use tongbao_core::case::Remedy;
use tongbao_core::inbox::{InboxEntry, Verdict};
use tongbao_core::job::{JobKey, JobKind, NewJob, Subject};
use tongbao_core::schedule::LEASE;
use tongbao_core::webhook::{EventType, WebhookEvent, spread};
use tongbao_core::{
    Case, CaseState, Effect, Event, Job, MerchantId, Payment, Refund, Rules, State, Step, Timestamp,
};
use tongbao_store::{
    Change, DayLimit, IdempotencyRecord, LogEntry, MovedCase, OpenedCase, PaymentChange, StoreError,
};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::mint;
use crate::view::{CaseView, RefundView};

/// What goes into the same transaction as a decision.
#[derive(Clone, Default)]
pub(crate) struct Also {
    /// The job that led to it.
    pub(crate) finish: Option<Job>,
    /// The message that led to it; its verdict is filled in here.
    pub(crate) inbox: Option<InboxEntry>,
    /// The request that led to it.
    pub(crate) idempotency: Option<IdempotencyRecord>,
    /// Somebody waits for the outcome: claim the jobs that are due at once.
    pub(crate) inline: bool,
}

/// A decision that has been written down.
pub(crate) struct Decided {
    pub(crate) payment: Payment,
    /// Jobs that the caller holds and should run now.
    pub(crate) claimed: Vec<Job>,
}

/// Others may change the same payment in between so many times. Each time one
/// of them got through, so the whole made progress.
const TRIES: usize = 200;

/// A disk that does not say what it kept so many times in a row is not asked
/// again at once; whoever waits is told, and jobs wait for their leases to end.
const UNKNOWN: usize = 3;

/// What is due within this time is done at once when somebody waits for it.
const AT_ONCE: Duration = Duration::from_secs(1);

impl Engine {
    /// Lets `core` decide, and commits with the version that was read; when
    /// somebody was faster, loads again and decides again.
    pub(crate) async fn decide(
        &self,
        mut payment: Payment,
        event: Event,
        rules: Rules,
        mut also: Also,
    ) -> Result<Decided, EngineError> {
        let mut unknown = 0;
        for _ in 0..TRIES {
            let now = self.now();
            let step = payment.clone().on(event.clone(), now, rules)?;
            if !step.changed
                && step.effects.is_empty()
                && also.finish.is_none()
                && also.inbox.is_none()
                && also.idempotency.is_none()
            {
                return Ok(Decided {
                    payment,
                    claimed: Vec::new(),
                });
            }
            let mut change = self.change(&payment, &step, &event, rules, &also, now);
            if step.effects.iter().any(moves_a_case) {
                let rows = self.cases_of(&payment).await?;
                self.move_cases(&mut change, &step, &rows, now);
            }
            match self.commit(change, now).await {
                Ok(claimed) => {
                    self.announce(&payment, &step);
                    return Ok(Decided {
                        payment: step.payment,
                        claimed,
                    });
                }
                // Another holds the job by now; what we heard is true all the same.
                Err(StoreError::Fenced) => also.finish = None,
                Err(StoreError::Conflict) => {}
                // Deciding again is right whether or not it was written: what is
                // known already changes nothing.
                Err(StoreError::CommitUnknown(_)) if unknown < UNKNOWN => unknown += 1,
                Err(error) => return Err(error.into()),
            }
            payment = self.payment(payment.merchant, payment.id).await?;
        }
        Err(EngineError::Busy)
    }

    /// Commits, and wakes the worker for what that leaves to it.
    pub(crate) async fn commit(
        &self,
        change: Change,
        now: Timestamp,
    ) -> Result<Vec<Job>, StoreError> {
        let tells =
            !change.events.is_empty() || !change.cases.is_empty() || !change.moved.is_empty();
        // A job that was asked for again while it was held is due when it is done.
        let finishes = change.finish.is_some();
        // What is claimed is the worker's when its lease ends.
        let due = |job: &NewJob| job.lease_until.unwrap_or(job.due);
        let due = change.jobs.iter().map(due).min();
        self.seams.faults.point("before_commit");
        let committed = self.store().commit(change).await;
        if matches!(committed, Ok(_) | Err(StoreError::CommitUnknown(_))) {
            match due {
                _ if tells || finishes => self.bell.ring(),
                Some(due) if due <= now => self.bell.ring(),
                Some(due) => self.bell.ring_for(due),
                None => {}
            }
        }
        if committed.is_ok() {
            self.seams.faults.point("after_commit");
        }
        committed
    }

    /// The payment, or `NotFound`.
    pub async fn payment(
        &self,
        merchant: MerchantId,
        id: tongbao_core::PaymentId,
    ) -> Result<Payment, EngineError> {
        let found = self.store().payment(merchant, id).await?;
        found.ok_or(EngineError::NotFound("payment"))
    }

    fn announce(&self, before: &Payment, step: &Step) {
        if !step.changed {
            return;
        }
        // Nobody listening is no error.
        let _ = self.changes.send(step.payment.id);
        if before.public_state() != step.payment.public_state() {
            metrics::counter!("tongbao_payments_total", "state" => step.payment.public_state())
                .increment(1);
        }
    }

    fn change(
        &self,
        before: &Payment,
        step: &Step,
        event: &Event,
        rules: Rules,
        also: &Also,
        now: Timestamp,
    ) -> Change {
        let mut change = Change {
            finish: also.finish,
            idempotency: also.idempotency.clone(),
            inbox: also.inbox.clone().map(|entry| InboxEntry {
                verdict: verdict(before, step),
                payment: Some(step.payment.id),
                ..entry
            }),
            ..Change::default()
        };
        if step.changed {
            change
                .log
                .push(log(&step.payment, Some(event.clone()), rules, now));
            change.payment = Some(PaymentChange {
                payment: step.payment.clone(),
                read_version: Some(before.version),
                attempts: changed_attempts(before, &step.payment),
                refunds: changed_refunds(before, &step.payment),
            });
        }
        change.limit = day_limit(before, &step.payment, rules);
        for effect in &step.effects {
            self.add_effect(&mut change, &step.payment, effect, also.inline, now);
        }
        change
    }

    /// The rows of the cases that the step moves, as they are from now on.
    fn move_cases(&self, change: &mut Change, step: &Step, rows: &[Case], now: Timestamp) {
        for effect in &step.effects {
            let Effect::MoveCase { case, remedy, tell } = effect else {
                continue;
            };
            let row = rows.iter().find(|row| row.key().as_ref() == Some(case));
            // Until schema 6 a claim of a trade that had its case elsewhere got no row.
            let (Some(row), Some(raised)) = (row, step.payment.raised(case)) else {
                continue;
            };
            let mut moved = row.clone();
            moved.follow(raised);
            moved.remedy = remedy.unwrap_or(moved.remedy);
            let event = tell
                .map(|kind| self.webhook_event(&step.payment, kind, &CaseView::from(&moved), now));
            change.moved.push(MovedCase {
                read_state: row.state,
                case: moved,
                event,
            });
        }
    }

    /// Turns one effect into rows.
    pub(crate) fn add_effect(
        &self,
        change: &mut Change,
        payment: &Payment,
        effect: &Effect,
        inline: bool,
        now: Timestamp,
    ) {
        let mut add_job = |kind, subject, after: Duration| {
            let at_once = after <= AT_ONCE;
            // Many payments are made in the same second; their queries need not be.
            let after = if at_once {
                after
            } else {
                spread(after, mint::number(&*self.seams.mint))
            };
            change.jobs.push(NewJob {
                key: JobKey {
                    kind,
                    payment: payment.id,
                    subject,
                },
                merchant: payment.merchant,
                due: now + after,
                lease_until: (inline && at_once).then(|| now + LEASE),
            });
        };
        match effect {
            Effect::Start { attempt, after } => {
                add_job(JobKind::Start, Subject::Attempt(*attempt), *after);
            }
            Effect::Query { attempt, after } => {
                add_job(JobKind::Query, Subject::Attempt(*attempt), *after);
            }
            Effect::Close { attempt } => {
                add_job(JobKind::Close, Subject::Attempt(*attempt), Duration::ZERO);
            }
            Effect::Reverse { attempt, after } => {
                add_job(JobKind::Reverse, Subject::Attempt(*attempt), *after);
            }
            Effect::StartRefund { refund, after } => {
                add_job(JobKind::Refund, Subject::Refund(*refund), *after);
            }
            Effect::QueryRefund { refund, after } => {
                add_job(JobKind::RefundQuery, Subject::Refund(*refund), *after);
            }
            Effect::Expire => change.jobs.push(NewJob {
                key: JobKey {
                    kind: JobKind::Expire,
                    payment: payment.id,
                    subject: Subject::Payment,
                },
                merchant: payment.merchant,
                due: payment.expires_at,
                lease_until: None,
            }),
            Effect::Tell(kind) => {
                let data = self.payment_view(payment);
                change
                    .events
                    .push(self.webhook_event(payment, *kind, &data, now));
            }
            Effect::SeeToCases { attempt } => {
                add_job(JobKind::Case, Subject::Attempt(*attempt), Duration::ZERO);
            }
            // Its row is needed: see `move_cases`.
            Effect::MoveCase { .. } => {}
            Effect::TellRefund { kind, refund } => {
                let Some(refund) = payment.refund(*refund) else {
                    return;
                };
                let data = RefundView::new(payment.id, refund);
                change
                    .events
                    .push(self.webhook_event(payment, *kind, &data, now));
            }
            Effect::OpenCase {
                attempt, remedy, ..
            } => {
                if *remedy == Remedy::Refund {
                    add_job(JobKind::Case, Subject::Attempt(*attempt), Duration::ZERO);
                }
                change.cases.extend(self.opened(payment, effect, now));
            }
        }
    }

    fn opened(&self, payment: &Payment, effect: &Effect, now: Timestamp) -> Option<OpenedCase> {
        let Effect::OpenCase {
            kind,
            attempt,
            receipt,
            source,
            remedy,
        } = effect
        else {
            return None;
        };
        let attempt = payment.attempt(*attempt)?;
        let mut case = Case {
            id: mint::new_id(&*self.seams.mint, now),
            merchant: payment.merchant,
            channel: attempt.channel,
            kind: *kind,
            state: CaseState::Open,
            remedy: *remedy,
            payment: Some(payment.id),
            attempt: Some(attempt.id),
            out_trade_no: attempt.out_trade_no.clone(),
            receipt: receipt.clone(),
            source: *source,
            opened_at: now,
            need: None,
            refund: None,
            resolution: None,
            resolved_at: None,
            decision: None,
        };
        case.follow(payment.raised(&case.key()?)?);
        let data = CaseView::from(&case);
        let event = self.webhook_event(payment, EventType::CaseOpened, &data, now);
        Some(OpenedCase { case, event })
    }

    fn webhook_event(
        &self,
        payment: &Payment,
        kind: EventType,
        data: &impl Serialize,
        now: Timestamp,
    ) -> WebhookEvent {
        WebhookEvent {
            id: mint::new_id(&*self.seams.mint, now),
            merchant: payment.merchant,
            payment: Some(payment.id),
            store: payment.order.store,
            kind,
            sequence: payment.version,
            body: webhook_body(kind, payment.version, data, now),
            created_at: now,
        }
    }
}

/// The JSON that is signed and sent: the same bytes in every try.
pub(crate) fn webhook_body(
    kind: EventType,
    sequence: i64,
    data: &impl Serialize,
    now: Timestamp,
) -> String {
    #[derive(Serialize)]
    struct Body<'a, T> {
        r#type: &'static str,
        timestamp: String,
        sequence: i64,
        data: &'a T,
    }
    let body = Body {
        r#type: kind.as_str(),
        timestamp: now.to_string(),
        sequence,
        data,
    };
    serde_json::to_string(&body).expect("views have text keys and no fallible parts")
}

/// The timeline's line for a step.
pub(crate) fn log(
    payment: &Payment,
    event: Option<Event>,
    rules: Rules,
    now: Timestamp,
) -> LogEntry {
    LogEntry {
        merchant: payment.merchant,
        payment: payment.id,
        version: payment.version,
        at: now,
        event,
        rules,
        state: payment.public_state().to_owned(),
    }
}

fn changed_attempts(before: &Payment, after: &Payment) -> Vec<tongbao_core::AttemptId> {
    let changed = |attempt: &&tongbao_core::Attempt| before.attempt(attempt.id) != Some(*attempt);
    after
        .attempts
        .iter()
        .filter(changed)
        .map(|attempt| attempt.id)
        .collect()
}

fn changed_refunds(before: &Payment, after: &Payment) -> Vec<tongbao_core::RefundId> {
    let changed = |refund: &&tongbao_core::Refund| before.refund(refund.id) != Some(*refund);
    after
        .refunds
        .iter()
        .filter(changed)
        .map(|refund| refund.id)
        .collect()
}

fn moves_a_case(effect: &Effect) -> bool {
    matches!(effect, Effect::MoveCase { .. })
}

/// What the step's automatic refund may not exceed with those of its day.
fn day_limit(before: &Payment, after: &Payment, rules: Rules) -> Option<DayLimit> {
    let fresh = |refund: &&Refund| refund.automatic && before.refund(refund.id).is_none();
    let refund = after.refunds.iter().find(fresh)?;
    let (from, to) = refund.created_at.china_day();
    Some(DayLimit {
        merchant: after.merchant,
        from,
        to,
        most_fen: rules.policy.auto_refund.per_day_fen,
        fen: refund.amount.minor(),
    })
}

fn verdict(before: &Payment, step: &Step) -> Verdict {
    let opens = |effect: &Effect| match effect {
        Effect::OpenCase { .. } => true,
        Effect::MoveCase { tell, .. } => tell.is_some(),
        _ => false,
    };
    let is_paid = |payment: &Payment| matches!(payment.state, State::Paid { .. });
    if step.effects.iter().any(opens) {
        Verdict::Case
    } else if is_paid(&step.payment) && !is_paid(before) {
        Verdict::Applied
    } else if step
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Query { .. } | Effect::QueryRefund { .. }))
    {
        Verdict::Hint
    } else {
        Verdict::Repeated
    }
}
