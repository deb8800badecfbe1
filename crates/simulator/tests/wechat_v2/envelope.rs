//! Signatures, fields and refusals of the envelope.

use bytes::Bytes;
use tongbao_simulator::Platform;
use tongbao_wire::wechat_v2::Fields;

use crate::common::{Merchant, NOON, code, post};
use crate::stage::{Stage, is_signed, names};

#[test]
fn a_reply_is_signed_with_the_algorithm_of_its_request() {
    let mut stage = Stage::new();
    let placed = stage.place("T00001", 1);
    stage.merchant = Merchant::with_hmac();
    let found = stage.query("T00001");

    assert_eq!(placed.get("sign").unwrap().len(), 32);
    assert_eq!(found.get("sign").unwrap().len(), 64);
    assert!(is_signed(&stage, &found));
}

#[test]
fn each_state_has_the_fields_of_real_replies() {
    let head = "return_code return_msg appid mch_id";
    let cases = [
        (
            "NOTPAY",
            format!(
                "{head} device_info nonce_str sign result_code total_fee out_trade_no \
                 trade_state trade_state_desc"
            ),
        ),
        (
            "CLOSED",
            format!(
                "{head} nonce_str sign result_code out_trade_no attach trade_state \
                 trade_state_desc"
            ),
        ),
        (
            "SUCCESS",
            format!(
                "{head} nonce_str sign result_code openid is_subscribe trade_type bank_type \
                 total_fee fee_type cash_fee cash_fee_type transaction_id out_trade_no attach \
                 time_end trade_state trade_state_desc"
            ),
        ),
    ];
    for (state, expected) in cases {
        let mut stage = Stage::new();
        let code = code(&stage.place("T00001", 888));
        match state {
            "CLOSED" => drop(stage.close("T00001")),
            "SUCCESS" => drop(stage.pay(&code).unwrap()),
            _ => {}
        }
        let found = stage.query("T00001");
        let mut expected: Vec<_> = expected.split_whitespace().collect();
        let mut given = names(&found);
        expected.sort_unstable();
        given.sort_unstable();

        assert_eq!(found.get("trade_state"), Some(state));
        assert_eq!(given, expected, "{state}");
        assert!(is_signed(&stage, &found));
    }
}

/// The envelope's checks, in the platform's order; none of these replies is signed.
#[test]
fn a_request_that_cannot_be_trusted_is_refused_unsigned() {
    let mut stage = Stage::new();
    let path = "/pay/unifiedorder";
    let good = Merchant::order("T00001", 1);
    let with = |name: &'static str, value: &'static str| {
        let mut fields = Merchant::order("T00001", 1);
        fields.insert(name, value);
        fields
    };
    let signed = |fields: &Fields<'_>| post(path, stage.merchant.sign(fields));
    let replaced = |from: &str, to: &str| post(path, stage.merchant.sign(&good).replace(from, to));
    let cases = [
        (
            http::Request::get(path).body(Bytes::new()).unwrap(),
            "请使用post方法",
        ),
        (post(path, ""), "post数据为空"),
        (post(path, "{}"), "XML格式错误"),
        (post(path, "<xml><a>1</a><a>2</a></xml>"), "XML格式错误"),
        (
            post(path, &b"<xml><a>\xd6\xd0</a></xml>"[..]),
            "编码格式错误",
        ),
        (post(path, "<xml></xml>"), "缺少参数"),
        (replaced("nonce_str", "nonce"), "缺少参数"),
        (signed(&with("body", "")), "缺少参数"),
        (replaced("1900007357", "1900000000"), "mch_id不存在"),
        (replaced("wx7e57", "wx7e58"), "appid不存在"),
        (replaced("豆浆", "豆腐"), "签名错误"),
        (
            signed(&with("sign_type", "HMAC_SHA256")),
            "invalid sign_type",
        ),
        (signed(&with("total_fee", "1.5")), "invalid total_fee"),
        (signed(&with("total_fee", "0")), "invalid total_fee"),
        (
            signed(&with("out_trade_no", "订单00001")),
            "invalid out_trade_no",
        ),
        (signed(&with("out_trade_no", "T1")), "invalid out_trade_no"),
        (
            signed(&with("notify_url", "http://a.test/?b=1")),
            "invalid notify_url",
        ),
        (
            signed(&with("spbill_create_ip", "here")),
            "invalid spbill_create_ip",
        ),
        (
            signed(&with("trade_type", "MICROPAY")),
            "invalid trade_type",
        ),
        (
            signed(&with("trade_type", "JSAPI")),
            "JSAPI支付必须传openid",
        ),
        (signed(&with("product_id", "")), "缺少参数"),
        (signed(&with("fee_type", "USD")), "invalid fee_type"),
        (
            signed(&with("time_expire", "20261121120059")),
            "time_expire时间过短，刷卡至少1分钟，其他5分钟",
        ),
    ];
    for (request, text) in cases {
        let body = request.body().clone();
        let reply = stage.exchange(&request);

        assert_eq!(reply.get("return_msg"), Some(text), "{body:?}");
        assert_eq!(names(&reply), ["return_code", "return_msg"]);
        assert_eq!(reply.get("return_code"), Some("FAIL"));
    }
    assert_eq!(stage.platform.truth().trades().count(), 0);
}

#[test]
fn an_unknown_path_is_the_front_servers_404() {
    let mut platform = Platform::new(7);
    let response = platform.handle(NOON, &post("/pay/nothing", "<xml/>"));

    assert_eq!(response.answer().unwrap().status(), 404);
}

#[test]
fn a_refusal_leaves_a_hint_for_the_developer_and_no_key() {
    let mut stage = Stage::new();
    let body = stage
        .merchant
        .sign(&Merchant::order("T00001", 1))
        .replace("豆浆", "豆腐");
    stage.exchange(&post("/pay/unifiedorder", body));
    let entry = stage.platform.journal().next().unwrap();

    assert_eq!(entry.outcome, "签名错误");
    let hint = entry.hint.as_deref().unwrap();
    assert!(hint.contains("body=豆腐&mch_id=1900007357"), "{hint}");
    assert!(!hint.contains("TongbaoSimulatorTestKey"));
}
