//! What the platform's answers mean. Whatever is not surely done or surely
//! refused is unknown.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tongbao_core::{Action, Failure, Outcome, Scene, Timestamp};
use tongbao_wire::wechat_v2::head::{Content, Reply};
use tongbao_wire::wechat_v2::{
    AppCall, ErrorCode, Fields, JsapiCall, TimeStamp, TradeState, TradeType, close_order,
    jsapi_call, micropay, mweb, order_query, reverse, unified_order,
};

use super::Account;
use crate::channel::{Call, Order};

pub(super) fn read(
    account: &Account,
    call: &Call<'_>,
    response: &Response<Bytes>,
    now: Timestamp,
) -> Outcome {
    let fields = match fields(response) {
        Ok(fields) => fields,
        Err(why) => return unknown(why),
    };
    match call {
        Call::Start(order) if order.scene == Scene::Barcode => {
            match verified(account, &fields, now) {
                Ok(reply) => charged(account, reply, order.out_trade_no, now),
                Err(why) => unknown(why),
            }
        }
        Call::Start(order) => match verified(account, &fields, now) {
            Ok(reply) => started(account, order, reply, now),
            Err(why) => unknown(why),
        },
        Call::Query { out_trade_no } => match verified(account, &fields, now) {
            Ok(reply) => queried(account, reply, out_trade_no),
            Err(why) => unknown(why),
        },
        Call::Close { .. } => match verified(account, &fields, now) {
            Ok(reply) => closed(reply),
            Err(why) => unknown(why),
        },
        Call::Reverse { .. } => match verified(account, &fields, now) {
            // Absent is not "no": it is not said to be done.
            Ok(reply) => reversed(reply, fields.get("recall") == Some("N")),
            Err(why) => unknown(why),
        },
    }
}

/// `mweb_url` is good for so long.
const MWEB_LIFE: Duration = Duration::from_mins(5);

/// The answer's fields, or why it is none of the platform's XML.
pub(super) fn fields(response: &Response<Bytes>) -> Result<Fields<'_>, String> {
    if let Some(text) = certificate_refused(response) {
        return Err(text.to_owned());
    }
    if response.status() != StatusCode::OK {
        return Err(format!("HTTP {}", response.status().as_u16()));
    }
    Fields::read(response.body()).map_err(|error| format!("unreadable: {}", error.label()))
}

/// The platform's own door says so, in a page: nothing behind it has heard of the
/// request.
pub(super) fn certificate_refused(response: &Response<Bytes>) -> Option<&'static str> {
    let page = String::from_utf8_lossy(response.body());
    if response.status() != StatusCode::BAD_REQUEST {
        None
    } else if page.contains("No required SSL certificate was sent") {
        Some(
            "the platform saw no client certificate: enter client_certificate and client_key, or \
             client_p12",
        )
    } else if page.contains("SSL certificate error") {
        Some(
            "the platform does not accept the client certificate: it may have expired or have been \
             replaced in the merchant platform; download a new one and enter it",
        )
    } else {
        None
    }
}

/// A reply whose signature and account are right. `return_code` `FAIL` comes
/// unsigned, and is passed on as what it is.
pub(super) fn verified<T: Content>(
    account: &Account,
    fields: &Fields<'_>,
    now: Timestamp,
) -> Result<Reply<T>, String> {
    if fields.get("return_code") == Some("SUCCESS") {
        account
            .verify(fields, account.sign_type, now)
            .map_err(|error| format!("answer not believed: {}", error.label()))?;
    }
    let reply =
        Reply::from_fields(fields).map_err(|error| format!("answer not understood: {error}"))?;
    match &reply {
        Reply::Refused { .. } => Ok(reply),
        Reply::Failed { head, .. } | Reply::Done { head, .. } => {
            match head.merchants().check(account.merchants()) {
                Ok(()) => Ok(reply),
                Err(stranger) => Err(format!("answer is of another account: {stranger}")),
            }
        }
    }
}

