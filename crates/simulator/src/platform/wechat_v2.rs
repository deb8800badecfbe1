//! WeChat Pay, API v2, from the platform's side.

mod caller;
mod close_order;
mod failure;
mod micropay;
pub(super) mod notice;
mod order_query;
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
use super::{Moment, Platform};
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
}

impl Operation {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/pay/unifiedorder" => Some(Self::UnifiedOrder),
            "/pay/orderquery" => Some(Self::OrderQuery),
            "/pay/closeorder" => Some(Self::CloseOrder),
            "/pay/micropay" => Some(Self::Micropay),
            "/secapi/pay/reverse" => Some(Self::Reverse),
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
        }
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
pub(super) fn order_named_in(fields: Option<&Fields<'_>>) -> Option<String> {
    fields?.present("out_trade_no").map(str::to_owned)
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
    if caller.head.sub_mch_id.is_some() {
        let text = "特约子商户商户号未授权服务商的产品权限";
        return Err(Failure::Signed(ErrorCode::NoAuth, text));
    }
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
    })
}

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
        sub_appid: None,
        sub_mch_id: None,
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
