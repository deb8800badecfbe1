//! Telling the merchant, again and again, until it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use serde::{Deserialize, Serialize};

use super::fault::FaultKind;
use super::refund::RefundKey;
use super::timer::Timer;
use super::trade::{Trade, TradeId};
use super::{Moment, Platform, wechat_v2};
use crate::UnixMillis;

/// A merchant that takes longer has not answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Of a merchant's answer, what is kept to be looked at.
const EXCERPT_CHARS: usize = 300;

/// One thing told, with every try to tell it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notification {
    /// Counts up from 1.
    pub id: NotificationId,
    /// Whose.
    pub trade: TradeId,
    /// The merchant's number.
    pub mch_id: String,
    /// The merchant's number for the order.
    pub out_trade_no: String,
    /// What it is about.
    pub news: News,
    /// Whether it tells the truth.
    pub kind: NotificationKind,
    /// Where it goes.
    pub url: String,
    /// The same bytes at every try.
    pub body: String,
    /// When there was something to tell.
    pub created: Moment,
    /// How many copies the first round sends at once.
    copies: u32,
    /// Rounds sent so far.
    round: u32,
    /// Every try so far, in the order of sending.
    pub tries: Vec<Try>,
    /// What is to become of it.
    pub state: NotificationState,
}

/// Counts up from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotificationId(pub u64);

/// What a merchant is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// A payment.
    Payment,
    /// A refund that has ended.
    Refund(RefundKey),
}

/// Whether a notification tells the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// What happened.
    Genuine,
    /// Written by someone who has no key.
    Forged,
    /// The platform's own, with an amount that is not the true one.
    WrongAmount,
    /// Nothing that anyone could read.
    Garbage,
}

/// What is to become of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    /// The next try is due then, on the platform's own clock.
    Waiting(UnixMillis),
    /// Sent; the merchant has not answered yet.
    Sent,
    /// The merchant has heard.
    Accepted,
    /// All tries are used up; the merchant must ask.
    GivenUp,
}

impl NotificationState {
    /// `waiting`, `sent`, `accepted` or `given_up`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::GivenUp => "given_up",
        }
    }
}

/// One request to the merchant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Try {
    /// Counts up from 1 within its notification.
    pub number: u32,
    /// When it was sent.
    pub sent: Moment,
    /// `None` until the merchant answers or its time is over.
    pub outcome: Option<Outcome>,
}

impl Try {
    /// `pending`, `accepted`, `refused`, `no_answer` or `lost`.
    pub const fn verdict(&self) -> &'static str {
        match &self.outcome {
            None => "pending",
            Some(Outcome::Answered {
                verdict: Ok(()), ..
            }) => "accepted",
            Some(Outcome::Answered {
                verdict: Err(_), ..
            }) => "refused",
            Some(Outcome::NoAnswer { .. }) => "no_answer",
            Some(Outcome::Lost) => "lost",
        }
    }
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The merchant answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// The beginning of the body.
        excerpt: String,
        /// `Err` says why the answer does not count.
        verdict: Result<(), String>,
    },
    /// No answer came, or too late.
    NoAnswer {
        /// What was seen of it.
        why: String,
    },
    /// A fault swallowed it on the way.
    Lost,
}

impl Outcome {
    /// Whether the platform takes it for heard.
    pub fn is_accepted(&self) -> bool {
        matches!(
            self,
            Self::Answered {
                verdict: Ok(()),
                ..
            }
        )
    }
}

/// One try of one notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TryId {
    /// Which notification.
    pub notification: NotificationId,
    /// Which of its tries.
    pub number: u32,
}

/// A request to be sent to a merchant now.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// To be given back with the answer, see [`Platform::answered`].
    pub id: TryId,
    /// Its URI is the merchant's address in full.
    pub request: Request<Bytes>,
    /// Longer than this the platform does not wait.
    pub answer_within: Duration,
}

/// What became of an [`Outgoing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The merchant answered.
    Http {
        /// HTTP status. A redirect is an answer, and not followed.
        status: u16,
        /// The body, as far as it was read.
        body: Bytes,
    },
    /// Refused, reset or timed out.
    NoAnswer(String),
}

/// By id.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Notifications {
    rows: BTreeMap<NotificationId, Notification>,
}

impl Notifications {
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Notification> {
        self.rows.values()
    }

    fn next_id(&self) -> NotificationId {
        NotificationId(self.rows.last_key_value().map_or(1, |(last, _)| last.0 + 1))
    }
}

