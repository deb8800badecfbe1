//! Fields to messages, of every operation and in both directions: what is written again stood
//! there, and reads back as the same message.

use std::fmt::Debug;

use tongbao_wire::wechat_v2::limits::Limit;
use tongbao_wire::wechat_v2::notification::{Acknowledgement, Notification};
use tongbao_wire::wechat_v2::refund_notification::Envelope;
use tongbao_wire::wechat_v2::{
    FieldError, Fields, auth_code_to_openid, close_order, limits, micropay, order_query, refund,
    refund_query, reverse, unified_order,
};

/// Names and words of the platform.
pub const WORDS: &[&str] = &[
    "<return_code>SUCCESS</return_code>",
    "<return_code>FAIL</return_code>",
    "<result_code>SUCCESS</result_code>",
    "<result_code>FAIL</result_code>",
    "<err_code>ORDERPAID</err_code>",
    "<trade_state>SUCCESS</trade_state>",
    "<trade_state>NOTPAY</trade_state>",
    "<trade_type>NATIVE</trade_type>",
    "<sign_type>HMAC-SHA256</sign_type>",
    "<sign_type>MD5</sign_type>",
    "<total_fee>1</total_fee>",
    "<total_fee>01</total_fee>",
    "<total_fee>999999999999999999</total_fee>",
    "<total_fee>1.00</total_fee>",
    "<coupon_count>1</coupon_count>",
    "<coupon_fee>1</coupon_fee>",
    "<coupon_fee_0>1</coupon_fee_0>",
    "<coupon_id_1>1</coupon_id_1>",
    "<coupon_type_0>CASH</coupon_type_0>",
    "<time_end>20261121120000</time_end>",
    "<time_end>20260230120000</time_end>",
    "<transaction_id>1</transaction_id>",
    "<out_trade_no>A1001x</out_trade_no>",
    "<code_url>weixin://wxpay/1</code_url>",
    "<fee_type>USD</fee_type>",
    "<sub_mch_id>1</sub_mch_id>",
    "<nonce_str>n</nonce_str>",
    "<appid>wx1</appid>",
    "<mch_id>19</mch_id>",
    "<auth_code>134567890123456789</auth_code>",
    "<recall>Y</recall>",
    "<out_refund_no>R1001x</out_refund_no>",
    "<refund_id>50</refund_id>",
    "<refund_fee>1</refund_fee>",
    "<refund_count>1</refund_count>",
    "<out_refund_no_0>R1</out_refund_no_0>",
    "<refund_id_0>50</refund_id_0>",
    "<refund_fee_0>1</refund_fee_0>",
    "<refund_status_0>SUCCESS</refund_status_0>",
    "<refund_success_time_0>2026-11-21 12:00:00</refund_success_time_0>",
    "<coupon_refund_count_0>1</coupon_refund_count_0>",
    "<coupon_refund_fee_0_0>1</coupon_refund_fee_0_0>",
    "<req_info>AAAA</req_info>",
];

macro_rules! each_keeps {
    ($fields:ident: $($message:ty),* $(,)?) => {
        $(keeps($fields, <$message>::from_fields, <$message>::to_fields);)*
    };
}

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(fields) = &Fields::read(input) else {
        return;
    };
    each_keeps!(fields:
        unified_order::Request,
        unified_order::Reply,
        order_query::Request,
        order_query::Reply,
        close_order::Request,
        close_order::Reply,
        micropay::Request,
        micropay::Reply,
        reverse::Request,
        reverse::Answer,
        refund::Request,
        refund::Reply,
        refund_query::Request,
        refund_query::Reply,
        auth_code_to_openid::Request,
        auth_code_to_openid::Reply,
        Notification,
        Envelope,
    );
    if let Ok(words) = Acknowledgement::from_fields(fields) {
        let written = words.to_fields().write();
        let again = Fields::read(written.as_bytes()).expect("what we write is read");
        assert_eq!(Acknowledgement::from_fields(&again), Ok(words));
    }
    limits_say_what_readers_say(
        fields,
        limits::UNIFIED_ORDER,
        unified_order::Request::from_fields,
    );
    limits_say_what_readers_say(
        fields,
        limits::ORDER_QUERY,
        order_query::Request::from_fields,
    );
    limits_say_what_readers_say(
        fields,
        limits::CLOSE_ORDER,
        close_order::Request::from_fields,
    );
    limits_say_what_readers_say(fields, limits::MICROPAY, micropay::Request::from_fields);
    limits_say_what_readers_say(fields, limits::REVERSE, reverse::Request::from_fields);
    limits_say_what_readers_say(fields, limits::REFUND, refund::Request::from_fields);
    limits_say_what_readers_say(
        fields,
        limits::REFUND_QUERY,
        refund_query::Request::from_fields,
    );
    limits_say_what_readers_say(
        fields,
        limits::AUTH_CODE_TO_OPENID,
        auth_code_to_openid::Request::from_fields,
    );
}

fn keeps<T: Debug + PartialEq>(
    fields: &Fields<'_>,
    read: fn(&Fields<'_>) -> Result<T, FieldError>,
    write: for<'a> fn(&'a T) -> Fields<'a>,
) {
    let Ok(message) = read(fields) else { return };
    let written = write(&message);
    for (name, value) in written.iter() {
        assert_eq!(fields.get(name), Some(value), "{name} was made up");
    }
    let bytes = written.write();
    let again = Fields::read(bytes.as_bytes()).expect("what we write is read");
    assert_eq!(read(&again).as_ref(), Ok(&message));
}

/// A request that keeps every single rule can be read. No single rule says that one of several
/// numbers must be there.
fn limits_say_what_readers_say<T: Debug>(
    fields: &Fields<'_>,
    limits: &[Limit],
    read: fn(&Fields<'_>) -> Result<T, FieldError>,
) {
    if limits::check(fields, limits).is_ok() {
        let read = read(fields);
        let one_of_several = ["out_trade_no", "out_refund_no", "transaction_id"];
        let lacks = |field: &str| one_of_several.contains(&field);
        assert!(
            read.is_ok() || matches!(&read, Err(FieldError::Missing(field)) if lacks(field)),
            "{read:?}"
        );
    }
}
