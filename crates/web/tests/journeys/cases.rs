//! Money that should not be there, to its end: sent back within the merchant's
//! limits, or decided by a person; and at the end the platform's own books say
//! the same as ours.

use std::time::Duration;

use futures::future::join;
use http::Method;
use serde_json::{Value, json};
use tongbao_simulator::{
    CLIENT_CERTIFICATE, EarlyClose, FaultKind, NewFault, Opening, RefundDecision, Settings,
};

use crate::support::{Answer, World};

const HOUR: Duration = Duration::from_hours(1);

/// A channel that can refund, and a merchant with these settings.
async fn open(settings: Value) -> World {
    let world = World::open().await;
    certify(&world).await;
    set(&world, settings).await;
    world
}

/// What the platform wants to see for refunds.
async fn certify(world: &World) {
    let settings = json!({"settings": {
        "client_certificate": CLIENT_CERTIFICATE[0],
        "client_key": CLIENT_CERTIFICATE[1],
    }});
    let path = format!("/v1/channels/{}", world.channel().await);
    let settings = settings.to_string();
    let patched = world.send_json(Method::PATCH, &path, &[], &settings);
    assert_eq!(patched.await.status, 200);
}

async fn set(world: &World, settings: Value) -> Answer {
    let settings = settings.to_string();
    let answer = world.send_json(Method::PATCH, "/v1/merchant", &[], &settings);
    let answer = answer.await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn automatic() -> Value {
    json!({"auto_refund": {"enabled": true}})
}

/// Paid by Alice with a code and, before anybody here knows, in an app as well.
async fn pay_twice(world: &World, number: &str) -> Value {
    let payment = world.order(number).await;
    let path = format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap());
    let second = world.post(&path, &json!({"scene": "app"})).await;
    assert_eq!(second.status, 201, "{second:?}");
    let json = second.json()["action"]["params"].to_string();
    world.pay(&payment, "alice");
    let now = world.platform_now();
    let mut platform = world.platform();
    let opened = platform.open(now, &Opening::App { json }).unwrap();
    platform
        .pay(now, "alice", &opened.target, Some("123456"))
        .unwrap();
    payment
}

/// Closed here, while the platform only says that it is closed there; then paid.
async fn pay_after_close(world: &World, number: &str) -> Value {
    let settings = Settings {
        early_close: EarlyClose::WithoutEffect,
        ..Settings::default()
    };
    world.platform().set_settings(settings);
    // A platform that keeps its own rule of five minutes closes for good.
    let channel = format!("/v1/channels/{}", world.channel().await);
    let hasty = json!({"settings": {"close_after_secs": "0"}}).to_string();
    let patched = world.send_json(Method::PATCH, &channel, &[], &hasty).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    let payment = world.order(number).await;
    let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    let closed = world.post(&path, &json!({})).await.json();
    assert_eq!(closed["state"], "closed");
    world.pay(&payment, "alice");
    world.settle().await;
    payment
}

async fn cases(world: &World, state: &str) -> Vec<Value> {
    let listed = world.get(&format!("/v1/cases?state={state}")).await.json();
    listed["data"].as_array().unwrap().clone()
}

/// The only case there is.
async fn the_case(world: &World) -> Value {
    let listed = world.get("/v1/cases").await.json();
    let [case] = &listed["data"].as_array().unwrap()[..] else {
        panic!("{listed}")
    };
    let path = format!("/v1/cases/{}", case["id"].as_str().unwrap());
    assert_eq!(&world.get(&path).await.json(), case);
    case.clone()
}

fn path(case: &Value) -> String {
    format!("/v1/cases/{}/resolve", case["id"].as_str().unwrap())
}

async fn decide(world: &World, case: &Value, action: &str) -> Answer {
    decide_because(world, case, action, "顾客来电，已核对").await
}

async fn decide_because(world: &World, case: &Value, action: &str, reason: &str) -> Answer {
    let body = json!({"action": action, "reason": reason});
    world.post(&path(case), &body).await
}

/// What the merchant was told of payments and cases, in this order.
fn told(world: &World) -> Vec<String> {
    world.shop.told_kinds()
}

fn once(world: &World, kind: FaultKind) {
    world.fault(NewFault {
        times: Some(1),
        ..NewFault::of(kind)
    });
}

