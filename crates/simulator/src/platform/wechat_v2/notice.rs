//! Telling a merchant of a payment or a refund, and judging its answer.

use tongbao_wire::wechat_v2::notification::{Acknowledgement, Payment};
use tongbao_wire::wechat_v2::refund_notification::{self, Envelope};
use tongbao_wire::wechat_v2::refunded::RefundRequestSource;
use tongbao_wire::wechat_v2::{ApiKey, BeijingTime, Fields, Reply, ReplyHead, sign};

use super::super::notification::{News, NotificationKind};
use super::super::refund::{Refund, RefundAskedBy, RefundState};
use super::super::trade::{Paid, Trade};
use super::{order_query, refund_query, strangers_key};
use crate::platform::{Moment, Platform};

/// The bytes that tell of it; `None` when there is nothing to tell.
pub(in super::super) fn body(
    platform: &mut Platform,
    at: Moment,
    trade: &Trade,
    news: News,
    kind: NotificationKind,
) -> Option<String> {
    let key = match kind {
        NotificationKind::Forged => strangers_key(platform)?,
        NotificationKind::Genuine | NotificationKind::WrongAmount => {
            let account = platform.accounts.get(&trade.mch_id)?;
            ApiKey::new(&account.api_v2_key.0).ok()?
        }
        NotificationKind::Garbage => {
            let noise = platform.chance.alphanumeric(40);
            return Some(format!("<xml><return_code><![CDATA[SUCC{noise}"));
        }
    };
    let fen = |fen: u64| match kind {
        NotificationKind::WrongAmount if fen == 1 => 2,
        NotificationKind::WrongAmount => 1,
        _ => fen,
    };
    match news {
        News::Refund(place) => {
            let refund = platform.trades.refund(place)?.clone();
            let said = refund_said(at, trade, &refund, kind, fen(refund.fen))?;
            Some(write_refund(platform, trade, &said, &key))
        }
        News::Payment => {
            let paid = match kind {
                NotificationKind::Forged => made_up(platform, at),
                _ => trade.paid()?.clone(),
            };
            let total_fee = fen(trade.amount_fen);
            Some(write(platform, trade, &paid, total_fee, &key))
        }
    }
}

/// By someone who knows the order, but not the key.
fn made_up(platform: &mut Platform, at: Moment) -> Paid {
    Paid {
        wallet: String::new(),
        openid: format!("o{}", platform.chance.alphanumeric(27)),
        sub_openid: None,
        transaction_id: platform.fresh_transaction_id(at),
        at,
    }
}

/// A forgery says that the money has arrived.
fn refund_said(
    at: Moment,
    trade: &Trade,
    refund: &Refund,
    kind: NotificationKind,
    fen: u64,
) -> Option<refund_notification::Refund> {
    let state = match kind {
        NotificationKind::Forged => RefundState::Success { at },
        _ => refund.state,
    };
    let refund = Refund {
        state,
        ..refund.clone()
    };
    let success_time = match state {
        RefundState::Success { at } => BeijingTime::from_unix_secs(at.wall.as_secs()),
        _ => None,
    };
    Some(refund_notification::Refund {
        transaction_id: trade.paid()?.transaction_id.clone(),
        out_trade_no: trade.out_trade_no.clone(),
        total_fee: trade.amount_fen,
        settlement_total_fee: Some(trade.amount_fen),
        refund_fee: fen,
        settlement_refund_fee: Some(fen),
        cash_refund_fee: None,
        refund_status: refund_query::status(&refund),
        success_time,
        refund_recv_accout: Some(refund_query::RECEIVED_BY.into()),
        refund_account: Some(refund_query::account(&refund)),
        refund_request_source: Some(match refund.asked_by {
            RefundAskedBy::Api => RefundRequestSource::Api,
            RefundAskedBy::Pages => RefundRequestSource::VendorPlatform,
        }),
        refund_id: refund.refund_id,
        out_refund_no: refund.out_refund_no,
    })
}

fn write_refund(
    platform: &mut Platform,
    trade: &Trade,
    refund: &refund_notification::Refund,
    key: &ApiKey,
) -> String {
    let envelope = Envelope {
        return_msg: None,
        appid: trade.app_id.clone(),
        mch_id: trade.mch_id.clone(),
        sub_appid: trade.sub_app_id.clone(),
        sub_mch_id: trade.sub_mch_id.clone(),
        nonce_str: platform.chance.alphanumeric(32),
        req_info: refund.seal(key),
    };
    envelope.to_fields().write_lines()
}

/// Whether the platform takes the answer for "heard": status 200 and the one word in its own
/// form. `Err` says what is wrong, for people.
pub(in super::super) fn verdict(status: u16, body: &[u8]) -> Result<(), String> {
    if status != 200 {
        return Err(format!("HTTP {status} instead of 200"));
    }
    let fields = Fields::read(body).map_err(|error| format!("not the XML expected: {error}"))?;
    match Acknowledgement::from_fields(&fields) {
        Ok(Acknowledgement::Success) => Ok(()),
        Ok(Acknowledgement::Fail { return_msg }) => Err(format!("FAIL {return_msg}")),
        Err(error) => Err(error.to_string()),
    }
}

fn write(
    platform: &mut Platform,
    trade: &Trade,
    paid: &Paid,
    total_fee: u64,
    key: &ApiKey,
) -> String {
    let notification = Reply::Done {
        head: ReplyHead {
            return_msg: None,
            appid: trade.app_id.clone(),
            mch_id: trade.mch_id.clone(),
            sub_appid: trade.sub_app_id.clone(),
            sub_mch_id: trade.sub_mch_id.clone(),
            device_info: trade.device_info.clone(),
            nonce_str: platform.chance.alphanumeric(32),
            sign_type: platform
                .settings
                .notify_sign_type
                .then_some(trade.sign_type),
        },
        content: Payment {
            out_trade_no: trade.out_trade_no.clone(),
            transaction_id: paid.transaction_id.clone(),
            payer: order_query::payer(paid),
            trade_type: Some(trade.trade_type.clone()),
            bank_type: Some("OTHERS".into()),
            amounts: order_query::amounts(total_fee),
            attach: trade.attach.clone(),
            time_end: BeijingTime::from_unix_secs(paid.at.wall.as_secs())
                .or_else(|| BeijingTime::from_unix_secs(0))
                .expect("1970 has a spelling"),
            promotion_detail: None,
            version: trade.version.clone(),
            rate_value: None,
        },
    };
    let mut fields = notification.to_fields();
    sign::insert_sign(&mut fields, key, trade.sign_type);
    fields.sort();
    fields.write_lines()
}