fn started(
    account: &Account,
    order: &Order<'_>,
    reply: Reply<unified_order::Prepaid>,
    now: Timestamp,
) -> Outcome {
    match reply {
        Reply::Done { head, content } => match action(account, order, &head.nonce_str, content) {
            Some(action) => Outcome::Accepted { action },
            None => unknown("answer has nothing for the payer".to_owned()),
        },
        // Placing an order moves no money, and the answer came over TLS: what the
        // platform says it did not take, it did not take. (The attempt is looked
        // at again all the same.)
        Reply::Refused { return_msg } => match return_msg.as_deref() {
            Some(text) if is_about_signature(text) => signature_refused(account, None, now),
            Some(text) if is_trouble(text) => unknown(format!("FAIL {text}")),
            text => refused(None, text.unwrap_or("the platform gave no reason")),
        },
        Reply::Failed {
            err_code,
            err_code_des,
            ..
        } => {
            let text = err_code_des.unwrap_or_default();
            refused_to_start(account, err_code, &text, now)
        }
    }
}

/// The two texts in which the platform says so, unsigned.
pub(super) fn is_about_signature(text: &str) -> bool {
    matches!(text, "签名错误" | "错误的签名,验签失败")
}

/// Whoever does not accept our signature has read no further. But while the key
/// changes the platform may not have the new one yet, and will.
fn signature_refused(account: &Account, code: Option<&ErrorCode>, now: Timestamp) -> Outcome {
    if account.is_changing_keys(now) {
        return unknown(
            "the platform does not accept the new api_v2_key yet; it is asked again until it does"
                .to_owned(),
        );
    }
    refused(
        code,
        "the platform refused our signature: check api_v2_key and sign_type of this channel",
    )
}

/// This call moves money, and its failures are not what they seem: only a code
/// that says so is an end. Everything else is asked about.
fn charged(
    account: &Account,
    reply: Reply<micropay::Paid>,
    out_trade_no: &str,
    now: Timestamp,
) -> Outcome {
    let (code, text) = match reply {
        Reply::Done { content, .. } if content.out_trade_no != out_trade_no => {
            return unknown(format!(
                "answer is of another order, {}",
                content.out_trade_no
            ));
        }
        Reply::Done { content, .. } => {
            let (amounts, id) = (&content.amounts, &content.transaction_id);
            return match account.receipt(amounts, id, &content.payer, Some(content.time_end)) {
                Some(receipt) => Outcome::Success { receipt },
                None => unknown("paid, but without a readable amount".to_owned()),
            };
        }
        // Unsigned, and seen after the money was taken; but not when it is about
        // our signature.
        Reply::Refused { return_msg } => {
            return match return_msg {
                Some(text) if is_about_signature(&text) => signature_refused(account, None, now),
                text => unsigned(text),
            };
        }
        Reply::Failed {
            err_code,
            err_code_des,
            ..
        } => (err_code, err_code_des.unwrap_or_default()),
    };
    let Some(code) = code else {
        return unknown("FAIL without a code".to_owned());
    };
    match code {
        ErrorCode::UserPaying => Outcome::UserPaying,
        ErrorCode::AuthCodeExpire | ErrorCode::AuthCodeError | ErrorCode::AuthCodeInvalid => {
            refused_as("auth_code_unusable", &code, &text)
        }
        ErrorCode::NotEnough
        | ErrorCode::NotSupportCard
        | ErrorCode::BuyerMismatch
        | ErrorCode::TradeError => refused_as("payer_cannot_pay", &code, &text),
        ErrorCode::InvalidRequest
        | ErrorCode::ParamError
        | ErrorCode::LackParams
        | ErrorCode::NoAuth
        | ErrorCode::AppidNotExist
        | ErrorCode::MchidNotExist
        | ErrorCode::AppidMchidNotMatch
        | ErrorCode::XmlFormatError
        | ErrorCode::RequirePostMethod
        | ErrorCode::PostDataEmpty
        | ErrorCode::NotUtf8 => refused(Some(&code), &text),
        ErrorCode::SignError => signature_refused(account, Some(&code), now),
        // The number has a history that a query can tell.
        ErrorCode::OrderPaid
        | ErrorCode::OrderClosed
        | ErrorCode::OrderReversed
        | ErrorCode::OutTradeNoUsed => ask_now(format!("{code} {text}")),
        // SYSTEMERROR, BANKERROR, limits, and every word nobody has seen yet.
        _ => unknown(format!("{code} {text}")),
    }
}

