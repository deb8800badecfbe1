//! The platform answers with a code that nobody has seen: each of the seven calls is
//! unknown, is asked about, and comes to its true end.

use std::time::Duration;

use serde_json::{Value, json};
use tongbao_simulator::{CLIENT_CERTIFICATE, FaultKind, NewFault};

use crate::support::World;

/// The next calls there are answered so, some of them done all the same.
fn strange(world: &World, path: &str, kind: FaultKind, times: u32) {
    world.fault(NewFault {
        path: Some(path.to_owned()),
        times: Some(times),
        err_code: Some("A_WORD_NOBODY_HAS_SEEN".to_owned()),
        ..NewFault::of(kind)
    });
}

async fn state(world: &World, payment: &Value) -> (String, String) {
    let payment = world.payment(payment).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let attempts = payment["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1, "{payment}");
    (text(&payment["state"]), text(&attempts[0]["state"]))
}

fn are(payment: &str, attempt: &str) -> (String, String) {
    (payment.to_owned(), attempt.to_owned())
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn an_order_a_query_and_a_close() {
    for kind in [FaultKind::SystemError, FaultKind::SystemErrorAfterEffect] {
        let world = World::open().await;
        strange(&world, "/pay/unifiedorder", kind, 1);
        let payment = world.order("T1").await;
        assert_eq!(state(&world, &payment).await, are("pending", "unknown"));
        strange(&world, "/pay/orderquery", kind, 3);
        world.pass(MINUTE * 6).await;
        assert_eq!(state(&world, &payment).await, are("pending", "pending"));

        strange(&world, "/pay/closeorder", kind, 2);
        let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
        assert_eq!(
            world.post(&path, &json!({})).await.json()["state"],
            "pending"
        );
        world.pass(MINUTE * 5).await;
        assert_eq!(state(&world, &payment).await, are("closed", "closed"));
        assert_eq!(world.platform().truth().trades().count(), 1);
    }
}

/// One payment of that amount at a till.
async fn charge(world: &World, amount: u64) -> Value {
    let now = world.platform_now();
    let code = world.platform().auth_code(now, "alice").unwrap().digits;
    let new = json!({
        "merchant_order_no": "T1", "amount": amount, "subject": "茶",
        "attempt": {"scene": "barcode", "auth_code": code},
    });
    let answer = world.post("/v1/payments", &new).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_code_at_the_till_and_its_reverse() {
    let world = World::open().await;
    let kind = FaultKind::SystemErrorAfterEffect;
    strange(&world, "/pay/micropay", kind, 1);
    let payment = charge(&world, 2_000).await;
    assert_eq!(state(&world, &payment).await, are("pending", "unknown"));
    world.pass(MINUTE).await;
    assert_eq!(state(&world, &payment).await, are("paid", "succeeded"));

    let world = World::open().await;
    strange(&world, "/secapi/pay/reverse", kind, 2);
    // It asks for a password, and nobody answers.
    let payment = charge(&world, 60_000).await;
    world.pass(MINUTE * 5).await;
    assert_eq!(state(&world, &payment).await, are("pending", "reversed"));
}

#[tokio::test]
async fn a_refund_and_its_query() {
    for kind in [FaultKind::SystemError, FaultKind::SystemErrorAfterEffect] {
        let world = World::open().await;
        let path = format!("/v1/channels/{}", world.channel().await);
        let settings = json!({"settings": {
            "client_certificate": CLIENT_CERTIFICATE[0],
            "client_key": CLIENT_CERTIFICATE[1],
        }});
        let settings = settings.to_string();
        let entered = world.send_json(http::Method::PATCH, &path, &[], &settings);
        assert_eq!(entered.await.status, 200);
        let payment = world.order("T1").await;
        world.pay(&payment, "alice");
        world.settle().await;

        strange(&world, "/secapi/pay/refund", kind, 1);
        strange(&world, "/pay/refundquery", kind, 2);
        let path = format!("/v1/payments/{}/refunds", payment["id"].as_str().unwrap());
        let refund = json!({"merchant_refund_no": "R1", "amount": 234});
        let refund = world.post(&path, &refund).await.json();
        assert_eq!(refund["state"], "unknown", "{refund}");
        world.pass(MINUTE * 30).await;
        let path = format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
        assert_eq!(world.get(&path).await.json()["state"], "succeeded");
        assert_eq!(world.platform().truth().refunds().count(), 1);
    }
}
