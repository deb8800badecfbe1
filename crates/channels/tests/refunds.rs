//! What the platform's words about a refund come to: every documented code of both
//! calls, every state, and every way in which an answer or a message can be untrue.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod stage;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use tongbao_channels::{
    Addresses, Call, Channel, ChannelError, ClientIdentity, RefundCall, RefundOrder, Settings,
    Stamp, Told, kind,
};
use tongbao_core::{Grade, Money, RefundOutcome, Timestamp};
use tongbao_wire::wechat_v2::refund_notification::{Envelope, Refund};
use tongbao_wire::wechat_v2::refunded::RefundStatus;
use tongbao_wire::wechat_v2::sign::verify;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType};

/// Its application and its number.
const MERCHANT: [&str; 2] = ["wx7e57000000000001", "1900007357"];
const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const KEY: &str = "TongbaoSimulatorTestKey000000001";
const OTHER_KEY: &str = "TongbaoSimulatorTestKey000000002";
const CERTIFICATE: &str = include_str!("certificates/merchant_cert.pem");
const PRIVATE_KEY: &str = include_str!("certificates/merchant_key.pem");

fn settings(more: &[(&str, &str)]) -> serde_json::Value {
    let mut typed = json!({
        "app_id": "wx7e57000000000001",
        "mch_id": "1900007357",
        "api_v2_key": KEY,
    });
    for (name, value) in more {
        typed[*name] = json!(value);
    }
    typed
}

fn addresses(orders: &str) -> Addresses {
    Addresses::new([("wechat_pay".to_owned(), orders.to_owned())].into())
}

fn open(more: &[(&str, &str)], address: &str) -> Result<Box<dyn Channel>, String> {
    let kind = kind("wechat_v2").unwrap();
    let settings = Settings::read(kind.fields, settings(more)).unwrap();
    (kind.open)(&settings, &addresses(address)).map_err(|error| error.to_string())
}

fn account() -> Box<dyn Channel> {
    let both = [
        ("client_certificate", CERTIFICATE),
        ("client_key", PRIVATE_KEY),
    ];
    open(&both, "https://platform.test").unwrap()
}

fn order() -> RefundOrder<'static> {
    RefundOrder {
        out_trade_no: "T1",
        out_refund_no: "R1",
        received: Money::fen(1234),
        amount: Money::fen(500),
        reason: Some("少了一杯"),
        notify_url: "https://pay.test/notify/chn_1",
    }
}

fn start() -> RefundCall<'static> {
    RefundCall::Start(order())
}

fn query() -> RefundCall<'static> {
    RefundCall::Query(order())
}

fn stamp() -> Stamp {
    stage::stamp(NOW)
}

fn reply(more: &[(&'static str, &'static str)]) -> Response<Bytes> {
    signed(more, KEY)
}

fn signed(more: &[(&'static str, &'static str)], key: &str) -> Response<Bytes> {
    stage::signed(MERCHANT, more, key, SignType::HmacSha256)
}

fn failed(code: &'static str) -> Response<Bytes> {
    reply(&[
        ("result_code", "FAIL"),
        ("err_code", code),
        ("err_code_des", "text"),
    ])
}

fn word(outcome: &RefundOutcome) -> &'static str {
    match outcome {
        RefundOutcome::Processing { .. } => "processing",
        RefundOutcome::Succeeded { .. } => "succeeded",
        RefundOutcome::Abnormal { .. } => "abnormal",
        RefundOutcome::Closed { .. } => "closed",
        RefundOutcome::Refused { .. } => "refused",
        RefundOutcome::NotYet { .. } => "not yet",
        RefundOutcome::NotFound => "not found",
        RefundOutcome::Unknown { .. } => "unknown",
    }
}

