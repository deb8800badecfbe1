//! Telling the shop: until it has heard, and again when it asks.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};

use crate::support::{World, order};

fn fails() -> Response<Bytes> {
    Response::builder().status(500).body(Bytes::new()).unwrap()
}

async fn paid(world: &World) -> Value {
    let payment = world.order("T1").await;
    world.pay(&payment, "alice");
    world.settle().await;
    payment
}

#[tokio::test]
async fn a_shop_that_fails_is_told_again_under_the_same_id() {
    let world = World::open().await;
    world.shop.will_answer([fails(), fails()]);
    paid(&world).await;
    world.pass(Duration::from_mins(2)).await;

    let told = world.shop.told();
    assert_eq!(told.len(), 3);
    assert!(
        told.iter()
            .all(|one| one.id == told[0].id && one.body == told[0].body)
    );
    let gap = told[1].at.since(told[0].at);
    assert!(
        gap >= Duration::from_millis(13_500) && gap <= Duration::from_millis(16_500),
        "{gap:?}"
    );
}

#[tokio::test]
async fn an_event_shows_every_try() {
    let world = World::open().await;
    world.shop.will_answer([fails()]);
    paid(&world).await;
    world.pass(Duration::from_mins(1)).await;

    let listed = world.get("/v1/events").await.json();
    let path = format!("/v1/events/{}", listed["data"][0]["id"].as_str().unwrap());
    insta::assert_json_snapshot!("event", world.get(&path).await.json());
}

#[tokio::test]
async fn an_event_is_sent_again_when_the_shop_asks() {
    let world = World::open().await;
    paid(&world).await;
    let id = world.shop.told()[0].id.clone();

    let answer = world
        .post(&format!("/v1/events/{id}/redeliver"), &json!({}))
        .await;
    assert_eq!(
        (answer.status, answer.json()),
        (202, json!({"deliveries": 1}))
    );
    world.settle().await;

    let told = world.shop.told();
    assert_eq!(told.len(), 2);
    assert_eq!((&told[1].id, &told[1].body), (&told[0].id, &told[0].body));
}

#[tokio::test]
async fn a_span_of_time_is_told_again_to_one_endpoint() {
    let world = World::open().await;
    paid(&world).await;
    let endpoints = world.get("/v1/webhook_endpoints").await.json();
    let path = format!(
        "/v1/webhook_endpoints/{}/replay",
        endpoints["data"][0]["id"].as_str().unwrap()
    );

    for (from, to, deliveries) in [
        ("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", 1),
        ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", 0),
    ] {
        let answer = world.post(&path, &json!({"from": from, "to": to})).await;
        assert_eq!(
            (answer.status, answer.json()),
            (202, json!({"deliveries": deliveries}))
        );
    }
    world.settle().await;
    assert_eq!(world.shop.told().len(), 2);

    let backward = json!({"from": "2026-11-22T00:00:00Z", "to": "2026-11-21T00:00:00Z"});
    let invalid = (422, "invalid_field".to_owned(), Some("from".to_owned()));
    assert_eq!(world.post(&path, &backward).await.problem(), invalid);
}

#[tokio::test]
async fn an_endpoint_can_be_turned_off_changed_and_removed() {
    let world = World::open().await;
    let endpoints = world.get("/v1/webhook_endpoints").await.json();
    let path = format!(
        "/v1/webhook_endpoints/{}",
        endpoints["data"][0]["id"].as_str().unwrap()
    );
    assert_eq!(endpoints["data"][0].get("secret"), None);

    let change = async |body: Value| {
        world
            .send_json(Method::PATCH, &path, &[], &body.to_string())
            .await
    };
    world.shop.will_answer([fails()]);
    paid(&world).await;
    assert_eq!(
        change(json!({"enabled": false})).await.json()["enabled"],
        false
    );
    world.pass(Duration::from_mins(5)).await;
    assert_eq!(world.shop.told().len(), 1);

    // What waited goes out.
    let changed = change(json!({"enabled": true, "url": "https://shop.test/new"}))
        .await
        .json();
    assert_eq!(changed["url"], "https://shop.test/new");
    world.settle().await;
    assert_eq!(world.shop.told_kinds(), ["payment.paid", "payment.paid"]);

    let delete = async || world.send_json(Method::DELETE, &path, &[], "").await;
    assert_eq!(delete().await.status, 204);
    assert_eq!(delete().await.problem().0, 404);
    assert_eq!(world.get(&path).await.problem().0, 404);
}

#[tokio::test]
async fn an_endpoint_hears_only_the_types_that_it_asked_for() {
    let world = World::bare().await;
    world.add_channel().await;
    let endpoint = json!({"url": "https://shop.test/hook", "event_types": ["payment.closed"]});
    let answer = world.post("/v1/webhook_endpoints", &endpoint).await.json();
    world.shop.knows(answer["secret"].as_str().unwrap());
    paid(&world).await;
    world.post("/v1/payments", &order("T2")).await;
    world.pass(Duration::from_mins(40)).await;

    assert_eq!(world.shop.told_kinds(), ["payment.closed"]);
}

#[tokio::test]
async fn what_arises_while_an_endpoint_is_off_goes_out_when_it_is_on_again() {
    let world = World::open().await;
    let endpoints = world.get("/v1/webhook_endpoints").await.json();
    let path = format!(
        "/v1/webhook_endpoints/{}",
        endpoints["data"][0]["id"].as_str().unwrap()
    );
    let switch = async |on: bool| {
        let body = json!({"enabled": on}).to_string();
        let answer = world.send_json(Method::PATCH, &path, &[], &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    switch(false).await;
    paid(&world).await;
    world.pass(Duration::from_mins(10)).await;
    assert!(world.shop.told().is_empty());

    switch(true).await;
    world.settle().await;
    assert_eq!(world.shop.told_kinds(), ["payment.paid"]);
}