#[tokio::test]
async fn what_was_paid_twice_goes_back_by_itself() {
    let world = open(automatic()).await;
    let payment = pay_twice(&world, "T1").await;
    world.pass(HOUR).await;

    let case = the_case(&world).await;
    assert_eq!(
        (&case["kind"], &case["state"]),
        (&json!("paid_twice"), &json!("resolved"))
    );
    assert_eq!(case["resolution"], "refunded");
    assert_eq!(case["decision"], Value::Null);
    let payment = world.payment(&payment).await;
    assert_eq!(payment["state"], "paid");
    // What pays the order is untouched.
    assert_eq!(payment["amount_refunded"], 0);
    let refund = &payment["refunds"][0];
    assert_eq!(refund["id"], case["refund"]);
    assert_eq!(
        (&refund["amount"], &refund["case"]),
        (&json!(1234), &json!("paid_twice"))
    );
    assert_eq!(
        told(&world),
        ["payment.paid", "case.opened", "case.resolved"]
    );
    assert_eq!(world.shop.told()[2].body["data"], case);
}

#[tokio::test]
async fn what_came_after_the_close_goes_back_also_when_the_gateway_dies_in_between() {
    let world = open(automatic()).await;
    pay_after_close(&world, "T1").await;
    assert_eq!(the_case(&world).await["state"], "refunding");
    let world = world.restarted().await;
    world.pass(HOUR).await;

    let case = the_case(&world).await;
    assert_eq!(
        (&case["kind"], &case["resolution"]),
        (&json!("paid_after_close"), &json!("refunded"))
    );
    assert_eq!(
        told(&world),
        ["payment.closed", "case.opened", "case.resolved"]
    );
}

#[tokio::test]
async fn with_the_switch_off_a_person_sends_it_back() {
    let world = open(json!({})).await;
    pay_after_close(&world, "T1").await;
    world.pass(HOUR).await;
    let case = the_case(&world).await;
    assert_eq!(
        (&case["state"], &case["need"]["code"]),
        (&json!("needs_person"), &json!("off"))
    );
    let unresolved = cases(&world, "unresolved").await;
    assert_eq!(unresolved, std::slice::from_ref(&case));
    assert_eq!(cases(&world, "resolved").await, [] as [Value; 0]);

    let answer = decide(&world, &case, "refund").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["state"], "refunding");
    // It is on its way, whoever asks.
    for action in ["refund", "accept", "dismiss"] {
        let refused = decide_because(&world, &case, action, "another").await;
        assert_eq!(refused.problem(), (409, "case_refunding".to_owned(), None));
    }
    world.pass(HOUR).await;
    let case = the_case(&world).await;
    assert_eq!(
        (&case["state"], &case["resolution"]),
        (&json!("resolved"), &json!("refunded"))
    );
    let decision = &case["decision"];
    assert_eq!(
        (&decision["action"], &decision["reason"]),
        (&json!("refund"), &json!("顾客来电，已核对"))
    );
    assert!(decision["by"].as_str().unwrap().starts_with("key_"));
    assert_eq!(
        told(&world),
        [
            "payment.closed",
            "case.opened",
            "case.needs_person",
            "case.resolved"
        ]
    );
    let payment = case["payment"].as_str().unwrap();
    let timeline = world
        .get(&format!("/v1/payments/{payment}/events"))
        .await
        .json();
    let lines = timeline["data"].as_array().unwrap();
    let line = lines
        .iter()
        .find(|line| line["type"] == "case_decided")
        .unwrap();
    assert_eq!(
        (&line["action"], &line["by"]),
        (&json!("refund"), &decision["by"])
    );
    assert_eq!(line["detail"], "顾客来电，已核对");
    for action in ["refund", "accept", "dismiss"] {
        let refused = decide_because(&world, &case, action, "another").await;
        assert_eq!(refused.problem(), (409, "case_resolved".to_owned(), None));
    }
}

