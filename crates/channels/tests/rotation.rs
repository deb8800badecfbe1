//! The key is changed on both sides, and not at the same moment: for a while what
//! is signed with either is believed, and nothing is taken for failed.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod stage;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use tongbao_channels::settings::Field;
use tongbao_channels::{
    Addresses, Call, Channel, Kind, Order, Pages, RefundCall, RefundOrder, Settings, kind,
};
use tongbao_core::{Money, Outcome, RefundOutcome, Scene, Timestamp};
use tongbao_wire::wechat_v2::refund_notification::{Envelope, Refund};
use tongbao_wire::wechat_v2::refunded::RefundStatus;
use tongbao_wire::wechat_v2::sign::verify;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType};

const OLD: &str = "TongbaoSimulatorTestKey000000001";
const NEW: &str = "TongbaoSimulatorTestKey000000002";
const NOBODYS: &str = "TongbaoSimulatorTestKey000000003";
/// Its application and its number.
const MERCHANT: [&str; 2] = ["wx7e57000000000001", "1900007357"];
const NOW: Timestamp = Timestamp::from_secs(1_795_233_600);
const UNTIL: &str = "2026-11-21T16:00:00+08:00";

fn until() -> Timestamp {
    Timestamp::parse(UNTIL).unwrap()
}

fn wechat() -> &'static Kind {
    kind("wechat_v2").unwrap()
}

fn typed(values: Value) -> Settings {
    let optional = wechat().fields.iter().map(|field| Field {
        required: false,
        ..*field
    });
    Settings::read(&optional.collect::<Vec<_>>(), values).unwrap()
}

/// As it is after `was` was changed by each of `changes`.
fn changed(was: Value, changes: &[Value]) -> Settings {
    let rotation = wechat().rotation.unwrap();
    let mut settings = typed(was);
    for change in changes {
        let mut newer = typed(change.clone());
        rotation.begin(&mut settings, &mut newer);
        rotation.check(&newer, NOW).unwrap();
        settings = settings.overlaid(newer, wechat().fields).unwrap();
    }
    settings
}

fn account_with(key: &str) -> Value {
    json!({"app_id": "wx7e57000000000001", "mch_id": "1900007357", "api_v2_key": key})
}

fn rotating() -> Box<dyn Channel> {
    let begin = json!({"api_v2_key": NEW, "previous_api_v2_key_until": UNTIL});
    open(&changed(account_with(OLD), &[begin])).unwrap()
}

fn open(settings: &Settings) -> Result<Box<dyn Channel>, String> {
    (wechat().open)(settings, &Addresses::default()).map_err(|error| error.to_string())
}

fn keys(settings: &Settings) -> [Option<&str>; 3] {
    [
        "api_v2_key",
        "previous_api_v2_key",
        "previous_api_v2_key_until",
    ]
    .map(|name| settings.get(name))
}

#[test]
fn the_key_that_is_replaced_is_kept_until_the_time_that_is_said() {
    let begin = json!({"api_v2_key": NEW, "previous_api_v2_key_until": UNTIL});
    let rotated = [Some(NEW), Some(OLD), Some(UNTIL)];
    for (changes, expected) in [
        (vec![begin.clone()], rotated),
        // The same request again.
        (vec![begin.clone(), begin.clone()], rotated),
        (vec![begin.clone(), json!({"api_v2_key": NEW})], rotated),
        // Another setting.
        (vec![begin.clone(), json!({"sign_type": "MD5"})], rotated),
        // Without a time the old one ends at once, and those before it too.
        (vec![json!({"api_v2_key": NEW})], [Some(NEW), None, None]),
        (
            vec![begin.clone(), json!({"api_v2_key": NOBODYS})],
            [Some(NOBODYS), None, None],
        ),
        // Both are typed, as after a loss.
        (
            vec![json!({"api_v2_key": NEW, "previous_api_v2_key": NOBODYS,
                        "previous_api_v2_key_until": UNTIL})],
            [Some(NEW), Some(NOBODYS), Some(UNTIL)],
        ),
    ] {
        let settings = changed(account_with(OLD), &changes);
        assert_eq!(keys(&settings), expected, "{changes:?}");
    }
}

#[test]
fn no_time_that_is_no_time_or_too_far_away_is_taken() {
    let rotation = wechat().rotation.unwrap();
    let week = NOW + Duration::from_hours(7 * 24);
    for (until, may) in [
        (week.to_string(), true),
        ((week + Duration::from_secs(1)).to_string(), false),
        ("2026-11-21".to_owned(), false),
        (String::new(), false),
        // The past ends it.
        ("2020-01-01T00:00:00Z".to_owned(), true),
    ] {
        let settings = typed(json!({"previous_api_v2_key_until": until}));
        assert_eq!(rotation.check(&settings, NOW).is_ok(), may, "{until}");
    }
    let mut without = account_with(NEW);
    without["previous_api_v2_key"] = json!(OLD);
    let Err(error) = open(&typed(without)) else {
        panic!("it would be believed for ever");
    };
    assert!(
        error.starts_with("settings.previous_api_v2_key_until"),
        "{error}"
    );
}

#[test]
fn neither_key_is_shown() {
    let begin = json!({"api_v2_key": NEW, "previous_api_v2_key_until": UNTIL});
    let settings = changed(account_with(OLD), &[begin]);
    assert!(!format!("{settings:?}").contains("TongbaoSimulator"));
    let (open, sealed) = settings.split(wechat().fields);
    assert_eq!(open["previous_api_v2_key_until"], UNTIL);
    assert!(!open.to_string().contains("TongbaoSimulator"), "{open}");
    assert_eq!(
        sealed,
        json!({"api_v2_key": NEW, "previous_api_v2_key": OLD})
    );
}

