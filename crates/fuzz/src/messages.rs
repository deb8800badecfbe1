//! Fields to messages, of every operation and in both directions: what is written again stood
//! there, and reads back as the same message.

use std::fmt::Debug;

use tongbao_wire::wechat_v2::notification::{Acknowledgement, Notification};
use tongbao_wire::wechat_v2::{
    FieldError, Fields, close_order, limits, order_query, unified_order,
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
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(fields) = Fields::read(input) else {
        return;
    };
    keeps(
        &fields,
        unified_order::Request::from_fields,
        unified_order::Request::to_fields,
    );
    keeps(
        &fields,
        order_query::Request::from_fields,
        order_query::Request::to_fields,
    );
    keeps(
        &fields,
        close_order::Request::from_fields,
        close_order::Request::to_fields,
    );
    keeps(
        &fields,
        unified_order::Reply::from_fields,
        unified_order::Reply::to_fields,
    );
    keeps(
        &fields,
        order_query::Reply::from_fields,
        order_query::Reply::to_fields,
    );
    keeps(
        &fields,
        close_order::Reply::from_fields,
        close_order::Reply::to_fields,
    );
    keeps(&fields, Notification::from_fields, Notification::to_fields);
    if let Ok(words) = Acknowledgement::from_fields(&fields) {
        let written = words.to_fields().write();
        let again = Fields::read(written.as_bytes()).expect("what we write is read");
        assert_eq!(Acknowledgement::from_fields(&again), Ok(words));
    }
    limits_say_what_readers_say(&fields);
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

/// A request that keeps every single rule can be read.
fn limits_say_what_readers_say(fields: &Fields<'_>) {
    if limits::check(fields, limits::UNIFIED_ORDER).is_ok() {
        assert!(unified_order::Request::from_fields(fields).is_ok());
    }
    if limits::check(fields, limits::CLOSE_ORDER).is_ok() {
        assert!(close_order::Request::from_fields(fields).is_ok());
    }
    if limits::check(fields, limits::ORDER_QUERY).is_ok() {
        let read = order_query::Request::from_fields(fields);
        assert!(matches!(read, Ok(_) | Err(FieldError::Missing(_))));
    }
}
