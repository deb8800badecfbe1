//! WeChat Pay, API v2, from the platform's side.

mod auth_code_to_openid;
mod caller;
mod close_order;
mod failure;
mod micropay;
pub(super) mod notice;
mod order_query;
mod refund;
mod refund_query;
mod reverse;
mod unified_order;

use bytes::Bytes;
use http::Request;
use tongbao_wire::wechat_v2::close_order::Closed;
use tongbao_wire::wechat_v2::head::{Content, Reply};
use tongbao_wire::wechat_v2::limits::{self, Limit};
use tongbao_wire::wechat_v2::reverse::{Answer as Answered, Recall, Reversed};
use tongbao_wire::wechat_v2::{ApiKey, ErrorCode, ReplyHead, SignType, sign};
pub(super) use tongbao_wire::wechat_v2::{Fields, XmlError};

use super::fault::{Fault, FaultKind};
use super::frequency::Rate;
use super::{Moment, Platform, Secured};
use caller::{Caller, identify};
use failure::{Failure, malformed};

/// What a merchant can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    UnifiedOrder,
    OrderQuery,
    CloseOrder,
    Micropay,
    Reverse,
    Refund,
    RefundQuery,
    AuthCodeToOpenid,
}

impl Operation {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/pay/unifiedorder" => Some(Self::UnifiedOrder),
            "/pay/orderquery" => Some(Self::OrderQuery),
            "/pay/closeorder" => Some(Self::CloseOrder),
            "/pay/micropay" => Some(Self::Micropay),
            "/secapi/pay/reverse" => Some(Self::Reverse),
            "/secapi/pay/refund" => Some(Self::Refund),
            "/pay/refundquery" => Some(Self::RefundQuery),
            "/tools/authcodetoopenid" => Some(Self::AuthCodeToOpenid),
            _ => None,
        }
    }

    const fn limits(self) -> &'static [Limit] {
        match self {
            Self::UnifiedOrder => limits::UNIFIED_ORDER,
            Self::OrderQuery => limits::ORDER_QUERY,
            Self::CloseOrder => limits::CLOSE_ORDER,
            Self::Micropay => limits::MICROPAY,
            Self::Reverse => limits::REVERSE,
            Self::Refund => limits::REFUND,
            Self::RefundQuery => limits::REFUND_QUERY,
            Self::AuthCodeToOpenid => limits::AUTH_CODE_TO_OPENID,
        }
    }

    /// How many of them a merchant may ask in a second.
    const fn rate(self) -> Rate {
        let (of, most) = match self {
            Self::UnifiedOrder => ("unifiedorder", 600),
            Self::OrderQuery => ("orderquery", 1800),
            Self::CloseOrder => ("closeorder", 600),
            Self::Micropay => ("micropay", 30),
            Self::Reverse => ("reverse", 30),
            Self::Refund => ("refund", 150),
            Self::RefundQuery => ("refundquery", 300),
            Self::AuthCodeToOpenid => ("authcodetoopenid", 30),
        };
        Rate {
            of,
            most,
            in_secs: 1,
        }
    }

    /// Whether it moves a merchant's money, and so needs the merchant's certificate.
    pub(super) const fn needs_certificate(self) -> bool {
        matches!(self, Self::Reverse | Self::Refund)
    }

    /// What can befall it.
    pub(super) const fn faults(self) -> &'static [FaultKind] {
        match self {
            Self::Reverse => &FaultKind::OF_REVERSES,
            _ => &FaultKind::OF_REQUESTS,
        }
    }
}

/// An answer, and what to write down about it.
pub(super) struct Answer {
    pub(super) body: String,
    pub(super) outcome: String,
    pub(super) hint: Option<String>,
}

/// The order that a request is about, as far as it can be read. Only for aiming faults.
pub(super) fn order_named_in(platform: &Platform, fields: Option<&Fields<'_>>) -> Option<String> {
    let fields = fields?;
    if let Some(number) = fields.present("out_trade_no") {
        return Some(number.to_owned());
    }
    let by_transaction = || {
        let id = fields.present("transaction_id")?;
        platform.trades.by_transaction(id)
    };
    let by_refund = || {
        let mch_id = fields.present("mch_id")?;
        let by_id = fields.present("refund_id");
        let by_number = fields.present("out_refund_no");
        let key = by_id
            .and_then(|id| platform.trades.refund_by_id(id))
            .or_else(|| platform.trades.refund_by_number(mch_id, by_number?))?;
        platform.trades.get(key.trade)
    };
    let trade = by_transaction().or_else(by_refund)?;
    Some(trade.out_trade_no.clone())
}

