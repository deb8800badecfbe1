//! What platforms tell us: checked, locked, applied once, then acknowledged.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::{Request, Response};
use tongbao_channels::{Call, Notification, Told};
use tongbao_core::case::Remedy;
use tongbao_core::inbox::{InboxEntry, Verdict};
use tongbao_core::refund::RefundReport;
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{
    Case, CaseKind, CaseState, ChannelId, Event, Grade, Need, Outcome, RefundOutcome, Report,
    Source, Timestamp,
};
use tongbao_store::{Change, OpenedCase};

use crate::commit::{Also, webhook_body};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::job::Ask;
use crate::mint;
use crate::open_channel::OpenChannel;
use crate::view::CaseView;

/// So many refused messages of one account are kept in a minute. A flood is
/// counted, not stored.
const KEPT_A_MINUTE: u32 = 20;

/// So much of a refused message is kept.
const KEPT_BYTES: usize = 4_096;

/// So many messages of one account about orders that we do not have are asked
/// about in a minute. Whoever holds its key could send any number.
const ASKED_A_MINUTE: u32 = 20;

/// How long the platform may take to answer such a question: it waits for our
/// own answer meanwhile.
const ASKED_WITHIN: Duration = Duration::from_secs(3);

/// So much of something a minute, for each account.
#[derive(Default)]
pub(crate) struct Minutes {
    minutes: Mutex<BTreeMap<ChannelId, (Timestamp, u32)>>,
}

impl Minutes {
    fn takes_one(&self, channel: ChannelId, now: Timestamp, most: u32) -> bool {
        let mut minutes = self
            .minutes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (since, kept) = minutes.entry(channel).or_insert((now, 0));
        if now.since(*since) >= Duration::from_mins(1) || *since > now {
            (*since, *kept) = (now, 0);
        }
        *kept += 1;
        *kept <= most
    }
}

/// What a message says of a refund.
struct RefundClaim {
    out_trade_no: String,
    out_refund_no: String,
    grade: Grade,
    outcome: RefundOutcome,
}

/// What became of a message that is genuine.
enum Taken {
    /// Written down.
    Kept,
    /// Not believed, or too many: the platform may send it again.
    Refused,
}

