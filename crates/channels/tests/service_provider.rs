//! A service provider's key signs for all of its sub-merchants: what says whose a
//! message is are the numbers in it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod stage;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use tongbao_channels::{
    Addresses, Call, Channel, Order, Pages, RefundCall, RefundOrder, Settings, Stamp, kind,
};
use tongbao_core::{Money, Outcome, RefundOutcome, Scene, Timestamp};
use tongbao_wire::wechat_v2::refund_notification::{Envelope, Refund};
use tongbao_wire::wechat_v2::refunded::RefundStatus;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const KEY: &str = "TongbaoSimulatorTestKey000000101";
const PROVIDER: &str = "1900007400";
const PROVIDERS_APP: &str = "wx7e57000000000101";
const TEA: &str = "1900007401";
const TEAS_APP: &str = "wx7e57000000000102";
const BOOKS: &str = "1900007402";

fn open(sub: &[(&str, &str)]) -> Result<Box<dyn Channel>, String> {
    let kind = kind("wechat_v2").unwrap();
    let mut typed = json!({"app_id": PROVIDERS_APP, "mch_id": PROVIDER, "api_v2_key": KEY});
    for (name, value) in sub {
        typed[*name] = json!(value);
    }
    let settings = Settings::read(kind.fields, typed).unwrap();
    let addresses = [("wechat_pay".to_owned(), "http://platform.test".to_owned())];
    (kind.open)(&settings, &Addresses::new(addresses.into())).map_err(|error| error.to_string())
}

fn tea() -> Box<dyn Channel> {
    open(&[("sub_mch_id", TEA)]).unwrap()
}

fn tea_with_app() -> Box<dyn Channel> {
    open(&[("sub_mch_id", TEA), ("sub_appid", TEAS_APP)]).unwrap()
}

fn order(scene: Scene) -> Call<'static> {
    let at = Timestamp::from_secs(1_790_000_000);
    Call::Start(Order {
        out_trade_no: "T00001",
        amount: Money::fen(1234),
        subject: "龙井茶",
        scene,
        auth_code: (scene == Scene::Barcode).then_some("134567890123456789"),
        payer: matches!(scene, Scene::Jsapi | Scene::MiniProgram).then_some("oPayer"),
        client_ip: Some("203.0.113.7"),
        created_at: at,
        expires_at: Timestamp::from_secs(1_790_001_800),
        notify_url: "https://pay.test/notify/chn_1",
        pages: Pages {
            site: "https://pay.test",
            back: "https://shop.test/orders/1",
        },
        asked_at: at,
    })
}

fn refund() -> RefundOrder<'static> {
    RefundOrder {
        out_trade_no: "T00001",
        out_refund_no: "R1",
        received: Money::fen(1234),
        amount: Money::fen(500),
        reason: None,
        notify_url: "https://pay.test/notify/chn_1",
    }
}

fn stamp() -> Stamp {
    stage::stamp(NOW)
}

const OUT_TRADE_NO: &str = "T00001";
const QUERY: Call<'static> = Call::Query {
    out_trade_no: OUT_TRADE_NO,
};

/// All seven calls.
fn requests(account: &dyn Channel) -> Vec<Request<Bytes>> {
    let (close, reverse) = (
        Call::Close {
            out_trade_no: OUT_TRADE_NO,
        },
        Call::Reverse {
            out_trade_no: OUT_TRADE_NO,
        },
    );
    let calls = [
        order(Scene::Native),
        order(Scene::Barcode),
        QUERY,
        close,
        reverse,
    ];
    let refunds = [RefundCall::Start(refund()), RefundCall::Query(refund())];
    let calls = calls
        .iter()
        .map(|call| account.encode(call, &stamp()).unwrap());
    let refunds = refunds
        .iter()
        .map(|call| account.encode_refund(call, &stamp()).unwrap());
    calls.chain(refunds).collect()
}

#[test]
fn each_of_the_seven_calls_names_the_sub_merchant() {
    for (account, app) in [(tea(), None), (tea_with_app(), Some(TEAS_APP))] {
        let requests = requests(&*account);
        assert_eq!(requests.len(), 7);
        for request in requests {
            let fields = Fields::read(request.body()).unwrap();
            let said = ["appid", "mch_id", "sub_mch_id", "sub_appid"].map(|name| fields.get(name));
            assert_eq!(
                said,
                [Some(PROVIDERS_APP), Some(PROVIDER), Some(TEA), app],
                "{}",
                request.uri()
            );
        }
    }
}

