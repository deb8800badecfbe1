//! At the moment something leaves the process, or arrives where it was sent.

use std::time::Duration;

use http::Request;
use tongbao_core::case::Remedy;
use tongbao_core::webhook::EventType;
use tongbao_core::{ChannelId, Money, Payment, PaymentId, State, Timestamp};
use tongbao_wire::wechat_v2::{Fields, Merchants, TradeType, micropay, refund, unified_order};

use super::{Verdict, ensure};
use crate::gateway::{Call, Heard, shown};
use crate::model_store::Tables;
use crate::truth::Known;

/// E3: when a mutating request reaches the platform, a committed row describes
/// exactly it.
pub fn e3_intent_before_call(
    tables: &Tables,
    channel: &dyn Fn(Merchants<'_>) -> Option<ChannelId>,
    request: &Request<bytes::Bytes>,
) -> Verdict {
    let path = request.uri().path();
    let fields = Fields::read(request.body()).map_err(|error| format!("we sent {error}"))?;
    let whose = Merchants {
        appid: fields.get("appid").unwrap_or_default(),
        mch_id: fields.get("mch_id").unwrap_or_default(),
        sub_appid: fields.get("sub_appid"),
        sub_mch_id: fields.get("sub_mch_id"),
    };
    let channel = channel(whose).ok_or(format!("we sent an order of {whose:?}"))?;
    let number = fields.get("out_trade_no").unwrap_or_default();
    let found = tables.by_out_trade_no(channel, number);
    match path {
        "/pay/unifiedorder" => {
            let order = unified_order::Request::from_fields(&fields)
                .map_err(|error| format!("we sent an order with {error}"))?;
            is_written_down(found, number, order.total_fee, &order.body)?;
            is_for_the_payer(found, number, &order)
        }
        "/pay/micropay" => {
            let order = micropay::Request::from_fields(&fields)
                .map_err(|error| format!("we sent a code payment with {error}"))?;
            is_written_down(found, number, order.total_fee, &order.body)
        }
        "/secapi/pay/reverse" => {
            let payment = found.ok_or(format!("reverse of {number}, which is not written down"))?;
            let attempt = payment.attempt_by_no(number);
            let decided = attempt.is_some_and(|attempt| attempt.reversal.is_some());
            ensure(decided, || {
                format!("reverse of {number}, which nobody has decided")
            })
        }
        "/pay/closeorder" => {
            let payment = found.ok_or(format!("close of {number}, which is not written down"))?;
            let attempt = payment.attempt_by_no(number);
            let wanted = !matches!(payment.state, State::Created | State::Pending)
                || attempt.is_some_and(|attempt| !attempt.state.is_open());
            ensure(wanted, || {
                format!("close of {number}, which still wants money")
            })
        }
        "/secapi/pay/refund" => {
            let asked = refund::Request::from_fields(&fields)
                .map_err(|error| format!("we sent a refund with {error}"))?;
            let number = &asked.out_refund_no;
            let payment = found.ok_or(format!("refund {number} is of no order here"))?;
            let refund = payment
                .refunds
                .iter()
                .find(|it| it.out_refund_no == *number);
            let refund = refund.ok_or(format!("refund {number} is not written down"))?;
            let of = payment.attempt(refund.attempt);
            let fen = |money: Money| u64::try_from(money.minor()).ok();
            let same = fen(refund.amount) == Some(asked.refund_fee)
                && of.and_then(|of| of.received).and_then(fen) == Some(asked.total_fee);
            ensure(same, || {
                format!("refund {number} is not the one that is written down")
            })
        }
        _ => Ok(()),
    }
}

fn is_written_down(found: Option<&Payment>, number: &str, fen: u64, subject: &str) -> Verdict {
    let payment = found.ok_or(format!("order {number} is not written down"))?;
    let same =
        u64::try_from(payment.order.amount.minor()) == Ok(fen) && payment.order.subject == subject;
    ensure(same, || {
        format!("order {number} is not the one that is written down")
    })
}

/// An order for one payer names that one, in the application where the payer is met.
fn is_for_the_payer(
    found: Option<&Payment>,
    number: &str,
    order: &unified_order::Request,
) -> Verdict {
    if order.trade_type != TradeType::Jsapi {
        return Ok(());
    }
    let attempt = found.and_then(|payment| payment.attempt_by_no(number));
    let payer = attempt.and_then(|attempt| attempt.payer.as_ref());
    let (openid, sub_openid) = (&order.optional.openid, &order.optional.sub_openid);
    let (named, other) = match order.head.sub_appid {
        Some(_) => (sub_openid, openid),
        None => (openid, sub_openid),
    };
    ensure(named.as_ref() == payer && other.is_none(), || {
        format!("order {number} is for {payer:?}, and was sent for {openid:?}, {sub_openid:?}")
    })
}

/// Nodes' clocks are apart by less.
const CLOCKS: Duration = Duration::from_secs(2);

/// E12: no order is closed at the platform before it is as old as the channel says.
pub fn e12_nothing_is_closed_too_young(
    payment: Option<&Payment>,
    number: &str,
    least: Duration,
    now: Timestamp,
) -> Verdict {
    let attempt = payment.and_then(|payment| payment.attempt_by_no(number));
    let age = attempt.map(|attempt| now.since(attempt.created_at) + CLOCKS);
    ensure(age.is_none_or(|age| age >= least), || {
        format!("{number} was closed when it was {age:?} old, and not {least:?}")
    })
}

/// E10: a payer's code goes out once, and a number charges once.
pub fn e10_a_code_is_sent_once(
    known: &mut Known,
    request: &Request<bytes::Bytes>,
    one_payment_an_order: bool,
) -> Verdict {
    let fields = Fields::read(request.body()).map_err(|error| format!("we sent {error}"))?;
    let names = ["out_trade_no", "auth_code"];
    for name in &names[..=usize::from(one_payment_an_order)] {
        let value = fields.get(name).unwrap_or_default();
        let fresh = known.charged.insert(value.to_owned());
        ensure(fresh, || format!("{name} {value} came twice"))?;
    }
    Ok(())
}

/// So long one answer may be the ground of a reverse.
const FRESH: Duration = Duration::from_secs(3);

/// E11: whoever reverses has asked before, each time. When the database does not
/// know whether it kept the decision, it is made again and asks for the reverse
/// again: both stand on one answer, and to reverse twice is to reverse once.
pub fn e11_a_reverse_follows_a_query(known: &mut Known, number: &str, now: Timestamp) -> Verdict {
    let fresh = known
        .asked
        .get(number)
        .is_some_and(|asked| now.since(*asked) < FRESH);
    let reversed = known.reversed.entry(number.to_owned()).or_default();
    *reversed += 1;
    let (reversed, asked) = (*reversed, known.times_asked.get(number).copied());
    ensure(fresh || asked.unwrap_or_default() >= reversed, || {
        format!("{number} was reversed {reversed} times and asked about {asked:?} times")
    })
}

/// E4: when our acknowledgement leaves, the message is written down.
pub fn e4_commit_before_acknowledge(
    tables: &Tables,
    channel: ChannelId,
    body_hash: [u8; 32],
) -> Verdict {
    ensure(tables.inbox.contains_key(&(channel, body_hash)), || {
        "a notification was acknowledged and is not written down".to_owned()
    })
}

/// E5: what a merchant hears is written down.
pub fn e5_commit_before_reply(tables: &Tables, call: &Call, heard: &Heard) -> Verdict {
    match (call, heard) {
        (_, Heard::Created(id)) => ensure(tables.payments.contains_key(id), || {
            format!("the merchant was told of {id}, which is not written down")
        }),
        (
            Call::Start { payment, .. },
            Heard::Started {
                code: Some((id, code)),
            },
        ) => {
            let payment = tables.payments.get(payment);
            let attempt = payment.and_then(|payment| payment.attempt(*id));
            let action = attempt.and_then(|attempt| attempt.action.as_ref());
            // What is signed for a page or an app is signed anew each time.
            let signed = !code.starts_with("weixin://");
            let written = action
                .and_then(shown)
                .is_some_and(|written| signed || written == *code);
            ensure(written, || {
                format!("the merchant was given a code of {id}, which is not written down")
            })
        }
        (Call::Charge { payment, .. }, Heard::Charged { state }) if state == "succeeded" => {
            let row = tables.payments.get(payment);
            let paid = row.is_some_and(|row| matches!(row.state, State::Paid { .. }));
            ensure(paid, || {
                format!("the cashier was told that {payment} is paid, and it is not")
            })
        }
        (
            Call::Refund {
                payment, number, ..
            },
            Heard::Refunding { refund },
        ) => {
            let payment = tables.payments.get(payment);
            let written = payment.and_then(|payment| payment.refund(*refund));
            let same = written.is_some_and(|it| it.merchant_refund_no.as_ref() == Some(number));
            ensure(same, || {
                format!("the merchant was told of {refund}, which is not written down")
            })
        }
        (Call::Decide { case, .. }, Heard::Decided { state }) => {
            let row = tables.cases.iter().find(|row| row.id == *case);
            let written = row.is_some_and(|row| match state.as_str() {
                "refunding" => row.refund.is_some(),
                // What was dismissed as a claim may have been proven since.
                "resolved" => row.resolution.is_some() || row.remedy == Remedy::Refund,
                _ => true,
            });
            ensure(written, || {
                format!("somebody was told that {case} is {state}, and it is {row:?}")
            })
        }
        (Call::Close(id), Heard::Closed { state }) => {
            let row = tables.payments.get(id);
            let now = row.map_or("none", Payment::public_state);
            let written = match state.as_str() {
                "paid" => now == "paid",
                "closed" => matches!(now, "closed" | "paid"),
                _ => true,
            };
            ensure(written, || {
                format!("the merchant was told that {id} is {state}, and it is {now}")
            })
        }
        _ => Ok(()),
    }
}

/// W5: no webhook about a state that is not committed.
pub fn w5_no_webhook_before_its_state(
    tables: &Tables,
    kind: EventType,
    payment: Option<PaymentId>,
    sequence: i64,
) -> Verdict {
    let Some(id) = payment else { return Ok(()) };
    let row = tables
        .payments
        .get(&id)
        .ok_or(format!("webhook of unknown {id}"))?;
    let true_now = match kind {
        EventType::PaymentPaid => matches!(row.state, State::Paid { .. }),
        EventType::PaymentClosed => {
            matches!(row.state, State::Closed { .. } | State::Paid { .. })
        }
        EventType::RefundSucceeded => {
            let succeeded = |refund: &tongbao_core::Refund| {
                refund.state == tongbao_core::RefundState::Succeeded
            };
            row.refunds.iter().any(succeeded)
        }
        EventType::RefundFailed => row.refunds.iter().any(|refund| !refund.state.is_open()),
        EventType::CaseOpened | EventType::CaseNeedsPerson | EventType::CaseResolved => {
            tables.cases.iter().any(|case| case.payment == Some(id))
        }
    };
    ensure(row.version >= sequence && true_now, || {
        format!(
            "{} sent for {id} at {sequence}, which is {:?} at {}",
            kind.as_str(),
            row.state,
            row.version
        )
    })
}