impl Engine {
    /// Takes a platform's message. The answer is in the platform's own form:
    /// "received" only after the commit, "not accepted" for what cannot be
    /// proven genuine and for what could not be written down.
    pub async fn take_notification(
        &self,
        channel: ChannelId,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, EngineError> {
        let open = self.open_channel(channel).await?;
        let notification = match open.channel.notification(&request, self.now()) {
            Ok(notification) => notification,
            Err(refused) => {
                self.keep_refused(&open, refused.reason, request.body())
                    .await;
                return Ok(open.channel.refused());
            }
        };
        match self.apply(&open, notification, request.into_body()).await {
            Ok(Taken::Kept) => {
                self.seams.faults.point("before_ack");
                Ok(open.channel.received())
            }
            Ok(Taken::Refused) => Ok(open.channel.refused()),
            Err(error) => {
                tracing::error!(%channel, %error, "notification not recorded; the platform will repeat it");
                Ok(open.channel.refused())
            }
        }
    }

    /// Refuses a message that was not even read, in the platform's own form.
    pub async fn refuse_notification(
        &self,
        channel: ChannelId,
        reason: &'static str,
        beginning: Bytes,
    ) -> Result<Response<Bytes>, EngineError> {
        let open = self.open_channel(channel).await?;
        self.keep_refused(&open, reason, &beginning).await;
        Ok(open.channel.refused())
    }

    async fn apply(
        &self,
        open: &OpenChannel,
        notification: Notification,
        body: Bytes,
    ) -> Result<Taken, EngineError> {
        let inbox = self.inbox_entry(open, Verdict::Applied, None, &body);
        let Notification {
            out_trade_no,
            grade,
            told,
        } = notification;
        let outcome = match told {
            Told::Payment(outcome) => outcome,
            Told::Refund {
                out_refund_no,
                outcome,
            } => {
                let claim = RefundClaim {
                    out_trade_no,
                    out_refund_no,
                    grade,
                    outcome,
                };
                return self.hear_of_refund(open, claim, inbox).await;
            }
        };
        let number = &out_trade_no;
        let found = self
            .store()
            .payment_by_out_trade_no(open.account.id, number)
            .await?;
        let Some(payment) = found else {
            return self
                .unknown_payment(open, out_trade_no, grade, outcome, inbox)
                .await;
        };
        let Some(attempt) = payment.attempt_by_no(number).map(|attempt| attempt.id) else {
            return self
                .unknown_payment(open, out_trade_no, grade, outcome, inbox)
                .await;
        };
        let report = Report {
            attempt,
            source: Source::Notification,
            grade,
            outcome,
        };
        let event = Event::Reported {
            report: Box::new(report),
        };
        let also = Also {
            inbox: Some(inbox),
            ..Also::default()
        };
        self.decide(payment, event, open.rules(), also).await?;
        count(open, "taken");
        Ok(Taken::Kept)
    }

    /// A refund of ours is asked about; one that somebody made on the platform's
    /// pages is kept as it was told.
    async fn hear_of_refund(
        &self,
        open: &OpenChannel,
        claim: RefundClaim,
        inbox: InboxEntry,
    ) -> Result<Taken, EngineError> {
        let (channel, number) = (open.account.id, &claim.out_trade_no);
        let found = self
            .store()
            .payment_by_out_trade_no(channel, number)
            .await?;
        let Some(payment) = found else {
            return self.keep_unknown(open, inbox, Verdict::Hint, None).await;
        };
        let attempt = payment.attempt_by_no(number).map(|attempt| attempt.id);
        let ours = payment.refunds.iter().find(|refund| {
            refund.out_refund_no == claim.out_refund_no && Some(refund.attempt) == attempt
        });
        let Some(refund) = ours.map(|refund| refund.id) else {
            let inbox = InboxEntry {
                payment: Some(payment.id),
                ..inbox
            };
            return self.keep_unknown(open, inbox, Verdict::Hint, None).await;
        };
        let report = RefundReport {
            refund,
            source: Source::Notification,
            grade: claim.grade,
            outcome: claim.outcome,
        };
        let event = Event::RefundReported {
            report: Box::new(report),
        };
        let also = Also {
            inbox: Some(inbox),
            ..Also::default()
        };
        self.decide(payment, event, open.rules(), also).await?;
        count(open, "taken");
        Ok(Taken::Kept)
    }

    /// Genuine, and of an order that we do not have: another system with the same
    /// account, or a backup that was put back. The money is real if the platform
    /// says so when it is asked; when it says that there is none, somebody else has
    /// the key.
    async fn unknown_payment(
        &self,
        open: &OpenChannel,
        out_trade_no: String,
        grade: Grade,
        outcome: Outcome,
        inbox: InboxEntry,
    ) -> Result<Taken, EngineError> {
        let claimed = match outcome {
            Outcome::Success { receipt } if grade >= Grade::Shared => receipt,
            _ => return self.keep_unknown(open, inbox, Verdict::Hint, None).await,
        };
        let channel = open.account.id;
        if !self
            .unknown_sample
            .takes_one(channel, self.now(), ASKED_A_MINUTE)
        {
            // Not kept, and so not acknowledged: what is genuine comes again.
            tracing::warn!(%channel, "too many messages about unknown orders");
            count(open, "unknown_payment_too_many");
            return Ok(Taken::Refused);
        }
        let (receipt, source) = match self.ask_about(open, &out_trade_no).await {
            Outcome::Success { receipt } => (receipt, Source::Query),
            Outcome::NotPaid
            | Outcome::UserPaying
            | Outcome::Closed
            | Outcome::Revoked
            | Outcome::PayError { .. }
            | Outcome::NotFound => {
                tracing::warn!(%channel, out_trade_no, "paid, says a message; the platform says no. Its key may be known to others: change it");
                self.keep_refused(open, "unknown_order_not_paid", &inbox.body)
                    .await;
                return Ok(Taken::Refused);
            }
            Outcome::Accepted { .. } | Outcome::Refused { .. } | Outcome::Unknown { .. } => {
                (claimed, Source::Notification)
            }
        };
        let now = self.now();
        let case = Case {
            id: mint::new_id(&*self.seams.mint, now),
            merchant: open.account.merchant,
            channel,
            kind: CaseKind::UnknownPayment,
            state: CaseState::NeedsPerson,
            // Another system's money, perhaps: a person decides, also about what
            // the platform has confirmed.
            remedy: Remedy::Review,
            payment: None,
            attempt: None,
            out_trade_no,
            receipt,
            source,
            opened_at: now,
            need: Some(Need::UnknownPayment),
            refund: None,
            resolution: None,
            resolved_at: None,
            decision: None,
        };
        let event = self.unknown_payment_event(&case, now);
        let opened = OpenedCase { case, event };
        self.keep_unknown(open, inbox, Verdict::Case, Some(opened))
            .await
    }

    /// What the platform says of an order; `Unknown` when that proves nothing.
    async fn ask_about(&self, open: &OpenChannel, out_trade_no: &str) -> Outcome {
        let timeout = self.config.channel_timeout.min(ASKED_WITHIN);
        let call = Call::Query { out_trade_no };
        let (grade, outcome) = self.exchange(open, &call, Ask::Query, timeout).await;
        if grade < Grade::Strong {
            let (why, ask_now) = ("the answer is not proven".to_owned(), false);
            return Outcome::Unknown { why, ask_now };
        }
        outcome
    }

    async fn keep_unknown(
        &self,
        open: &OpenChannel,
        inbox: InboxEntry,
        verdict: Verdict,
        case: Option<OpenedCase>,
    ) -> Result<Taken, EngineError> {
        let change = Change {
            cases: case.into_iter().collect(),
            inbox: Some(InboxEntry { verdict, ..inbox }),
            ..Change::default()
        };
        self.commit(change, self.now()).await?;
        count(open, "unknown_payment");
        Ok(Taken::Kept)
    }

    fn unknown_payment_event(&self, case: &Case, now: Timestamp) -> WebhookEvent {
        let kind = EventType::CaseOpened;
        WebhookEvent {
            id: mint::new_id(&*self.seams.mint, now),
            merchant: case.merchant,
            payment: None,
            store: None,
            kind,
            sequence: 1,
            body: webhook_body(kind, 1, &CaseView::from(case), now),
            created_at: now,
        }
    }

    /// Evidence of an attempt at forgery, or of a wrong key. Failing to keep it
    /// changes nothing.
    async fn keep_refused(&self, open: &OpenChannel, reason: &'static str, body: &[u8]) {
        count(open, reason);
        let channel = open.account.id;
        let sample = &self.refused_sample;
        if !sample.takes_one(channel, self.now(), KEPT_A_MINUTE) {
            return;
        }
        // No more lines than rows: a flood would fill the log's disk.
        tracing::info!(%channel, reason, "notification refused; see the inbox");
        let body = &body[..body.len().min(KEPT_BYTES)];
        let inbox = self.inbox_entry(open, Verdict::Refused, Some(reason), body);
        let change = Change {
            inbox: Some(inbox),
            ..Change::default()
        };
        if let Err(error) = self.store().commit(change).await {
            tracing::warn!(%error, "a refused notification was not kept");
        }
    }

    fn inbox_entry(
        &self,
        open: &OpenChannel,
        verdict: Verdict,
        reason: Option<&str>,
        body: &[u8],
    ) -> InboxEntry {
        let now = self.now();
        let mut body_hash = [0; 32];
        body_hash.copy_from_slice(digest::digest(&digest::SHA256, body).as_ref());
        InboxEntry {
            id: mint::new_id(&*self.seams.mint, now),
            merchant: open.account.merchant,
            channel: open.account.id,
            received_at: now,
            verdict,
            reason: reason.map(str::to_owned),
            payment: None,
            body_hash,
            body: body.to_vec(),
        }
    }
}

fn count(open: &OpenChannel, verdict: &'static str) {
    let kind = open.account.kind.clone();
    metrics::counter!("tongbao_notifications_total", "kind" => kind, "verdict" => verdict)
        .increment(1);
}