fn reversed(reply: Reply<reverse::Reversed>, no_recall: bool) -> Outcome {
    match reply {
        Reply::Done { .. } if no_recall => Outcome::Revoked,
        Reply::Done { .. } => unknown("to be called again".to_owned()),
        Reply::Failed {
            err_code: Some(ErrorCode::UserPaying),
            ..
        } => Outcome::UserPaying,
        Reply::Failed {
            err_code: Some(ErrorCode::OrderNotExist),
            ..
        } => Outcome::NotFound,
        Reply::Failed {
            err_code: Some(code @ (ErrorCode::ReverseExpire | ErrorCode::TradeError)),
            err_code_des,
            ..
        } => refused_as("not_reversible", &code, &err_code_des.unwrap_or_default()),
        Reply::Failed {
            err_code:
                Some(
                    code @ (ErrorCode::OrderPaid
                    | ErrorCode::OrderClosed
                    | ErrorCode::OrderReversed),
                ),
            ..
        } => ask_now(code.to_string()),
        Reply::Failed {
            err_code,
            err_code_des,
            ..
        } => failed(err_code, err_code_des),
        Reply::Refused { return_msg } => unsigned(return_msg),
    }
}

/// What the payer's side has to do: signed here, so that a page or an app needs
/// no key. `None` when the answer is of another kind of order.
fn action(
    account: &Account,
    order: &Order<'_>,
    nonce: &str,
    prepaid: unified_order::Prepaid,
) -> Option<Action> {
    let jsapi = |caller| {
        let head = account.head(nonce);
        let call = JsapiCall::of_order(&head, &prepaid.prepay_id, nonce, asked_at(order)?);
        let params = serde_json::from_str(&call.to_json(caller, &account.key)).ok()?;
        Some(Action::WechatJsapi { params })
    };
    match (order.scene, &prepaid.trade_type) {
        (Scene::Native, _) => prepaid.code_url.map(|code_url| Action::QrCode { code_url }),
        (Scene::Jsapi, TradeType::Jsapi) => jsapi(jsapi_call::Caller::Bridge),
        (Scene::MiniProgram, TradeType::Jsapi) => jsapi(jsapi_call::Caller::MiniProgram),
        (Scene::App, TradeType::App) => {
            let head = account.head(nonce);
            let call = AppCall::of_order(&head, &prepaid.prepay_id, nonce, asked_at(order)?);
            let json = call.to_json(account.sign_type, &account.key);
            let params = serde_json::from_str(&json).ok()?;
            Some(Action::WechatApp { params })
        }
        (Scene::H5, TradeType::Mweb) => {
            let url = mweb::with_redirect_url(&prepaid.mweb_url?, order.pages.back);
            let until = Some(order.asked_at + MWEB_LIFE);
            Some(Action::Redirect { url, until })
        }
        _ => None,
    }
}

fn asked_at(order: &Order<'_>) -> Option<TimeStamp> {
    TimeStamp::from_unix_secs(u64::try_from(order.asked_at.as_secs()).ok()?)
}

/// Texts that mean "later" rather than "no".
pub(super) fn is_trouble(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["system", "频率", "frequency", "繁忙", "busy"]
        .iter()
        .any(|word| text.contains(word))
}

fn refused_to_start(
    account: &Account,
    code: Option<ErrorCode>,
    text: &str,
    now: Timestamp,
) -> Outcome {
    let Some(code) = code else {
        return unknown("FAIL without a code".to_owned());
    };
    match code {
        // The number has a history that a query can tell.
        ErrorCode::OrderPaid | ErrorCode::OrderClosed | ErrorCode::OutTradeNoUsed => {
            ask_now(format!("{code} {text}"))
        }
        ErrorCode::SignError => signature_refused(account, Some(&code), now),
        ErrorCode::InvalidRequest
        | ErrorCode::ParamError
        | ErrorCode::LackParams
        | ErrorCode::NoAuth
        | ErrorCode::NotEnough
        | ErrorCode::AppidNotExist
        | ErrorCode::MchidNotExist
        | ErrorCode::AppidMchidNotMatch
        | ErrorCode::XmlFormatError
        | ErrorCode::RequirePostMethod
        | ErrorCode::PostDataEmpty
        | ErrorCode::NotUtf8 => refused(Some(&code), text),
        // SYSTEMERROR, BANKERROR, limits, and every word nobody has seen yet.
        _ => unknown(format!("{code} {text}")),
    }
}

