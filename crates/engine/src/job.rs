//! One job: ask the channel, decide on what it says.

use std::collections::VecDeque;
use std::time::Duration;

use tongbao_channels::{Call, Order, Pages, Stamp};
use tongbao_core::job::Subject;
use tongbao_core::webhook::spread;
use tongbao_core::{
    Attempt, AttemptState, ChannelId, Event, Failure, Grade, Job, JobKind, Outcome, Payment,
    RefundId, Report, Reversal, Rules, Source, State, Timestamp,
};
use tongbao_store::{Change, StoreError};

use crate::auth_code::AuthCode;
use crate::commit::{Also, Decided};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lane::{ASIDE, Seat};
use crate::mint;
use crate::open_channel::OpenChannel;
use crate::refund;
use crate::seams::Target;

/// So many calls one waiting request makes; what is left then is the worker's.
const CALLS_INLINE: usize = 6;

/// What is asked of a channel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Start,
    Query,
    Close,
    Reverse,
}

/// Who runs a job.
#[derive(Clone, Copy)]
pub(crate) enum Hand<'a> {
    /// The worker.
    Worker,
    /// The request that led to it, which waits.
    Request {
        /// What the payer showed; nobody else has it.
        code: Option<&'a AuthCode>,
    },
}

/// A payer's code lives a minute. What has been under way for so long is no
/// longer sent: somebody may have looked for it by now, and found nothing.
const CODE_IS_FRESH: Duration = Duration::from_secs(10);

/// A query says "not paid" for so long. A reverse that comes later asks first.
const LAST_QUERY_HOLDS: Duration = Duration::from_secs(10);

impl Engine {
    /// Runs the claimed jobs, and those that follow from them at once, while
    /// somebody waits. What was decided is written down: whatever fails from here
    /// on, or when the process dies, the leases run out and the worker goes on.
    pub(crate) async fn drive(&self, decided: Decided, code: Option<&AuthCode>) -> Payment {
        let hand = Hand::Request { code };
        let Decided {
            mut payment,
            claimed,
        } = decided;
        let mut queue = VecDeque::from(claimed);
        for _ in 0..CALLS_INLINE {
            let Some(job) = queue.pop_front() else { break };
            match self.run_job(job, hand).await {
                Ok(Some(next)) => {
                    payment = next.payment;
                    queue.extend(next.claimed);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(kind = job.key.kind.as_str(), payment = %job.key.payment, %error, "a job failed; it runs again when its lease ends");
                }
            }
        }
        for job in queue {
            self.hand_over(job).await;
        }
        payment
    }

    /// Whoever waited waits no longer: the worker goes on at once, and not when
    /// the lease ends. A payer may stand at the till.
    async fn hand_over(&self, job: Job) {
        let (kind, payment) = (job.key.kind, job.key.payment);
        if let Err(error) = self.lay_aside(job, Some(self.now()), "handed_over").await {
            tracing::error!(kind = kind.as_str(), %payment, %error, "a job is still held; it runs again when its lease ends");
        }
    }

    /// Runs one claimed job to its commit. `None` when there was nothing left to
    /// do, or nothing that could be done: such a job is laid aside.
    pub(crate) async fn run_job(
        &self,
        job: Job,
        hand: Hand<'_>,
    ) -> Result<Option<Decided>, EngineError> {
        match self.try_job(job, hand).await {
            Err(error) if is_hopeless(&error) => {
                tracing::error!(kind = job.key.kind.as_str(), payment = %job.key.payment, %error, "a job cannot be done and is laid aside; mend its channel, or ask about the payment");
                self.lay_aside(job, None, "hopeless").await
            }
            tried => tried,
        }
    }

    async fn try_job(&self, job: Job, hand: Hand<'_>) -> Result<Option<Decided>, EngineError> {
        let (inline, code) = match hand {
            Hand::Worker => (false, None),
            Hand::Request { code } => (true, code),
        };
        let Some(payment) = self.store().payment(job.merchant, job.key.payment).await? else {
            return self.drop_job(job).await;
        };
        let also = Also {
            finish: Some(job),
            inline,
            ..Also::default()
        };
        if job.key.kind == JobKind::Expire {
            return self
                .decide(payment, Event::Expired, Rules::default(), also)
                .await
                .map(Some);
        }
        if job.key.kind == JobKind::Case {
            return self.case_job(job, payment, also).await;
        }
        if let Subject::Refund(refund) = job.key.subject {
            return self.refund_job(job, payment, refund, also).await;
        }
        let Some(attempt) = payment.attempt_of(job.key.subject).cloned() else {
            return self.drop_job(job).await;
        };
        let code = code.filter(|_| self.now().since(attempt.created_at) < CODE_IS_FRESH);
        let ask = what_to_ask(job.key.kind, &payment, &attempt, code.is_some(), self.now());
        let Some(ask) = ask else {
            return self.drop_job(job).await;
        };
        let open = self.open_channel(attempt.channel).await?;
        let seat = match self.seat(attempt.channel, inline).await {
            Ok(seat) => seat,
            Err(until) => return self.lay_aside(job, Some(until), "channel_hangs").await,
        };
        let report = self.ask(&open, &payment, &attempt, ask, code).await;
        if let Some(seat) = seat {
            seat.answered(self.now());
        }
        let event = Event::Reported {
            report: Box::new(report),
        };
        self.decide(payment, event, open.rules(), also)
            .await
            .map(Some)
    }

