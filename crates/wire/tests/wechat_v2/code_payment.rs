//! The merchant scans the payer's code: `micropay` and `reverse`.

use std::collections::BTreeMap;

use tongbao_wire::wechat_v2::head::Reply;
use tongbao_wire::wechat_v2::micropay::{self, Paid};
use tongbao_wire::wechat_v2::order_query::OrderNo;
use tongbao_wire::wechat_v2::reverse::{self, Recall};
use tongbao_wire::wechat_v2::trade::{Coupon, CouponType};
use tongbao_wire::wechat_v2::{
    AuthCode, ErrorCode, FieldError, Fields, TradeType, auth_code_to_openid, limits, sign,
};

use crate::fixture::{self, named};

#[test]
fn requests_survive_the_struct_and_sign_the_same() {
    let example = fixture::request("micropay-md5");
    let request = micropay::Request::from_fields(&example.fields()).unwrap();
    assert_eq!(request.auth_code.as_str(), "134567890123456789");
    assert_eq!(request.total_fee, 1);
    example.is_signed_as(&request.to_fields());

    let example = fixture::request("reverse-md5");
    let request = reverse::Request::from_fields(&example.fields()).unwrap();
    assert_eq!(
        request.order,
        OrderNo::TransactionId("4200000000202601010000000001".into())
    );
    example.is_signed_as(&request.to_fields());
}

#[test]
fn good_requests_are_within_the_limits() {
    let micropay = fixture::request("micropay-md5");
    let reverse = fixture::request("reverse-md5");

    assert_eq!(
        limits::check(&micropay.with_sign(), limits::MICROPAY),
        Ok(())
    );
    assert_eq!(limits::check(&reverse.with_sign(), limits::REVERSE), Ok(()));
}

