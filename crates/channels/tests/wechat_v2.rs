//! What the platform's words come to: every documented code of the three calls,
//! and every way in which an answer or a notification can be untrue.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod stage;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tongbao_channels::{Addresses, Call, Channel, Order, Pages, Settings, Stamp, kind};
use tongbao_core::{Grade, Money, Outcome, Scene, Timestamp};
use tongbao_wire::wechat_v2::sign::verify;
use tongbao_wire::wechat_v2::{ApiKey, AppCall, Fields, JsapiCall, SignType};

/// Its application and its number.
const MERCHANT: [&str; 2] = ["wx7e57000000000001", "1900007357"];
const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const KEY: &str = "TongbaoSimulatorTestKey000000001";
const OTHER_KEY: &str = "TongbaoSimulatorTestKey000000002";
const NUMBER: &str = "01kb2v7q4w8z3n5m6r7t9x1c2d";

const PAGES: Pages<'static> = Pages {
    site: "https://pay.test",
    back: "https://shop.test/orders/1",
};

fn addresses(orders: &str) -> Addresses {
    Addresses::new([("wechat_pay".to_owned(), orders.to_owned())].into())
}

fn account(sign_type: &str) -> Box<dyn Channel> {
    let kind = kind("wechat_v2").unwrap();
    let typed = serde_json::json!({
        "app_id": "wx7e57000000000001",
        "mch_id": "1900007357",
        "api_v2_key": KEY,
        "sign_type": sign_type,
    });
    (kind.open)(
        &Settings::read(kind.fields, typed).unwrap(),
        &addresses("https://platform.test"),
    )
    .unwrap()
}

fn order() -> Call<'static> {
    Call::Start(Order {
        out_trade_no: NUMBER,
        amount: Money::fen(1234),
        subject: "龙井茶",
        scene: Scene::Native,
        auth_code: None,
        payer: None,
        client_ip: None,
        created_at: Timestamp::from_secs(1_790_000_000),
        expires_at: Timestamp::from_secs(1_790_001_800),
        notify_url: "https://pay.test/notify/chn_1",
        pages: PAGES,
        asked_at: Timestamp::from_secs(1_790_000_000),
    })
}

const QUERY: Call<'static> = Call::Query {
    out_trade_no: NUMBER,
};
const CLOSE: Call<'static> = Call::Close {
    out_trade_no: NUMBER,
};
const REVERSE: Call<'static> = Call::Reverse {
    out_trade_no: NUMBER,
};

/// The payer stands at a till.
fn at_the_till(code: Option<&'static str>) -> Call<'static> {
    let Call::Start(order) = order() else {
        unreachable!("an order is a start")
    };
    Call::Start(Order {
        scene: Scene::Barcode,
        auth_code: code,
        ..order
    })
}

fn stamp() -> Stamp {
    stage::stamp(NOW)
}

/// The platform's head, and `more`, signed.
fn reply(more: &[(&'static str, &'static str)]) -> Response<Bytes> {
    signed(more, KEY, SignType::HmacSha256)
}

fn signed(more: &[(&'static str, &'static str)], key: &str, by: SignType) -> Response<Bytes> {
    stage::signed(MERCHANT, more, key, by)
}

fn failed(code: &'static str) -> Response<Bytes> {
    reply(&[
        ("result_code", "FAIL"),
        ("err_code", code),
        ("err_code_des", "text"),
    ])
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Success { .. } => "success",
        Outcome::NotPaid => "not_paid",
        Outcome::UserPaying => "user_paying",
        Outcome::Closed => "closed",
        Outcome::Revoked => "revoked",
        Outcome::PayError { .. } => "pay_error",
        Outcome::Refused { .. } => "refused",
        Outcome::NotFound => "not_found",
        Outcome::Unknown { ask_now: true, .. } => "ask_now",
        Outcome::Unknown { ask_now: false, .. } => "unknown",
    }
}

