//! Money back: `refund` and `refundquery`.

use proptest::prelude::*;
use tongbao_wire::wechat_v2::head::{Content, Reply};
use tongbao_wire::wechat_v2::order_query::OrderNo;
use tongbao_wire::wechat_v2::refund::{self, Accepted};
use tongbao_wire::wechat_v2::refund_query::{self, Refund, RefundNo, Refunds};
use tongbao_wire::wechat_v2::refunded::{RefundAccount, RefundChannel, RefundCoupon, RefundStatus};
use tongbao_wire::wechat_v2::trade::CouponType;
use tongbao_wire::wechat_v2::{BeijingTime, ErrorCode, FieldError, Fields, limits};

use crate::fixture::{self, named};

#[test]
fn requests_survive_the_struct_and_sign_the_same() {
    let example = fixture::request("refund-md5");
    let request = refund::Request::from_fields(&example.fields()).unwrap();
    assert_eq!(request.order, OrderNo::OutTradeNo("T20260101000001".into()));
    assert_eq!((request.total_fee, request.refund_fee), (888, 100));
    example.is_signed_as(&request.to_fields());

    let example = fixture::request("refundquery-md5");
    let request = refund_query::Request::from_fields(&example.fields()).unwrap();
    assert_eq!(
        request.refund,
        RefundNo::OutRefundNo("R20260101000001".into())
    );
    example.is_signed_as(&request.to_fields());
}

#[test]
fn good_requests_are_within_the_limits() {
    let refund = fixture::request("refund-md5");
    let query = fixture::request("refundquery-md5");

    assert_eq!(limits::check(&refund.with_sign(), limits::REFUND), Ok(()));
    assert_eq!(
        limits::check(&query.with_sign(), limits::REFUND_QUERY),
        Ok(())
    );
}

#[test]
fn the_limits_hold_at_their_edges() {
    let example = fixture::request("refund-md5");
    let verdict = |name: &'static str, value: String| {
        let mut fields = example.with_sign();
        fields.insert(name, value);
        limits::check(&fields, limits::REFUND).is_ok()
    };

    assert!(verdict("out_refund_no", "R_-|*@".repeat(10)));
    assert!(verdict("out_refund_no", "7".repeat(64)));
    assert!(!verdict("out_refund_no", "7".repeat(65)));
    assert!(!verdict("out_refund_no", "退款1".into()));
    assert!(!verdict("refund_fee", "0".into()));
    assert!(!verdict("refund_fee", "1.00".into()));
    assert!(verdict("refund_desc", "货".repeat(80)));
    assert!(!verdict("refund_desc", "货".repeat(81)));
    assert!(!verdict("notify_url", "https://a/b?c=d".into()));
}

#[test]
fn a_refunds_own_number_wins_over_its_orders() {
    let mut fields = fixture::request("refundquery-md5").fields().into_owned();
    let precedence = [
        ("refund_id", RefundNo::RefundId("1".into())),
        ("out_refund_no", RefundNo::OutRefundNo("2".into())),
        ("transaction_id", RefundNo::TransactionId("3".into())),
        ("out_trade_no", RefundNo::OutTradeNo("4".into())),
    ];
    for ((name, _), value) in precedence.iter().zip(["1", "2", "3", "4"]) {
        fields.insert(*name, value);
    }
    for (name, expected) in precedence {
        let request = refund_query::Request::from_fields(&fields).unwrap();
        assert_eq!(request.refund, expected);
        fields.remove(name);
    }
    assert_eq!(
        refund_query::Request::from_fields(&fields),
        Err(FieldError::Missing("out_refund_no"))
    );
}

#[test]
fn a_page_is_asked_for_by_how_many_to_skip() {
    let example = fixture::request("refundquery-md5");
    let mut fields = example.with_sign();
    let mut read = |offset: &'static str| {
        fields.insert("offset", offset);
        let checked = limits::check(&fields, limits::REFUND_QUERY);
        checked.and_then(|()| refund_query::Request::from_fields(&fields))
    };

    assert_eq!(read("0").unwrap().offset, Some(0));
    let request = read("20").unwrap();
    assert_eq!(request.to_fields().get("offset"), Some("20"));
    for offset in ["-1", "01", "ten", "1e1"] {
        assert_eq!(read(offset), Err(FieldError::Malformed("offset")));
    }
}

#[test]
fn a_refund_that_was_taken_has_both_numbers_and_its_amounts() {
    let accepted = done::<Accepted>("refund-ok");

    assert_eq!(accepted.out_refund_no, "R20260101000001");
    assert_eq!(accepted.refund_id, "50300000002026010100000000001");
    assert_eq!((accepted.refund_fee, accepted.total_fee), (100, 888));
    assert_eq!(accepted.refund_channel, None);
    assert_eq!(
        (accepted.coupon_refund_fee, accepted.coupons.len()),
        (Some(0), 0)
    );
}