fn queried(account: &Account, reply: Reply<order_query::Order>, out_trade_no: &str) -> Outcome {
    let order = match reply {
        Reply::Done { content, .. } => content,
        Reply::Failed {
            err_code: Some(ErrorCode::OrderNotExist),
            ..
        } => return Outcome::NotFound,
        Reply::Failed {
            err_code,
            err_code_des,
            ..
        } => return failed(err_code, err_code_des),
        Reply::Refused { return_msg } => return unsigned(return_msg),
    };
    if order.out_trade_no != out_trade_no {
        return unknown(format!(
            "answer is of another order, {}",
            order.out_trade_no
        ));
    }
    match order.trade_state {
        // A refund says that it was paid; what was refunded is another question.
        TradeState::Success | TradeState::Refund => {
            let receipt = match (&order.amounts, &order.transaction_id) {
                (Some(amounts), Some(transaction_id)) => {
                    account.receipt(amounts, transaction_id, &order.payer, order.time_end)
                }
                _ => None,
            };
            match receipt {
                Some(receipt) => Outcome::Success { receipt },
                None => unknown("paid, but without amount or transaction_id".to_owned()),
            }
        }
        TradeState::NotPay => Outcome::NotPaid,
        TradeState::UserPaying | TradeState::Accept => Outcome::UserPaying,
        TradeState::Closed => Outcome::Closed,
        TradeState::Revoked => Outcome::Revoked,
        TradeState::PayError => Outcome::PayError {
            failure: Failure {
                code: "pay_error".to_owned(),
                detail: cut(order.trade_state_desc.unwrap_or_default()),
                platform_code: Some("PAYERROR".to_owned()),
            },
        },
        TradeState::Other(word) => unknown(format!("trade_state {word}")),
    }
}

fn closed(reply: Reply<close_order::Closed>) -> Outcome {
    match reply {
        Reply::Done { .. }
        | Reply::Failed {
            err_code: Some(ErrorCode::OrderClosed),
            ..
        } => Outcome::Closed,
        Reply::Failed {
            err_code: Some(ErrorCode::OrderPaid),
            ..
        } => ask_now("ORDERPAID".to_owned()),
        Reply::Failed {
            err_code: Some(ErrorCode::OrderNotExist),
            ..
        } => Outcome::NotFound,
        Reply::Failed {
            err_code,
            err_code_des,
            ..
        } => failed(err_code, err_code_des),
        Reply::Refused { return_msg } => unsigned(return_msg),
    }
}

fn failed(code: Option<ErrorCode>, text: Option<String>) -> Outcome {
    let code = code.map_or_else(|| "FAIL".to_owned(), |code| code.to_string());
    unknown(format!("{code} {}", text.unwrap_or_default()))
}

fn unsigned(text: Option<String>) -> Outcome {
    unknown(format!("FAIL {}", text.unwrap_or_default()))
}

fn refused(code: Option<&ErrorCode>, text: &str) -> Outcome {
    Outcome::Refused {
        failure: Failure {
            code: "channel_refused".to_owned(),
            detail: cut(text.to_owned()),
            platform_code: code.map(ToString::to_string),
        },
    }
}

fn refused_as(word: &str, code: &ErrorCode, text: &str) -> Outcome {
    Outcome::Refused {
        failure: Failure {
            code: word.to_owned(),
            detail: cut(text.to_owned()),
            platform_code: Some(code.to_string()),
        },
    }
}

fn unknown(why: String) -> Outcome {
    Outcome::Unknown {
        why: cut(why),
        ask_now: false,
    }
}

fn ask_now(why: String) -> Outcome {
    Outcome::Unknown {
        why: cut(why),
        ask_now: true,
    }
}

/// The platform's texts are for people and of any length; ours are rows.
pub(super) fn cut(mut text: String) -> String {
    const MAX_BYTES: usize = 256;
    if text.len() > MAX_BYTES {
        text.truncate(text.floor_char_boundary(MAX_BYTES));
    }
    text
}