#[test]
fn the_payer_has_the_name_of_the_application_where_he_is_met() {
    for (account, names) in [
        (tea(), [Some("oPayer"), None]),
        (tea_with_app(), [None, Some("oPayer")]),
    ] {
        for scene in [Scene::Jsapi, Scene::MiniProgram] {
            let request = account.encode(&order(scene), &stamp()).unwrap();
            let fields = Fields::read(request.body()).unwrap();
            assert_eq!(["openid", "sub_openid"].map(|name| fields.get(name)), names);
        }
    }
}

fn signed(more: &[(&'static str, &'static str)]) -> Response<Bytes> {
    let head = [PROVIDERS_APP, PROVIDER];
    stage::signed(head, more, KEY, SignType::HmacSha256)
}

const PAID: [(&str, &str); 7] = [
    ("out_trade_no", OUT_TRADE_NO),
    ("trade_state", "SUCCESS"),
    ("total_fee", "1234"),
    ("transaction_id", "4200000000202611210000000001"),
    ("time_end", "20261121120000"),
    ("openid", "oOfTheProvider"),
    ("sub_openid", "oOfTheTeaHouse"),
];

/// The platform leaves the sub-merchant's application out of some answers.
#[test]
fn an_answer_is_about_the_sub_merchant_that_was_asked_for_or_it_is_none() {
    let answer = |sub: &[(&'static str, &'static str)]| signed(&[&PAID[..], sub].concat());
    for (account, sub, payer) in [
        (tea(), vec![("sub_mch_id", TEA)], Some("oOfTheProvider")),
        (
            tea(),
            vec![("sub_mch_id", TEA), ("sub_appid", TEAS_APP)],
            Some("oOfTheProvider"),
        ),
        (
            tea_with_app(),
            vec![("sub_mch_id", TEA), ("sub_appid", TEAS_APP)],
            Some("oOfTheTeaHouse"),
        ),
        (
            tea_with_app(),
            vec![("sub_mch_id", TEA)],
            Some("oOfTheTeaHouse"),
        ),
        (tea(), vec![], None),
        (tea(), vec![("sub_mch_id", BOOKS)], None),
        (
            tea_with_app(),
            vec![("sub_mch_id", TEA), ("sub_appid", PROVIDERS_APP)],
            None,
        ),
    ] {
        let outcome = account.decode(&QUERY, &answer(&sub), NOW).outcome;
        match (&outcome, payer) {
            (Outcome::Success { receipt }, Some(payer)) => {
                assert_eq!(receipt.payer.as_deref(), Some(payer));
            }
            (Outcome::Unknown { why, .. }, None) => assert!(why.contains("sub_"), "{why}"),
            _ => panic!("{sub:?}: {outcome:?}"),
        }
    }
}

#[test]
fn a_refund_of_another_sub_merchant_is_none_of_ours() {
    let taken = [
        ("transaction_id", "4200000000202611210000000001"),
        ("out_trade_no", OUT_TRADE_NO),
        ("out_refund_no", "R1"),
        ("refund_id", "50300000000000000000000000001"),
        ("refund_fee", "500"),
        ("total_fee", "1234"),
    ];
    let listed = [
        ("transaction_id", "4200000000202611210000000001"),
        ("out_trade_no", OUT_TRADE_NO),
        ("total_fee", "1234"),
        ("refund_fee", "500"),
        ("refund_count", "1"),
        ("out_refund_no_0", "R1"),
        ("refund_id_0", "50300000000000000000000000001"),
        ("refund_fee_0", "500"),
        ("refund_status_0", "SUCCESS"),
    ];
    for (call, fields) in [
        (RefundCall::Start(refund()), &taken[..]),
        (RefundCall::Query(refund()), &listed[..]),
    ] {
        for (sub, known) in [(TEA, true), (BOOKS, false)] {
            let answer = signed(&[fields, &[("sub_mch_id", sub)]].concat());
            let outcome = tea().decode_refund(&call, &answer, NOW).outcome;
            let unknown = matches!(outcome, RefundOutcome::Unknown { .. });
            assert_ne!(unknown, known, "{outcome:?}");
        }
    }
}

