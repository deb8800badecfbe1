//! Orders that a payer completes: placed, repeated, closed, expired.

use std::time::Duration;

use tongbao_simulator::{EarlyClose, Refusal, Settings};
use tongbao_wire::wechat_v2::Fields;

use crate::common::{Merchant, code, read};
use crate::stage::{Stage, error, is_signed, names};

#[test]
fn an_order_is_placed_paid_told_and_found() {
    let mut stage = Stage::new();

    let placed = stage.place("T00001", 888);
    assert!(is_signed(&stage, &placed));
    assert_eq!(
        names(&placed),
        [
            "return_code",
            "return_msg",
            "appid",
            "mch_id",
            "nonce_str",
            "sign",
            "result_code",
            "prepay_id",
            "trade_type",
            "code_url"
        ]
    );
    let code = code(&placed);
    let prompt = stage.platform.scan(stage.now, "alice", &code).unwrap();
    assert_eq!((prompt.amount_fen, prompt.password_required), (888, false));
    assert_eq!(prompt.payee, "通宝测试商户");

    let transaction_id = stage.pay(&code).unwrap();
    assert_eq!(transaction_id.len(), 28);
    assert!(transaction_id.starts_with("42"));
    assert_eq!(stage.balance("alice"), 1_000_000 - 888);

    let told = stage.pass(0);
    let [told] = &told[..] else {
        panic!("one notification")
    };
    assert_eq!(told.request.uri(), crate::common::NOTIFY_URL);
    let notice = read(told.request.body());
    assert!(is_signed(&stage, &notice));
    assert_eq!(notice.get("transaction_id"), Some(&*transaction_id));
    assert!(names(&notice).is_sorted(), "{:?}", names(&notice));

    let found = stage.query("T00001");
    assert_eq!(found.get("trade_state"), Some("SUCCESS"));
    assert_eq!(found.get("transaction_id"), Some(&*transaction_id));
    assert_eq!(found.get("time_end"), Some("20261121120000"));
}

#[test]
fn an_order_is_found_by_either_number_of_its_own_merchant() {
    let mut stage = Stage::new();
    let code = code(&stage.place("T00001", 1));
    let transaction_id = stage.pay(&code).unwrap();
    let by_id = |id: String| Fields::from_iter([("transaction_id", id)]);

    let found = stage.ask("/pay/orderquery", &by_id(transaction_id));
    assert_eq!(found.get("out_trade_no"), Some("T00001"));
    let unknown = stage.ask("/pay/orderquery", &by_id("42".repeat(14)));
    assert_eq!(error(&unknown).0, "ORDERNOTEXIST");
    let odd = stage.ask("/pay/orderquery", &by_id("pay_1".into()));
    assert_eq!(error(&odd).0, "INVALID_TRANSACTIONID");
    let unknown = stage.query("T00002");
    assert_eq!(
        error(&unknown),
        ("ORDERNOTEXIST".into(), "order not exist".into())
    );
}

#[test]
fn the_same_order_again_is_the_same_prepay_for_two_hours() {
    let mut stage = Stage::new();
    let first = stage.place("T00001", 1);
    stage.pass(7_199);
    let second = stage.place("T00001", 1);
    stage.pass(1);
    let old = code(&first);
    assert_eq!(stage.pay(&old), Err(Refusal::CodeExpired));
    let third = stage.place("T00001", 1);

    assert_eq!(first.get("prepay_id"), second.get("prepay_id"));
    assert_eq!(first.get("code_url"), second.get("code_url"));
    assert_ne!(first.get("prepay_id"), third.get("prepay_id"));
    assert_eq!(stage.pay(&old), Err(Refusal::CodeExpired));
    assert!(stage.pay(&code(&third)).is_ok());
}

