//! What tells of a refund's end: unsigned, encrypted, and hostile until it is asked about.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde::Deserialize;
use tongbao_wire::wechat_v2::notification::Notification;
use tongbao_wire::wechat_v2::refund_notification::{Envelope, OpenError, Refund};
use tongbao_wire::wechat_v2::refunded::{RefundAccount, RefundRequestSource, RefundStatus};
use tongbao_wire::wechat_v2::req_info::{self, ReqInfoError};
use tongbao_wire::wechat_v2::{ApiKey, BeijingTime, FieldError, Fields, XmlError, sign};

use crate::fixture;

#[derive(Deserialize)]
struct Example {
    id: String,
    key: String,
    body: Option<Vec<String>>,
    req_info: Option<String>,
    document: Option<Vec<String>>,
}

impl Example {
    fn key(&self) -> ApiKey {
        ApiKey::new(&self.key).unwrap()
    }

    fn envelope(&self) -> Envelope {
        match (&self.body, &self.req_info) {
            (Some(body), None) => {
                let body = body.join("\n");
                Envelope::from_fields(&Fields::read(body.as_bytes()).unwrap()).unwrap()
            }
            (None, Some(req_info)) => envelope(req_info.clone()),
            _ => panic!("{}: a body or a req_info", self.id),
        }
    }
}

#[test]
fn every_genuine_notification_opens_to_its_document() {
    for example in genuine() {
        let opened = req_info::open(&example.envelope().req_info, &example.key()).unwrap();

        let document = example.document.unwrap().join("\n");
        assert_eq!(
            std::str::from_utf8(&opened),
            Ok(&*document),
            "{}",
            example.id
        );
    }
}

#[test]
fn the_platforms_hand_writes_each_byte_for_byte() {
    for example in genuine() {
        let envelope = example.envelope();
        let refund = envelope.open(&example.key()).unwrap();

        assert_eq!(
            refund.document(),
            example.document.clone().unwrap().join("\n"),
            "{}",
            example.id
        );
        let sealed = Envelope {
            req_info: refund.seal(&example.key()),
            ..envelope.clone()
        };
        assert_eq!(sealed, envelope, "{}", example.id);
        if let Some(body) = &example.body {
            assert_eq!(
                envelope.to_fields().write_lines(),
                body.join("\n"),
                "{}",
                example.id
            );
        }
    }
}

#[test]
fn a_real_notification_tells_of_the_refund() {
    let example = named("wechatpy-real");
    let refund = example.envelope().open(&example.key()).unwrap();

    assert_eq!(refund.out_refund_no, "1234");
    assert_eq!(refund.refund_id, "50300103182020010413419046597");
    assert_eq!((refund.refund_fee, refund.total_fee), (1, 1));
    assert_eq!(refund.refund_status, RefundStatus::Success);
    assert_eq!(refund.success_time.unwrap().to_string(), "20200104183424");
    assert_eq!(
        refund.refund_recv_accout.as_deref(),
        Some("招商银行信用卡8915")
    );
    assert_eq!(refund.refund_account, Some(RefundAccount::RechargeFunds));
    assert_eq!(refund.refund_request_source, Some(RefundRequestSource::Api));
}

#[test]
fn a_refund_that_failed_has_no_time_of_success() {
    for (id, status) in [
        ("closed", RefundStatus::RefundClose),
        ("abnormal", RefundStatus::Change),
    ] {
        let example = named(id);
        let refund = example.envelope().open(&example.key()).unwrap();

        assert_eq!((refund.refund_status, refund.success_time), (status, None));
    }
}

#[test]
fn a_changed_last_block_does_not_open() {
    let example = named("tampered-last-block");

    assert_eq!(
        example.envelope().open(&example.key()),
        Err(OpenError::ReqInfo(ReqInfoError::Padding))
    );
}

#[test]
fn another_merchants_key_does_not_open() {
    for example in genuine() {
        let stranger = ApiKey::new("0123456789abcdef0123456789abcdef").unwrap();
        let error = example.envelope().open(&stranger).unwrap_err();

        assert!(
            matches!(error, OpenError::ReqInfo(_) | OpenError::Xml(_)),
            "{}: {error:?}",
            example.id
        );
    }
}

