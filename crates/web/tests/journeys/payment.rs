//! From the order to the webhook.

use std::time::Duration;

use serde_json::json;

use crate::support::{World, order};

#[tokio::test]
async fn an_order_is_paid_and_the_shop_is_told() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    insta::assert_json_snapshot!("created", payment);

    world.pay(&payment, "alice");
    world.settle().await;

    let paid = world.payment(&payment).await;
    insta::assert_json_snapshot!("paid", paid);
    let [told] = &world.shop.told()[..] else {
        panic!("told {:?}", world.shop.told_kinds());
    };
    assert_eq!(told.kind(), "payment.paid");
    assert_eq!(told.body["data"], paid);
}

#[tokio::test]
async fn the_timeline_tells_what_happened() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    world.pay(&payment, "alice");
    world.settle().await;

    let path = format!("/v1/payments/{}/events", payment["id"].as_str().unwrap());
    insta::assert_json_snapshot!("timeline", world.get(&path).await.json());
}

#[tokio::test]
async fn a_payment_is_made_once_however_often_it_is_asked_for() {
    let world = World::open().await;
    let first = world.post("/v1/payments", &order("T1")).await;
    let second = world.post("/v1/payments", &order("T1")).await;

    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.json(), second.json());
    assert_eq!(world.platform().truth().trades().count(), 1);
}

#[tokio::test]
async fn another_order_under_the_same_number_is_refused_and_says_what_differs() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let bund = world.post("/v1/stores", &json!({"name": "外滩"})).await;
    let bund = bund.json();
    for (field, value) in [
        ("amount", json!(1235)),
        ("subject", json!("豆浆 × 3")),
        ("metadata", json!({"table": 7})),
        ("store", bund["id"].clone()),
        ("return_url", json!("https://shop.test/1")),
        ("expires_in", json!(60)),
    ] {
        let mut other = order("T1");
        other[field] = value;
        let answer = world.post("/v1/payments", &other).await;

        let conflict = (409, "order_no_conflict".to_owned(), Some(field.to_owned()));
        assert_eq!(answer.problem(), conflict);
        assert_eq!(answer.json()["payment"], payment["id"]);
    }
}

#[tokio::test]
async fn an_attempt_can_be_started_later() {
    let world = World::open().await;
    let mut new = order("T1");
    new.as_object_mut().unwrap().remove("attempt");
    let payment = world.post("/v1/payments", &new).await.json();
    assert_eq!(payment["state"], "created");

    let path = format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap());
    let started = world.post(&path, &json!({"scene": "native"})).await;
    let again = world.post(&path, &json!({"scene": "native"})).await;

    assert_eq!((started.status, again.status), (201, 200));
    assert_eq!(started.json()["state"], "pending");
    assert_eq!(started.json(), again.json());
}

#[tokio::test]
async fn a_payment_that_nobody_pays_expires_and_the_shop_is_told() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    world.pass(Duration::from_mins(40)).await;

    let closed = world.payment(&payment).await;
    assert_eq!(
        (&closed["state"], &closed["close_reason"]),
        (&json!("closed"), &json!("expired"))
    );
    assert_eq!(closed["attempts"][0]["state"], "closed");
    assert_eq!(world.shop.told_kinds(), ["payment.closed"]);
}

/// The platform takes no order that expires within five minutes.
#[tokio::test]
async fn a_payment_of_one_minute_shows_its_code_and_ends_in_its_own_time() {
    let world = World::open().await;
    let mut new = order("T1");
    new["expires_in"] = json!(60);
    let payment = world.post("/v1/payments", &new).await.json();
    assert_eq!(payment["attempts"][0]["action"]["type"], "qr_code");

    world.pass(Duration::from_mins(10)).await;
    let closed = world.payment(&payment).await;
    assert_eq!(closed["close_reason"], "expired");
    assert_eq!(closed["attempts"][0]["state"], "closed");
}

#[tokio::test]
async fn a_closed_payment_is_closed_at_the_platform_too() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    // The platform refuses to close an order that is younger than five minutes.
    world.pass(Duration::from_mins(6)).await;
    let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    let closed = world.post(&path, &json!({})).await;

    assert_eq!(closed.status, 200);
    assert_eq!(closed.json()["state"], "closed");
    assert_eq!(closed.json()["close_reason"], "requested");
    assert_eq!(world.post(&path, &json!({})).await.json(), closed.json());
    world.settle().await;
    assert_eq!(world.shop.told_kinds(), ["payment.closed"]);
}

#[tokio::test]
async fn a_payer_who_is_faster_than_the_close_has_paid() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    world.pass(Duration::from_mins(6)).await;
    world.pay(&payment, "alice");

    // Before the platform's notification: the query before the close finds it.
    let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    let answer = world.post(&path, &json!({})).await;
    assert_eq!(answer.json()["state"], "paid");

    world.settle().await;
    assert_eq!(world.shop.told_kinds(), ["payment.paid"]);
    let again = world.post(&path, &json!({})).await;
    assert_eq!(
        again.problem(),
        (409, "payment_already_paid".to_owned(), None)
    );
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let world = World::open().await;
    for number in 1..=5 {
        world.order(&format!("T{number}")).await;
        world.pass(Duration::from_millis(10)).await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world
            .get(&format!("/v1/payments?limit=2{cursor}"))
            .await
            .json();
        for payment in page["data"].as_array().unwrap() {
            seen.push(payment["merchant_order_no"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["T5", "T4", "T3", "T2", "T1"]);

    for (query, count) in [
        ("merchant_order_no=T3", 1),
        ("merchant_order_no=t3", 0),
        ("state=pending", 5),
        ("state=paid", 0),
        ("from=2026-11-21T04:00:00Z", 5),
        ("to=2026-11-21T04:00:00Z", 0),
        (
            "from=2026-11-21T12:00:00+08:00&to=2026-11-21T12:00:01%2B08:00",
            5,
        ),
    ] {
        let page = world.get(&format!("/v1/payments?{query}")).await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
    }
}
