//! The payer's page.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use http::Request;
use serde_json::{Value, json};
use tongbao_simulator::{FaultKind, NewFault};

use crate::support::{Answer, World, order};

fn path_of(payment: &Value) -> String {
    let url = payment["checkout_url"].as_str().unwrap();
    url.strip_prefix(crate::support::PUBLIC_URL)
        .unwrap()
        .to_owned()
}

async fn open(world: &World, payment: &Value, language: &str) -> Answer {
    let request = Request::get(path_of(payment)).header("accept-language", language);
    world.send(request.body(Body::empty()).unwrap()).await
}

/// The main part, in which addresses that change with every build do not appear.
fn main_of(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text.split_once("<main").unwrap().1
}

fn state_of(answer: &Answer) -> &str {
    let text = main_of(answer).split_once("data-state=\"").unwrap().1;
    text.split_once('"').unwrap().0
}

#[tokio::test]
async fn the_page_shows_what_to_pay_to_whom_how_and_until_when() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    insta::assert_snapshot!(
        "checkout_zh",
        main_of(&open(&world, &payment, "zh-CN").await)
    );
    insta::assert_snapshot!(
        "checkout_en",
        main_of(&open(&world, &payment, "en-US,en").await)
    );
}

#[tokio::test]
async fn the_page_follows_the_payment() {
    let world = World::open().await;
    let mut new = order("T1");
    new.as_object_mut().unwrap().remove("attempt");
    new["return_url"] = json!("https://shop.test/orders/1");
    let payment = world.post("/v1/payments", &new).await.json();
    let page = open(&world, &payment, "zh").await;
    assert_eq!(state_of(&page), "ready");
    assert!(page.text.contains("微信支付") && !page.text.contains("<path"));

    let channel = world.channel().await;
    let chosen = pay(&world, &payment, &channel, "same-origin").await;
    assert_eq!(chosen.status, 303);
    assert_eq!(
        chosen.header("location").unwrap(),
        format!("{}?lang=zh", path_of(&payment))
    );
    let page = open(&world, &payment, "zh").await;
    assert_eq!(state_of(&page), "waiting");
    assert!(page.text.contains("<path"));

    world.pay(&world.payment(&payment).await, "alice");
    world.settle().await;
    let page = open(&world, &payment, "zh").await;
    assert_eq!(state_of(&page), "paid");
    insta::assert_snapshot!("checkout_paid", main_of(&page));
}

async fn pay(world: &World, payment: &Value, channel: &str, site: &str) -> Answer {
    let request = Request::post(format!("{}/attempts", path_of(payment)))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", site)
        .body(Body::from(format!("channel={channel}")));
    world.send(request.unwrap()).await
}

#[tokio::test]
async fn a_form_of_another_site_starts_nothing() {
    let world = World::open().await;
    let mut new = order("T1");
    new.as_object_mut().unwrap().remove("attempt");
    let payment = world.post("/v1/payments", &new).await.json();
    let channel = world.channel().await;

    let answer = pay(&world, &payment, &channel, "cross-site").await;
    assert_eq!(answer.problem().0, 403);
    assert_eq!(world.payment(&payment).await["state"], "created");
}

#[tokio::test]
async fn an_order_that_is_over_says_so() {
    let world = World::open().await;
    let expired = world.order("T1").await;
    world.pass(Duration::from_mins(40)).await;
    let page = open(&world, &expired, "en").await;
    assert_eq!(state_of(&page), "expired");
    insta::assert_snapshot!("checkout_expired", main_of(&page));

    let mut new = order("T2");
    new.as_object_mut().unwrap().remove("attempt");
    let closed = world.post("/v1/payments", &new).await.json();
    let path = format!("/v1/payments/{}/close", closed["id"].as_str().unwrap());
    world.post(&path, &json!({})).await;
    assert_eq!(state_of(&open(&world, &closed, "en").await), "closed");
}

#[tokio::test]
async fn while_nothing_is_certain_the_page_says_so() {
    let world = World::open().await;
    world.fault(NewFault {
        times: Some(1),
        ..NewFault::of(FaultKind::NoAnswer)
    });
    let payment = world.order("T1").await;
    assert_eq!(state_of(&open(&world, &payment, "zh").await), "preparing");

    world.pass(Duration::from_mins(6)).await;
    assert_eq!(state_of(&open(&world, &payment, "zh").await), "waiting");
    world.fault(NewFault {
        times: Some(4),
        ..NewFault::of(FaultKind::NoAnswer)
    });
    let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    world.post(&path, &json!({})).await;
    assert_eq!(state_of(&open(&world, &payment, "zh").await), "confirming");
}