#[tokio::test]
async fn more_than_a_case_or_a_day_may_cost_waits_for_a_person() {
    let limits = json!({"auto_refund": {"enabled": true, "per_case": 1233}});
    let world = open(limits).await;
    pay_after_close(&world, "T1").await;
    let first = the_case(&world).await;
    assert_eq!(first["need"]["code"], "case_limit");

    // ¥12.34 fits once, and the day goes on over a restart.
    set(
        &world,
        json!({"auto_refund": {"per_case": 1234, "per_day": 2467}}),
    )
    .await;
    pay_after_close(&world, "T2").await;
    let world = world.restarted().await;
    pay_after_close(&world, "T3").await;
    world.pass(HOUR).await;
    let waiting = cases(&world, "needs_person").await;
    let needs: Vec<_> = waiting.iter().map(|case| &case["need"]["code"]).collect();
    assert_eq!(needs, ["day_limit", "case_limit"]);

    // What a person sends back is not counted, and needs no limit.
    let sent = decide(&world, &waiting[0], "refund").await;
    assert_eq!(sent.status, 200, "{sent:?}");
    // It is noon in China, and 13 hours later another day.
    world.pass(HOUR * 12).await;
    pay_after_close(&world, "T4").await;
    world.pass(HOUR).await;
    assert_eq!(cases(&world, "needs_person").await, [first]);
    assert_eq!(cases(&world, "resolved").await.len(), 3);
}

#[tokio::test]
async fn many_cases_at_the_same_instant_stay_within_the_day() {
    let limits = json!({"auto_refund": {"enabled": true, "per_day": 3 * 1234}});
    let world = open(limits).await;
    for number in 0..6 {
        pay_twice(&world, &format!("T{number}")).await;
    }
    world.pass(HOUR).await;
    assert_eq!(cases(&world, "resolved").await.len(), 3);
    assert_eq!(cases(&world, "needs_person").await.len(), 3);
}

#[tokio::test]
async fn a_person_and_the_gateway_at_the_same_instant_send_it_back_once() {
    for _ in 0..5 {
        let world = open(json!({})).await;
        pay_after_close(&world, "T1").await;
        let case = the_case(&world).await;
        let (one, other) = join(
            decide(&world, &case, "refund"),
            decide_because(&world, &case, "refund", "another"),
        )
        .await;
        let statuses = [one.status, other.status];
        assert!(
            statuses.contains(&200) && statuses.contains(&409),
            "{one:?} {other:?}"
        );
        world.pass(HOUR).await;
        assert_eq!(world.platform().truth().refunds().count(), 1);

        let world = open(automatic()).await;
        let payment = pay_twice(&world, "T1").await;
        while world.get("/v1/cases").await.json()["data"] == json!([]) {
            for outgoing in world.fired() {
                world.deliver(outgoing).await;
            }
            let refresh = format!(
                "/v1/payments/{}?refresh=true",
                payment["id"].as_str().unwrap()
            );
            world.get(&refresh).await;
        }
        let case = the_case(&world).await;
        join(decide(&world, &case, "refund"), world.settle()).await;
        world.pass(HOUR).await;
        assert_eq!(world.platform().truth().refunds().count(), 1);
        assert_eq!(the_case(&world).await["resolution"], "refunded");
    }
}

#[tokio::test]
async fn a_late_payment_that_a_person_accepts_is_paid_and_can_be_refunded_like_any_other() {
    let world = open(json!({})).await;
    let payment = pay_after_close(&world, "T1").await;
    let case = the_case(&world).await;
    let accepted = decide(&world, &case, "accept").await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    let accepted = accepted.json();
    assert_eq!(
        (&accepted["state"], &accepted["resolution"]),
        (&json!("resolved"), &json!("accepted"))
    );
    world.pass(HOUR).await;

    let paid = world.payment(&payment).await;
    assert_eq!(paid["state"], "paid");
    let kinds = [
        "payment.closed",
        "case.opened",
        "case.needs_person",
        "payment.paid",
        "case.resolved",
    ];
    assert_eq!(told(&world), kinds);
    // Each fact has a number of its own.
    let numbers: Vec<_> = world
        .shop
        .told()
        .iter()
        .map(|told| told.body["sequence"].as_i64())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let refused = decide(&world, &case, "refund").await;
    assert_eq!(refused.problem(), (409, "case_resolved".to_owned(), None));
    let wanted = json!({"merchant_refund_no": "R1", "amount": 1234});
    let refunds = format!("/v1/payments/{}/refunds", payment["id"].as_str().unwrap());
    assert_eq!(world.post(&refunds, &wanted).await.status, 201);
    world.pass(HOUR).await;
    assert_eq!(world.payment(&payment).await["amount_refunded"], 1234);
}

