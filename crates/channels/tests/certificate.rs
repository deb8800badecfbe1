//! The certificate in both of its forms, and everything that can be wrong with it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;
use tongbao_channels::{
    Addresses, Call, Channel, ClientIdentity, RefundCall, RefundOrder, Settings, Stamp, kind,
};
use tongbao_core::{Money, Outcome, RefundOutcome, Timestamp};
use tongbao_wire::wechat_v2::sign::insert_sign;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType};

const API_KEY: &str = "TongbaoSimulatorTestKey000000001";
const NOW: Timestamp = Timestamp::from_secs(1_795_233_600);
const CERTIFICATE: &str = include_str!("certificates/merchant_cert.pem");
const KEY: &str = include_str!("certificates/merchant_key.pem");
const STRANGERS: &str = include_str!("certificates/stranger_cert.pem");
/// As WeChat Pay hands it out: RC2 and 3DES, the merchant number for a password.
const P12: &[u8] = include_bytes!("certificates/merchant.p12");
/// AES, and a password that somebody has chosen.
const MODERN_P12: &[u8] = include_bytes!("certificates/modern.p12");
const SLOW_P12: &[u8] = include_bytes!("certificates/slow.p12");
/// The work is within what is encrypted.
const NESTED_P12: &[u8] = include_bytes!("certificates/nested.p12");

fn open(mch_id: &str, more: &[(&str, &str)]) -> Result<Box<dyn Channel>, String> {
    let kind = kind("wechat_v2").unwrap();
    let mut typed =
        json!({"app_id": "wx7e57000000000001", "mch_id": mch_id, "api_v2_key": API_KEY});
    for (name, value) in more {
        typed[*name] = json!(value);
    }
    let settings = Settings::read(kind.fields, typed).unwrap();
    (kind.open)(&settings, &Addresses::default()).map_err(|error| error.to_string())
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

const REVERSE: Call<'static> = Call::Reverse {
    out_trade_no: "T00001",
};

fn refund() -> RefundCall<'static> {
    RefundCall::Start(RefundOrder {
        out_trade_no: "T00001",
        out_refund_no: "R1",
        received: Money::fen(1234),
        amount: Money::fen(500),
        reason: None,
        notify_url: "https://pay.test/notify/chn_1",
    })
}

/// What the platform would see.
fn shown(account: &dyn Channel) -> String {
    let stamp = Stamp {
        now: NOW,
        nonce: "5K8264ILTKCH16CQ2502SI8ZNMTM67VS".into(),
    };
    let request = account.encode(&REVERSE, &stamp).unwrap();
    let identity = request.extensions().get::<ClientIdentity>().unwrap();
    identity.pem().to_owned()
}

