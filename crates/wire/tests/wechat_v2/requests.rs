use tongbao_wire::wechat_v2::limits::{self, Limit};
use tongbao_wire::wechat_v2::order_query::OrderNo;
use tongbao_wire::wechat_v2::{
    FieldError, Fields, SignType, TradeType, close_order, order_query, sign, unified_order,
};

use crate::fixture;

#[test]
fn every_order_survives_the_struct_and_signs_the_same() {
    for example in fixture::signed()
        .iter()
        .filter(|e| e.id.starts_with("unifiedorder"))
    {
        let request = unified_order::Request::from_fields(&example.fields()).unwrap();

        let fields = request.to_fields();
        let sign = sign::sign(&fields, &example.key(), request.head.effective_sign_type());
        assert_eq!(sign, example.sign, "{}", example.id);
    }
}

#[test]
fn queries_and_closes_survive_the_struct_and_sign_the_same() {
    let examples = fixture::signed();
    let example = |id: &str| examples.iter().find(|example| example.id == id).unwrap();

    let query = example("orderquery-md5");
    let request = order_query::Request::from_fields(&query.fields()).unwrap();
    assert_eq!(request.order, OrderNo::OutTradeNo("T20260101000001".into()));
    assert_eq!(
        sign::sign(&request.to_fields(), &query.key(), SignType::Md5),
        query.sign
    );

    let close = example("closeorder-hmac");
    let request = close_order::Request::from_fields(&close.fields()).unwrap();
    assert_eq!(request.head.effective_sign_type(), SignType::HmacSha256);
    assert_eq!(
        sign::sign(&request.to_fields(), &close.key(), SignType::HmacSha256),
        close.sign
    );
}

#[test]
fn the_platforms_number_wins_over_the_merchants() {
    let mut fields = native();
    fields.insert("transaction_id", "4200000000202601010000000001");

    let request = order_query::Request::from_fields(&fields).unwrap();
    assert_eq!(
        request.order,
        OrderNo::TransactionId("4200000000202601010000000001".into())
    );

    fields.remove("transaction_id");
    fields.remove("out_trade_no");
    let refused = order_query::Request::from_fields(&fields);
    assert_eq!(refused, Err(FieldError::Missing("out_trade_no")));
}

#[test]
fn each_trade_type_has_a_field_that_it_needs() {
    let lacks = |trade_type: &'static str, field: &'static str| {
        let mut fields = native();
        fields.remove("product_id");
        fields.insert("trade_type", trade_type);
        let lacking = unified_order::Request::from_fields(&fields)
            .unwrap()
            .lacks();
        fields.insert(field, "x");
        let filled = unified_order::Request::from_fields(&fields)
            .unwrap()
            .lacks();
        (lacking, filled)
    };

    assert_eq!(lacks("NATIVE", "product_id"), (Some("product_id"), None));
    assert_eq!(lacks("JSAPI", "openid"), (Some("openid"), None));
    assert_eq!(
        lacks("JSAPI", "sub_openid"),
        (Some("openid"), Some("sub_appid"))
    );
    assert_eq!(lacks("MWEB", "scene_info"), (Some("scene_info"), None));
    assert_eq!(lacks("APP", "attach"), (None, None));
}

#[test]
fn a_payer_known_to_the_sub_merchant_needs_its_application_and_number() {
    let mut fields = native();
    fields.insert("trade_type", "JSAPI");
    let mut lacking = Vec::new();
    for field in ["sub_openid", "sub_appid", "sub_mch_id"] {
        fields.insert(field, "x");
        let request = unified_order::Request::from_fields(&fields).unwrap();
        lacking.push(request.lacks());
    }

    assert_eq!(lacking, [Some("sub_appid"), Some("sub_mch_id"), None]);
    let example = fixture::request("unifiedorder-sub-merchant");
    let request = unified_order::Request::from_fields(&example.fields()).unwrap();
    assert_eq!(request.lacks(), None);
}

#[test]
fn an_order_with_a_bad_number_is_not_read() {
    let with = |name: &'static str, value: &'static str| {
        let mut fields = native();
        fields.insert(name, value);
        unified_order::Request::from_fields(&fields).unwrap_err()
    };

    assert_eq!(
        with("total_fee", "8.88"),
        FieldError::Malformed("total_fee")
    );
    assert_eq!(with("total_fee", "-1"), FieldError::Malformed("total_fee"));
    assert_eq!(
        with("time_expire", "2026-01-01"),
        FieldError::Malformed("time_expire")
    );
    assert_eq!(
        with("sign_type", "SHA256"),
        FieldError::Malformed("sign_type")
    );
    assert_eq!(with("mch_id", ""), FieldError::Missing("mch_id"));
}