#[test]
fn every_error_code_leads_to_its_action() {
    #[rustfmt::skip]
    let table = [
        // code                       start       query        close        at a till      reverse
        ("INVALID_REQUEST",          "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("NOAUTH",                   "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("NOTENOUGH",                "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("NOTSUPORTCARD",            "unknown",  "unknown",   "unknown",   "refused",     "unknown"),
        ("BUYER_MISMATCH",           "unknown",  "unknown",   "unknown",   "refused",     "unknown"),
        ("TRADE_ERROR",              "unknown",  "unknown",   "unknown",   "refused",     "refused"),
        ("AUTHCODEEXPIRE",           "unknown",  "unknown",   "unknown",   "refused",     "unknown"),
        ("AUTH_CODE_ERROR",          "unknown",  "unknown",   "unknown",   "refused",     "unknown"),
        ("AUTH_CODE_INVALID",        "unknown",  "unknown",   "unknown",   "refused",     "unknown"),
        ("USERPAYING",               "unknown",  "unknown",   "unknown",   "user_paying", "user_paying"),
        ("ORDERPAID",                "ask_now",  "unknown",   "ask_now",   "ask_now",     "ask_now"),
        ("ORDERCLOSED",              "ask_now",  "unknown",   "closed",    "ask_now",     "ask_now"),
        ("ORDERREVERSED",            "unknown",  "unknown",   "unknown",   "ask_now",     "ask_now"),
        ("REVERSE_EXPIRE",           "unknown",  "unknown",   "unknown",   "unknown",     "refused"),
        ("SYSTEMERROR",              "unknown",  "unknown",   "unknown",   "unknown",     "unknown"),
        ("BANKERROR",                "unknown",  "unknown",   "unknown",   "unknown",     "unknown"),
        ("APPID_NOT_EXIST",          "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("MCHID_NOT_EXIST",          "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("APPID_MCHID_NOT_MATCH",    "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("LACK_PARAMS",              "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("OUT_TRADE_NO_USED",        "ask_now",  "unknown",   "unknown",   "ask_now",     "unknown"),
        ("SIGNERROR",                "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("XML_FORMAT_ERROR",         "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("REQUIRE_POST_METHOD",      "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("POST_DATA_EMPTY",          "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("NOT_UTF8",                 "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("PARAM_ERROR",              "refused",  "unknown",   "unknown",   "refused",     "unknown"),
        ("ORDERNOTEXIST",            "unknown",  "not_found", "not_found", "unknown",     "not_found"),
        ("INVALID_TRANSACTIONID",    "unknown",  "unknown",   "unknown",   "unknown",     "unknown"),
        ("TRADE_STATE_ERROR",        "unknown",  "unknown",   "unknown",   "unknown",     "unknown"),
        ("FREQUENCY_LIMITED",        "unknown",  "unknown",   "unknown",   "unknown",     "unknown"),
        ("CERT_ERROR",               "unknown",  "unknown",   "unknown",   "unknown",     "unknown"),
        ("A_WORD_NOBODY_HAS_SEEN",   "unknown",  "unknown",   "unknown",   "unknown",     "unknown"),
    ];
    let account = account("HMAC-SHA256");
    for (code, start, query, close, till, reverse) in table {
        for (call, expected) in [
            (order(), start),
            (QUERY, query),
            (CLOSE, close),
            (at_the_till(None), till),
            (REVERSE, reverse),
        ] {
            let outcome = account.decode(&call, &failed(code), NOW).outcome;
            assert_eq!(word(&outcome), expected, "{code} to {call:?}");
        }
    }
    let documented = documented([
        "unifiedorder",
        "orderquery",
        "closeorder",
        "micropay",
        "reverse",
    ]);
    for code in documented {
        let known = table.iter().any(|(known, ..)| *known == code);
        assert!(known, "{code} is documented");
    }
}

/// What the manual lists for these calls.
fn documented(calls: [&str; 5]) -> Vec<String> {
    let text = include_str!("../../wire/fixtures/wechat_v2/error_codes.json");
    let lists: serde_json::Value = serde_json::from_str(text).unwrap();
    let codes = calls.map(|call| lists[call].as_array().unwrap().clone());
    let codes = codes.iter().flatten();
    codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

/// The order in another scene.
fn in_scene(scene: Scene) -> Call<'static> {
    let Call::Start(order) = order() else {
        unreachable!("an order is a start")
    };
    Call::Start(Order {
        scene,
        payer: matches!(scene, Scene::Jsapi | Scene::MiniProgram).then_some("oPayer"),
        client_ip: Some("203.0.113.7"),
        ..order
    })
}

#[test]
fn each_scene_is_ordered_with_what_the_platform_needs_for_it() {
    let account = account("HMAC-SHA256");
    let h5 = r#"{"h5_info":{"type":"Wap","wap_url":"https://pay.test","wap_name":"龙井茶"}}"#;
    for (scene, trade_type, openid, product_id, scene_info) in [
        (Scene::Native, "NATIVE", None, Some(NUMBER), None),
        (Scene::Jsapi, "JSAPI", Some("oPayer"), None, None),
        (Scene::MiniProgram, "JSAPI", Some("oPayer"), None, None),
        (Scene::App, "APP", None, None, None),
        (Scene::H5, "MWEB", None, None, Some(h5)),
    ] {
        let request = account.encode(&in_scene(scene), &stamp()).unwrap();
        assert_eq!(request.uri(), "https://platform.test/pay/unifiedorder");
        let fields = Fields::read(request.body()).unwrap();
        verify(&fields, &ApiKey::new(KEY).unwrap(), SignType::HmacSha256).unwrap();
        assert_eq!(fields.get("trade_type"), Some(trade_type));
        assert_eq!(fields.get("openid"), openid, "{scene:?}");
        assert_eq!(fields.get("product_id"), product_id, "{scene:?}");
        assert_eq!(fields.get("scene_info"), scene_info, "{scene:?}");
        assert_eq!(fields.get("spbill_create_ip"), Some("203.0.113.7"));
    }
}

#[test]
fn an_order_that_lacks_its_payer_is_not_sent() {
    let account = account("HMAC-SHA256");
    for (scene, field) in [
        (Scene::Jsapi, "payer.openid"),
        (Scene::MiniProgram, "payer.openid"),
        (Scene::H5, "client_ip"),
    ] {
        let Call::Start(order) = in_scene(scene) else {
            unreachable!("an order is a start")
        };
        let lacking = Call::Start(Order {
            payer: None,
            client_ip: None,
            ..order
        });
        let error = account.encode(&lacking, &stamp()).unwrap_err();
        assert!(error.to_string().starts_with(field), "{error}");
    }
}

#[test]
fn the_answer_to_each_scene_becomes_what_the_payer_needs() {
    let account = account("MD5");
    let answer = |trade_type, more: &[(&'static str, &'static str)]| {
        let prepaid = [("prepay_id", "wx21120000p1"), ("trade_type", trade_type)];
        signed(&[&prepaid[..], more].concat(), KEY, SignType::Md5)
    };
    let action = |scene, answer| match account.decode(&in_scene(scene), &answer, NOW).outcome {
        Outcome::Accepted { action } => serde_json::to_value(action).unwrap(),
        other => panic!("{other:?}"),
    };

    let page = action(Scene::Jsapi, answer("JSAPI", &[]));
    assert_eq!(page["type"], "wechat_jsapi");
    let params = page["params"].to_string();
    let key = ApiKey::new(KEY).unwrap();
    JsapiCall::from_json(&params, "wx7e57000000000001", SignType::Md5, &key).unwrap();
    assert_eq!(page["params"]["package"], "prepay_id=wx21120000p1");
    assert_eq!(page["params"]["timeStamp"], "1790000000");
    assert_eq!(page["params"]["appId"], "wx7e57000000000001");

    let mini = action(Scene::MiniProgram, answer("JSAPI", &[]));
    assert_eq!(mini["params"].get("appId"), None);
    assert_eq!(mini["params"]["paySign"], page["params"]["paySign"]);

    let app = action(Scene::App, answer("APP", &[]));
    assert_eq!(app["type"], "wechat_app");
    AppCall::from_json(&app["params"].to_string(), SignType::Md5, &key).unwrap();

    let url = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2";
    let browser = action(Scene::H5, answer("MWEB", &[("mweb_url", url)]));
    let expected = format!("{url}&redirect_url=https%3A%2F%2Fshop.test%2Forders%2F1");
    assert_eq!(
        browser,
        serde_json::json!({"type": "redirect", "url": expected, "until": 1_790_000_300_000_u64})
    );

    // Of another scene, or without what the payer needs.
    for (scene, answer) in [
        (Scene::Jsapi, answer("APP", &[])),
        (Scene::App, answer("JSAPI", &[])),
        (Scene::H5, answer("MWEB", &[])),
        (Scene::H5, answer("NATIVE", &[("mweb_url", url)])),
        (Scene::Native, answer("NATIVE", &[])),
    ] {
        let outcome = account.decode(&in_scene(scene), &answer, NOW).outcome;
        assert_eq!(word(&outcome), "unknown", "{scene:?}");
    }
}

#[test]
fn a_code_payment_is_asked_for_with_the_code_and_nothing_else_shows_it() {
    let account = account("HMAC-SHA256");
    let call = at_the_till(Some("134567890123456789"));
    let request = account.encode(&call, &stamp()).unwrap();
    assert_eq!(request.uri(), "https://platform.test/pay/micropay");
    let fields = Fields::read(request.body()).unwrap();
    verify(&fields, &ApiKey::new(KEY).unwrap(), SignType::HmacSha256).unwrap();
    for (name, value) in [
        ("auth_code", "134567890123456789"),
        ("out_trade_no", NUMBER),
        ("total_fee", "1234"),
        ("body", "龙井茶"),
        // The code lives a minute.
        ("time_start", "20260921221320"),
        ("time_expire", "20260921221520"),
    ] {
        assert_eq!(fields.get(name), Some(value), "{name}");
    }
    assert_eq!(fields.get("notify_url"), None);
    assert!(!format!("{call:?}").contains("134567890123456789"));
}

#[test]
fn without_a_code_of_this_wallet_there_is_nothing_to_send() {
    let account = account("HMAC-SHA256");
    for code in [None, Some("284567890123456789"), Some("13456789012345678")] {
        assert!(account.encode(&at_the_till(code), &stamp()).is_err());
    }
}

#[test]
fn a_reverse_is_asked_for_by_the_number() {
    let request = account("MD5").encode(&REVERSE, &stamp()).unwrap();
    assert_eq!(request.uri(), "https://platform.test/secapi/pay/reverse");
    let fields = Fields::read(request.body()).unwrap();
    verify(&fields, &ApiKey::new(KEY).unwrap(), SignType::Md5).unwrap();
    assert_eq!(fields.get("out_trade_no"), Some(NUMBER));
}

#[test]
fn money_is_taken_at_the_till_when_the_whole_answer_says_so() {
    let account = account("HMAC-SHA256");
    let paid = [
        ("out_trade_no", NUMBER),
        ("total_fee", "1234"),
        ("transaction_id", "4200000000202611210000000001"),
        ("time_end", "20261121120000"),
        ("trade_type", "MICROPAY"),
        ("openid", "o1"),
    ];
    let without = |name: &str| {
        let kept = paid.into_iter().filter(|(other, _)| *other != name);
        reply(&kept.collect::<Vec<_>>())
    };
    let call = at_the_till(None);
    let whole = account.decode(&call, &reply(&paid), NOW).outcome;
    let Outcome::Success { receipt } = whole else {
        panic!("{whole:?}");
    };
    assert_eq!(receipt.amount, Money::fen(1234));
    assert_eq!(receipt.payer.as_deref(), Some("o1"));
    for name in ["out_trade_no", "total_fee", "transaction_id", "time_end"] {
        let outcome = account.decode(&call, &without(name), NOW).outcome;
        assert_eq!(word(&outcome), "unknown", "without {name}");
    }
    let other = reply(&[&[("out_trade_no", "another00")], &paid[1..]].concat());
    assert_eq!(word(&account.decode(&call, &other, NOW).outcome), "unknown");
}

#[test]
fn a_reverse_is_done_when_nobody_wants_to_be_called_again() {
    let account = account("HMAC-SHA256");
    for (answer, expected) in [
        (reply(&[("recall", "N")]), "revoked"),
        (reply(&[("recall", "Y")]), "unknown"),
        (reply(&[]), "unknown"),
        (reply(&[("recall", "M")]), "unknown"),
        (
            signed(&[("recall", "N")], OTHER_KEY, SignType::HmacSha256),
            "unknown",
        ),
    ] {
        let outcome = account.decode(&REVERSE, &answer, NOW).outcome;
        assert_eq!(word(&outcome), expected);
    }
}

#[test]
fn every_trade_state_leads_to_its_outcome() {
    let account = account("HMAC-SHA256");
    for (state, expected) in [
        ("SUCCESS", "success"),
        ("REFUND", "success"),
        ("NOTPAY", "not_paid"),
        ("USERPAYING", "user_paying"),
        ("ACCEPT", "user_paying"),
        ("CLOSED", "closed"),
        ("REVOKED", "revoked"),
        ("PAYERROR", "pay_error"),
        ("SOMETHING_NEW", "unknown"),
    ] {
        let answer = reply(&[
            ("out_trade_no", NUMBER),
            ("trade_state", state),
            ("total_fee", "1234"),
            ("transaction_id", "4200000000202611210000000001"),
            ("time_end", "20261121120000"),
        ]);
        assert_eq!(
            word(&account.decode(&QUERY, &answer, NOW).outcome),
            expected,
            "{state}"
        );
    }
}

#[test]
fn the_platforms_texts_are_cut_between_two_characters() {
    const LONG: &str = "余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足\
                        余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足余额不足";
    let account = account("HMAC-SHA256");
    let not_paid = reply(&[
        ("out_trade_no", NUMBER),
        ("trade_state", "PAYERROR"),
        ("trade_state_desc", LONG),
    ]);
    let refused = reply(&[
        ("result_code", "FAIL"),
        ("err_code", "PARAM_ERROR"),
        ("err_code_des", LONG),
    ]);
    for (call, answer) in [(&QUERY, not_paid), (&order(), refused)] {
        let outcome = account.decode(call, &answer, NOW).outcome;
        let (Outcome::PayError { failure } | Outcome::Refused { failure }) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(failure.detail, LONG[..255]);
    }
}

#[test]
fn an_answer_that_cannot_be_trusted_or_read_is_unknown() {
    let account = account("HMAC-SHA256");
    let paid = [
        ("out_trade_no", NUMBER),
        ("trade_state", "SUCCESS"),
        ("total_fee", "1234"),
        ("transaction_id", "42"),
    ];
    let with = |change: (&'static str, &'static str)| {
        let kept = paid.into_iter().filter(|(name, _)| *name != change.0);
        reply(&kept.chain([change]).collect::<Vec<_>>())
    };
    let mut error_page = Response::new(Bytes::from_static(b"<html>502</html>"));
    *error_page.status_mut() = StatusCode::BAD_GATEWAY;
    let answers = [
        ("another key", signed(&paid, OTHER_KEY, SignType::HmacSha256)),
        ("another algorithm", signed(&paid, KEY, SignType::Md5)),
        ("another order", with(("out_trade_no", "another00"))),
        ("another merchant", with(("mch_id", "1900000000"))),
        ("another app", with(("appid", "wx0"))),
        ("no amount", with(("total_fee", ""))),
        ("a fraction", with(("total_fee", "12.34"))),
        ("more than a number holds", with(("total_fee", "99999999999999999999"))),
        ("no currency of this world", with(("fee_type", "RENMINBI"))),
        ("an error page", error_page),
        ("a page", Response::new(Bytes::from_static(b"<html>ok</html>"))),
        ("nothing", Response::new(Bytes::new())),
        ("unsigned", Response::new(Bytes::from_static(
            b"<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code><trade_state>SUCCESS</trade_state></xml>",
        ))),
    ];
    for (what, answer) in answers {
        assert_eq!(
            word(&account.decode(&QUERY, &answer, NOW).outcome),
            "unknown",
            "{what}"
        );
    }
}

#[test]
fn an_unsigned_refusal_ends_an_order_but_never_a_query_or_a_close() {
    let account = account("HMAC-SHA256");
    let refusal = |text: &str| {
        Response::new(Bytes::from(format!(
            "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{text}]]></return_msg></xml>"
        )))
    };
    for (text, expected) in [
        ("签名错误", "refused"),
        ("频率限制", "unknown"),
        ("system error", "unknown"),
    ] {
        assert_eq!(
            word(&account.decode(&order(), &refusal(text), NOW).outcome),
            expected,
            "{text}"
        );
        assert_eq!(
            word(&account.decode(&QUERY, &refusal(text), NOW).outcome),
            "unknown"
        );
        assert_eq!(
            word(&account.decode(&CLOSE, &refusal(text), NOW).outcome),
            "unknown"
        );
    }
}

#[test]
fn the_order_on_the_wire_is_the_one_that_was_asked_for_and_signed() {
    for (sign_type, by) in [
        ("HMAC-SHA256", SignType::HmacSha256),
        ("MD5", SignType::Md5),
    ] {
        let request = account(sign_type).encode(&order(), &stamp()).unwrap();
        assert_eq!(request.uri(), "https://platform.test/pay/unifiedorder");
        let fields = Fields::read(request.body()).unwrap();
        assert_eq!(verify(&fields, &ApiKey::new(KEY).unwrap(), by), Ok(()));
        for (name, value) in [
            ("out_trade_no", NUMBER),
            ("total_fee", "1234"),
            ("body", "龙井茶"),
            ("trade_type", "NATIVE"),
            ("notify_url", "https://pay.test/notify/chn_1"),
            ("time_expire", "20260921224320"),
        ] {
            assert_eq!(fields.get(name), Some(value), "{name}");
        }
    }
}

/// A payer may change to this wallet in a payment's last minutes.
#[test]
fn an_order_never_expires_sooner_than_the_platform_takes_it() {
    let until = |secs| {
        let mut order = order();
        if let Call::Start(order) = &mut order {
            order.expires_at = order.created_at + Duration::from_secs(secs);
        }
        let request = account("HMAC-SHA256").encode(&order, &stamp()).unwrap();
        let fields = Fields::read(request.body()).unwrap();
        fields.get("time_expire").unwrap().to_owned()
    };
    assert_eq!(until(60), until(360));
    assert!(until(360) < until(361));
}

fn notice(more: &[(&'static str, &'static str)], key: &str, by: SignType) -> Request<Bytes> {
    let usual = [
        ("out_trade_no", NUMBER),
        ("transaction_id", "4200000000202611210000000001"),
        ("total_fee", "1234"),
        ("time_end", "20261121120000"),
    ];
    let changed = |name: &str| more.iter().any(|(changed, _)| *changed == name);
    let kept = usual.into_iter().filter(|(name, _)| !changed(name));
    let fields: Vec<_> = kept.chain(more.iter().copied()).collect();
    Request::new(signed(&fields, key, by).into_body())
}

#[test]
fn a_genuine_notification_is_believed_as_far_as_its_key_goes() {
    let account = account("HMAC-SHA256");
    let graded = |request| account.notification(&request, NOW).unwrap().grade;
    assert_eq!(
        graded(notice(&[], KEY, SignType::HmacSha256)),
        Grade::Shared
    );
    // Signed as another order would be, or such that it could mean something else.
    assert_eq!(graded(notice(&[], KEY, SignType::Md5)), Grade::Weak);
    let ambiguous = [("attach", "x&out_trade_no=victim")];
    assert_eq!(
        graded(notice(&ambiguous, KEY, SignType::HmacSha256)),
        Grade::Weak
    );
}

#[test]
fn what_is_not_a_genuine_notification_is_refused_with_its_reason() {
    let account = account("HMAC-SHA256");
    let by = SignType::HmacSha256;
    let raw = |body: &'static str| Request::new(Bytes::from_static(body.as_bytes()));
    let our_order = account.encode(&order(), &stamp()).unwrap();
    for (what, request, reason) in [
        ("another key", notice(&[], OTHER_KEY, by), "sign_mismatch"),
        (
            "another merchant",
            notice(&[("mch_id", "1900000000")], KEY, by),
            "other_account",
        ),
        (
            "another app",
            notice(&[("appid", "wx0")], KEY, by),
            "other_account",
        ),
        (
            "a sub-merchant",
            notice(&[("sub_mch_id", "19000")], KEY, by),
            "other_sub_merchant",
        ),
        (
            "a failure",
            notice(&[("result_code", "FAIL")], KEY, by),
            "not_a_success",
        ),
        (
            "a query's answer",
            notice(&[("trade_state", "SUCCESS")], KEY, by),
            "field_unexpected",
        ),
        (
            "no amount",
            notice(&[("total_fee", "")], KEY, by),
            "field_missing",
        ),
        (
            "a fraction",
            notice(&[("total_fee", "12.34")], KEY, by),
            "field_malformed",
        ),
        (
            "no signature",
            raw("<xml><return_code>SUCCESS</return_code></xml>"),
            "sign_missing",
        ),
        (
            "an empty one",
            raw("<xml><sign></sign></xml>"),
            "sign_missing",
        ),
        ("an odd one", raw("<xml><sign>1</sign></xml>"), "sign_form"),
        (
            "no algorithm",
            raw("<xml><sign_type>NONE</sign_type><sign>1</sign></xml>"),
            "sign_type",
        ),
        ("our own order", our_order, "field_missing"),
        ("nothing", raw(""), "xml_root"),
    ] {
        let refused = account.notification(&request, NOW).unwrap_err();
        assert_eq!(refused.reason, reason, "{what}: {}", refused.detail);
    }
}

#[test]
fn the_key_doctor_names_the_illness() {
    let account = account("HMAC-SHA256");
    let refusal = Response::new(Bytes::from_static(
        "<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>".as_bytes(),
    ));
    for (answer, code) in [
        (failed("ORDERNOTEXIST"), "ok"),
        (failed("MCHID_NOT_EXIST"), "unknown_account"),
        (failed("SYSTEMERROR"), "refused"),
        (refusal, "bad_key"),
        (
            signed(&[("result_code", "FAIL")], OTHER_KEY, SignType::HmacSha256),
            "bad_answer_signature",
        ),
        (
            Response::new(Bytes::from_static(b"<html>hello</html>")),
            "unreadable_answer",
        ),
    ] {
        let diagnosis = account.diagnose(&answer, NOW);
        assert_eq!(diagnosis.code, code, "{}", diagnosis.cause);
        assert_eq!(diagnosis.healthy, code == "ok");
        assert!(diagnosis.healthy || !diagnosis.cure.is_empty());
    }
}