#[test]
fn a_used_number_with_other_content_is_refused() {
    let changes = [
        ("total_fee", "2"),
        ("body", "油条"),
        ("notify_url", "http://shop.test/other"),
        ("attach", "x"),
        ("product_id", "p2"),
    ];
    for (name, value) in changes {
        let mut stage = Stage::new();
        stage.place("T00001", 1);
        let mut other = Merchant::order("T00001", 1);
        other.insert(name, value);
        let reply = stage.ask("/pay/unifiedorder", &other);

        assert_eq!(
            error(&reply),
            ("INVALID_REQUEST".into(), "201 商户订单号重复".into()),
            "{name}"
        );
        assert!(is_signed(&stage, &reply));
    }
}

#[test]
fn what_is_over_cannot_be_ordered_closed_or_paid_again() {
    let mut stage = Stage::new();
    let paid = code(&stage.place("T00001", 1));
    stage.pay(&paid).unwrap();
    let closed = code(&stage.place("T00002", 1));
    let reply = stage.close("T00002");
    assert_eq!(reply.get("result_msg"), Some("OK"));

    assert_eq!(error(&stage.place("T00001", 1)).0, "ORDERPAID");
    assert_eq!(error(&stage.close("T00001")).0, "ORDERPAID");
    assert_eq!(stage.pay(&paid), Err(Refusal::OrderPaid));
    assert_eq!(error(&stage.place("T00002", 1)).0, "ORDERCLOSED");
    assert_eq!(error(&stage.close("T00002")).0, "ORDERCLOSED");
    assert_eq!(stage.pay(&closed), Err(Refusal::OrderClosed));
    assert_eq!(error(&stage.close("T00003")).0, "ORDERNOTEXIST");
}

#[test]
fn a_close_within_five_minutes_has_three_ways_to_end() {
    let cases = [
        (EarlyClose::Accepted, "", "CLOSED"),
        (EarlyClose::Refused, "TRADE_STATE_ERROR", "NOTPAY"),
        (EarlyClose::WithoutEffect, "", "NOTPAY"),
    ];
    for (early_close, err_code, state) in cases {
        let mut stage = Stage::new();
        stage.platform.set_settings(Settings {
            early_close,
            ..Settings::default()
        });
        stage.place("T00001", 1);
        stage.pass(299);
        let reply = stage.close("T00001");
        assert_eq!(error(&reply).0, err_code);
        assert_eq!(stage.state("T00001"), state);

        stage.pass(1);
        stage.close("T00001");
        assert_eq!(stage.state("T00001"), "CLOSED");
    }
}

#[test]
fn an_expired_order_is_unpaid_for_a_while_and_then_closed() {
    let mut stage = Stage::new();
    let mut order = Merchant::order("T00001", 1);
    order.insert("time_expire", "20261121121000");
    let code = code(&stage.ask("/pay/unifiedorder", &order));
    let mut other = Merchant::order("T00002", 1);
    other.insert("time_expire", "20261121121000");
    let seen = crate::common::code(&stage.ask("/pay/unifiedorder", &other));

    stage.pass(599);
    stage.platform.scan(stage.now, "alice", &seen).unwrap();
    stage.pass(1);
    assert_eq!(stage.pay(&code), Err(Refusal::OrderExpired));
    assert_eq!(stage.state("T00001"), "NOTPAY");
    stage.pass(59);
    assert!(stage.pay(&seen).is_ok(), "who saw the prompt may finish");
    stage.pass(241);
    assert_eq!(stage.state("T00001"), "CLOSED");
    assert_eq!(stage.state("T00002"), "SUCCESS");
}

#[test]
fn moved_time_ages_orders_and_leaves_dates_on_the_wall() {
    let mut stage = Stage::new();
    let old = code(&stage.place("T00001", 1));
    stage.platform.advance(Duration::from_hours(2));
    assert_eq!(stage.pay(&old), Err(Refusal::CodeExpired));

    // A client's `time_expire` is by its own clock, which nobody moved.
    let mut order = Merchant::order("T00002", 1);
    order.insert("time_expire", "20261121121000");
    let fresh = code(&stage.ask("/pay/unifiedorder", &order));
    stage.pay(&fresh).unwrap();
    assert_eq!(
        stage.query("T00002").get("time_end"),
        Some("20261121120000")
    );
}