#[test]
fn all_forms_of_the_same_certificate_show_the_same() {
    let pem = [("client_certificate", CERTIFICATE), ("client_key", KEY)];
    let (p12, modern) = (base64(P12), base64(MODERN_P12));
    let wrapped = p12.as_bytes().chunks(76).map(String::from_utf8_lossy);
    let wrapped = wrapped.collect::<Vec<_>>().join("\n");
    let expected = format!("{CERTIFICATE}{KEY}");
    for settings in [
        &pem[..],
        &[("client_p12", &p12)],
        &[("client_p12", &wrapped)],
        &[("client_p12", &p12), ("client_p12_password", "1900007357")],
        &[("client_p12", &modern), ("client_p12_password", "another")],
        // What is taken away is empty.
        &[
            ("client_p12", &p12),
            ("client_certificate", ""),
            ("client_key", " "),
        ],
    ] {
        let account = open("1900007357", settings).unwrap();
        assert_eq!(shown(&*account), expected);
        assert!(account.certificate_until().unwrap() > NOW);
        assert!(account.can_refund().is_ok());
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_and_never_shown() {
    let (p12, modern, slow) = (base64(P12), base64(MODERN_P12), base64(SLOW_P12));
    let nested = base64(NESTED_P12);
    let cut = base64(&P12[..1_000]);
    let text = base64(b"apiclient_cert.p12");
    let pair = |certificate, key| vec![("client_certificate", certificate), ("client_key", key)];
    let file = |text: &'static str| vec![("client_p12", text)];
    let leak = |text: String| -> &'static str { text.leak() };
    let (p12, modern, slow) = (leak(p12), leak(modern), leak(slow));
    for (mch_id, settings, field, cure) in [
        (
            "1900007357",
            pair(STRANGERS, KEY),
            "client_key",
            "same archive",
        ),
        (
            "1900000109",
            pair(CERTIFICATE, KEY),
            "client_certificate",
            "merchant 1900007357's",
        ),
        (
            "1900007357",
            pair("MIIKmgIBAzCC", KEY),
            "client_certificate",
            "apiclient_cert.pem",
        ),
        (
            "1900007357",
            pair(CERTIFICATE, "MIIKmgIBAzCC"),
            "client_key",
            "apiclient_key.pem",
        ),
        (
            "1900007357",
            pair(CERTIFICATE, CERTIFICATE),
            "client_key",
            "apiclient_key.pem",
        ),
        (
            "1900007357",
            vec![("client_key", KEY)],
            "client_certificate",
            "apiclient_cert.pem",
        ),
        (
            "1900007357",
            file(modern),
            "client_p12_password",
            "merchant number",
        ),
        // Its password is the number of the merchant whose it is.
        (
            "1900000109",
            file(p12),
            "client_p12_password",
            "merchant number",
        ),
        (
            "1900000109",
            vec![("client_p12", p12), ("client_p12_password", "1900007357")],
            "client_p12",
            "merchant 1900007357's",
        ),
        (
            "1900007357",
            file("no base64!"),
            "client_p12",
            "base64 apiclient_cert.p12",
        ),
        ("1900007357", file(leak(cut)), "client_p12", "download"),
        ("1900007357", file(leak(text)), "client_p12", "download"),
        ("1900007357", file(slow), "client_p12", "more work"),
        ("1900007357", file(leak(nested)), "client_p12", "more work"),
        (
            "1900007357",
            [file(p12), pair(CERTIFICATE, KEY)].concat(),
            "client_p12",
            "keep one",
        ),
    ] {
        let Err(error) = open(mch_id, &settings) else {
            panic!("{field}: {cure}: was taken");
        };
        assert!(error.starts_with(&format!("settings.{field}: ")), "{error}");
        assert!(error.contains(cure), "{error}");
        assert!(!error.contains("MII"), "{error}");
    }
}

/// In a page of its own, in the place of XML.
fn turned_away(words: &str) -> Response<Bytes> {
    let page = format!("<html><head><title>400 {words}</title></head></html>");
    let mut response = Response::new(Bytes::from(page));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

#[test]
fn whoever_is_turned_away_at_the_platforms_door_is_told_what_to_do() {
    let account = open("1900007357", &[("client_p12", &base64(P12))]).unwrap();
    for (words, cure) in [
        (
            "No required SSL certificate was sent",
            "enter client_certificate",
        ),
        ("The SSL certificate error", "download a new one"),
    ] {
        let answer = account.decode_refund(&refund(), &turned_away(words), NOW);
        let RefundOutcome::NotYet { failure } = answer.outcome else {
            panic!("{answer:?}");
        };
        assert_eq!(failure.code, "client_certificate_refused");
        assert!(failure.detail.contains(cure), "{failure:?}");
        let outcome = account.decode(&REVERSE, &turned_away(words), NOW).outcome;
        let Outcome::Unknown { why, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(why.contains(cure), "{why}");
    }
    let other = account.decode_refund(&refund(), &turned_away("Bad Request"), NOW);
    assert!(matches!(other.outcome, RefundOutcome::Unknown { .. }));
}

#[test]
fn the_key_doctor_counts_the_days() {
    let account = open("1900007357", &[("client_p12", &base64(P12))]).unwrap();
    let until = account.certificate_until().unwrap();
    let mut fields = Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("appid", "wx7e57000000000001"),
        ("mch_id", "1900007357"),
        ("nonce_str", "nonce"),
        ("result_code", "FAIL"),
        ("err_code", "ORDERNOTEXIST"),
    ]);
    insert_sign(
        &mut fields,
        &ApiKey::new(API_KEY).unwrap(),
        SignType::HmacSha256,
    );
    let well = Response::new(Bytes::from(fields.write()));
    let day = Duration::from_hours(24);
    for (now, code, days, cure) in [
        (until - day * 400, "ok", "for 400 days", false),
        (until - day * 30, "ok", "for 30 days", false),
        (until - day * 29, "ok", "for 29 days", true),
        (until, "certificate_expired", "ended at", true),
    ] {
        let found = account.diagnose(&well, now);
        assert_eq!((found.code, found.healthy), (code, code == "ok"));
        assert!(found.cause.contains(days), "{}", found.cause);
        assert_eq!(!found.cure.is_empty(), cure, "{}", found.cure);
    }
}