impl Platform {
    /// Takes what became of an [`Outgoing`]. An answer that comes too late, twice, or to nothing
    /// that was sent, changes nothing.
    pub fn answered(&mut self, now: UnixMillis, id: TryId, delivered: Delivered) {
        let at = self.moment(now);
        let outcome = match delivered {
            Delivered::Http { status, body } => Outcome::Answered {
                status,
                excerpt: excerpt(&body),
                verdict: wechat_v2::notice::verdict(status, &body),
            },
            Delivered::NoAnswer(why) => Outcome::NoAnswer { why },
        };
        self.close_try(at, id, outcome);
    }

    pub(super) fn on_answer_deadline(&mut self, at: Moment, id: TryId) {
        let why = format!("no answer within {} seconds", ANSWER_WITHIN.as_secs());
        self.close_try(at, id, Outcome::NoAnswer { why });
    }

    /// Tells a payment that was just made, with whatever faults befall the telling.
    pub(super) fn tell_payment(&mut self, at: Moment, trade: TradeId) {
        self.tell_news(at, trade, News::Payment);
    }

    /// Tells that a refund has ended, if it was said where.
    pub(super) fn tell_refund(&mut self, at: Moment, key: RefundKey) {
        self.tell_news(at, key.trade, News::Refund(key));
    }

    fn tell_news(&mut self, at: Moment, trade: TradeId, news: News) {
        let Some(trade) = self.trades.get(trade).cloned() else {
            return;
        };
        let Some(url) = self.address(&trade, news) else {
            return;
        };
        let mut struck = |kind| self.notification_fault(kind, at, &url, &trade.out_trade_no);
        let garbage = struck(FaultKind::GarbageNotification);
        let wrong_amount = struck(FaultKind::WrongAmountNotification);
        let duplicate = struck(FaultKind::DuplicateNotification);
        let delay = struck(FaultKind::DelayNotification);
        let reorder = struck(FaultKind::ReorderNotification);
        let kind = match wrong_amount {
            Some(_) => NotificationKind::WrongAmount,
            None => NotificationKind::Genuine,
        };
        if garbage.is_some() {
            self.tell(at, &trade, news, NotificationKind::Garbage, &url);
        }
        let Some(id) = self.tell(at, &trade, news, kind, &url) else {
            return;
        };
        let wait = [delay, reorder.clone()]
            .into_iter()
            .flatten()
            .map(|fault| fault.delay())
            .max();
        if let Some(notification) = self.notifications.rows.get_mut(&id) {
            notification.copies = if duplicate.is_some() { 2 } else { 1 };
        }
        if let Some(wait) = wait {
            self.wait(id, at.inside + wait);
        }
        if reorder.is_some() {
            self.held_back.push(id);
        }
    }

    /// A refund's own address goes before the account's.
    fn address(&self, trade: &Trade, news: News) -> Option<String> {
        match news {
            News::Payment => trade.notify_url.clone(),
            News::Refund(key) => {
                let own = self.trades.refund(key)?.notify_url.clone();
                own.or_else(|| {
                    let account = self.accounts.get(&trade.mch_id)?;
                    account.refund_notify_url.clone()
                })
            }
        }
    }

    /// Someone without the key claims that the order is paid, if a fault asks for it.
    pub(super) fn forge_if_asked(&mut self, at: Moment, trade: TradeId) {
        let fault = FaultKind::ForgedNotification;
        self.forge(at, trade, News::Payment, fault);
    }

    /// Someone without the key claims that the refund has succeeded, if a fault asks for it.
    pub(super) fn forge_refund_if_asked(&mut self, at: Moment, key: RefundKey) {
        let fault = FaultKind::ForgedRefundNotification;
        self.forge(at, key.trade, News::Refund(key), fault);
    }

    fn forge(&mut self, at: Moment, trade: TradeId, news: News, fault: FaultKind) {
        let Some(trade) = self.trades.get(trade).cloned() else {
            return;
        };
        let Some(url) = self.address(&trade, news) else {
            return;
        };
        let asked = self.notification_fault(fault, at, &url, &trade.out_trade_no);
        if asked.is_some() {
            self.tell(at, &trade, news, NotificationKind::Forged, &url);
        }
    }

    fn tell(
        &mut self,
        at: Moment,
        trade: &Trade,
        news: News,
        kind: NotificationKind,
        url: &str,
    ) -> Option<NotificationId> {
        let body = wechat_v2::notice::body(self, at, trade, news, kind)?;
        let id = self.notifications.next_id();
        self.notifications.rows.insert(
            id,
            Notification {
                id,
                trade: trade.id,
                mch_id: trade.mch_id.clone(),
                out_trade_no: trade.out_trade_no.clone(),
                news,
                kind,
                url: url.to_owned(),
                body,
                created: at,
                copies: 1,
                round: 0,
                tries: Vec::new(),
                state: NotificationState::Waiting(at.inside),
            },
        );
        self.wait(id, at.inside);
        Some(id)
    }