#[test]
fn what_is_not_an_encrypted_text_says_why() {
    let refused = |text: &str| req_info::open(text, &key()).map(drop).unwrap_err();
    let good = named("success").envelope().req_info;

    for text in [
        "*",
        "AAA",
        "AAAA\n",
        " AAAA",
        "AAAA====",
        "图",
        &good[1..],
        &format!("{good}="),
        &good.replace('+', "-"),
        &format!("{}\n{}", &good[..64], &good[64..]),
    ] {
        assert_eq!(refused(text), ReqInfoError::Base64, "{text:?}");
    }
    assert_eq!(refused(""), ReqInfoError::Length);
    assert_eq!(refused("AAAA"), ReqInfoError::Length);
    // 15 and 17 bytes.
    assert_eq!(refused(&"A".repeat(20)), ReqInfoError::Length);
    assert_eq!(refused("AAAAAAAAAAAAAAAAAAAAAAA="), ReqInfoError::Length);
    // One block, whose padding is a matter of the key.
    assert_eq!(refused("AAAAAAAAAAAAAAAAAAAAAA=="), ReqInfoError::Padding);
}

#[test]
fn every_length_of_padding_is_taken() {
    for len in 0..48 {
        let text = vec![b'x'; len];
        let sealed = req_info::seal(&text, &key());
        assert_eq!(*req_info::open(&sealed, &key()).unwrap(), text);
    }
}

#[test]
fn what_is_inside_must_be_one_flat_document_with_a_refund_in_it() {
    let inside = |text: &str| {
        envelope(req_info::seal(text.as_bytes(), &key()))
            .open(&key())
            .unwrap_err()
    };
    let document = named("success").document.unwrap().join("\n");

    assert_eq!(inside(""), OpenError::Xml(XmlError::Root));
    assert_eq!(inside("hello"), OpenError::Xml(XmlError::StrayText));
    assert_eq!(
        inside(&document.replace("root>", "xml>")),
        OpenError::Xml(XmlError::Root)
    );
    assert_eq!(
        inside(&format!("<!DOCTYPE root>{document}")),
        OpenError::Xml(XmlError::Doctype)
    );
    assert_eq!(
        inside(&document.replace("</root>", "<refund_fee>1</refund_fee></root>")),
        OpenError::Xml(XmlError::Duplicate)
    );
    assert_eq!(
        inside("<root></root>"),
        OpenError::Field(FieldError::Missing("out_trade_no"))
    );
    let changed = |from: &str, to: &str| inside(&document.replace(from, to));
    assert_eq!(
        changed("R20260101000001", "R20260101'--"),
        OpenError::Field(FieldError::Malformed("out_refund_no"))
    );
    assert_eq!(
        changed("T20260101000001", "通宝"),
        OpenError::Field(FieldError::Malformed("out_trade_no"))
    );
    assert_eq!(
        changed("<refund_fee><![CDATA[100", "<refund_fee><![CDATA[1.00"),
        OpenError::Field(FieldError::Malformed("refund_fee"))
    );
    assert_eq!(
        changed("2026-01-01 12:30:00", "2026-01-01T12:30:00"),
        OpenError::Field(FieldError::Malformed("success_time"))
    );
    assert_eq!(
        changed("SUCCESS", ""),
        OpenError::Field(FieldError::Missing("refund_status"))
    );
}

#[test]
fn bytes_inside_that_are_no_text_are_refused() {
    let sealed = req_info::seal(b"<root>\xff</root>", &key());

    assert_eq!(
        envelope(sealed).open(&key()),
        Err(OpenError::Xml(XmlError::NotUtf8))
    );
}

/// Why a refund notification alone moves nothing.
#[test]
fn blocks_of_two_genuine_messages_open_as_a_third() {
    let document = |status: &str| {
        let fill = "x".repeat(16);
        format!("<root><a>{fill}</a><status>{status}</status></root>")
    };
    let [one, two] = ["AAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBB"].map(document);
    let blocks = |text: &str| {
        STANDARD
            .decode(req_info::seal(text.as_bytes(), &key()))
            .unwrap()
    };
    let spliced = [&blocks(&one)[..48], &blocks(&two)[48..]].concat();

    let opened = req_info::open(&STANDARD.encode(spliced), &key()).unwrap();
    assert_eq!(
        *opened,
        [&one.as_bytes()[..48], &two.as_bytes()[48..]].concat()
    );
    assert!(*opened != one.as_bytes() && *opened != two.as_bytes());
}