#[tokio::test]
async fn who_accepts_late_payments_has_no_case_of_them() {
    let world = open(json!({"accept_late": true, "auto_refund": {"enabled": true}})).await;
    let payment = pay_after_close(&world, "T1").await;
    assert_eq!(world.payment(&payment).await["state"], "paid");
    assert_eq!(world.get("/v1/cases").await.json()["data"], json!([]));
    // Twice is too much all the same.
    pay_twice(&world, "T2").await;
    world.pass(HOUR).await;
    assert_eq!(the_case(&world).await["kind"], "paid_twice");
}

#[tokio::test]
async fn what_was_paid_twice_can_be_kept_with_a_reason() {
    let world = open(json!({})).await;
    let payment = pay_twice(&world, "T1").await;
    world.pass(HOUR).await;
    let case = the_case(&world).await;
    let kept = decide(&world, &case, "accept").await.json();
    assert_eq!(
        (&kept["state"], &kept["resolution"]),
        (&json!("resolved"), &json!("accepted"))
    );
    world.pass(HOUR).await;
    assert_eq!(world.payment(&payment).await["state"], "paid");
    assert_eq!(world.platform().truth().refunds().count(), 0);
}

#[tokio::test]
async fn a_claim_that_the_platform_denies_is_resolved_without_a_person() {
    let world = open(automatic()).await;
    let payment = world.order("T1").await;
    once(&world, FaultKind::WrongAmountNotification);
    world.pay(&payment, "alice");
    let outgoing = world.fired().pop().unwrap();
    world.deliver(outgoing).await;
    let case = the_case(&world).await;
    assert_eq!(
        (&case["kind"], &case["state"]),
        (&json!("amount_mismatch"), &json!("open"))
    );
    for action in ["refund", "accept"] {
        let refused = decide(&world, &case, action).await;
        assert_eq!(
            refused.problem(),
            (409, "case_unconfirmed".to_owned(), None)
        );
    }

    world.pass(Duration::from_mins(3)).await;
    assert_eq!(world.payment(&payment).await["state"], "paid");
    let case = the_case(&world).await;
    assert_eq!(
        (&case["state"], &case["resolution"]),
        (&json!("resolved"), &json!("disproved"))
    );
    assert_eq!(
        told(&world),
        ["case.opened", "payment.paid", "case.resolved"]
    );
}

#[tokio::test]
async fn a_wrong_amount_that_a_leaked_key_has_made_up_cannot_go_back_and_is_dismissed() {
    let world = open(automatic()).await;
    world.books_differ("a wrong amount was told and trusted");
    let channel = format!("/v1/channels/{}", world.channel().await);
    let trusting = json!({"confirm": "signature"}).to_string();
    world
        .send_json(Method::PATCH, &channel, &[], &trusting)
        .await;
    let payment = world.order("T1").await;
    once(&world, FaultKind::WrongAmountNotification);
    world.pay(&payment, "alice");
    world.pass(HOUR).await;

    // The platform pays nothing back of an order of another amount.
    let waiting = cases(&world, "needs_person").await;
    let case = waiting
        .iter()
        .find(|case| case["need"]["code"] == "refund_failed")
        .unwrap();
    let dismissed = decide(&world, case, "dismiss").await.json();
    assert_eq!(
        (&dismissed["state"], &dismissed["resolution"]),
        (&json!("resolved"), &json!("dismissed"))
    );
    // The true money came under the same number, and is for a person's eyes.
    let other = waiting
        .iter()
        .find(|case| case["need"]["code"] == "second_receipt")
        .unwrap();
    let refused = decide(&world, other, "refund").await;
    assert_eq!(
        refused.problem(),
        (409, "case_not_refundable".to_owned(), None)
    );
    assert_eq!(decide(&world, other, "accept").await.status, 200);
    assert_eq!(world.platform().truth().refunds().count(), 0);
}

