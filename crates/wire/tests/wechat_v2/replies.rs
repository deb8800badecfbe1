use serde::Deserialize;
use tongbao_wire::wechat_v2::auth_code_to_openid::Holder;
use tongbao_wire::wechat_v2::close_order::{self, Closed};
use tongbao_wire::wechat_v2::head::{Content, Reply};
use tongbao_wire::wechat_v2::micropay::Paid;
use tongbao_wire::wechat_v2::order_query::{self, Order};
use tongbao_wire::wechat_v2::refund::Accepted;
use tongbao_wire::wechat_v2::refund_query::Refunds;
use tongbao_wire::wechat_v2::unified_order::{self, Prepaid};
use tongbao_wire::wechat_v2::{
    ErrorCode, FieldError, Fields, SignError, SignType, TradeState, TradeType, sign,
};

use crate::fixture::{self, named};

#[test]
fn every_signed_reply_verifies() {
    for message in fixture::responses() {
        let body = message.body();
        let fields = Fields::read(body.as_bytes()).unwrap();

        let verdict = sign::verify(&fields, &message.key(), message.sign_type());
        assert_eq!(verdict, Ok(()), "{}", message.id);
    }
}

#[test]
fn the_platforms_hand_writes_each_reply_byte_for_byte() {
    for message in fixture::responses() {
        let body = message.body();

        assert_eq!(
            Fields::read(body.as_bytes()).unwrap().write_lines(),
            body,
            "{}",
            message.id
        );
    }
}

#[test]
fn replies_survive_the_struct_and_sign_the_same() {
    for message in fixture::responses() {
        let body = message.body();
        let fields = Fields::read(body.as_bytes()).unwrap();
        let written = match message.id.split_once('-').unwrap().0 {
            "unifiedorder" => rewritten::<Prepaid>(&fields),
            "orderquery" => rewritten::<Order>(&fields),
            "closeorder" => rewritten::<Closed>(&fields),
            "micropay" => rewritten::<Paid>(&fields),
            "authcodetoopenid" => rewritten::<Holder>(&fields),
            "refund" => rewritten::<Accepted>(&fields),
            "refundquery" => rewritten::<Refunds>(&fields),
            _ => continue,
        };

        let sign = sign::sign(&written, &message.key(), message.sign_type());
        assert_eq!(Some(&*sign), fields.get("sign"), "{}", message.id);
    }
}

#[test]
fn a_placed_order_has_the_code_to_show() {
    let body = named(fixture::responses(), "unifiedorder-native-ok").body();

    let (_, prepaid) = done::<Prepaid>(&body);

    assert_eq!(
        prepaid,
        Prepaid {
            trade_type: TradeType::Native,
            prepay_id: "wx201410272009395522657a690389285100".into(),
            code_url: Some("weixin://wxpay/bizpayurl?pr=NwY5Mz9".into()),
            mweb_url: None,
        }
    );
}

#[test]
fn a_failure_names_its_code() {
    let expected = [
        ("unifiedorder-duplicate", ErrorCode::InvalidRequest),
        ("unifiedorder-paid", ErrorCode::OrderPaid),
        ("orderquery-not-exist", ErrorCode::OrderNotExist),
        ("micropay-userpaying", ErrorCode::UserPaying),
        ("micropay-auth-code-invalid", ErrorCode::AuthCodeInvalid),
        ("refund-notenough", ErrorCode::NotEnough),
    ];
    for (id, code) in expected {
        let body = named(fixture::responses(), id).body();
        let fields = Fields::read(body.as_bytes()).unwrap();

        match unified_order::Reply::from_fields(&fields).unwrap() {
            Reply::Failed {
                head,
                err_code,
                err_code_des,
            } => {
                assert_eq!(head.mch_id, "1900000109", "{id}");
                assert_eq!(err_code, Some(code), "{id}");
                assert!(err_code_des.is_some(), "{id}");
            }
            other => panic!("{id}: {other:?}"),
        }
    }
}