#[test]
fn a_good_order_is_within_the_limits() {
    assert_eq!(limits::check(&native(), limits::UNIFIED_ORDER), Ok(()));
    for example in fixture::signed()
        .iter()
        .filter(|e| e.id.starts_with("unifiedorder"))
    {
        let mut fields = example.fields();
        fields.insert("sign", &*example.sign);
        assert_eq!(
            limits::check(&fields, limits::UNIFIED_ORDER),
            Ok(()),
            "{}",
            example.id
        );
    }
}

#[test]
fn the_limits_hold_at_their_edges() {
    let verdict = |name: &'static str, value: &str| {
        let mut fields = native();
        fields.insert(name, value.to_owned());
        limits::check(&fields, limits::UNIFIED_ORDER).is_ok()
    };

    assert!(verdict("body", &"图".repeat(128)), "characters, not bytes");
    assert!(!verdict("body", &"图".repeat(129)));
    assert!(verdict("attach", &"a".repeat(127)));
    assert!(!verdict("attach", &"a".repeat(128)));
    assert!(!verdict("body", "a\u{0}b"));
    assert!(!verdict("body", "a\rb"));

    assert!(verdict("out_trade_no", "a_-|*@"));
    assert!(verdict("out_trade_no", &"7".repeat(32)));
    for number in [
        "12345",
        "123 456",
        "订单000001",
        "１２３４５６",
        &"7".repeat(33),
    ] {
        assert!(!verdict("out_trade_no", number), "{number}");
    }

    for fee in ["0", "01", "1.0", "+1"] {
        assert!(!verdict("total_fee", fee), "{fee}");
    }
    assert!(verdict("spbill_create_ip", "2001:db8::7"));
    assert!(!verdict("spbill_create_ip", "localhost"));
    assert!(!verdict("time_expire", "20260230000000"));

    assert!(verdict("notify_url", "http://127.0.0.1:8080/notify/ch_1"));
    for url in [
        "",
        "/notify",
        "ftp://a/b",
        "https://",
        "https:///a",
        "https://a/b?c=d",
        "https://a/#b",
    ] {
        assert!(!verdict("notify_url", url), "{url}");
    }
    assert!(!verdict(
        "notify_url",
        &format!("https://{}", "a".repeat(249))
    ));
}

#[test]
fn a_missing_field_is_named_before_a_malformed_one() {
    let mut fields = native();
    fields.insert("appid", "x".repeat(33));
    assert_eq!(
        limits::check(&fields, limits::UNIFIED_ORDER),
        Err(FieldError::Malformed("appid"))
    );
    fields.insert("trade_type", "");
    assert_eq!(
        limits::check(&fields, limits::UNIFIED_ORDER),
        Err(FieldError::Missing("trade_type"))
    );
}

#[test]
fn no_table_names_a_field_twice() {
    for table in [
        limits::UNIFIED_ORDER,
        limits::ORDER_QUERY,
        limits::CLOSE_ORDER,
        limits::MICROPAY,
        limits::REVERSE,
        limits::REFUND,
        limits::REFUND_QUERY,
        limits::AUTH_CODE_TO_OPENID,
    ] {
        let distinct: Fields<'_> = table
            .iter()
            .map(|Limit { field, .. }| (*field, ""))
            .collect();
        assert_eq!(distinct.len(), table.len());
    }
}

#[test]
fn a_native_order_reads_as_native() {
    let request = unified_order::Request::from_fields(&native()).unwrap();

    assert_eq!(request.trade_type, TradeType::Native);
    assert_eq!(request.total_fee, 888);
    assert_eq!(request.lacks(), None);
}

fn native() -> Fields<'static> {
    Fields::from_iter([
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
        ("sign", "00000000000000000000000000000000"),
        ("body", "测试商店-图书"),
        ("out_trade_no", "T20260101000001"),
        ("total_fee", "888"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", "https://pay.example.com/notify/ch_1"),
        ("trade_type", "NATIVE"),
        ("product_id", "SKU-1001"),
    ])
}
