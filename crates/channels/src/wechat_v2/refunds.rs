//! Money that goes back. That the platform takes the request says nothing of the
//! money; and whatever is not surely refused may have gone.

use bytes::Bytes;
use http::{Request, Response};
use tongbao_core::{Currency, Failure, Grade, Money, RefundOutcome, Timestamp};
use tongbao_wire::wechat_v2::order_query::OrderNo;
use tongbao_wire::wechat_v2::refund_notification::Envelope;
use tongbao_wire::wechat_v2::refund_query::RefundNo;
use tongbao_wire::wechat_v2::refunded::RefundStatus;
use tongbao_wire::wechat_v2::{ErrorCode, Fields, Reply, refund, refund_query};

use super::Account;
use super::answers::{certificate_refused, cut, fields, is_about_signature, is_trouble, verified};
use crate::channel::{
    ChannelError, NotANotification, Notification, RefundCall, RefundOrder, Stamp, Told,
};

/// The platform refuses a description of a part that is no more than a yuan.
const SMALL_PART: i64 = 100;

const NO_CERTIFICATE: &str = "this channel has no client certificate, and WeChat Pay takes \
    refunds from nobody without; enter client_certificate and client_key (apiclient_cert.pem and \
    apiclient_key.pem from the merchant platform, API security), or client_p12 \
    (apiclient_cert.p12 in base64), with PATCH /v1/channels/{id}";

/// Over plain HTTP, as a simulator on the same machine speaks it, nobody could
/// ask for a certificate.
pub(super) fn can(account: &Account) -> Result<(), ChannelError> {
    if account.certificate.is_none() && account.base_url.starts_with("https:") {
        return Err(ChannelError::NoCertificate(NO_CERTIFICATE));
    }
    Ok(())
}

pub(super) fn encode(
    account: &Account,
    call: &RefundCall<'_>,
    stamp: &Stamp,
) -> Result<Request<Bytes>, ChannelError> {
    match call {
        RefundCall::Start(order) => {
            can(account)?;
            let request = start(account, order, &stamp.nonce)?;
            account.post("/secapi/pay/refund", request.to_fields())
        }
        RefundCall::Query(order) => {
            let request = refund_query::Request {
                head: account.head(&stamp.nonce),
                refund: RefundNo::OutRefundNo(order.out_refund_no.to_owned()),
                offset: None,
            };
            account.post("/pay/refundquery", request.to_fields())
        }
    }
}

fn start(
    account: &Account,
    order: &RefundOrder<'_>,
    nonce: &str,
) -> Result<refund::Request, ChannelError> {
    let unsendable = |field, detail: &str| ChannelError::Unsendable {
        field,
        detail: detail.to_owned(),
    };
    let (received, amount) = (order.received, order.amount);
    if [received, amount].map(Money::currency) != [Currency::CNY; 2] {
        return Err(unsendable("currency", "WeChat Pay v2 refunds CNY"));
    }
    let fen = |money: Money| {
        u64::try_from(money.minor()).map_err(|_| unsendable("amount", "is below zero"))
    };
    let is_small_part = amount != received && amount.minor() <= SMALL_PART;
    Ok(refund::Request {
        head: account.head(nonce),
        order: OrderNo::OutTradeNo(order.out_trade_no.to_owned()),
        out_refund_no: order.out_refund_no.to_owned(),
        total_fee: fen(received)?,
        refund_fee: fen(amount)?,
        optional: refund::Optional {
            refund_desc: order.reason.filter(|_| !is_small_part).map(str::to_owned),
            notify_url: Some(order.notify_url.to_owned()),
            ..refund::Optional::default()
        },
    })
}

pub(super) fn decode(
    account: &Account,
    call: &RefundCall<'_>,
    response: &Response<Bytes>,
    now: Timestamp,
) -> RefundOutcome {
    // Whoever is turned away at the door has asked for nothing.
    if let Some(text) = certificate_refused(response) {
        return RefundOutcome::NotYet {
            failure: failure("client_certificate_refused", None, text),
        };
    }
    let fields = match fields(response) {
        Ok(fields) => fields,
        Err(why) => return unknown(why),
    };
    let read = match call {
        RefundCall::Start(order) => {
            verified(account, &fields, now).map(|reply| taken(reply, order))
        }
        RefundCall::Query(order) => {
            verified(account, &fields, now).map(|reply| queried(reply, order))
        }
    };
    read.unwrap_or_else(unknown)
}

fn taken(reply: Reply<refund::Accepted>, order: &RefundOrder<'_>) -> RefundOutcome {
    match reply {
        Reply::Done { content, .. } => {
            let same = content.out_refund_no == order.out_refund_no
                && content.out_trade_no == order.out_trade_no
                && is_amount(content.refund_fee, order);
            if !same {
                return unknown("answer is of another refund".to_owned());
            }
            RefundOutcome::Processing {
                refund_no: content.refund_id,
            }
        }
        Reply::Failed {
            err_code,
            err_code_des,
            ..
        } => refused(err_code, err_code_des.as_deref().unwrap_or_default()),
        // Unsigned, but it moves no money: at worst the question is asked again.
        Reply::Refused { return_msg } => match return_msg.as_deref() {
            Some(text) if is_about_signature(text) => RefundOutcome::NotYet {
                failure: failure(
                    "channel_refused",
                    None,
                    "the platform refused our signature: check api_v2_key and sign_type of this \
                     channel; the refund goes on by itself",
                ),
            },
            Some(text) if text.contains("证书") && !is_trouble(text) => RefundOutcome::NotYet {
                failure: failure("client_certificate_refused", None, text),
            },
            text => unknown(format!("FAIL {}", text.unwrap_or_default())),
        },
    }
}

