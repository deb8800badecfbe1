//! A payer shows a code at the till.

use std::time::Duration;

use serde_json::{Value, json};
use tongbao_simulator::{FaultKind, NewFault, Reply, TradeState};

use crate::support::World;

/// Below what the wallet asks a password for, and above.
const COFFEE: u64 = 2_000;
const DINNER: u64 = 60_000;

const REVERSE: &str = "/secapi/pay/reverse";

/// A payment with nothing begun.
async fn bill(world: &World, number: &str, amount: u64) -> Value {
    let new = json!({"merchant_order_no": number, "amount": amount, "subject": "豆浆 × 2"});
    let answer = world.post("/v1/payments", &new).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn code(world: &World, wallet: &str) -> String {
    let now = world.platform_now();
    world.platform().auth_code(now, wallet).unwrap().digits
}

fn attempts(payment: &Value) -> String {
    format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap())
}

/// The cashier scans what alice shows.
async fn scan(world: &World, payment: &Value) -> Value {
    let scanned = json!({"scene": "barcode", "auth_code": code(world, "alice")});
    let answer = world.post(&attempts(payment), &scanned).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn answers(world: &World, reply: Reply<'_>) {
    let now = world.platform_now();
    let said = world.platform().confirm(now, "alice", None, reply);
    said.unwrap();
}

const YES: Reply<'_> = Reply::Accept { password: None };

/// The payment's state, and its last attempt's.
async fn states(world: &World, payment: &Value) -> (String, String) {
    let payment = world.payment(payment).await;
    let attempt = payment["attempts"].as_array().unwrap().last().cloned();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&payment["state"]), text(&attempt.unwrap()["state"]))
}

fn are(payment: &str, attempt: &str) -> (String, String) {
    (payment.to_owned(), attempt.to_owned())
}

fn fault(kind: FaultKind, path: &str, times: u32) -> NewFault {
    NewFault {
        path: Some(path.to_owned()),
        times: Some(times),
        ..NewFault::of(kind)
    }
}

/// What the wallet has lost, and the merchant got.
fn paid_out(world: &World) -> u64 {
    let platform = world.platform();
    let books = platform.truth();
    let got: u64 = books
        .trades()
        .filter(|trade| trade.paid().is_some())
        .map(|trade| trade.amount_fen)
        .sum();
    let lost = 1_000_000 - books.wallets["alice"].balance_fen;
    assert_eq!(lost, got);
    got
}

#[tokio::test]
async fn a_small_sum_is_paid_in_the_answer() {
    let world = World::open().await;
    let payment = bill(&world, "T1", COFFEE).await;

    let attempt = scan(&world, &payment).await;

    assert_eq!(attempt["state"], "succeeded");
    let paid = world.payment(&payment).await;
    assert_eq!(paid["state"], "paid");
    insta::assert_json_snapshot!("barcode_paid", paid);
    world.settle().await;
    assert_eq!(world.shop.told_kinds(), ["payment.paid"]);
    assert_eq!(paid_out(&world), COFFEE);
}

#[tokio::test]
async fn a_payment_and_its_code_come_in_one_request() {
    let world = World::open().await;
    let new = json!({
        "merchant_order_no": "T1",
        "amount": COFFEE,
        "subject": "豆浆 × 2",
        "attempt": {"scene": "barcode", "auth_code": format!("{}\r\n", code(&world, "alice"))},
    });

    let paid = world.post("/v1/payments", &new).await;

    assert_eq!(paid.json()["state"], "paid", "{paid:?}");
    let again = world.post("/v1/payments", &new).await;
    assert_eq!(again.json(), paid.json());
    assert_eq!(paid_out(&world), COFFEE);
}

