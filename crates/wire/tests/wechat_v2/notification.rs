use tongbao_wire::wechat_v2::notification::{Acknowledgement, Notification, Payment};
use tongbao_wire::wechat_v2::sign::{SignTypeError, sign_type_of_notification};
use tongbao_wire::wechat_v2::trade::{Coupon, CouponType};
use tongbao_wire::wechat_v2::{FieldError, Fields, ReplyHead, SignType, TradeType, XmlError, sign};

use crate::fixture::{self, named};

#[test]
fn genuine_notifications_verify_and_forged_ones_say_why_not() {
    for message in fixture::notifications() {
        let body = message.body();
        let fields = Fields::read(body.as_bytes()).unwrap();
        let verdict = sign::verify(&fields, &message.key(), message.sign_type());

        let refused = verdict.err().map(|error| error.label().to_owned());
        assert_eq!(refused, message.refused, "{}", message.id);
    }
}

#[test]
fn a_genuine_notification_tells_of_the_payment() {
    for message in fixture::notifications()
        .iter()
        .filter(|message| message.refused.is_none())
    {
        let (_, payment) = read(&message.body());

        assert_eq!(payment.out_trade_no, "T20260101000001", "{}", message.id);
        assert_eq!(
            payment.transaction_id, "4200000000202601010000000001",
            "{}",
            message.id
        );
        assert_eq!(payment.amounts.total_fee, 888, "{}", message.id);
        assert_eq!(
            payment.time_end.to_string(),
            "20260101121530",
            "{}",
            message.id
        );
    }
}

#[test]
fn every_documented_field_survives_the_struct_and_the_platforms_hand() {
    // Left out: what the struct forgets by design, and other spellings of the same fields.
    let reworded = [
        "pay-unknown-new-field",
        "pay-empty-attach",
        "pay-escaped-not-cdata",
    ];
    for message in fixture::notifications() {
        let id = &*message.id;
        if message.refused.is_some() || id == "pay-one-line" || reworded.contains(&id) {
            continue;
        }
        let body = message.body();
        let received = Fields::read(body.as_bytes()).unwrap();
        let notification = Notification::from_fields(&received).unwrap();

        let mut written = notification.to_fields();
        sign::insert_sign(&mut written, &message.key(), message.sign_type());
        written.sort();

        assert_eq!(written.write_lines(), body, "{id}");
    }
}

#[test]
fn coupons_are_listed_with_their_sums() {
    let message = named(fixture::notifications(), "pay-coupons-chinese-attach");
    let (_, payment) = read(&message.body());
    let amounts = &payment.amounts;
    let coupon = |id: &str, coupon_type, fee| Coupon {
        coupon_id: Some(id.into()),
        coupon_type: Some(coupon_type),
        coupon_fee: Some(fee),
    };

    assert_eq!(payment.attach.as_deref(), Some("门店=1&台=2<A>"));
    assert_eq!(
        (amounts.total_fee, amounts.settlement_total_fee),
        (888, Some(848))
    );
    assert_eq!(
        (amounts.cash_fee, amounts.coupon_fee),
        (Some(788), Some(100))
    );
    assert_eq!(amounts.coupon_count, Some(2));
    assert_eq!(
        amounts.coupons,
        [
            coupon("10000", CouponType::Cash, 60),
            coupon("10001", CouponType::NoCash, 40)
        ]
    );
}

#[test]
fn a_genuine_notification_with_an_ampersand_is_no_proof() {
    let unproven: Vec<_> = fixture::notifications()
        .into_iter()
        .filter(|message| !sign::is_unambiguous(&Fields::read(message.body().as_bytes()).unwrap()))
        .map(|message| message.id)
        .collect();

    assert_eq!(
        unproven,
        ["pay-coupons-chinese-attach", "pay-escaped-not-cdata"]
    );
}

#[test]
fn a_sub_merchants_notification_names_both_merchants() {
    let (head, payment) = read(&named(fixture::notifications(), "pay-sub-merchant").body());

    assert_eq!(head.mch_id, "1900000109");
    assert_eq!(head.sub_mch_id.as_deref(), Some("1900000209"));
    assert_eq!(head.sub_appid.as_deref(), Some("wx7777777777777777"));
    assert_eq!(
        payment.payer.sub_openid.as_deref(),
        Some("oSubF8uMuAJO_M2pxb1Q9zNjWeS6")
    );
}

#[test]
fn an_hmac_order_notified_without_sign_type_still_verifies() {
    let message = named(fixture::notifications(), "pay-hmac-no-sign_type");
    let body = message.body();
    let fields = Fields::read(body.as_bytes()).unwrap();

    let sign_type = sign_type_of_notification(&fields, SignType::HmacSha256).unwrap();
    assert_eq!(sign::verify(&fields, &message.key(), sign_type), Ok(()));
    assert_eq!(
        sign_type_of_notification(&fields, SignType::Md5),
        Err(SignTypeError::Differs(SignType::HmacSha256))
    );
}

#[test]
fn empty_elements_read_as_absent() {
    let (head, payment) = read(&named(fixture::notifications(), "pay-empty-attach").body());

    assert_eq!((head.device_info, payment.attach), (None, None));
}