/// No code proves that an earlier request under the number was not taken: what
/// is called refused here is asked about before it is believed.
fn refused(code: Option<ErrorCode>, text: &str) -> RefundOutcome {
    let Some(code) = code else {
        return unknown(format!("FAIL without a code {text}"));
    };
    let not_yet = |word, code: &ErrorCode| RefundOutcome::NotYet {
        failure: failure(word, Some(code), text),
    };
    match &code {
        // Somebody has to act: put money in, show a certificate, mend the rights.
        ErrorCode::NotEnough => not_yet("merchant_balance", &code),
        ErrorCode::CertError => not_yet("client_certificate_refused", &code),
        ErrorCode::NoAuth | ErrorCode::SignError => not_yet("channel_refused", &code),
        // Time has to pass.
        ErrorCode::FrequencyLimited | ErrorCode::InvalidReqTooMuch | ErrorCode::OrderNotReady => {
            not_yet("platform_busy", &code)
        }
        ErrorCode::TradeOverdue
        | ErrorCode::UserAccountAbnormal
        | ErrorCode::Error
        | ErrorCode::RefundFeeInvalid
        | ErrorCode::RefundFeeMismatch
        | ErrorCode::TradeStateError
        | ErrorCode::OrderNotExist
        | ErrorCode::InvalidTransactionId
        | ErrorCode::ParamError
        | ErrorCode::InvalidRequest
        | ErrorCode::AppidNotExist
        | ErrorCode::MchidNotExist
        | ErrorCode::AppidMchidNotMatch
        | ErrorCode::LackParams
        | ErrorCode::NotUtf8
        | ErrorCode::PostDataEmpty
        | ErrorCode::RequirePostMethod
        | ErrorCode::XmlFormatError => RefundOutcome::Refused {
            failure: failure("channel_refused", Some(&code), text),
        },
        // SYSTEMERROR, BIZERR_NEED_RETRY, and every word nobody has seen yet.
        _ => unknown(format!("{code} {text}")),
    }
}

fn queried(reply: Reply<refund_query::Refunds>, order: &RefundOrder<'_>) -> RefundOutcome {
    let refunds = match reply {
        Reply::Done { content, .. } => content,
        Reply::Failed {
            err_code: Some(ErrorCode::RefundNotExist),
            ..
        } => return RefundOutcome::NotFound,
        Reply::Failed {
            err_code,
            err_code_des,
            ..
        } => {
            let code = err_code.map_or_else(|| "FAIL".to_owned(), |code| code.to_string());
            return unknown(format!("{code} {}", err_code_des.unwrap_or_default()));
        }
        Reply::Refused { return_msg } => {
            return unknown(format!("FAIL {}", return_msg.unwrap_or_default()));
        }
    };
    if refunds.out_trade_no != order.out_trade_no {
        return unknown(format!(
            "answer is of another order, {}",
            refunds.out_trade_no
        ));
    }
    let mut listed = refunds.refunds.into_iter();
    let Some(found) = listed.find(|refund| refund.out_refund_no == order.out_refund_no) else {
        return unknown("the answer does not list the refund".to_owned());
    };
    if !is_amount(found.refund_fee, order) {
        return unknown(format!("the refund is of {} fen there", found.refund_fee));
    }
    outcome(&found.refund_status, found.refund_id)
}

fn is_amount(fen: u64, order: &RefundOrder<'_>) -> bool {
    i64::try_from(fen) == Ok(order.amount.minor())
}

fn outcome(status: &RefundStatus, refund_no: String) -> RefundOutcome {
    match status {
        RefundStatus::Processing => RefundOutcome::Processing { refund_no },
        RefundStatus::Success => RefundOutcome::Succeeded { refund_no },
        RefundStatus::RefundClose => RefundOutcome::Closed { refund_no },
        RefundStatus::Change => RefundOutcome::Abnormal { refund_no },
        // Abnormal or closed: which of the two, the word does not say.
        RefundStatus::Fail => unknown("refund_status FAIL".to_owned()),
        RefundStatus::Other(word) => unknown(format!("refund_status {word}")),
    }
}

/// Unsigned, and its blocks can be put together anew by whoever has old ones: a
/// hint, never more. Whatever is wrong with one has the same name.
pub(super) fn notification(
    account: &Account,
    fields: &Fields<'_>,
    now: Timestamp,
) -> Result<Notification, NotANotification> {
    let refuse = |reason, detail: String| NotANotification { reason, detail };
    let unreadable = |detail: String| refuse("refund_unreadable", detail);
    let envelope = Envelope::from_fields(fields).map_err(|error| unreadable(error.to_string()))?;
    account.check(envelope.merchants())?;
    // All keys are tried, whatever the first one says: who listens learns nothing.
    let opened: Vec<_> = account
        .keys(now)
        .map(|key| envelope.open(key).ok())
        .collect();
    let refund = opened
        .into_iter()
        .find_map(|refund| refund)
        .ok_or_else(|| unreadable(String::new()))?;
    Ok(Notification {
        out_trade_no: refund.out_trade_no,
        grade: Grade::Weak,
        told: Told::Refund {
            outcome: outcome(&refund.refund_status, refund.refund_id),
            out_refund_no: refund.out_refund_no,
        },
    })
}

fn failure(word: &str, code: Option<&ErrorCode>, text: &str) -> Failure {
    Failure {
        code: word.to_owned(),
        detail: cut(text.to_owned()),
        platform_code: code.map(ToString::to_string),
    }
}

fn unknown(why: String) -> RefundOutcome {
    RefundOutcome::Unknown { why: cut(why) }
}