#[tokio::test]
async fn who_types_the_password_is_found_by_asking() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    let attempt = scan(&world, &payment).await;
    assert_eq!(attempt["state"], "user_paying");

    world.pass(Duration::from_secs(7)).await;
    assert_eq!(
        states(&world, &payment).await,
        are("pending", "user_paying")
    );
    answers(&world, YES);
    world.pass(Duration::from_secs(6)).await;

    assert_eq!(states(&world, &payment).await, are("paid", "succeeded"));
    assert_eq!(paid_out(&world), DINNER);
}

#[tokio::test]
async fn who_declines_has_not_paid_and_may_show_another_code() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    scan(&world, &payment).await;
    answers(&world, Reply::Decline);
    world.pass(Duration::from_secs(6)).await;
    assert_eq!(states(&world, &payment).await, are("pending", "failed"));

    let second = scan(&world, &payment).await;
    assert_eq!(second["state"], "user_paying");
    answers(&world, YES);
    world.pass(Duration::from_secs(6)).await;

    assert_eq!(states(&world, &payment).await, are("paid", "succeeded"));
    assert_eq!(paid_out(&world), DINNER);
}

#[tokio::test]
async fn a_prompt_that_is_left_alone_is_reversed_after_half_a_minute() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    scan(&world, &payment).await;

    world.pass(Duration::from_secs(27)).await;
    assert_eq!(
        states(&world, &payment).await,
        are("pending", "user_paying")
    );
    world.pass(Duration::from_secs(13)).await;

    assert_eq!(states(&world, &payment).await, are("pending", "reversed"));
    let path = format!("/v1/payments/{}/events", payment["id"].as_str().unwrap());
    insta::assert_json_snapshot!("barcode_reversed", world.get(&path).await.json());
    assert_eq!(paid_out(&world), 0);
}

#[tokio::test]
async fn an_answer_that_is_lost_or_says_nothing_is_a_question() {
    for kind in [
        FaultKind::NoAnswer,
        FaultKind::SystemErrorAfterEffect,
        FaultKind::GarbageAnswer,
        FaultKind::BadSignatureAnswer,
    ] {
        let world = World::open().await;
        let payment = bill(&world, "T1", COFFEE).await;
        world.fault(fault(kind, "/pay/micropay", 1));
        let attempt = scan(&world, &payment).await;
        assert_eq!(attempt["state"], "unknown", "{kind:?}");

        world.pass(Duration::from_secs(6)).await;

        let found = states(&world, &payment).await;
        assert_eq!(found, are("paid", "succeeded"), "{kind:?}");
        assert_eq!(paid_out(&world), COFFEE);
    }
}

#[tokio::test]
async fn a_code_nobody_has_seen_is_a_question_as_well() {
    let world = World::open().await;
    let payment = bill(&world, "T1", COFFEE).await;
    world.fault(NewFault {
        err_code: Some("A_WORD_NOBODY_HAS_SEEN".to_owned()),
        ..fault(FaultKind::SystemErrorAfterEffect, "/pay/micropay", 1)
    });
    assert_eq!(scan(&world, &payment).await["state"], "unknown");

    world.pass(Duration::from_secs(6)).await;

    assert_eq!(states(&world, &payment).await, are("paid", "succeeded"));
}

#[tokio::test]
async fn what_never_arrived_is_reversed_and_then_over() {
    for kind in [
        FaultKind::RefuseConnection,
        FaultKind::SystemError,
        FaultKind::Http500,
    ] {
        let world = World::open().await;
        let payment = bill(&world, "T1", COFFEE).await;
        world.fault(fault(kind, "/pay/micropay", 1));
        assert_eq!(scan(&world, &payment).await["state"], "unknown", "{kind:?}");
        world.pass(Duration::from_secs(75)).await;
        let found = states(&world, &payment).await;
        assert_eq!(found, are("pending", "closed"), "{kind:?}");

        assert_eq!(scan(&world, &payment).await["state"], "succeeded");
        assert_eq!(paid_out(&world), COFFEE);
    }
}