#[test]
fn other_messages_do_not_pass_for_a_notification() {
    let genuine = named(fixture::notifications(), "pay-md5-minimal").body();
    let with = |name: &'static str, value: &'static str| {
        let mut fields = Fields::read(genuine.as_bytes()).unwrap();
        fields.insert(name, value);
        Notification::from_fields(&fields).unwrap_err()
    };

    assert_eq!(with("return_code", ""), FieldError::Missing("return_code"));
    assert_eq!(
        with("return_code", "OK"),
        FieldError::Malformed("return_code")
    );
    assert_eq!(with("result_code", ""), FieldError::Missing("result_code"));
    assert_eq!(
        with("transaction_id", ""),
        FieldError::Missing("transaction_id")
    );
    assert_eq!(
        with("out_trade_no", ""),
        FieldError::Missing("out_trade_no")
    );
    assert_eq!(with("total_fee", ""), FieldError::Missing("total_fee"));
    assert_eq!(
        with("total_fee", "+888"),
        FieldError::Malformed("total_fee")
    );
    assert_eq!(
        with("total_fee", "8.88"),
        FieldError::Malformed("total_fee")
    );
    assert_eq!(
        with("time_end", "20260230000000"),
        FieldError::Malformed("time_end")
    );
    assert_eq!(
        with("sign_type", "HMAC_SHA256"),
        FieldError::Malformed("sign_type")
    );
    assert_eq!(
        with("trade_state", "REVOKED"),
        FieldError::Unexpected("trade_state")
    );
}

#[test]
fn our_own_signed_request_does_not_pass_for_a_notification() {
    for example in fixture::signed() {
        assert!(
            Notification::from_fields(&example.fields()).is_err(),
            "{}",
            example.id
        );
    }
}

#[test]
fn a_failure_is_told_apart_and_carries_no_payment() {
    let failed = Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("nonce_str", "n"),
        ("result_code", "FAIL"),
        ("total_fee", "888"),
    ]);
    let refused = Fields::from_iter([("return_code", "FAIL"), ("total_fee", "888")]);

    assert!(matches!(
        Notification::from_fields(&failed),
        Ok(Notification::Failed { .. })
    ));
    assert!(matches!(
        Notification::from_fields(&refused),
        Ok(Notification::Refused { .. })
    ));
}

#[test]
fn the_answer_is_the_one_line_that_the_platform_takes() {
    let fail = Acknowledgement::Fail {
        return_msg: "signature".into(),
    };

    assert_eq!(
        Acknowledgement::Success.to_fields().write(),
        "<xml><return_code><![CDATA[SUCCESS]]></return_code>\
         <return_msg><![CDATA[OK]]></return_msg></xml>"
    );
    assert_eq!(
        fail.to_fields().write(),
        "<xml><return_code><![CDATA[FAIL]]></return_code>\
         <return_msg><![CDATA[signature]]></return_msg></xml>"
    );
}

#[test]
fn the_platform_reads_the_answer_back() {
    for answer in [
        Acknowledgement::Success,
        Acknowledgement::Fail {
            return_msg: "later".into(),
        },
    ] {
        assert_eq!(
            Acknowledgement::from_fields(&answer.to_fields()),
            Ok(answer.clone())
        );
    }
    let other_word = Fields::read(b"<xml><return_code>OK</return_code></xml>").unwrap();
    assert_eq!(
        Acknowledgement::from_fields(&other_word),
        Err(FieldError::Malformed("return_code"))
    );
    assert_eq!(Fields::read(b"success"), Err(XmlError::StrayText));
}

#[test]
fn a_new_trade_type_is_kept_as_it_came() {
    let body = named(fixture::notifications(), "pay-md5-minimal").body();
    let mut fields = Fields::read(body.as_bytes()).unwrap();
    fields.insert("trade_type", "PALM");

    let Ok(Notification::Done { content, .. }) = Notification::from_fields(&fields) else {
        panic!("a payment");
    };
    assert_eq!(content.trade_type, Some(TradeType::Other("PALM".into())));
}

#[test]
fn an_order_number_that_the_platform_never_took_is_malformed() {
    let message = named(fixture::notifications(), "pay-one-line");
    let body = message.body();
    for number in [
        "T20260101000001 ",
        "T2026010100000\u{200b}",
        "Ｔ２０２６０１０１",
        "通宝通宝通宝",
        "T20260101'--",
        "T2026010100000120260101000001T202",
    ] {
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        fields.insert("out_trade_no", number);
        let read = Notification::from_fields(&fields);
        assert_eq!(
            read,
            Err(FieldError::Malformed("out_trade_no")),
            "{number:?}"
        );
    }
    for number in ["1", "a|b*c@d-e_f", "T2026010100000120260101000001T20"] {
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        fields.insert("out_trade_no", number);
        assert!(Notification::from_fields(&fields).is_ok(), "{number:?}");
    }
}

fn read(body: &str) -> (ReplyHead, Payment) {
    let fields = Fields::read(body.as_bytes()).unwrap();
    match Notification::from_fields(&fields).unwrap() {
        Notification::Done { head, content } => (head, content),
        other => panic!("no payment: {other:?}"),
    }
}