#[test]
fn every_error_code_leads_to_its_action() {
    #[rustfmt::skip]
    let table = [
        // code, answer to the request, answer to the query
        ("SYSTEMERROR",           "unknown", "unknown"),
        ("BIZERR_NEED_RETRY",     "unknown", "unknown"),
        ("FREQUENCY_LIMITED",     "not yet", "unknown"),
        ("INVALID_REQ_TOO_MUCH",  "not yet", "unknown"),
        ("ORDER_NOT_READY",       "not yet", "unknown"),
        ("NOTENOUGH",             "not yet", "unknown"),
        ("NOAUTH",                "not yet", "unknown"),
        ("CERT_ERROR",            "not yet", "unknown"),
        ("SIGNERROR",             "not yet", "unknown"),
        ("TRADE_OVERDUE",         "refused", "unknown"),
        ("USER_ACCOUNT_ABNORMAL", "refused", "unknown"),
        ("ERROR",                 "refused", "unknown"),
        ("REFUND_FEE_INVALID",    "refused", "unknown"),
        ("REFUND_FEE_MISMATCH",   "refused", "unknown"),
        ("TRADE_STATE_ERROR",     "refused", "unknown"),
        ("ORDERNOTEXIST",         "refused", "unknown"),
        ("INVALID_TRANSACTIONID", "refused", "unknown"),
        ("PARAM_ERROR",           "refused", "unknown"),
        ("INVALID_REQUEST",       "refused", "unknown"),
        ("APPID_NOT_EXIST",       "refused", "unknown"),
        ("MCHID_NOT_EXIST",       "refused", "unknown"),
        ("REQUIRE_POST_METHOD",   "refused", "unknown"),
        ("XML_FORMAT_ERROR",      "refused", "unknown"),
        ("REFUNDNOTEXIST",        "unknown", "not found"),
        ("NOBODY_HAS_SEEN_THIS",  "unknown", "unknown"),
    ];
    let account = account();
    for (code, to_start, to_query) in table {
        let answer = account.decode_refund(&start(), &failed(code), NOW);
        assert_eq!(word(&answer.outcome), to_start, "{code} to the request");
        assert_eq!(answer.grade, Grade::Strong);
        let answer = account.decode_refund(&query(), &failed(code), NOW);
        assert_eq!(word(&answer.outcome), to_query, "{code} to the query");
    }
    let text = include_str!("../../wire/fixtures/wechat_v2/error_codes.json");
    let documented: serde_json::Value = serde_json::from_str(text).unwrap();
    for call in ["refund", "refundquery"] {
        for code in documented[call].as_array().unwrap() {
            let known = table.iter().any(|(known, ..)| code == known);
            assert!(known, "{code} is documented for {call}");
        }
    }
}

const TAKEN: [(&str, &str); 6] = [
    ("transaction_id", "4200000000000000000000000001"),
    ("out_trade_no", "T1"),
    ("out_refund_no", "R1"),
    ("refund_id", "50300000000000000000000000001"),
    ("refund_fee", "500"),
    ("total_fee", "1234"),
];

#[test]
fn taken_is_not_done() {
    let answer = account().decode_refund(&start(), &reply(&TAKEN), NOW);
    let refund_no = "50300000000000000000000000001".to_owned();
    assert_eq!(answer.outcome, RefundOutcome::Processing { refund_no });
}

const LISTED: [(&str, &str); 9] = [
    ("transaction_id", "4200000000000000000000000001"),
    ("out_trade_no", "T1"),
    ("total_fee", "1234"),
    ("refund_fee", "500"),
    ("refund_count", "1"),
    ("out_refund_no_0", "R1"),
    ("refund_id_0", "50300000000000000000000000001"),
    ("refund_fee_0", "500"),
    ("refund_status_0", "SUCCESS"),
];

fn but(
    fields: &[(&'static str, &'static str)],
    name: &'static str,
    value: &'static str,
) -> Vec<(&'static str, &'static str)> {
    let mut fields = fields.to_vec();
    for field in fields.iter_mut().filter(|field| field.0 == name) {
        field.1 = value;
    }
    fields
}

#[test]
fn every_state_has_its_outcome() {
    for (status, outcome) in [
        ("PROCESSING", "processing"),
        ("SUCCESS", "succeeded"),
        ("REFUNDCLOSE", "closed"),
        ("CHANGE", "abnormal"),
        ("FAIL", "unknown"),
        ("NOBODY_HAS_SEEN_THIS", "unknown"),
    ] {
        let answer = reply(&but(&LISTED, "refund_status_0", status));
        let answer = account().decode_refund(&query(), &answer, NOW);
        assert_eq!(word(&answer.outcome), outcome, "{status}");
    }
}

