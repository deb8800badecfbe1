//! The API key is changed here and at the platform, and not at the same moment.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tongbao_simulator::{Account, Outgoing};

use crate::support::{Answer, NOON, World};

const NEW: &str = "TongbaoSimulatorTestKey000000002";

async fn patch(world: &World, settings: Value) -> Answer {
    let path = format!("/v1/channels/{}", world.channel().await);
    let body = json!({"settings": settings}).to_string();
    world.send_json(Method::PATCH, &path, &[], &body).await
}

/// The gateway signs with the new key, and believes the old one for four hours.
async fn rotates_here(world: &World) {
    let until = NOON + Duration::from_hours(4);
    let rotation = json!({"api_v2_key": NEW, "previous_api_v2_key_until": until.to_string()});
    for _ in 0..2 {
        let answer = patch(world, rotation.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let settings = &answer.json()["settings"];
        assert_eq!(settings["previous_api_v2_key_until"], until.to_string());
        assert!(!answer.text.contains("TongbaoSimulator"), "{answer:?}");
    }
}

fn rotates_there(world: &World) {
    let mch_id = Account::ready_made().mch_id;
    assert!(world.platform().set_api_v2_key(&mch_id, NEW));
}

/// Paid by Alice, and what the platform has to say of it.
async fn paid_there(world: &World, number: &str) -> (Value, Outgoing) {
    let payment = world.order(number).await;
    world.pay(&payment, "alice");
    (payment, world.fired().pop().unwrap())
}

async fn is_received(world: &World, told: Outgoing) -> bool {
    world.deliver(told).await.text.contains("SUCCESS")
}

async fn state(world: &World, payment: &Value) -> String {
    let payment = world.payment(payment).await;
    payment["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn notifications_are_believed_with_either_key_before_during_and_after() {
    let world = World::open().await;
    // Signed with the old key, and under way when everything changes.
    let (first, told_first) = paid_there(&world, "T1").await;
    let (second, told_second) = paid_there(&world, "T2").await;
    let (_, told_late) = paid_there(&world, "T3").await;
    assert!(is_received(&world, told_first).await);

    rotates_here(&world).await;
    assert!(is_received(&world, told_second).await);
    rotates_there(&world);
    let (fourth, told_fourth) = paid_there(&world, "T4").await;
    assert!(is_received(&world, told_fourth).await);
    world.settle().await;
    for payment in [&first, &second, &fourth] {
        assert_eq!(state(&world, payment).await, "paid");
    }

    // The time is over: the old key is anybody's.
    world.clock.set(NOON + Duration::from_hours(4));
    assert!(!is_received(&world, told_late).await);
    let reason = Some("sign_mismatch".to_owned());
    assert_eq!(world.inbox().await[0], ("refused".to_owned(), reason, 1));
    let (_, told_fifth) = paid_there(&world, "T5").await;
    assert!(is_received(&world, told_fifth).await);
    world.settle().await;
}

#[tokio::test]
async fn what_the_platform_refuses_before_it_has_the_key_is_not_failed_and_is_done_later() {
    let world = World::open().await;
    let (bought, _) = paid_there(&world, "T1").await;
    world.settle().await;
    rotates_here(&world).await;

    let payment = world.order("T2").await;
    assert_eq!(payment["attempts"][0]["state"], "unknown", "{payment}");
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(state(&world, &bought).await, "pending");
    let id = world.channel().await;
    let check = format!("/v1/channels/{id}/check");
    let found = world.post(&check, &json!({})).await.json();
    assert_eq!(found["code"], "new_key_not_yet", "{found}");
    assert_eq!(found["healthy"], false);

    world.pass(Duration::from_mins(4)).await;
    assert_eq!(
        world.payment(&payment).await["attempts"][0]["state"],
        "unknown"
    );
    rotates_there(&world);
    world.pass(Duration::from_mins(2)).await;

    assert_eq!(state(&world, &bought).await, "paid");
    let payment = world.payment(&payment).await;
    assert_eq!(payment["attempts"][0]["state"], "pending", "{payment}");
    assert_eq!(payment["attempts"].as_array().unwrap().len(), 1);
    world.pay(&payment, "alice");
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(state(&world, &payment).await, "paid");
    let found = world.post(&check, &json!({})).await.json();
    assert_eq!(found["code"], "ok");
}

#[tokio::test]
async fn the_old_key_ends_at_once_when_no_time_is_said_and_early_when_the_past_is() {
    for ending in [
        json!({"api_v2_key": "TongbaoSimulatorTestKey000000003"}),
        json!({"previous_api_v2_key_until": "2026-01-01T00:00:00Z"}),
    ] {
        let world = World::open().await;
        let (_, told) = paid_there(&world, "T1").await;
        rotates_here(&world).await;
        assert_eq!(patch(&world, ending.clone()).await.status, 200);
        assert!(!is_received(&world, told).await, "{ending}");
        world.books_differ("nobody can ask with the key that the platform has");
    }
    let world = World::open().await;
    let far = (NOON + Duration::from_hours(24 * 8)).to_string();
    let answer = patch(
        &world,
        json!({"api_v2_key": NEW, "previous_api_v2_key_until": far}),
    );
    let (status, _, field) = answer.await.problem();
    let field = field.unwrap();
    assert_eq!(
        (status, &*field),
        (422, "settings.previous_api_v2_key_until")
    );
}

#[tokio::test]
async fn both_keys_are_sealed() {
    let world = World::open().await;
    rotates_here(&world).await;
    let old = Account::ready_made().api_v2_key.0;
    let world = world
        .restarted_after(|database| {
            let bytes = std::fs::read(database).unwrap();
            for key in [NEW, &*old] {
                let found = bytes
                    .windows(key.len())
                    .any(|window| window == key.as_bytes());
                assert!(!found, "a key is in the database in clear text");
            }
        })
        .await;
    rotates_there(&world);
    let (payment, told) = paid_there(&world, "T1").await;
    assert!(is_received(&world, told).await);
    world.settle().await;
    assert_eq!(state(&world, &payment).await, "paid");
}