    fn wait(&mut self, id: NotificationId, due: UnixMillis) {
        if let Some(notification) = self.notifications.rows.get_mut(&id) {
            notification.state = NotificationState::Waiting(due);
            self.timers.set(due, Timer::Notify(id));
        }
    }

    /// Sends a notification that is due, and after it those that were held back for it.
    pub(super) fn on_notify(&mut self, at: Moment, id: NotificationId) -> Vec<Outgoing> {
        let Some(notification) = self.notifications.rows.get(&id) else {
            return Vec::new();
        };
        match notification.state {
            NotificationState::Waiting(due) if due <= at.inside => {}
            // An older timer of a notification that has moved on.
            _ => return Vec::new(),
        }
        self.held_back.retain(|held| *held != id);
        let mut outgoing = self.send_round(at, id);
        if !outgoing.is_empty() {
            for held in std::mem::take(&mut self.held_back) {
                outgoing.extend(self.send_round(at, held));
            }
        }
        outgoing
    }

    fn send_round(&mut self, at: Moment, id: NotificationId) -> Vec<Outgoing> {
        let Some(notification) = self.notifications.rows.get_mut(&id) else {
            return Vec::new();
        };
        notification.round += 1;
        notification.state = NotificationState::Sent;
        let copies = if notification.round == 1 {
            notification.copies
        } else {
            1
        };
        (0..copies).filter_map(|_| self.send(at, id)).collect()
    }

    fn send(&mut self, at: Moment, id: NotificationId) -> Option<Outgoing> {
        let notification = self.notifications.rows.get_mut(&id)?;
        let number = u32::try_from(notification.tries.len()).ok()? + 1;
        notification.tries.push(Try {
            number,
            sent: at,
            outcome: None,
        });
        let try_id = TryId {
            notification: id,
            number,
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(&*notification.url)
            .header(header::CONTENT_TYPE, "text/xml")
            .header(header::USER_AGENT, "Mozilla/4.0")
            .body(Bytes::from(notification.body.clone()));
        let (url, number) = (notification.url.clone(), notification.out_trade_no.clone());
        if self
            .notification_fault(FaultKind::DropNotification, at, &url, &number)
            .is_some()
        {
            self.close_try(at, try_id, Outcome::Lost);
            return None;
        }
        match request {
            Ok(request) => {
                let deadline = at.inside + ANSWER_WITHIN * self.pace.speed().max(1);
                self.timers.set(deadline, Timer::AnswerDeadline(try_id));
                Some(Outgoing {
                    id: try_id,
                    request,
                    answer_within: ANSWER_WITHIN,
                })
            }
            Err(error) => {
                let why = error.to_string();
                self.close_try(at, try_id, Outcome::NoAnswer { why });
                None
            }
        }
    }

    /// Only the first word about a try counts.
    fn close_try(&mut self, at: Moment, id: TryId, outcome: Outcome) {
        let Some(notification) = self.notifications.rows.get_mut(&id.notification) else {
            return;
        };
        let Some(open) = notification
            .tries
            .iter_mut()
            .find(|try_| try_.number == id.number && try_.outcome.is_none())
        else {
            return;
        };
        let sent = open.sent;
        let accepted = outcome.is_accepted();
        open.outcome = Some(outcome);
        if accepted {
            notification.state = NotificationState::Accepted;
            return;
        }
        let all_closed = notification.tries.iter().all(|try_| try_.outcome.is_some());
        if notification.state != NotificationState::Sent || !all_closed {
            return;
        }
        let gap = match notification.kind {
            NotificationKind::Forged | NotificationKind::Garbage => None,
            NotificationKind::Genuine | NotificationKind::WrongAmount => {
                self.settings.notify_schedule.gap_after(notification.round)
            }
        };
        match gap {
            Some(gap) => self.wait(id.notification, (sent.inside + gap).max(at.inside)),
            None => notification.state = NotificationState::GivenUp,
        }
    }

    fn notification_fault(
        &mut self,
        kind: FaultKind,
        at: Moment,
        url: &str,
        out_trade_no: &str,
    ) -> Option<super::fault::Fault> {
        let path = path_of(url);
        self.faults
            .strike(&[kind], at, path.as_deref(), Some(out_trade_no))
    }
}

/// The path of a merchant's address, by which notification faults are aimed.
fn path_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    Some(uri.path().to_owned())
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .chars()
        .take(EXCERPT_CHARS)
        .collect()
}
