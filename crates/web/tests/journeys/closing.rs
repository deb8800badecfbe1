//! The platform closes no order that is younger than five minutes.

use std::time::Duration;

use serde_json::{Value, json};
use tongbao_simulator::{EarlyClose, Settings, TradeState};

use crate::support::World;

async fn open(habit: EarlyClose) -> World {
    let world = World::open().await;
    world.platform().set_settings(Settings {
        early_close: habit,
        ..Settings::default()
    });
    world
}

/// What the merchant hears.
async fn close(world: &World, payment: &Value) -> Value {
    let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    let answer = world.post(&path, &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn state(world: &World, payment: &Value) -> String {
    let payment = world.payment(payment).await;
    payment["state"].as_str().unwrap().to_owned()
}

/// How often the platform was asked to close.
fn closes(world: &World) -> usize {
    let platform = world.platform();
    let asked = platform.journal();
    asked
        .filter(|entry| entry.path == "/pay/closeorder")
        .count()
}

fn is_closed_there(world: &World) -> bool {
    let platform = world.platform();
    let mut trades = platform.truth().trades().cloned();
    trades.all(|trade| matches!(trade.state, TradeState::Closed { .. }))
}

#[tokio::test]
async fn a_close_that_comes_early_is_carried_out_when_the_platform_closes() {
    for habit in [
        EarlyClose::Refused,
        EarlyClose::WithoutEffect,
        EarlyClose::Accepted,
    ] {
        let world = open(habit).await;
        let payment = world.order("T1").await;
        world.pass(Duration::from_secs(20)).await;

        assert_eq!(close(&world, &payment).await["state"], "pending");
        world.pass(Duration::from_mins(4)).await;
        assert_eq!(close(&world, &payment).await["state"], "pending");
        assert_eq!(closes(&world), 0, "closed too early");
        assert!(world.shop.told().is_empty());

        world.pass(Duration::from_mins(1)).await;
        assert_eq!(close(&world, &payment).await["state"], "closed");
        assert_eq!(closes(&world), 1);
        assert!(is_closed_there(&world));
        assert_eq!(world.shop.told_kinds(), ["payment.closed"]);
    }
}

#[tokio::test]
async fn whoever_pays_before_it_can_be_closed_has_paid() {
    let world = open(EarlyClose::Refused).await;
    let payment = world.order("T1").await;
    close(&world, &payment).await;
    world.pass(Duration::from_mins(2)).await;
    world.pay(&payment, "alice");
    world.settle().await;

    assert_eq!(state(&world, &payment).await, "paid");
    assert_eq!(world.shop.told_kinds(), ["payment.paid"]);
    world.pass(Duration::from_mins(10)).await;
    assert_eq!(closes(&world), 0);
    assert_eq!(world.get("/v1/cases").await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_payment_that_expires_young_is_closed_a_little_later() {
    let world = open(EarlyClose::Refused).await;
    let new = json!({
        "merchant_order_no": "T1", "amount": 1234, "subject": "茶",
        "expires_in": 60, "attempt": {"scene": "native"},
    });
    let payment = world.post("/v1/payments", &new).await.json();
    world.pass(Duration::from_mins(4)).await;
    assert_eq!(state(&world, &payment).await, "pending");
    world.pass(Duration::from_secs(90)).await;

    let payment = world.payment(&payment).await;
    assert_eq!(payment["close_reason"], "expired", "{payment}");
    assert!(is_closed_there(&world));
    assert_eq!(closes(&world), 1);
}

/// The second code must not be paid; it too is left until it can be closed.
#[tokio::test]
async fn the_other_code_of_a_paid_payment_is_closed_when_it_is_old_enough() {
    let world = open(EarlyClose::Refused).await;
    let payment = world.order("T1").await;
    let path = format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap());
    world.post(&path, &json!({"scene": "app"})).await;
    world.pay(&payment, "alice");
    world.settle().await;
    assert_eq!(
        (state(&world, &payment).await, closes(&world)),
        ("paid".to_owned(), 0)
    );

    world.pass(Duration::from_mins(6)).await;
    let payment = world.payment(&payment).await;
    assert_eq!(payment["attempts"][1]["state"], "closed", "{payment}");
    assert_eq!(closes(&world), 1);
}

#[tokio::test]
async fn a_channel_may_say_that_its_platform_closes_sooner() {
    let world = open(EarlyClose::Accepted).await;
    let path = format!("/v1/channels/{}", world.channel().await);
    let says = async |secs: &str| {
        let body = json!({"settings": {"close_after_secs": secs}}).to_string();
        world
            .send_json(http::Method::PATCH, &path, &[], &body)
            .await
    };
    for wrong in ["301", "-1", "soon", ""] {
        let (status, _, field) = says(wrong).await.problem();
        let field = field.unwrap();
        assert_eq!((status, &*field), (422, "settings.close_after_secs"));
    }
    assert_eq!(says("0").await.status, 200);
    let payment = world.order("T1").await;
    assert_eq!(close(&world, &payment).await["state"], "closed");
}