#[tokio::test]
async fn a_process_that_dies_while_it_asks_is_followed_by_one_that_goes_on() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    scan(&world, &payment).await;
    world.pass(Duration::from_secs(12)).await;

    let world = world.restarted().await;
    answers(&world, YES);
    world.pass(Duration::from_secs(6)).await;
    assert_eq!(states(&world, &payment).await, are("paid", "succeeded"));

    let left = bill(&world, "T2", DINNER).await;
    scan(&world, &left).await;
    world.pass(Duration::from_secs(12)).await;
    let world = world.restarted().await;
    world.pass(Duration::from_secs(30)).await;
    assert_eq!(states(&world, &left).await, are("pending", "reversed"));
}

#[tokio::test]
async fn a_reverse_is_repeated_while_the_platform_wants_to_be_called_again() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    scan(&world, &payment).await;
    // The platform undoes a prompt by itself after 45 seconds: not here.
    let mut settings = world.platform().settings().clone();
    settings.code_payment_secs = 3_600;
    world.platform().set_settings(settings);
    world.fault(fault(FaultKind::RecallReverse, REVERSE, 3));

    world.pass(Duration::from_secs(43)).await;
    assert_eq!(
        states(&world, &payment).await,
        are("pending", "user_paying")
    );
    world.pass(Duration::from_secs(20)).await;

    assert_eq!(states(&world, &payment).await, are("pending", "reversed"));
}

#[tokio::test]
async fn who_pays_while_it_is_being_reversed_gets_the_money_back() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    scan(&world, &payment).await;
    world.fault(fault(FaultKind::RecallReverse, REVERSE, 1));
    world.pass(Duration::from_secs(31)).await;
    answers(&world, YES);

    world.pass(Duration::from_secs(20)).await;

    assert_eq!(states(&world, &payment).await, are("pending", "reversed"));
    assert_eq!(paid_out(&world), 0);
}

#[tokio::test]
async fn a_reverse_that_was_only_said_to_be_done_is_a_case() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    scan(&world, &payment).await;
    world.fault(fault(FaultKind::ReverseWithoutEffect, REVERSE, 1));
    world.pass(Duration::from_secs(31)).await;
    answers(&world, YES);

    world.pass(Duration::from_mins(2)).await;

    assert_eq!(states(&world, &payment).await, are("pending", "failed"));
    let cases = world.get("/v1/cases").await.json();
    let case = &cases["data"][0];
    assert_eq!(case["kind"], "paid_after_close");
    assert_eq!(case["remedy"], "refund");
    assert_eq!(case["amount"], DINNER);
}

#[tokio::test]
async fn closing_asks_and_reverses() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    scan(&world, &payment).await;
    let close = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    world.pass(Duration::from_secs(8)).await;

    let closing = world.post(&close, &json!({})).await.json();
    assert_eq!(closing["state"], "pending");
    world.pass(Duration::from_secs(40)).await;

    assert_eq!(states(&world, &payment).await, are("closed", "reversed"));
    let trades: Vec<_> = world.platform().truth().trades().cloned().collect();
    assert!(matches!(trades[0].state, TradeState::Revoked { .. }));
}

#[tokio::test]
async fn the_same_code_and_a_second_one_are_the_same_try() {
    let world = World::open().await;
    let payment = bill(&world, "T1", DINNER).await;
    let scanned = json!({"scene": "barcode", "auth_code": code(&world, "alice")});
    let first = world.post(&attempts(&payment), &scanned).await;
    let again = world.post(&attempts(&payment), &scanned).await;
    let other = json!({"scene": "barcode", "auth_code": code(&world, "alice")});
    let other = world.post(&attempts(&payment), &other).await;

    assert_eq!((first.status, again.status, other.status), (201, 200, 200));
    assert_eq!(first.json(), again.json());
    assert_eq!(first.json(), other.json());
    answers(&world, YES);
    world.pass(Duration::from_secs(6)).await;
    let late = world.post(&attempts(&payment), &scanned).await;
    assert_eq!(
        (late.status, late.json()["state"].as_str()),
        (200, Some("succeeded"))
    );
    assert_eq!(paid_out(&world), DINNER);
}