#[test]
fn whose_a_code_is_can_be_asked_before_it_is_charged() {
    let example = fixture::request("authcodetoopenid-md5");
    let request = auth_code_to_openid::Request::from_fields(&example.fields()).unwrap();
    assert_eq!(request.auth_code.as_str(), "134567890123456789");
    example.is_signed_as(&request.to_fields());
    let checked = limits::check(&example.with_sign(), limits::AUTH_CODE_TO_OPENID);
    assert_eq!(checked, Ok(()));

    let body = named(fixture::responses(), "authcodetoopenid-ok").body();
    let fields = Fields::read(body.as_bytes()).unwrap();
    let reply = auth_code_to_openid::Reply::from_fields(&fields).unwrap();
    let Reply::Done { content, .. } = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(content.openid, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
    assert_eq!(
        content.sub_openid.as_deref(),
        Some("oSubF8uMuAJO_M2pxb1Q9zNjWeS6")
    );

    let body = named(fixture::responses(), "authcodetoopenid-expired").body();
    let fields = Fields::read(body.as_bytes()).unwrap();
    let reply = auth_code_to_openid::Reply::from_fields(&fields).unwrap();
    let Reply::Failed { err_code, .. } = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(err_code, Some(ErrorCode::AuthCodeExpire));
}

#[test]
fn a_code_that_is_none_of_wechats_is_refused_before_it_is_sent() {
    let example = fixture::request("micropay-md5");
    for code in [
        "284567890123456789",
        "13456789012345678",
        "1345678901234567890",
        "134567890123456789\n",
        "１34567890123456789",
        "wxp://f2f0",
    ] {
        let mut fields = example.with_sign();
        fields.insert("auth_code", code);
        let malformed = FieldError::Malformed("auth_code");
        assert_eq!(
            limits::check(&fields, limits::MICROPAY),
            Err(malformed),
            "{code:?}"
        );
        assert_eq!(
            micropay::Request::from_fields(&fields),
            Err(malformed),
            "{code:?}"
        );
    }
}

#[test]
fn a_payment_code_does_not_print_with_its_request() {
    let request = fixture::request("micropay-md5");
    let request = micropay::Request::from_fields(&request.fields()).unwrap();

    assert!(!format!("{request:?}").contains("134567890123456789"));
}

#[test]
fn every_optional_field_survives() {
    let example = fixture::request("micropay-md5");
    let mut fields = example.fields();
    for limit in limits::MICROPAY.iter().filter(|limit| !limit.required) {
        let value = match limit.form {
            limits::Form::Time => "20260101120000",
            limits::Form::SignType => "HMAC-SHA256",
            _ => "Y",
        };
        fields.insert(limit.field, value);
    }

    let request = micropay::Request::from_fields(&fields).unwrap();
    let mut written = request.to_fields();
    written.sort();
    fields.sort();
    assert_eq!(written, fields);
}

#[test]
fn a_payment_tells_who_paid_and_how_much() {
    let (head, paid) = done("micropay-ok");

    assert_eq!(head.device_info.as_deref(), Some("till-3"));
    assert_eq!(paid.out_trade_no, "M20260101000001");
    assert_eq!(paid.transaction_id, "4200000000202601010000000001");
    assert_eq!(paid.trade_type, Some(TradeType::Micropay));
    assert_eq!(
        paid.payer.openid.as_deref(),
        Some("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
    );
    assert_eq!(paid.amounts.total_fee, 888);
    assert_eq!(paid.attach, None);
    assert_eq!(paid.time_end.to_string(), "20260101121530");
}

#[test]
fn a_payment_lists_its_coupons() {
    let (_, paid) = done("micropay-coupons-hmac");
    let coupon = |id: &str, coupon_type, fee| Coupon {
        coupon_id: Some(id.into()),
        coupon_type: Some(coupon_type),
        coupon_fee: Some(fee),
    };

    assert_eq!(
        paid.amounts.coupons,
        [
            coupon("10000", CouponType::Cash, 60),
            coupon("10001", CouponType::NoCash, 40)
        ]
    );
}

#[test]
fn a_querys_reply_does_not_pass_for_a_payment() {
    let body = named(fixture::responses(), "micropay-ok").body();
    let with = |name: &'static str, value: &'static str| {
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        fields.insert(name, value);
        micropay::Reply::from_fields(&fields).unwrap_err()
    };

    assert_eq!(
        with("trade_state", "REVOKED"),
        FieldError::Unexpected("trade_state")
    );
    for field in ["transaction_id", "out_trade_no", "total_fee", "time_end"] {
        assert_eq!(with(field, ""), FieldError::Missing(field));
    }
}

#[test]
fn a_reversed_order_says_that_it_is_over() {
    let answer = reversed("reverse-ok");

    assert!(matches!(answer.reply, Reply::Done { .. }));
    assert_eq!(answer.recall, Some(Recall::No));
}

#[test]
fn a_failed_reversal_may_ask_to_be_called_again() {
    let failed = |id| match reversed(id) {
        reverse::Answer {
            reply: Reply::Failed { err_code, .. },
            recall,
        } => (err_code.unwrap(), recall.unwrap()),
        other => panic!("{other:?}"),
    };

    assert_eq!(
        failed("reverse-again"),
        (ErrorCode::SystemError, Recall::Yes)
    );
    assert_eq!(
        failed("reverse-expired"),
        (ErrorCode::ReverseExpire, Recall::No)
    );
}

#[test]
fn answers_to_a_reversal_sign_the_same_after_the_struct() {
    for id in ["reverse-ok", "reverse-again", "reverse-expired"] {
        let message = named(fixture::responses(), id);
        let body = message.body();
        let received = Fields::read(body.as_bytes()).unwrap();

        let answer = reversed(id);
        let written = answer.to_fields();
        let sign = sign::sign(&written, &message.key(), message.sign_type());
        assert_eq!(Some(&*sign), received.get("sign"), "{id}");
    }
}

#[test]
fn a_refusal_says_nothing_of_calling_again() {
    let fields = Fields::from_iter([("return_code", "FAIL"), ("recall", "N")]);
    let answer = reverse::Answer::from_fields(&fields).unwrap();

    assert_eq!(answer.recall, None);
    assert_eq!(answer.to_fields().get("recall"), None);
}

#[test]
fn every_documented_error_code_is_a_word() {
    let codes: BTreeMap<String, Vec<String>> =
        fixture::read(include_str!("../../fixtures/wechat_v2/error_codes.json"));
    assert_eq!(codes.len(), 8);
    for (operation, codes) in codes {
        for code in codes {
            let word = ErrorCode::from(&*code);
            assert!(!matches!(word, ErrorCode::Other(_)), "{operation}: {code}");
            assert_eq!(word.as_str(), code);
        }
    }
}

#[test]
fn a_code_is_read_as_its_own_kind() {
    assert!(AuthCode::new("154567890123456789").is_some());
    assert!(AuthCode::new("164567890123456789").is_none());
}

fn done(id: &str) -> (tongbao_wire::wechat_v2::ReplyHead, Paid) {
    let body = named(fixture::responses(), id).body();
    let fields = Fields::read(body.as_bytes()).unwrap();
    match micropay::Reply::from_fields(&fields).unwrap() {
        Reply::Done { head, content } => (head, content),
        other => panic!("not paid: {other:?}"),
    }
}

fn reversed(id: &str) -> reverse::Answer {
    let body = named(fixture::responses(), id).body();
    let fields = Fields::read(body.as_bytes()).unwrap();
    reverse::Answer::from_fields(&fields).unwrap()
}