#[tokio::test]
async fn a_payer_whose_account_is_closed_is_paid_by_a_person() {
    let world = open(automatic()).await;
    once(&world, FaultKind::AbnormalRefund);
    pay_after_close(&world, "T1").await;
    world.pass(HOUR).await;
    // One case for one piece of money.
    let case = the_case(&world).await;
    assert_eq!(
        (&case["state"], &case["need"]["code"]),
        (&json!("needs_person"), &json!("refund_abnormal"))
    );
    for action in ["refund", "accept"] {
        let refused = decide(&world, &case, action).await;
        assert_eq!(refused.problem(), (409, "case_refunding".to_owned(), None));
    }
    let dismissed = decide(&world, &case, "dismiss").await;
    assert_eq!(dismissed.json()["resolution"], "dismissed");
    world.pass(HOUR).await;
    assert_eq!(
        told(&world),
        [
            "payment.closed",
            "case.opened",
            "case.needs_person",
            "case.resolved"
        ]
    );
}

#[tokio::test]
async fn what_the_platform_sends_another_way_resolves_the_case_and_so_does_a_second_refund() {
    let world = open(automatic()).await;
    for (number, decision) in [
        ("T1", RefundDecision::Success),
        ("T2", RefundDecision::Closed),
    ] {
        once(&world, FaultKind::AbnormalRefund);
        pay_after_close(&world, number).await;
        world.pass(HOUR).await;
        let case = cases(&world, "needs_person").await.remove(0);
        let refund = format!("/v1/refunds/{}", case["refund"].as_str().unwrap());
        let refund = world.get(&refund).await.json();
        let there = refund["refund_id"].as_str().unwrap();
        let now = world.platform_now();
        world
            .platform()
            .decide_refund(now, there, decision)
            .unwrap();
        world.pass(HOUR).await;
    }
    assert_eq!(cases(&world, "resolved").await.len(), 1);
    let waiting = cases(&world, "needs_person").await.remove(0);
    assert_eq!(waiting["need"]["code"], "refund_failed");
    assert_eq!(decide(&world, &waiting, "refund").await.status, 200);
    world.pass(HOUR).await;
    assert_eq!(cases(&world, "resolved").await.len(), 2);
}

#[tokio::test]
async fn a_refund_that_no_channel_takes_needs_a_person_and_goes_when_it_can() {
    let world = open(automatic()).await;
    world.fault(NewFault {
        path: Some("/secapi/pay/refund".to_owned()),
        err_code: Some("NOTENOUGH".to_owned()),
        ..NewFault::of(FaultKind::SystemError)
    });
    pay_after_close(&world, "T1").await;
    world.pass(HOUR / 2).await;
    assert_eq!(the_case(&world).await["state"], "refunding");
    world.pass(HOUR * 3 / 2).await;
    let case = the_case(&world).await;
    assert_eq!(
        (&case["state"], &case["need"]["code"]),
        (&json!("needs_person"), &json!("refund_waits"))
    );
    for action in ["refund", "accept", "dismiss"] {
        let refused = decide(&world, &case, action).await;
        assert_eq!(refused.problem(), (409, "case_refunding".to_owned(), None));
    }

    world.platform().clear_faults();
    world.pass(HOUR * 2).await;
    let resolved = the_case(&world).await;
    assert_eq!(resolved["resolution"], "refunded");
    assert_eq!(resolved["refund"], case["refund"]);
    assert_eq!(
        told(&world),
        [
            "payment.closed",
            "case.opened",
            "case.needs_person",
            "case.resolved"
        ]
    );
}

#[tokio::test]
async fn the_case_of_a_refund_ends_when_the_payer_has_the_money() {
    let world = open(automatic()).await;
    let payment = world.order("T1").await;
    world.pay(&payment, "alice");
    world.settle().await;
    once(&world, FaultKind::AbnormalRefund);
    let wanted = json!({"merchant_refund_no": "R1", "amount": 500});
    let refunds = format!("/v1/payments/{}/refunds", payment["id"].as_str().unwrap());
    world.post(&refunds, &wanted).await;
    world.pass(HOUR).await;
    let case = the_case(&world).await;
    assert_eq!(
        (&case["kind"], &case["state"]),
        (&json!("refund_abnormal"), &json!("needs_person"))
    );
    let refused = decide(&world, &case, "accept").await;
    assert_eq!(
        refused.problem(),
        (409, "case_not_acceptable".to_owned(), None)
    );

    let (now, number) = (
        world.platform_now(),
        case["transaction_id"].as_str().unwrap(),
    );
    world
        .platform()
        .decide_refund(now, number, RefundDecision::Success)
        .unwrap();
    world.pass(HOUR).await;
    assert_eq!(the_case(&world).await["resolution"], "refunded");
    assert_eq!(
        told(&world),
        [
            "payment.paid",
            "case.opened",
            "refund.succeeded",
            "case.resolved"
        ]
    );
}