/// Carries the request out, unless a fault has it refused first.
pub(super) fn answer(
    platform: &mut Platform,
    at: Moment,
    operation: Operation,
    request: &Request<Bytes>,
    fields: Result<Fields<'_>, XmlError>,
    fault: Option<&Fault>,
) -> Answer {
    let kind = fault.map(|fault| fault.asked.kind);
    if kind == Some(FaultKind::FrequencyLimited) {
        return refuse(Failure::unsigned("频率限制"));
    }
    let (fields, caller) = match identify(platform, operation, request, fields) {
        Ok(identified) => identified,
        Err(failure) => return refuse(failure),
    };
    let head = reply_head(platform, &caller);
    let of = request.extensions().get::<Secured>();
    let of = of.and_then(|secured| secured.certificate_of.as_ref());
    if operation.needs_certificate() && of.is_some_and(|of| *of != caller.head.mch_id) {
        let reply = failed(operation, head, ErrorCode::CertError, "证书与商户号不匹配");
        return Answer {
            body: signed(&reply, &caller.key, caller.sign_type),
            outcome: "CERT_ERROR".to_owned(),
            hint: None,
        };
    }
    let mut act = || carry_out(platform, at, operation, &fields, &caller, &head);
    let reply = match kind {
        Some(FaultKind::SystemError) => Err(system_error(fault)),
        Some(FaultKind::RecallReverse) => Err(system_error(None)),
        Some(FaultKind::SystemErrorAfterEffect) => {
            let _: Result<Fields<'_>, Failure> = act();
            Err(system_error(fault))
        }
        Some(FaultKind::ReverseWithoutEffect) => Ok(reversed(head.clone())),
        _ => act(),
    };
    let reply = match reply {
        Err(failure @ Failure::Unsigned { .. }) => return refuse(failure),
        Err(Failure::Signed(code, text)) => failed(operation, head, code, text),
        Ok(fields) => fields,
    };
    let outcome = reply
        .present("err_code")
        .or(reply.present("trade_state"))
        .unwrap_or("SUCCESS")
        .to_owned();
    let key = match kind {
        Some(FaultKind::BadSignatureAnswer) => strangers_key(platform).unwrap_or(caller.key),
        _ => caller.key,
    };
    Answer {
        body: signed(&reply, &key, caller.sign_type),
        outcome,
        hint: None,
    }
}

fn carry_out(
    platform: &mut Platform,
    at: Moment,
    operation: Operation,
    fields: &Fields<'_>,
    caller: &Caller,
    head: &ReplyHead,
) -> Result<Fields<'static>, Failure> {
    caller.limits.map_err(malformed)?;
    check_frequency(platform, at, operation, caller)?;
    check_sub_merchant(platform, caller)?;
    let head = head.clone();
    Ok(match operation {
        Operation::UnifiedOrder => done(head, unified_order::place(platform, at, fields, caller)?),
        Operation::OrderQuery => {
            let (order, device_info) = order_query::look_up(platform, fields, caller)?;
            done(
                ReplyHead {
                    device_info,
                    ..head
                },
                order,
            )
        }
        Operation::CloseOrder => done(head, close_order::close(platform, at, fields, caller)?),
        Operation::Micropay => done(head, micropay::pay(platform, at, fields, caller)?),
        Operation::Reverse => {
            reverse::reverse(platform, at, fields, caller)?;
            reversed(head)
        }
        Operation::Refund => {
            let accepted = refund::refund(platform, at, fields, caller);
            if accepted.is_err() {
                let mch_id = &caller.head.mch_id;
                platform.frequency.allows(at, mch_id, BAD_REFUNDS);
            }
            done(head, accepted?)
        }
        Operation::AuthCodeToOpenid => {
            let holder = auth_code_to_openid::tell(platform, at, fields, caller)?;
            done(head, holder)
        }
        Operation::RefundQuery => done(head, refund_query::look_up(platform, fields, caller)?),
    })
}