#[test]
fn coupons_go_back_by_their_numbers() {
    let accepted = done::<Accepted>("refund-coupons");

    assert_eq!(
        accepted.coupons,
        [
            coupon("10000", CouponType::Cash, 60),
            coupon("10001", CouponType::NoCash, 40)
        ]
    );
    assert_eq!(accepted.settlement_refund_fee, Some(160));
}

#[test]
fn a_failed_refund_names_its_code() {
    let message = named(fixture::responses(), "refund-mismatch-hmac");
    let body = message.body();
    let reply = refund::Reply::from_fields(&Fields::read(body.as_bytes()).unwrap()).unwrap();

    let Reply::Failed { err_code, .. } = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(err_code, Some(ErrorCode::RefundFeeMismatch));
}

#[test]
fn a_reply_without_its_amounts_is_unreadable() {
    let body = named(fixture::responses(), "refund-ok").body();
    for field in [
        "transaction_id",
        "out_trade_no",
        "out_refund_no",
        "refund_id",
        "refund_fee",
        "total_fee",
    ] {
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        fields.insert(field, "");
        assert_eq!(
            refund::Reply::from_fields(&fields),
            Err(FieldError::Missing(field))
        );
    }
}

#[test]
fn a_query_lists_each_refund_with_its_own_coupons() {
    let found = done::<Refunds>("refundquery-two-with-coupon");
    let [first, second] = &*found.refunds else {
        panic!("two refunds");
    };

    assert_eq!(found.refund_fee, Some(300));
    assert_eq!(first.out_refund_no, "R20260101000001");
    assert_eq!(first.refund_status, RefundStatus::Success);
    assert_eq!(
        first.refund_success_time.unwrap().to_string(),
        "20260101123000"
    );
    assert_eq!((first.coupon_refund_fee, first.coupons.len()), (None, 0));

    assert_eq!(second.refund_status, RefundStatus::Processing);
    assert_eq!(second.refund_fee, 200);
    assert_eq!(second.refund_channel, Some(RefundChannel::Original));
    assert_eq!(second.refund_account, Some(RefundAccount::UnsettledFunds));
    assert_eq!(
        second.refund_recv_accout.as_deref(),
        Some("招商银行信用卡0403")
    );
    assert_eq!(second.refund_success_time, None);
    assert_eq!(second.coupon_refund_fee, Some(40));
    assert_eq!(second.coupons, [coupon("10001", CouponType::NoCash, 40)]);
}

#[test]
fn a_later_page_counts_from_zero_again() {
    let found = done::<Refunds>("refundquery-sub-merchant");

    assert_eq!(
        (found.total_refund_count, found.refund_count),
        (Some(12), 1)
    );
    assert_eq!(found.refunds[0].out_refund_no, "R20260101000012");
    assert_eq!(found.refunds[0].refund_status, RefundStatus::Change);
}

#[test]
fn a_refund_is_never_overlooked() {
    let body = named(fixture::responses(), "refundquery-two-with-coupon").body();
    let with = |changes: &[(&'static str, &'static str)]| {
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        for &(name, value) in changes {
            fields.insert(name, value);
        }
        refund_query::Reply::from_fields(&fields).unwrap_err()
    };
    let count = FieldError::Malformed("refund_count");

    assert_eq!(
        with(&[("refund_count", "")]),
        FieldError::Missing("refund_count")
    );
    assert_eq!(with(&[("refund_count", "1")]), count);
    assert_eq!(with(&[("refund_count", "3")]), count);
    assert_eq!(with(&[("refund_count", "999999999999999999")]), count);
    // The first has neither number: the list ends before it.
    assert_eq!(with(&[("refund_id_0", ""), ("out_refund_no_0", "")]), count);
    assert_eq!(
        with(&[("refund_id_0", "")]),
        FieldError::Missing("refund_id_$n")
    );
    assert_eq!(
        with(&[("out_refund_no_1", "")]),
        FieldError::Missing("out_refund_no_$n")
    );
    assert_eq!(
        with(&[("refund_status_1", "")]),
        FieldError::Missing("refund_status_$n")
    );
    assert_eq!(
        with(&[("refund_fee_1", "2.00")]),
        FieldError::Malformed("refund_fee_$n")
    );
    assert_eq!(
        with(&[("coupon_refund_fee_1_0", "-4")]),
        FieldError::Malformed("coupon_refund_fee_$n_$m")
    );
    assert_eq!(
        with(&[("refund_success_time_0", "20260101123000")]),
        FieldError::Malformed("refund_success_time_$n")
    );
}