#[tokio::test]
async fn who_guesses_learns_nothing() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let token = path_of(&payment).rsplit('/').next().unwrap().to_owned();
    let mut texts = Vec::new();
    for guess in [
        payment["id"].as_str().unwrap(),
        &payment["id"].as_str().unwrap()["pay_".len()..],
        "T1",
        "00000000000000000000000000",
        &token.to_uppercase(),
        &token[..token.len() - 1],
        "%00",
    ] {
        let request = Request::get(format!("/checkout/{guess}")).header("accept-language", "en");
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 404, "{guess}");
        texts.push(answer.text);
        for path in ["status", "events"] {
            let answer = world.get(&format!("/checkout/{guess}/{path}")).await;
            assert_eq!(
                answer.problem(),
                (404, "not_found".to_owned(), None),
                "{guess}"
            );
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);

    let status = world
        .get(&format!("{}/status", path_of(&payment)))
        .await
        .json();
    assert_eq!(
        status,
        json!({"amount": 1234, "name": "老街早餐店", "state": "waiting"})
    );
    let page = open(&world, &payment, "zh").await.text;
    for id in [
        &payment["id"],
        &payment["attempts"][0]["id"],
        &payment["attempts"][0]["out_trade_no"],
    ] {
        assert!(!page.contains(id.as_str().unwrap()), "{id}");
    }
}

#[tokio::test]
async fn the_page_allows_nothing_from_elsewhere_and_nothing_inline() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let page = open(&world, &payment, "zh").await;
    insta::assert_debug_snapshot!("checkout_headers", {
        let mut headers: Vec<_> = page.headers.iter().collect();
        headers.retain(|(name, _)| *name != "x-request-id" && *name != "content-length");
        headers.sort_by_key(|(name, _)| name.as_str());
        headers
    });
    for mark in [
        "style=", "<style", "onclick", "http://", "https://", "<script>",
    ] {
        assert!(!page.text.contains(mark), "{mark}");
    }
    let mut bytes = page.text.len();
    for part in page
        .text
        .split('"')
        .filter(|part| part.starts_with("/static/"))
    {
        let file = world.get(part).await;
        assert_eq!(file.status, 200, "{part}");
        assert!(file.header("cache-control").unwrap().contains("immutable"));
        bytes += file.text.len();
    }
    assert!(bytes < 60_000, "{bytes}");
}

#[tokio::test]
async fn an_open_page_hears_of_the_payment_at_once() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let response = world.stream(&format!("{}/events", path_of(&payment))).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut events = response.into_body().into_data_stream();
    let mut next = async || events.next().await.map(|piece| piece.unwrap());

    assert_eq!(
        next().await.unwrap(),
        "data: {\"state\":\"waiting\",\"attempt\":1}\n\n"
    );
    // Waiting begins before the time passes.
    let passes = async {
        world
            .clock
            .set(world.clock.time() + Duration::from_secs(16));
    };
    let (piece, ()) = futures::join!(next(), passes);
    assert_eq!(piece.unwrap(), ":\n\n");
    world.pay(&payment, "alice");
    world.settle().await;
    assert_eq!(
        next().await.unwrap(),
        "data: {\"state\":\"paid\",\"attempt\":1}\n\n"
    );
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn open_pages_are_let_go_when_the_gateway_stops() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let path = format!("{}/events", path_of(&payment));
    let mut events = world.stream(&path).await.into_body().into_data_stream();
    events.next().await.unwrap().unwrap();

    world.app.end_live_pages();
    assert!(events.next().await.is_none());
    assert_eq!(
        world.get(&path).await.problem(),
        (503, "unavailable".to_owned(), None)
    );
}

#[tokio::test]
async fn the_documentation_speaks_both_languages() {
    let world = World::bare().await;
    for (language, words) in [("zh", "创建付款"), ("en", "Creates a payment")] {
        let page = world.get(&format!("/docs?lang={language}")).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains(words));
        assert!(!page.text.contains("<script"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"));
    }
}