/// A service provider asks for one of its own, any other merchant for itself.
fn check_sub_merchant(platform: &Platform, caller: &Caller) -> Result<(), Failure> {
    let head = &caller.head;
    let account = platform.accounts.get(&head.mch_id);
    let account = account.filter(|account| account.is_service_provider());
    let Some(number) = &head.sub_mch_id else {
        return match account {
            Some(_) => Err(Failure::unsigned("受理机构必须传入sub_mch_id")),
            None => Ok(()),
        };
    };
    let Some(account) = account else {
        let text = "特约子商户商户号未授权服务商的产品权限";
        return Err(Failure::Signed(ErrorCode::NoAuth, text));
    };
    let sub = account.sub_merchant(number).ok_or(Failure::Signed(
        ErrorCode::ParamError,
        "sub_mch_id与mch_id不匹配",
    ))?;
    let app_id = sub.app.as_ref().map(|app| &app.app_id);
    if head.sub_appid.is_some() && head.sub_appid.as_ref() != app_id {
        return Err(Failure::unsigned("sub_mch_id与sub_appid不匹配"));
    }
    Ok(())
}

fn check_frequency(
    platform: &mut Platform,
    at: Moment,
    operation: Operation,
    caller: &Caller,
) -> Result<(), Failure> {
    let mch_id = &caller.head.mch_id;
    if !platform.settings.frequency_limits {
        return Ok(());
    }
    let frequency = &mut platform.frequency;
    if operation == Operation::Refund && frequency.is_reached(at, mch_id, BAD_REFUNDS) {
        let text = "无效请求过多，请1分钟后再试";
        return Err(Failure::Signed(ErrorCode::InvalidReqTooMuch, text));
    }
    if frequency.allows(at, mch_id, operation.rate()) {
        Ok(())
    } else if operation == Operation::Refund {
        Err(Failure::Signed(ErrorCode::FrequencyLimited, "频率限制"))
    } else {
        Err(Failure::unsigned("频率限制"))
    }
}

/// Refund requests that are refused, beyond which none is heard.
const BAD_REFUNDS: Rate = Rate {
    of: "bad refund",
    most: 6,
    in_secs: 60,
};

fn done<T: Content>(head: ReplyHead, content: T) -> Fields<'static> {
    Reply::Done { head, content }.to_fields().into_owned()
}

fn reversed(head: ReplyHead) -> Fields<'static> {
    let reply = Reply::Done {
        head,
        content: Reversed,
    };
    let recall = Some(Recall::No);
    Answered { reply, recall }.to_fields().into_owned()
}

fn failed(operation: Operation, head: ReplyHead, code: ErrorCode, text: &str) -> Fields<'static> {
    let recall = (operation == Operation::Reverse).then(|| reverse::recall_after(&code));
    let reply = Reply::Failed {
        head,
        err_code: Some(code),
        err_code_des: Some(text.to_owned()),
    };
    Answered { reply, recall }.to_fields().into_owned()
}

/// A fault may name another code.
fn system_error(fault: Option<&Fault>) -> Failure {
    let code = fault.and_then(|fault| fault.asked.err_code.as_deref());
    let code = code.map_or(ErrorCode::SystemError, ErrorCode::from);
    Failure::Signed(code, "系统错误")
}

fn refuse(failure: Failure) -> Answer {
    let (return_msg, hint) = match failure {
        Failure::Unsigned { return_msg, hint } => (return_msg, hint),
        Failure::Signed(_, text) => (text.to_owned(), None),
    };
    let reply = Reply::<Closed>::Refused {
        return_msg: Some(return_msg.clone()),
    };
    Answer {
        body: reply.to_fields().write_lines(),
        outcome: return_msg,
        hint,
    }
}

fn reply_head(platform: &mut Platform, caller: &Caller) -> ReplyHead {
    ReplyHead {
        return_msg: Some("OK".into()),
        appid: caller.head.appid.clone(),
        mch_id: caller.head.mch_id.clone(),
        sub_appid: caller.head.sub_appid.clone(),
        sub_mch_id: caller.head.sub_mch_id.clone(),
        device_info: None,
        nonce_str: platform.chance.alphanumeric(16),
        sign_type: None,
    }
}

/// Signs and writes. The platform puts `sign` right behind `nonce_str`.
fn signed(reply: &Fields<'_>, key: &ApiKey, sign_type: SignType) -> String {
    let mut fields = Fields::new();
    for (name, value) in reply.iter() {
        fields.insert(name, value);
        if name == "nonce_str" {
            fields.insert("sign", "");
        }
    }
    sign::insert_sign(&mut fields, key, sign_type);
    fields.write_lines()
}

/// A key that no account has.
fn strangers_key(platform: &mut Platform) -> Option<ApiKey> {
    ApiKey::new(&platform.chance.alphanumeric(32)).ok()
}