#[tokio::test]
async fn a_code_that_is_none_is_refused_before_anything_is_written() {
    let world = World::open().await;
    let payment = bill(&world, "T1", COFFEE).await;
    let field = |code: &str| (422, code.to_owned(), Some("auth_code".to_owned()));
    for (attempt, problem) in [
        (json!({"scene": "barcode"}), field("invalid_field")),
        (
            json!({"scene": "barcode", "auth_code": ""}),
            field("invalid_field"),
        ),
        (
            json!({"scene": "barcode", "auth_code": "13456789012345678"}),
            field("invalid_field"),
        ),
        (
            json!({"scene": "barcode", "auth_code": "https://qr.alipay.com/x"}),
            field("invalid_field"),
        ),
        (
            json!({"scene": "barcode", "auth_code": 134_567_890_123_456_789_u64}),
            field("invalid_field"),
        ),
        (
            json!({"scene": "native", "auth_code": "134567890123456789"}),
            field("invalid_field"),
        ),
        (
            json!({"scene": "barcode", "auth_code": "284567890123456789"}),
            (422, "no_channel".to_owned(), Some("channel".to_owned())),
        ),
    ] {
        let answer = world.post(&attempts(&payment), &attempt).await;
        assert_eq!(answer.problem(), problem, "{attempt}");
        assert!(!answer.text.contains("4567890123456"), "{answer:?}");
    }
    let alipay = json!({"scene": "barcode", "auth_code": "284567890123456789"});
    let answer = world.post(&attempts(&payment), &alipay).await;
    assert!(answer.text.contains("支付宝"), "{answer:?}");
    assert_eq!(world.payment(&payment).await["attempts"], json!([]));
}

#[tokio::test]
async fn a_code_that_is_spent_or_dead_leaves_the_payment_open() {
    let world = World::open().await;
    let spent = code(&world, "alice");
    let first = bill(&world, "T1", COFFEE).await;
    let scanned = json!({"scene": "barcode", "auth_code": spent});
    world.post(&attempts(&first), &scanned).await;
    let dead = code(&world, "alice");
    world.pass(Duration::from_secs(61)).await;

    let payment = bill(&world, "T2", COFFEE).await;
    for (code, platform_code) in [
        (spent.as_str(), "AUTH_CODE_INVALID"),
        (dead.as_str(), "AUTHCODEEXPIRE"),
        ("100000000000000000", "AUTH_CODE_ERROR"),
    ] {
        let scanned = json!({"scene": "barcode", "auth_code": code});
        let attempt = world.post(&attempts(&payment), &scanned).await.json();
        assert_eq!(attempt["state"], "failed");
        assert_eq!(attempt["failure"]["code"], "auth_code_unusable");
        assert_eq!(attempt["failure"]["platform_code"], platform_code);
    }

    assert_eq!(scan(&world, &payment).await["state"], "succeeded");
}

#[tokio::test]
async fn the_code_is_written_nowhere() {
    let world = World::open().await;
    let payment = bill(&world, "T1", COFFEE).await;
    let code = code(&world, "alice");
    let scanned = json!({"scene": "barcode", "auth_code": code});
    world.post(&attempts(&payment), &scanned).await;
    world.settle().await;

    let file = world.database();
    for name in ["tongbao.db", "tongbao.db-wal"] {
        let Ok(bytes) = std::fs::read(file.with_file_name(name)) else {
            continue;
        };
        let found = bytes
            .windows(code.len())
            .any(|part| part == code.as_bytes());
        assert!(!found, "{name}");
    }
    let path = format!("/v1/payments/{}/events", payment["id"].as_str().unwrap());
    assert!(!world.get(&path).await.text.contains(&code));
}