    async fn refund_job(
        &self,
        job: Job,
        payment: Payment,
        refund: RefundId,
        also: Also,
    ) -> Result<Option<Decided>, EngineError> {
        let Some(refund) = payment.refund(refund).cloned() else {
            return self.drop_job(job).await;
        };
        let Some(ask) = refund::what_to_ask(job.key.kind, &refund) else {
            return self.drop_job(job).await;
        };
        let Some(channel) = payment
            .attempt(refund.attempt)
            .map(|attempt| attempt.channel)
        else {
            return self.drop_job(job).await;
        };
        let open = self.open_channel(channel).await?;
        let seat = match self.seat(channel, also.inline).await {
            Ok(seat) => seat,
            Err(until) => return self.lay_aside(job, Some(until), "channel_hangs").await,
        };
        let report = self.ask_refund(&open, &payment, &refund, ask).await;
        if let Some(seat) = seat {
            seat.answered(self.now());
        }
        let event = Event::RefundReported {
            report: Box::new(report),
        };
        self.decide(payment, event, open.rules(), also)
            .await
            .map(Some)
    }

    /// Leave to ask the channel. When it hangs, the error says when to try again; a
    /// request that waits needs none.
    async fn seat(&self, channel: ChannelId, inline: bool) -> Result<Option<Seat>, Timestamp> {
        if inline {
            return Ok(None);
        }
        let seat = self.lanes.seat(channel, &**self.clock()).await;
        seat.map(Some)
            .ok_or_else(|| self.now() + spread(ASIDE, mint::number(&*self.seams.mint)))
    }

