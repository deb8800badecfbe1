//! The tests' short hand: payments, events and steps as words.

use std::time::Duration;

use crate::case::{CaseKey, Remedy};
use crate::id::Id;
use crate::webhook::EventType;
use crate::{
    Action, Attempt, AttemptId, AttemptState, CaseKind, CaseState, ChannelId, CloseReason, Effect,
    Event, Failure, Grade, MerchantId, Money, Need, Order, Outcome, Payment, PaymentId, Raised,
    Receipt, Report, Reversal, Rules, Scene, Source, State, Step, Timestamp,
};

/// When the payment is made.
pub(super) const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);
/// How long a payer has.
pub(super) const LIFE: Duration = Duration::from_mins(30);
/// What is asked, in fen.
pub(super) const PRICE: i64 = 1234;

pub(super) const CAREFUL: Rules = Rules {
    policy: crate::Policy {
        accept_late: false,
        auto_refund: crate::AutoRefund::OFF,
    },
    trust: Grade::Strong,
};
pub(super) const ACCEPTS_LATE: Rules = Rules {
    policy: crate::Policy {
        accept_late: true,
        auto_refund: crate::AutoRefund::OFF,
    },
    trust: Grade::Strong,
};
pub(super) const TRUSTS_SIGNATURES: Rules = Rules {
    policy: crate::Policy {
        accept_late: false,
        auto_refund: crate::AutoRefund::OFF,
    },
    trust: Grade::Shared,
};

/// `a` is 1, `b` is 2, …
pub(super) fn id(letter: &str) -> AttemptId {
    AttemptId::from_bits(u128::from(letter.as_bytes()[0] - b'a' + 1))
}

fn letter(id: AttemptId) -> char {
    char::from(b'a' + u8::try_from(id.bits()).unwrap() - 1)
}

pub(super) fn qr(text: &str) -> Action {
    Action::QrCode {
        code_url: format!("weixin://wxpay/{text}"),
    }
}

/// Every letter is a channel of its own. From `m` on they close no order that is
/// younger than five minutes; from `p` on payers stand at a till.
pub(super) fn attempt(letter: &str, created_at: Timestamp) -> Attempt {
    let id = id(letter);
    let channel = ChannelId::from_bits(id.bits());
    let scene = if letter < "p" {
        Scene::Native
    } else {
        Scene::Barcode
    };
    let mut attempt = Attempt::new(id, format!("NO{letter}"), channel, scene, created_at);
    attempt.close_after_secs = if letter < "m" { 0 } else { 300 };
    attempt
}

pub(super) fn new_payment() -> Payment {
    let order = Order {
        merchant_order_no: "A-1001".into(),
        amount: Money::fen(PRICE),
        subject: "龙井茶".into(),
        metadata: serde_json::json!({"table": 7}),
        store: None,
        return_url: None,
    };
    let (id, merchant) = (PaymentId::from_bits(1), MerchantId::from_bits(1));
    Payment::create(id, merchant, order, "token".into(), NOON, NOON + LIFE).payment
}

/// `pending, a pending, b closed`: made at noon, its attempts too. What has
/// ended, ended there and then.
pub(super) fn payment(text: &str) -> Payment {
    let mut parts = text.split(", ");
    let mut payment = new_payment();
    payment.state = state(parts.next().unwrap());
    payment.attempts = parts.map(attempt_as).collect();
    payment
}

fn state(text: &str) -> State {
    let (reason, at) = (CloseReason::Requested, NOON);
    match text {
        "created" => State::Created,
        "pending" => State::Pending,
        "closing" => State::Closing { reason },
        "closed" => State::Closed { reason, at },
        _ => {
            let attempt = id(text.strip_prefix("paid by ").expect(text));
            State::Paid { attempt, at }
        }
    }
}

/// `a pending`, `b pending without code`, `a refused`, `a mismatched`. What is
/// being reversed since noon: `p user_paying reversing`, or `accepted` or
/// `refusing` when the channel has said so.
fn attempt_as(text: &str) -> Attempt {
    let (letter, word) = text.split_once(' ').expect(text);
    let mut attempt = attempt(letter, NOON);
    let mut word = word;
    for said in [" reversing", " accepted", " refusing"] {
        if let Some(state) = word.strip_suffix(said) {
            attempt.reversal = Some(Reversal {
                since: NOON,
                asked_at: NOON,
                accepted_at: (said == " accepted").then_some(NOON),
                refused: said == " refusing",
            });
            word = state;
        }
    }
    attempt.state = match word {
        "pending without code" => AttemptState::Pending,
        "mismatched" => AttemptState::Failed,
        word => AttemptState::parse(word).expect(word),
    };
    let till = attempt.scene == Scene::Barcode;
    if !till && !matches!(word, "unknown" | "failed" | "pending without code") {
        attempt.action = Some(qr("1"));
    }
    if !attempt.state.is_open() {
        attempt.ended_at = Some(NOON);
    }
    let received = match word {
        "succeeded" => Some(PRICE),
        "mismatched" => Some(1),
        _ => None,
    };
    if let Some(fen) = received {
        attempt.received = Some(Money::fen(fen));
        attempt.transaction_id = Some(trade(letter));
    }
    if word == "mismatched" {
        let receipt = receipt(letter, "1");
        attempt.raised.push(Raised {
            proven: true,
            state: CaseState::NeedsPerson,
            need: Some(Need::Off),
            ..Raised::new(CaseKind::AmountMismatch, &receipt, NOON)
        });
    }
    attempt
}

/// The platform's number of an attempt's trade.
fn trade(letter: &str) -> String {
    format!("T{letter}")
}