#[tokio::test]
async fn without_a_certificate_nothing_goes_back_until_somebody_adds_it() {
    let world = World::open().await;
    set(&world, automatic()).await;
    pay_after_close(&world, "T1").await;
    let case = the_case(&world).await;
    assert_eq!(case["need"]["code"], "channel_cannot");
    let refused = decide(&world, &case, "refund").await;
    assert_eq!(
        refused.problem(),
        (409, "client_certificate_missing".to_owned(), None)
    );
    certify(&world).await;
    assert_eq!(decide(&world, &case, "refund").await.status, 200);
    world.pass(HOUR).await;
    assert_eq!(the_case(&world).await["resolution"], "refunded");
}

#[tokio::test]
async fn the_same_request_is_carried_out_once_and_bad_ones_are_refused() {
    let world = open(json!({})).await;
    pay_after_close(&world, "T1").await;
    let case = the_case(&world).await;
    let field = |name: &str| (422, "invalid_field".to_owned(), Some(name.to_owned()));
    for reason in ["", "   ", "a\nb", &"长".repeat(171)] {
        let body = json!({"action": "refund", "reason": reason});
        assert_eq!(
            world.post(&path(&case), &body).await.problem(),
            field("reason")
        );
    }
    let unknown = json!({"action": "shred", "reason": "x"});
    assert_eq!(world.post(&path(&case), &unknown).await.status, 422);
    for id in ["case_00000000000000000000000000", "case_x", "pay_1"] {
        let body = json!({"action": "refund", "reason": "x"});
        let answer = world.post(&format!("/v1/cases/{id}/resolve"), &body).await;
        assert_eq!(answer.status, 404, "{id}");
        assert_eq!(
            world.get(&format!("/v1/cases/{id}")).await.status,
            404,
            "{id}"
        );
    }

    let body = json!({"action": "refund", "reason": "顾客付了两次"}).to_string();
    let with_key = [("idempotency-key", "decide-1")];
    let send = async || {
        world
            .send_json(Method::POST, &path(&case), &with_key, &body)
            .await
    };
    let (one, other) = join(send(), send()).await;
    assert_eq!((one.status, other.status), (200, 200), "{one:?} {other:?}");
    world.pass(HOUR).await;
    let again = send().await;
    assert_eq!(
        (again.status, &again.json()["state"]),
        (200, &json!("resolved"))
    );
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = json!({"action": "dismiss", "reason": "x"}).to_string();
    let reused = world
        .send_json(Method::POST, &path(&case), &with_key, &other)
        .await;
    assert_eq!(reused.problem().1, "idempotency_key_reused");
    assert_eq!(world.platform().truth().refunds().count(), 1);
}

#[tokio::test]
async fn settings_are_read_and_changed_one_by_one() {
    let world = World::open().await;
    let first = world.get("/v1/merchant").await.json();
    assert_eq!(first["accept_late"], false);
    assert_eq!(
        first["auto_refund"],
        json!({"enabled": false, "per_case": 50_000, "per_day": 500_000})
    );
    set(
        &world,
        json!({"accept_late": true, "auto_refund": {"per_case": 7}}),
    )
    .await;
    let changed = set(&world, automatic()).await.json();
    assert_eq!(changed["accept_late"], true);
    assert_eq!(
        changed["auto_refund"],
        json!({"enabled": true, "per_case": 7, "per_day": 500_000})
    );
    let world = world.restarted().await;
    assert_eq!(world.get("/v1/merchant").await.json(), changed);
    for (body, field) in [
        (
            json!({"auto_refund": {"per_case": -1}}),
            "auto_refund.per_case",
        ),
        (
            json!({"auto_refund": {"per_day": 10_000_000_001_i64}}),
            "auto_refund.per_day",
        ),
    ] {
        let body = body.to_string();
        let refused = world
            .send_json(Method::PATCH, "/v1/merchant", &[], &body)
            .await;
        let expected = (422, "invalid_field".to_owned(), Some(field.to_owned()));
        assert_eq!(refused.problem(), expected);
    }
    assert_eq!(world.get("/v1/merchant").await.json(), changed);
}