fn signed(more: &[(&'static str, &'static str)], key: &str) -> Response<Bytes> {
    stage::signed(MERCHANT, more, key, SignType::HmacSha256)
}

const PAID: [(&str, &str); 4] = [
    ("out_trade_no", "T00001"),
    ("total_fee", "1234"),
    ("transaction_id", "4200000000202611210000000001"),
    ("time_end", "20261121120000"),
];

const QUERY: Call<'static> = Call::Query {
    out_trade_no: "T00001",
};

/// When, and which keys are believed then.
fn moments() -> [(Timestamp, &'static [&'static str]); 3] {
    [
        (NOW, &[NEW, OLD]),
        (until() - Duration::from_millis(1), &[NEW, OLD]),
        (until(), &[NEW]),
    ]
}

#[test]
fn what_comes_in_is_believed_with_either_key_until_the_time_is_over() {
    let account = rotating();
    for (now, good) in moments() {
        for key in [OLD, NEW, NOBODYS] {
            let believed = good.contains(&key);

            let notice = Request::new(signed(&PAID, key).into_body());
            let heard = account.notification(&notice, now);
            assert_eq!(heard.is_ok(), believed, "{key} at {now}: {heard:?}");

            let answer = signed(&[&PAID[..], &[("trade_state", "SUCCESS")]].concat(), key);
            let outcome = account.decode(&QUERY, &answer, now).outcome;
            let success = matches!(outcome, Outcome::Success { .. });
            assert_eq!(success, believed, "{key} at {now}: {outcome:?}");
        }
    }
}

#[test]
fn a_refunds_message_opens_with_either_key_until_the_time_is_over() {
    let refund = Refund {
        transaction_id: "4200000000202611210000000001".into(),
        out_trade_no: "T00001".into(),
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
    let account = rotating();
    for (now, good) in moments() {
        for key in [OLD, NEW, NOBODYS] {
            let envelope = Envelope {
                return_msg: None,
                appid: "wx7e57000000000001".into(),
                mch_id: "1900007357".into(),
                sub_appid: None,
                sub_mch_id: None,
                nonce_str: "nonce".into(),
                req_info: refund.seal(&ApiKey::new(key).unwrap()),
            };
            let request = Request::new(Bytes::from(envelope.to_fields().write()));
            let heard = account.notification(&request, now);
            assert_eq!(heard.is_ok(), good.contains(&key), "{key} at {now}");
        }
    }
}

fn order(scene: Scene) -> Call<'static> {
    Call::Start(Order {
        out_trade_no: "T00001",
        amount: Money::fen(1234),
        subject: "龙井茶",
        scene,
        auth_code: (scene == Scene::Barcode).then_some("134567890123456789"),
        payer: None,
        client_ip: None,
        created_at: NOW,
        expires_at: NOW + Duration::from_mins(30),
        notify_url: "https://pay.test/notify/chn_1",
        pages: Pages {
            site: "https://pay.test",
            back: "https://shop.test/orders/1",
        },
        asked_at: NOW,
    })
}

#[test]
fn what_goes_out_is_signed_with_the_new_key() {
    let order = order(Scene::Native);
    let request = rotating().encode(&order, &stage::stamp(NOW)).unwrap();
    let fields = Fields::read(request.body()).unwrap();
    let by = |key: &str| verify(&fields, &ApiKey::new(key).unwrap(), SignType::HmacSha256);
    assert!(by(NEW).is_ok() && by(OLD).is_err());
}

/// The platform may have the new key a quarter of an hour later than we.
#[test]
fn a_signature_that_the_platform_refuses_ends_nothing_while_the_key_changes() {
    let unsigned = |text: &str| {
        Response::new(Bytes::from(format!(
            "<xml><return_code>FAIL</return_code><return_msg>{text}</return_msg></xml>"
        )))
    };
    let coded = signed(&[("result_code", "FAIL"), ("err_code", "SIGNERROR")], OLD);
    let account = rotating();
    for answer in [unsigned("签名错误"), unsigned("错误的签名,验签失败"), coded] {
        for scene in [Scene::Native, Scene::Barcode] {
            let outcome = account.decode(&order(scene), &answer, NOW).outcome;
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        }
        let refund = RefundCall::Start(RefundOrder {
            out_trade_no: "T00001",
            out_refund_no: "R1",
            received: Money::fen(1234),
            amount: Money::fen(500),
            reason: None,
            notify_url: "https://pay.test/notify/chn_1",
        });
        let outcome = account.decode_refund(&refund, &answer, NOW).outcome;
        assert!(
            matches!(outcome, RefundOutcome::NotYet { .. }),
            "{outcome:?}"
        );
    }
    // Afterwards it is what it always was: a wrong key.
    let outcome = account
        .decode(&order(Scene::Native), &unsigned("签名错误"), until())
        .outcome;
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
}

#[test]
fn the_key_doctor_says_that_the_platform_has_not_the_new_key_yet() {
    let refusal = Response::new(Bytes::from_static(
        "<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>".as_bytes(),
    ));
    let account = rotating();
    assert_eq!(account.diagnose(&refusal, NOW).code, "new_key_not_yet");
    assert_eq!(account.diagnose(&refusal, until()).code, "bad_key");

    let known = signed(
        &[("result_code", "FAIL"), ("err_code", "ORDERNOTEXIST")],
        NEW,
    );
    let found = account.diagnose(&known, NOW);
    assert_eq!(found.code, "ok");
    assert!(
        found.cause.contains("2026-11-21T08:00:00Z"),
        "{}",
        found.cause
    );
    assert!(!account.diagnose(&known, until()).cause.contains("previous"));
}