#[test]
fn a_payments_notification_and_a_refunds_are_never_taken_for_each_other() {
    for message in fixture::notifications() {
        let body = message.body();
        let fields = Fields::read(body.as_bytes()).unwrap();
        assert_eq!(
            Envelope::from_fields(&fields),
            Err(FieldError::Missing("req_info")),
            "{}",
            message.id
        );
    }
    for example in genuine() {
        let envelope = example.envelope();
        let fields = envelope.to_fields();
        assert_eq!(
            Notification::from_fields(&fields),
            Err(FieldError::Missing("result_code"))
        );
        let unsigned = sign::verify(&fields, &example.key(), sign::SignType::Md5);
        assert!(unsigned.is_err());
    }
}

#[test]
fn an_envelope_needs_to_say_whose_it_is() {
    let example = named("success");
    let envelope = example.envelope();
    for field in ["return_code", "appid", "mch_id", "nonce_str", "req_info"] {
        let mut fields = envelope.to_fields();
        fields.insert(field, "");
        assert_eq!(
            Envelope::from_fields(&fields),
            Err(FieldError::Missing(field))
        );
    }
    let mut fields = envelope.to_fields();
    fields.insert("return_code", "FAIL");
    assert_eq!(
        Envelope::from_fields(&fields),
        Err(FieldError::Malformed("return_code"))
    );
}

proptest! {
    #[test]
    fn any_text_is_opened_without_a_panic(text in "[A-Za-z0-9+/=]{0,200}|.{0,50}") {
        let _ = envelope(text).open(&key());
    }

    #[test]
    fn what_is_sealed_opens_again(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let sealed = req_info::seal(&text, &key());

        prop_assert_eq!(&*req_info::open(&sealed, &key()).unwrap(), &text);
    }

    #[test]
    fn any_blocks_are_opened_without_a_panic(
        mut text in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        text.truncate(text.len() / 16 * 16);
        let sealed = STANDARD.encode(&text);

        if let Ok(opened) = req_info::open(&sealed, &key()) {
            prop_assert_eq!(req_info::seal(&opened, &key()), sealed);
        }
    }

    #[test]
    fn a_refund_survives_the_journey(refund in refund()) {
        let sent = envelope(refund.seal(&key())).to_fields().write_lines();
        let received = Envelope::from_fields(&Fields::read(sent.as_bytes()).unwrap()).unwrap();

        prop_assert_eq!(received.open(&key()), Ok(refund));
    }
}

fn refund() -> impl Strategy<Value = Refund> {
    let fen = 0_u64..1_000_000_000_000_000_000;
    let optional_fen = proptest::option::of(fen.clone());
    let status = prop_oneof![
        Just("SUCCESS"),
        Just("CHANGE"),
        Just("REFUNDCLOSE"),
        Just("NEW")
    ];
    let time = proptest::option::of(0_i64..4_000_000_000);
    (
        "[A-Za-z0-9_|*@-]{1,32}",
        "[A-Za-z0-9_|*@-]{1,64}",
        [fen.clone(), fen],
        [optional_fen.clone(), optional_fen.clone(), optional_fen],
        status,
        time,
        proptest::option::of("[招商银行\\]>&<0-9]{1,20}"),
    )
        .prop_map(
            |(out_trade_no, out_refund_no, [total, back], [a, b, c], status, time, account)| {
                Refund {
                    transaction_id: "4200000000202601010000000001".into(),
                    out_trade_no,
                    refund_id: "50300000002026010100000000001".into(),
                    out_refund_no,
                    total_fee: total,
                    settlement_total_fee: a,
                    refund_fee: back,
                    settlement_refund_fee: b,
                    cash_refund_fee: c,
                    refund_status: status.into(),
                    success_time: time.and_then(BeijingTime::from_unix_secs),
                    refund_recv_accout: account,
                    refund_account: None,
                    refund_request_source: Some(RefundRequestSource::VendorPlatform),
                }
            },
        )
}

fn envelope(req_info: String) -> Envelope {
    Envelope {
        return_msg: None,
        appid: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_appid: None,
        sub_mch_id: Some("1900000209".into()),
        nonce_str: "c1c237efc87ee8dfcb3f9124b63a4d94".into(),
        req_info,
    }
}

fn examples() -> Vec<Example> {
    fixture::read(include_str!("../../fixtures/wechat_v2/refund_notify.json"))
}

fn genuine() -> impl Iterator<Item = Example> {
    examples()
        .into_iter()
        .filter(|example| example.document.is_some())
}

fn named(id: &str) -> Example {
    let found = examples().into_iter().find(|example| example.id == id);
    found.unwrap()
}

fn key() -> ApiKey {
    ApiKey::new("GatewayTestKeyForVectors00000001").unwrap()
}
