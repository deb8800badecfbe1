//! Silence is a question.

use std::time::Duration;

use serde_json::json;
use tongbao_simulator::{FaultKind, NewFault};

use crate::support::{World, order};

#[tokio::test]
async fn a_channel_that_is_silent_leaves_an_unknown_attempt_and_the_query_finds_the_truth() {
    for kind in [
        FaultKind::NoAnswer,
        FaultKind::RefuseConnection,
        FaultKind::Http500,
        FaultKind::SystemError,
        FaultKind::GarbageAnswer,
        FaultKind::BadSignatureAnswer,
        FaultKind::Slow,
    ] {
        let world = World::open().await;
        let fault = NewFault {
            times: Some(1),
            seconds: (kind == FaultKind::Slow).then_some(11),
            ..NewFault::of(kind)
        };
        world.fault(fault);
        let answer = world.post("/v1/payments", &order("T1")).await;
        assert_eq!(answer.status, 201, "{kind:?} {answer:?}");
        let payment = answer.json();
        assert_eq!(payment["state"], "pending", "{kind:?}");
        assert_eq!(payment["attempts"][0]["state"], "unknown", "{kind:?}");

        world.pass(Duration::from_mins(1)).await;
        let found = world.payment(&payment).await;
        assert_eq!(found["attempts"][0]["state"], "pending", "{kind:?}");
        assert_eq!(
            found["attempts"][0]["action"]["type"], "qr_code",
            "{kind:?}"
        );
        assert_eq!(world.platform().truth().trades().count(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn without_any_notification_the_queries_find_the_payment() {
    let world = World::open().await;
    world.fault_of(FaultKind::DropNotification);
    let payment = world.order("T1").await;
    world.pass(Duration::from_mins(3)).await;
    world.pay(&payment, "alice");
    world.pass(Duration::from_mins(1)).await;

    assert_eq!(world.payment(&payment).await["state"], "paid");
    assert_eq!(world.inbox().await, []);
    assert_eq!(world.shop.told_kinds(), ["payment.paid"]);
}

#[tokio::test]
async fn refresh_asks_the_channel_at_once() {
    let world = World::open().await;
    world.fault_of(FaultKind::DropNotification);
    let payment = world.order("T1").await;
    world.pay(&payment, "alice");

    assert_eq!(world.payment(&payment).await["state"], "pending");
    let path = format!(
        "/v1/payments/{}?refresh=true",
        payment["id"].as_str().unwrap()
    );
    assert_eq!(world.get(&path).await.json()["state"], "paid");
}

#[tokio::test]
async fn a_close_without_an_answer_stays_pending_until_one_comes() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    world.pass(Duration::from_mins(6)).await;
    world.fault(NewFault {
        times: Some(4),
        ..NewFault::of(FaultKind::NoAnswer)
    });
    let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    let answer = world.post(&path, &json!({})).await;
    assert_eq!(
        (answer.status, &answer.json()["state"]),
        (200, &json!("pending"))
    );

    world.pass(Duration::from_mins(10)).await;
    assert_eq!(world.payment(&payment).await["state"], "closed");
    assert_eq!(world.shop.told_kinds(), ["payment.closed"]);
}

#[tokio::test]
async fn the_gateway_goes_on_where_it_stopped() {
    let world = World::open().await;
    world.fault(NewFault {
        times: Some(1),
        ..NewFault::of(FaultKind::NoAnswer)
    });
    let payment = world.order("T1").await;
    let world = world.restarted().await;
    world.pass(Duration::from_mins(2)).await;

    let found = world.payment(&payment).await;
    assert_eq!(found["attempts"][0]["state"], "pending");
    world.pay(&found, "alice");
    world.settle().await;
    assert_eq!(world.payment(&payment).await["state"], "paid");
    assert_eq!(world.shop.told_kinds(), ["payment.paid"]);
}