#[test]
fn an_answer_about_anything_else_is_no_answer() {
    let account = account();
    for (name, value) in [
        ("out_trade_no", "T2"),
        ("out_refund_no", "R2"),
        ("refund_fee", "501"),
        ("appid", "wx7e57000000000002"),
        ("mch_id", "1900007358"),
    ] {
        let answer = account.decode_refund(&start(), &reply(&but(&TAKEN, name, value)), NOW);
        let ours = ["appid", "mch_id"].contains(&name);
        let answer = if ours {
            let mut more = TAKEN.to_vec();
            more.push((name, value));
            account.decode_refund(&start(), &reply(&more), NOW)
        } else {
            answer
        };
        assert_eq!(word(&answer.outcome), "unknown", "{name}");
    }
    for (name, value) in [
        ("out_trade_no", "T2"),
        ("out_refund_no_0", "R2"),
        ("refund_fee_0", "499"),
        ("refund_count", "2"),
    ] {
        let answer = account.decode_refund(&query(), &reply(&but(&LISTED, name, value)), NOW);
        assert_eq!(word(&answer.outcome), "unknown", "{name}");
    }
}

#[test]
fn an_answer_that_nobody_signed_proves_nothing() {
    let account = account();
    for (call, fields) in [(start(), &TAKEN[..]), (query(), &LISTED[..])] {
        let answer = account.decode_refund(&call, &signed(fields, OTHER_KEY), NOW);
        assert_eq!(word(&answer.outcome), "unknown");
        for body in [
            "",
            "<xml>",
            "{}",
            "<xml><return_code>FAIL</return_code></xml>",
        ] {
            let answer = account.decode_refund(&call, &Response::new(Bytes::from(body)), NOW);
            assert_eq!(word(&answer.outcome), "unknown", "{body}");
        }
    }
}

fn sent(request: &Request<Bytes>) -> Fields<'_> {
    let fields = Fields::read(request.body()).unwrap();
    verify(&fields, &ApiKey::new(KEY).unwrap(), SignType::HmacSha256).unwrap();
    fields
}

#[test]
fn a_request_reads_the_same_on_every_retry() {
    let account = account();
    let [first, second] = [1, 2].map(|_| account.encode_refund(&start(), &stamp()).unwrap());
    assert_eq!(first.body(), second.body());
    assert_eq!(first.uri(), "https://platform.test/secapi/pay/refund");
    let fields = sent(&first);
    for (name, value) in [
        ("out_trade_no", "T1"),
        ("out_refund_no", "R1"),
        ("total_fee", "1234"),
        ("refund_fee", "500"),
        ("refund_desc", "少了一杯"),
        ("notify_url", "https://pay.test/notify/chn_1"),
    ] {
        assert_eq!(fields.get(name), Some(value));
    }
    let asked = account.encode_refund(&query(), &stamp()).unwrap();
    assert_eq!(asked.uri(), "https://platform.test/pay/refundquery");
    assert_eq!(sent(&asked).get("out_refund_no"), Some("R1"));
}

#[test]
fn a_part_of_a_yuan_at_most_goes_without_a_reason() {
    let small = RefundOrder {
        amount: Money::fen(100),
        ..order()
    };
    let request = account().encode_refund(&RefundCall::Start(small.clone()), &stamp());
    assert_eq!(sent(&request.unwrap()).get("refund_desc"), None);
    let whole = RefundOrder {
        received: Money::fen(100),
        ..small
    };
    let request = account().encode_refund(&RefundCall::Start(whole), &stamp());
    assert_eq!(sent(&request.unwrap()).get("refund_desc"), Some("少了一杯"));
}

#[test]
fn the_certificate_rides_on_the_request_that_needs_it_and_on_no_other() {
    let account = account();
    let shown = |call: &RefundCall<'_>| {
        let request = account.encode_refund(call, &stamp()).unwrap();
        request.extensions().get::<ClientIdentity>().cloned()
    };
    let identity = shown(&start()).unwrap();
    assert_eq!(identity.pem(), format!("{CERTIFICATE}{PRIVATE_KEY}"));
    assert!(!format!("{identity:?}").contains("BEGIN"));
    assert_eq!(shown(&query()), None);

    let shown = |call: &Call<'_>| {
        let request = account.encode(call, &stamp()).unwrap();
        request.extensions().get::<ClientIdentity>().cloned()
    };
    let out_trade_no = "T1";
    assert_eq!(shown(&Call::Reverse { out_trade_no }), Some(identity));
    assert_eq!(shown(&Call::Query { out_trade_no }), None);
}