    /// The row stays, and nobody holds it.
    async fn lay_aside(
        &self,
        job: Job,
        until: Option<Timestamp>,
        why: &'static str,
    ) -> Result<Option<Decided>, EngineError> {
        metrics::counter!("tongbao_jobs_laid_aside_total", "why" => why).increment(1);
        match self.store().lay_aside(job, until).await {
            Ok(()) => {
                if let Some(until) = until {
                    self.bell.ring_for(until);
                }
                Ok(None)
            }
            // Another holds it by now.
            Err(StoreError::Fenced) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Nothing is left to do: the row goes.
    pub(crate) async fn drop_job(&self, job: Job) -> Result<Option<Decided>, EngineError> {
        let change = Change {
            finish: Some(job),
            ..Change::default()
        };
        match self.store().commit(change).await {
            // It may have been asked for again, and is due now.
            Ok(_) => self.bell.ring(),
            Err(StoreError::Fenced) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(None)
    }

    /// One exchange with the channel. Silence is a report as well.
    pub(crate) async fn ask(
        &self,
        open: &OpenChannel,
        payment: &Payment,
        attempt: &Attempt,
        ask: Ask,
        code: Option<&AuthCode>,
    ) -> Report {
        let notify_url = self.notify_url(attempt.channel);
        let checkout_url = self.checkout_url(payment);
        let out_trade_no = attempt.out_trade_no.as_str();
        let (call, source) = match ask {
            Ask::Start => {
                let order = Order {
                    out_trade_no,
                    amount: payment.order.amount,
                    subject: &payment.order.subject,
                    scene: attempt.scene,
                    auth_code: code.map(AuthCode::expose),
                    payer: attempt.payer.as_deref(),
                    client_ip: attempt.client_ip.as_deref(),
                    created_at: attempt.created_at,
                    expires_at: payment.expires_at,
                    notify_url: &notify_url,
                    pages: Pages {
                        site: &self.config.public_url,
                        back: payment.order.return_url.as_deref().unwrap_or(&checkout_url),
                    },
                    asked_at: self.now(),
                };
                (Call::Start(order), Source::Answer)
            }
            Ask::Query => (Call::Query { out_trade_no }, Source::Query),
            Ask::Close => (Call::Close { out_trade_no }, Source::Close),
            Ask::Reverse => (Call::Reverse { out_trade_no }, Source::Reverse),
        };
        let timeout = self.config.channel_timeout;
        let (grade, outcome) = self.exchange(open, &call, ask, timeout).await;
        self.count_call(open, ask, &outcome);
        Report {
            attempt: attempt.id,
            source,
            grade,
            outcome,
        }
    }

    pub(crate) async fn exchange(
        &self,
        open: &OpenChannel,
        call: &Call<'_>,
        ask: Ask,
        timeout: Duration,
    ) -> (Grade, Outcome) {
        let stamp = Stamp {
            now: self.now(),
            nonce: mint::nonce(&*self.seams.mint),
        };
        let request = match open.channel.encode(call, &stamp) {
            Ok(request) => request,
            Err(error) => return (Grade::Strong, unsendable(ask, &error.to_string())),
        };
        self.seams.faults.point("before_send");
        let sent = self
            .seams
            .transport
            .send(Target::Platform, request, timeout)
            .await;
        self.seams.faults.point("after_response");
        match sent {
            Ok(response) => {
                let answer = open.channel.decode(call, &response, self.now());
                (answer.grade, answer.outcome)
            }
            // Even what was surely not sent is asked again: an earlier try of the
            // same order may have arrived.
            Err(error) => (
                Grade::Strong,
                Outcome::Unknown {
                    why: error.to_string(),
                    ask_now: false,
                },
            ),
        }
    }

    fn count_call(&self, open: &OpenChannel, ask: Ask, outcome: &Outcome) {
        let call = match ask {
            Ask::Start => "start",
            Ask::Query => "query",
            Ask::Close => "close",
            Ask::Reverse => "reverse",
        };
        let outcome_word = match outcome {
            Outcome::Accepted { .. } => "accepted",
            Outcome::Success { .. } => "success",
            Outcome::NotPaid => "not_paid",
            Outcome::UserPaying => "user_paying",
            Outcome::Closed => "closed",
            Outcome::Revoked => "revoked",
            Outcome::PayError { .. } => "pay_error",
            Outcome::Refused { .. } => "refused",
            Outcome::NotFound => "not_found",
            Outcome::Unknown { .. } => "unknown",
        };
        if let Outcome::Unknown { why, .. } = outcome
            && self.said.is_news(open.account.id, call, why, self.now())
        {
            tracing::warn!(channel = %open.account.id, call, why, "the channel's answer is unknown");
        }
        let kind = open.account.kind.clone();
        metrics::counter!("tongbao_channel_calls_total", "kind" => kind, "call" => call, "outcome" => outcome_word)
        .increment(1);
    }
}

/// Trying again brings nothing before somebody has acted.
fn is_hopeless(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Vault(_)
            | EngineError::Settings(_)
            | EngineError::NotFound(_)
            | EngineError::Store(StoreError::Corrupt(_))
    )
}

/// What the job comes to by now: the payment may have moved on since it was
/// written.
fn what_to_ask(
    kind: JobKind,
    payment: &Payment,
    attempt: &Attempt,
    has_code: bool,
    now: Timestamp,
) -> Option<Ask> {
    let takes_money = matches!(payment.state, State::Created | State::Pending);
    match kind {
        JobKind::Start if !attempt.state.is_open() => None,
        // The code was in the hand of the process that wrote the attempt down, and
        // is spent or lost with it.
        JobKind::Start if attempt.is_reversed_not_closed() && !has_code => Some(Ask::Query),
        // Nobody wants the order any more, but an earlier try may have placed it.
        JobKind::Start if !takes_money => Some(Ask::Query),
        JobKind::Start => Some(Ask::Start),
        JobKind::Query => Some(Ask::Query),
        JobKind::Close if attempt.state == AttemptState::Succeeded => None,
        JobKind::Close => Some(Ask::Close),
        JobKind::Reverse if attempt.received.is_some() => None,
        JobKind::Reverse if attempt.state == AttemptState::Reversed => None,
        JobKind::Reverse => {
            let lately = |reversal: &Reversal| now.since(reversal.asked_at) < LAST_QUERY_HOLDS;
            let reverse = attempt.reversal.as_ref().is_some_and(lately);
            Some(if reverse { Ask::Reverse } else { Ask::Query })
        }
        JobKind::Expire | JobKind::Refund | JobKind::RefundQuery | JobKind::Case => None,
    }
}

fn unsendable(ask: Ask, why: &str) -> Outcome {
    match ask {
        Ask::Start => Outcome::Refused {
            failure: Failure {
                code: "channel_cannot".to_owned(),
                detail: why.to_owned(),
                platform_code: None,
            },
        },
        Ask::Query | Ask::Close | Ask::Reverse => Outcome::Unknown {
            why: why.to_owned(),
            ask_now: false,
        },
    }
}
