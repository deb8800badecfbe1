//! Messages from somebody who is not the platform.

use bytes::Bytes;
use http::Request;
use tongbao_core::{Attempt, ChannelId, Refund};
use tongbao_wire::wechat_v2::refund_notification::{self, Envelope};
use tongbao_wire::wechat_v2::refunded::RefundStatus;
use tongbao_wire::wechat_v2::sign::insert_sign;
use tongbao_wire::wechat_v2::{ApiKey, Fields, Merchants, SignType};

use crate::chance::Chance;

/// The key of somebody who guesses.
const GUESSED_KEY: &str = "0123456789abcdefghijklmnopqrstuv";

/// Good news about an attempt: in one of many disguises, signed with a guessed
/// key, or with the real one when it has leaked.
pub fn notification(
    chance: &mut Chance,
    whose: Merchants<'_>,
    attempt: &Attempt,
    leaked: Option<&str>,
) -> Request<Bytes> {
    let amount = chance.pick(&["1", "100", "0", "-1", "1e2", "99999999999999999999"]);
    let mut fields = Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", whose.appid),
        ("mch_id", whose.mch_id),
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
        ("openid", "oForged"),
        ("trade_type", "NATIVE"),
        ("bank_type", "OTHERS"),
        ("fee_type", "CNY"),
        ("transaction_id", "4200000000000000000000000000"),
        ("out_trade_no", attempt.out_trade_no.as_str()),
        ("time_end", "20261001120000"),
    ]);
    fields.insert("total_fee", amount);
    for (name, value) in [
        ("sub_mch_id", whose.sub_mch_id),
        ("sub_appid", whose.sub_appid),
    ] {
        if let Some(value) = value {
            fields.insert(name, value);
        }
    }
    let sign_type = chance.pick(&[SignType::Md5, SignType::HmacSha256]);
    if let Ok(key) = ApiKey::new(leaked.unwrap_or(GUESSED_KEY)) {
        insert_sign(&mut fields, &key, sign_type);
    }
    if leaked.is_none() {
        match chance.index(6) {
            0 => drop(fields.remove("sign")),
            1 => fields.insert("sign", ""),
            2 => fields.insert("sign", "0".repeat(32)),
            3 => fields.insert("sign_type", "NONE"),
            _ => {}
        }
    }
    let mut body = fields.write();
    if leaked.is_none() && chance.percent(20) {
        body = format!("<!DOCTYPE xml [<!ENTITY a \"b\">]>{body}");
    }
    to_notify(attempt, body)
}

/// News of a refund: done, given up or stuck, of some amount, under a guessed key
/// or a leaked one. Nothing signs such a message.
pub fn refund_notification(
    chance: &mut Chance,
    whose: Merchants<'_>,
    attempt: &Attempt,
    refund: &Refund,
    leaked: Option<&str>,
) -> Request<Bytes> {
    let fen = |money: tongbao_core::Money| u64::try_from(money.minor()).unwrap_or_default();
    let received = attempt.received;
    let claim = refund_notification::Refund {
        transaction_id: attempt.transaction_id.clone().unwrap_or_default(),
        out_trade_no: attempt.out_trade_no.clone(),
        refund_id: "50300000000000000000000000000".to_owned(),
        out_refund_no: refund.out_refund_no.clone(),
        total_fee: fen(received.unwrap_or(refund.amount)),
        settlement_total_fee: None,
        refund_fee: chance.pick(&[fen(refund.amount), 1]),
        settlement_refund_fee: None,
        cash_refund_fee: None,
        refund_status: chance
            .pick(&[
                &RefundStatus::Success,
                &RefundStatus::RefundClose,
                &RefundStatus::Change,
            ])
            .clone(),
        success_time: None,
        refund_recv_accout: None,
        refund_account: None,
        refund_request_source: None,
    };
    let mut envelope = Envelope {
        return_msg: None,
        appid: whose.appid.to_owned(),
        mch_id: whose.mch_id.to_owned(),
        sub_appid: whose.sub_appid.map(str::to_owned),
        sub_mch_id: whose.sub_mch_id.map(str::to_owned),
        nonce_str: "5K8264ILTKCH16CQ2502SI8ZNMTM67VS".to_owned(),
        req_info: String::new(),
    };
    if let Ok(key) = ApiKey::new(leaked.unwrap_or(GUESSED_KEY)) {
        envelope.req_info = claim.seal(&key);
    }
    if leaked.is_none() && chance.percent(20) {
        // Readable for anybody who forgets to decrypt.
        envelope.req_info = claim.document();
    }
    to_notify(attempt, envelope.to_fields().write())
}

fn to_notify(attempt: &Attempt, body: String) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = http::Method::POST;
    address(&mut request, attempt.channel);
    request
}

/// To where this channel's messages go.
pub fn address(request: &mut Request<Bytes>, channel: ChannelId) {
    let address = format!("https://pay.sim/notify/{channel}");
    if let Ok(uri) = address.parse() {
        *request.uri_mut() = uri;
    }
}
