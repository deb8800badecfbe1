//! Telling a merchant of a payment, and judging its answer.

use tongbao_wire::wechat_v2::notification::{Acknowledgement, Payment};
use tongbao_wire::wechat_v2::{ApiKey, BeijingTime, Fields, Reply, ReplyHead, sign};

use super::super::notification::NotificationKind;
use super::super::trade::{Paid, Trade};
use super::{order_query, strangers_key};
use crate::platform::{Moment, Platform};

/// The bytes that tell of the payment; `None` when there is none.
pub(in super::super) fn payment(
    platform: &mut Platform,
    trade: &Trade,
    kind: NotificationKind,
) -> Option<String> {
    let account = platform.accounts.get(&trade.mch_id)?;
    let key = ApiKey::new(&account.api_v2_key.0).ok()?;
    let total_fee = match kind {
        NotificationKind::WrongAmount if trade.amount_fen == 1 => 2,
        NotificationKind::WrongAmount => 1,
        NotificationKind::Genuine | NotificationKind::Forged => trade.amount_fen,
    };
    Some(write(platform, trade, trade.paid()?, total_fee, &key))
}

/// The bytes of someone who knows the order, but not the key.
pub(in super::super) fn forged_payment(
    platform: &mut Platform,
    at: Moment,
    trade: &Trade,
) -> Option<String> {
    let key = strangers_key(platform)?;
    let paid = Paid {
        wallet: String::new(),
        openid: format!("o{}", platform.chance.alphanumeric(27)),
        transaction_id: platform.fresh_transaction_id(at),
        at,
    };
    Some(write(platform, trade, &paid, trade.amount_fen, &key))
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
            sub_appid: None,
            sub_mch_id: None,
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