#[test]
fn a_full_page_may_say_how_many_there_are() {
    let body = named(fixture::responses(), "refundquery-two-with-coupon").body();
    let two = Fields::read(body.as_bytes()).unwrap();
    let Reply::Done { head, content } = refund_query::Reply::from_fields(&two).unwrap() else {
        panic!("refunds");
    };
    let page = |listed: usize, refund_count| {
        let refunds = content
            .refunds
            .iter()
            .cycle()
            .take(listed)
            .cloned()
            .collect();
        let reply = Reply::Done {
            head: head.clone(),
            content: Refunds {
                refund_count,
                refunds,
                ..content.clone()
            },
        };
        let read = refund_query::Reply::from_fields(&reply.to_fields());
        assert!(read.as_ref().is_err() || read.as_ref() == Ok(&reply));
        read.is_ok()
    };

    assert!(page(10, 10));
    assert!(page(10, 12));
    assert!(!page(9, 12));
    assert!(!page(10, 9));
}

#[test]
fn new_words_are_kept_as_they_came() {
    let body = named(fixture::responses(), "refundquery-two-with-coupon").body();
    let mut fields = Fields::read(body.as_bytes()).unwrap();
    fields.insert("refund_status_0", "NEW_STATUS");
    fields.insert("refund_channel_1", "NEW_CHANNEL");

    let reply = refund_query::Reply::from_fields(&fields).unwrap();
    let written = reply.to_fields();
    assert_eq!(written.get("refund_status_0"), Some("NEW_STATUS"));
    assert_eq!(written.get("refund_channel_1"), Some("NEW_CHANNEL"));
}

proptest! {
    #[test]
    fn any_list_of_refunds_survives_the_journey(
        refunds in proptest::collection::vec(a_refund(), 0..=10),
        more in 0_u64..20,
    ) {
        let body = named(fixture::responses(), "refundquery-two-with-coupon").body();
        let two = Fields::read(body.as_bytes()).unwrap();
        let Reply::Done { head, content } = refund_query::Reply::from_fields(&two).unwrap() else {
            panic!("refunds");
        };
        let listed = refunds.len() as u64;
        let refund_count = if refunds.len() == refund_query::PAGE { listed + more } else { listed };
        let reply = Reply::Done { head, content: Refunds { refund_count, refunds, ..content } };

        for body in [reply.to_fields().write(), reply.to_fields().write_lines()] {
            let received = Fields::read(body.as_bytes()).unwrap();
            let read = refund_query::Reply::from_fields(&received);
            prop_assert_eq!(read.as_ref(), Ok(&reply));
        }
    }
}

fn a_refund() -> impl Strategy<Value = Refund> {
    let fen = || proptest::option::of(0_u64..1_000_000_000_000_000_000);
    let coupon = (proptest::option::of("[0-9]{1,20}"), fen()).prop_map(|(id, fee)| RefundCoupon {
        coupon_refund_id: id,
        coupon_type: Some(CouponType::NoCash),
        coupon_refund_fee: fee,
    });
    (
        ("[A-Za-z0-9_|*@-]{1,64}", "[0-9]{1,32}", "[A-Z]{1,12}"),
        (fen(), fen(), fen()),
        proptest::collection::vec(coupon, 0..4),
        proptest::option::of("[a-z图]{1,9}"),
        proptest::option::of(0_i64..4_000_000_000),
    )
        .prop_map(
            |((out_no, id, word), (back, settled, of_coupons), coupons, account, time)| {
                Refund {
                    out_refund_no: out_no,
                    refund_id: id,
                    refund_channel: Some(word.as_str().into()),
                    refund_fee: back.unwrap_or_default(),
                    settlement_refund_fee: settled,
                    // Without a sum there is no list.
                    coupons: if of_coupons.is_some() {
                        coupons
                    } else {
                        Vec::new()
                    },
                    coupon_refund_fee: of_coupons,
                    coupon_refund_count: None,
                    refund_status: word.as_str().into(),
                    refund_account: None,
                    refund_recv_accout: account,
                    refund_success_time: time.and_then(BeijingTime::from_unix_secs),
                }
            },
        )
}

fn coupon(id: &str, coupon_type: CouponType, fee: u64) -> RefundCoupon {
    RefundCoupon {
        coupon_refund_id: Some(id.into()),
        coupon_type: Some(coupon_type),
        coupon_refund_fee: Some(fee),
    }
}

fn done<T: Content + std::fmt::Debug>(id: &str) -> T {
    let body = named(fixture::responses(), id).body();
    let fields = Fields::read(body.as_bytes()).unwrap();
    match Reply::<T>::from_fields(&fields).unwrap() {
        Reply::Done { content, .. } => content,
        other => panic!("not done: {other:?}"),
    }
}