#[test]
fn a_query_tells_the_state_and_what_is_known_with_it() {
    let state = |id: &str| done::<Order>(&named(fixture::responses(), id).body()).1;

    let paid = state("orderquery-success");
    assert_eq!(paid.trade_state, TradeState::Success);
    assert_eq!(
        paid.transaction_id.as_deref(),
        Some("4200000000202601010000000001")
    );
    assert_eq!(paid.amounts.unwrap().total_fee, 888);
    assert_eq!(paid.time_end.unwrap().unix_secs(), 1_767_240_930);

    let refunded = state("orderquery-refund");
    assert_eq!(refunded.trade_state, TradeState::Refund);
    assert_eq!(refunded.amounts.unwrap().total_fee, 30_000);

    let unpaid = state("orderquery-notpay");
    assert_eq!(unpaid.trade_state, TradeState::NotPay);
    assert_eq!(unpaid.transaction_id, None);
    assert_eq!(unpaid.amounts.unwrap().cash_fee, None);

    assert_eq!(
        state("orderquery-userpaying").trade_state,
        TradeState::UserPaying
    );
    assert_eq!(
        state("orderquery-payerror").trade_state,
        TradeState::PayError
    );
    assert_eq!(state("orderquery-closed").trade_state, TradeState::Closed);
    assert_eq!(state("orderquery-hmac").amounts, None);
}

#[test]
fn a_closed_order_says_ok() {
    let (_, closed) = done::<Closed>(&named(fixture::responses(), "closeorder-ok").body());

    assert_eq!(closed.result_msg.as_deref(), Some("OK"));
}

#[test]
fn an_unsigned_failure_is_a_refusal_whatever_else_it_holds() {
    #[derive(Deserialize)]
    struct Unsigned {
        id: String,
        body: Vec<String>,
    }
    let failures: Vec<Unsigned> = fixture::read(include_str!(
        "../../fixtures/wechat_v2/unsigned_failures.json"
    ));
    let key = named(fixture::responses(), "closeorder-ok").key();
    for failure in failures {
        let body = failure.body.join("\n");
        let fields = Fields::read(body.as_bytes()).unwrap();

        assert_eq!(
            sign::verify(&fields, &key, SignType::Md5),
            Err(SignError::Missing)
        );
        let reply = order_query::Reply::from_fields(&fields).unwrap();
        assert!(
            matches!(
                reply,
                Reply::Refused {
                    return_msg: Some(_)
                }
            ),
            "{}: {reply:?}",
            failure.id
        );
    }
}

#[test]
fn a_reply_without_its_codes_is_unreadable_rather_than_a_failure() {
    let body = named(fixture::responses(), "closeorder-ok").body();
    let with = |name: &'static str, value: &'static str| {
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        fields.insert(name, value);
        close_order::Reply::from_fields(&fields).unwrap_err()
    };

    assert_eq!(with("return_code", ""), FieldError::Missing("return_code"));
    assert_eq!(
        with("return_code", "fail"),
        FieldError::Malformed("return_code")
    );
    assert_eq!(with("result_code", ""), FieldError::Missing("result_code"));
    assert_eq!(
        with("result_code", "PENDING"),
        FieldError::Malformed("result_code")
    );
}

#[test]
fn an_unknown_error_code_is_kept_as_it_came() {
    let body = named(fixture::responses(), "unifiedorder-paid").body();
    let mut fields = Fields::read(body.as_bytes()).unwrap();
    fields.insert("err_code", "NEW_CODE");

    let reply = unified_order::Reply::from_fields(&fields).unwrap();
    assert_eq!(reply.to_fields().get("err_code"), Some("NEW_CODE"));
}

fn rewritten<T: Content>(fields: &Fields<'_>) -> Fields<'static> {
    Reply::<T>::from_fields(fields)
        .unwrap()
        .to_fields()
        .into_owned()
}

fn done<T: Content + std::fmt::Debug>(body: &str) -> (String, T) {
    let fields = Fields::read(body.as_bytes()).unwrap();
    match Reply::<T>::from_fields(&fields).unwrap() {
        Reply::Done { head, content } => (head.nonce_str, content),
        other => panic!("not done: {other:?}"),
    }
}