/// `start a`, `close`, `expire`, or a report: `query a: not paid`. A source is
/// believed unless it is marked: `notice? a: success` is signed with a shared
/// key, `notice?? a: success` not at all.
pub(super) fn event(text: &str, now: Timestamp) -> Event {
    match text {
        "close" => return Event::CloseRequested,
        "expire" => return Event::Expired,
        _ => {}
    }
    if let Some(letter) = text.strip_prefix("start ") {
        let attempt = Box::new(attempt(letter, now));
        return Event::AttemptStarted { attempt };
    }
    let (from, said) = text.split_once(": ").expect(text);
    let (source, letter) = from.split_once(' ').expect(text);
    let report = Report {
        attempt: id(letter),
        source: match source.trim_end_matches('?') {
            "answer" => Source::Answer,
            "query" => Source::Query,
            "closer" => Source::Close,
            "reverser" => Source::Reverse,
            "notice" => Source::Notification,
            "bill" => Source::Bill,
            "operator" => Source::Operator,
            other => panic!("no source {other}"),
        },
        grade: match source.bytes().filter(|byte| *byte == b'?').count() {
            0 => Grade::Strong,
            1 => Grade::Shared,
            _ => Grade::Weak,
        },
        outcome: outcome(letter, said),
    };
    Event::Reported {
        report: Box::new(report),
    }
}

/// `success` is the price under the attempt's own trade; `success 1 USD T9` is
/// one cent under another.
fn outcome(letter: &str, text: &str) -> Outcome {
    let failure = |code: &str| Failure {
        code: code.into(),
        detail: String::new(),
        platform_code: None,
    };
    let unknown = |ask_now| Outcome::Unknown {
        why: String::new(),
        ask_now,
    };
    match text {
        "accepted" => Outcome::Accepted { action: qr("1") },
        "accepted anew" => Outcome::Accepted { action: qr("2") },
        "not paid" => Outcome::NotPaid,
        "user paying" => Outcome::UserPaying,
        "closed" => Outcome::Closed,
        "revoked" => Outcome::Revoked,
        "pay error" => Outcome::PayError {
            failure: failure("pay_error"),
        },
        "refused" => Outcome::Refused {
            failure: failure("channel_refused"),
        },
        "not found" => Outcome::NotFound,
        "silence" => unknown(false),
        "ask me" => unknown(true),
        _ => Outcome::Success {
            receipt: receipt(letter, text.strip_prefix("success").expect(text)),
        },
    }
}

fn receipt(letter: &str, text: &str) -> Receipt {
    let (mut fen, mut currency, mut transaction_id) = (PRICE, crate::Currency::CNY, trade(letter));
    for word in text.split_whitespace() {
        match word.as_bytes() {
            [b'T', ..] => word.clone_into(&mut transaction_id),
            [b'0'..=b'9', ..] => fen = word.parse().unwrap(),
            _ => currency = word.parse().unwrap(),
        }
    }
    Receipt {
        amount: Money::new(fen, currency),
        transaction_id,
        payer: Some("openid".into()),
        paid_at: None,
    }
}

/// `paid by a, a succeeded; tell payment.paid`. Instead of the states `same`
/// when there is nothing to remember.
pub(super) fn spoken(step: &Step) -> String {
    let mut text = if step.changed {
        states(&step.payment)
    } else {
        "same".to_owned()
    };
    let mut mark = "; ";
    for effect in &step.effects {
        text += mark;
        text += &effect_as(effect);
        mark = ", ";
    }
    text
}

fn states(payment: &Payment) -> String {
    let state = match payment.state {
        State::Created => "created".to_owned(),
        State::Pending => "pending".to_owned(),
        State::Closing { .. } => "closing".to_owned(),
        State::Paid { attempt, .. } => format!("paid by {}", letter(attempt)),
        State::Closed { .. } => "closed".to_owned(),
    };
    let attempts = payment.attempts.iter();
    let words = attempts.map(|attempt| {
        let letter = letter(attempt.id);
        format!(", {letter} {}", attempt.state.as_str())
    });
    state + &words.collect::<String>()
}

fn effect_as(effect: &Effect) -> String {
    let wait = |after: &Duration| match after.as_millis() {
        0 => "now".to_owned(),
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    };
    match effect {
        Effect::Start { attempt, after } => format!("start {} {}", letter(*attempt), wait(after)),
        Effect::Query { attempt, after } => format!("query {} {}", letter(*attempt), wait(after)),
        Effect::Close { attempt } => format!("close {}", letter(*attempt)),
        Effect::Reverse { attempt, after } => {
            format!("reverse {} {}", letter(*attempt), wait(after))
        }
        Effect::Expire => "expire".to_owned(),
        Effect::Tell(kind) | Effect::TellRefund { kind, .. } => format!("tell {}", kind.as_str()),
        Effect::StartRefund { after, .. } => format!("refund {}", wait(after)),
        Effect::QueryRefund { after, .. } => format!("query the refund {}", wait(after)),
        Effect::OpenCase {
            kind,
            attempt,
            remedy,
            ..
        } => {
            let remedy = match remedy {
                Remedy::Refund => "refund",
                Remedy::Review => "review",
            };
            format!("case {} of {}, {remedy}", kind.as_str(), letter(*attempt))
        }
        Effect::MoveCase { case, tell, .. } => {
            let told = tell.map_or("moves", EventType::as_str);
            format!("{told} of {}", letter(case.attempt))
        }
        Effect::SeeToCases { attempt } => format!("see to {}", letter(*attempt)),
    }
}

/// The case of what came by attempt `a`.
pub(super) fn key() -> CaseKey {
    CaseKey {
        attempt: id("a"),
        transaction_id: "Ta".into(),
        amount: Money::fen(PRICE),
    }
}
