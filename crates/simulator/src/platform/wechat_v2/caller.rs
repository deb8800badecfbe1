//! Who asks: a merchant whose signature is good.

use bytes::Bytes;
use http::{Method, Request};
use tongbao_wire::wechat_v2::limits;
use tongbao_wire::wechat_v2::{ApiKey, FieldError, Fields, RequestHead, SignType, XmlError, sign};

use super::super::Platform;
use super::Operation;
use super::failure::{Failure, lacks, malformed, unreadable};

/// A merchant whose signature was good.
pub(super) struct Caller {
    pub(super) head: RequestHead,
    pub(super) key: ApiKey,
    pub(super) sign_type: SignType,
    /// Whether the fields keep the manual's limits. Judged after the signature.
    pub(super) limits: Result<(), FieldError>,
}

/// The platform's checks, in the order in which it makes them, up to the signature.
pub(super) fn identify<'r>(
    platform: &Platform,
    operation: Operation,
    request: &Request<Bytes>,
    fields: Result<Fields<'r>, XmlError>,
) -> Result<(Fields<'r>, Caller), Failure> {
    if request.method() != Method::POST {
        return Err(Failure::unsigned("请使用post方法"));
    }
    if request.body().is_empty() {
        return Err(Failure::unsigned("post数据为空"));
    }
    let fields = fields.map_err(unreadable)?;
    let limits = limits::check(&fields, operation.limits());
    if let Err(FieldError::Missing(field)) = limits {
        return Err(lacks(field));
    }
    let head = RequestHead::from_fields(&fields).map_err(malformed)?;
    let account = platform
        .accounts
        .get(&head.mch_id)
        .ok_or_else(|| Failure::unsigned("mch_id不存在"))?;
    if account.app_id != head.appid {
        let elsewhere = platform
            .accounts
            .values()
            .any(|other| other.app_id == head.appid);
        return Err(Failure::unsigned(if elsewhere {
            "appid和mch_id不匹配"
        } else {
            "appid不存在"
        }));
    }
    let key = ApiKey::new(&account.api_v2_key.0).map_err(|error| {
        Failure::hinted(
            "签名错误",
            format!("the account's own key is unusable: {error}"),
        )
    })?;
    let sign_type = head.effective_sign_type();
    sign::verify(&fields, &key, sign_type).map_err(|_| {
        let text = sign::string_to_sign(&fields);
        let hint = format!("{sign_type} over: {text}&key=<api_v2_key>");
        Failure::hinted("签名错误", hint)
    })?;
    let caller = Caller {
        head,
        key,
        sign_type,
        limits,
    };
    Ok((fields, caller))
}