#[test]
fn a_notification_for_one_sub_merchant_is_refused_at_anothers_address() {
    let paid: Vec<_> = PAID
        .into_iter()
        .filter(|(name, _)| *name != "trade_state")
        .collect();
    let notice = |sub: &[(&'static str, &'static str)]| {
        Request::new(signed(&[&paid, sub].concat()).into_body())
    };
    assert!(
        tea()
            .notification(&notice(&[("sub_mch_id", TEA)]), NOW)
            .is_ok()
    );
    for sub in [vec![("sub_mch_id", BOOKS)], vec![]] {
        let refused = tea().notification(&notice(&sub), NOW).unwrap_err();
        assert_eq!(refused.reason, "other_sub_merchant", "{}", refused.detail);
    }

    let refund = Refund {
        transaction_id: "4200000000202611210000000001".into(),
        out_trade_no: OUT_TRADE_NO.into(),
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
    };
    let told = |sub: &str| {
        let envelope = Envelope {
            return_msg: None,
            appid: PROVIDERS_APP.into(),
            mch_id: PROVIDER.into(),
            sub_appid: None,
            sub_mch_id: Some(sub.into()),
            nonce_str: "nonce".into(),
            req_info: refund.seal(&ApiKey::new(KEY).unwrap()),
        };
        Request::new(Bytes::from(envelope.to_fields().write()))
    };
    assert!(tea().notification(&told(TEA), NOW).is_ok());
    let refused = tea().notification(&told(BOOKS), NOW).unwrap_err();
    assert_eq!(refused.reason, "other_sub_merchant");
}

#[test]
fn settings_of_half_a_sub_merchant_are_refused() {
    for (sub, field) in [
        (vec![("sub_appid", TEAS_APP)], "settings.sub_mch_id"),
        (vec![("sub_mch_id", "")], "settings.sub_mch_id"),
        (vec![("sub_mch_id", "1900 7401")], "settings.sub_mch_id"),
        (
            vec![("sub_mch_id", TEA), ("sub_appid", "")],
            "settings.sub_appid",
        ),
    ] {
        let Err(error) = open(&sub) else {
            panic!("{sub:?} was taken");
        };
        assert!(error.starts_with(field), "{error}");
    }
}

/// Orders under way are known to the platform as that sub-merchant's.
#[test]
fn whom_an_account_acts_for_never_changes() {
    let fields = kind("wechat_v2").unwrap().fields;
    let typed = |values: serde_json::Value| {
        let optional = fields
            .iter()
            .map(|field| tongbao_channels::settings::Field {
                required: false,
                ..*field
            });
        Settings::read(&optional.collect::<Vec<_>>(), values).unwrap()
    };
    let provider = || typed(json!({"mch_id": PROVIDER}));
    let tea = || typed(json!({"mch_id": PROVIDER, "sub_mch_id": TEA, "sub_appid": TEAS_APP}));
    for (was, newer, may) in [
        (tea(), json!({"sub_mch_id": TEA}), true),
        (tea(), json!({"sub_mch_id": BOOKS}), false),
        (tea(), json!({"sub_appid": PROVIDERS_APP}), false),
        (provider(), json!({"sub_mch_id": TEA}), false),
    ] {
        let overlaid = was.overlaid(typed(newer.clone()), fields);
        assert_eq!(overlaid.is_ok(), may, "{newer}");
    }
}

#[test]
fn the_key_doctor_says_that_it_is_about_the_sub_merchant() {
    let unsigned = |text: &str| {
        Response::new(Bytes::from(format!(
            "<xml><return_code>FAIL</return_code><return_msg>{text}</return_msg></xml>"
        )))
    };
    let failed = |code: &'static str| {
        let sub = ("sub_mch_id", TEA);
        signed(&[("result_code", "FAIL"), ("err_code", code), sub])
    };
    let bare = open(&[]).unwrap();
    let asked = bare.diagnose(&unsigned("受理机构必须传入sub_mch_id"), NOW);
    assert_eq!(asked.code, "sub_merchant_refused");
    assert!(asked.cure.contains("sub_mch_id"), "{}", asked.cure);
    for (answer, code) in [
        (failed("NOAUTH"), "sub_merchant_refused"),
        (failed("PARAM_ERROR"), "sub_merchant_refused"),
        (
            unsigned("sub_mch_id与sub_appid不匹配"),
            "sub_merchant_refused",
        ),
        (failed("ORDERNOTEXIST"), "ok"),
    ] {
        let found = tea_with_app().diagnose(&answer, NOW);
        assert_eq!(found.code, code, "{}", found.cause);
        assert!(found.code != "ok" || found.cause.contains(TEA));
    }
}