#[test]
fn without_a_certificate_nothing_is_sent_and_the_error_says_what_to_do() {
    let bare = open(&[], "https://platform.test").unwrap();
    let Err(ChannelError::NoCertificate(text)) = bare.encode_refund(&start(), &stamp()) else {
        panic!("it was sent");
    };
    assert!(text.contains("apiclient_cert.pem"), "{text}");
    assert!(bare.can_refund().is_err());
    // Asking needs none, and a simulator cannot ask for one.
    assert!(bare.encode_refund(&query(), &stamp()).is_ok());
    let played = open(&[], "http://127.0.0.1:8100").unwrap();
    assert!(played.encode_refund(&start(), &stamp()).is_ok());
}

#[test]
fn half_a_certificate_and_what_is_no_pem_are_refused_with_the_cure() {
    for (more, field, cure) in [
        (
            vec![("client_certificate", CERTIFICATE)],
            "client_key",
            "apiclient_key.pem",
        ),
        (
            vec![("client_key", PRIVATE_KEY)],
            "client_certificate",
            "apiclient_cert.pem",
        ),
        (
            vec![
                ("client_certificate", "MIIKmgIBAzCC"),
                ("client_key", PRIVATE_KEY),
            ],
            "client_certificate",
            "client_p12",
        ),
        (
            vec![
                ("client_certificate", CERTIFICATE),
                ("client_key", CERTIFICATE),
            ],
            "client_key",
            "apiclient_key.pem",
        ),
    ] {
        let Err(error) = open(&more, "https://platform.test") else {
            panic!("{field} was taken");
        };
        assert!(error.contains(field) && error.contains(cure), "{error}");
        assert!(
            !error.contains("MIIK") && !error.contains("AA=="),
            "{error}"
        );
    }
}

fn told() -> Refund {
    Refund {
        transaction_id: "4200000000000000000000000001".into(),
        out_trade_no: "T1".into(),
        refund_id: "50300000000000000000000000001".into(),
        out_refund_no: "R1".into(),
        total_fee: 1234,
        settlement_total_fee: None,
        refund_fee: 500,
        settlement_refund_fee: None,
        cash_refund_fee: None,
        refund_status: RefundStatus::Success,
        success_time: None,
        refund_recv_accout: None,
        refund_account: None,
        refund_request_source: None,
    }
}

fn envelope(req_info: String, mch_id: &str) -> Request<Bytes> {
    let envelope = Envelope {
        return_msg: None,
        appid: "wx7e57000000000001".into(),
        mch_id: mch_id.into(),
        sub_appid: None,
        sub_mch_id: None,
        nonce_str: "nonce".into(),
        req_info,
    };
    Request::new(Bytes::from(envelope.to_fields().write()))
}

#[test]
fn a_message_about_a_refund_is_a_hint_and_no_more() {
    let req_info = told().seal(&ApiKey::new(KEY).unwrap());
    let heard = account()
        .notification(&envelope(req_info, "1900007357"), NOW)
        .unwrap();
    assert_eq!(heard.grade, Grade::Weak);
    assert_eq!(heard.out_trade_no, "T1");
    let Told::Refund {
        out_refund_no,
        outcome,
    } = heard.told
    else {
        panic!("{heard:?}");
    };
    assert_eq!((&*out_refund_no, word(&outcome)), ("R1", "succeeded"));
}

/// Whoever could tell a bad padding from a bad content could decrypt what is not
/// his, one question at a time.
#[test]
fn whatever_is_wrong_with_a_message_its_sender_hears_the_same() {
    let key = ApiKey::new(KEY).unwrap();
    let account = account();
    let sealed = |text: &str| tongbao_wire::wechat_v2::req_info::seal(text.as_bytes(), &key);
    let bad = [
        "not base64".to_owned(),
        "AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        "AAAA".to_owned(),
        told().seal(&ApiKey::new(OTHER_KEY).unwrap()),
        sealed("no document"),
        sealed("<root></root>"),
        sealed("<root><out_trade_no>T1</out_trade_no></root>"),
    ];
    for req_info in bad {
        let refused = account
            .notification(&envelope(req_info, "1900007357"), NOW)
            .unwrap_err();
        assert_eq!(
            (refused.reason, &*refused.detail),
            ("refund_unreadable", "")
        );
    }
    let others = told().seal(&key);
    let refused = account
        .notification(&envelope(others, "1900007358"), NOW)
        .unwrap_err();
    assert_eq!(refused.reason, "other_account");
}
