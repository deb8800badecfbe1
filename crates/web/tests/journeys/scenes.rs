//! The payer opens the wallet from a page, a mini-program, an app or a browser.

use std::time::Duration;

use serde_json::{Value, json};
use tongbao_simulator::{Account, Opening};

use crate::support::World;

/// A payment with one attempt in that scene.
async fn ask(world: &World, attempt: Value) -> Value {
    let new = json!({
        "merchant_order_no": "T1",
        "amount": 1234,
        "subject": "豆浆 × 2",
        "return_url": "https://shop.test/orders/1?a=b",
        "attempt": attempt,
    });
    let answer = world.post("/v1/payments", &new).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn openid(world: &World, wallet: &str) -> String {
    let app_id = Account::ready_made().app_id;
    world.platform().truth().wallets[wallet].openid_in(&app_id)
}

/// Alice's phone takes it as it is, signature included, and she pays; where the
/// browser goes afterwards.
async fn opens_and_pays(world: &World, opening: Opening) -> Option<String> {
    let now = world.platform_now();
    let opened = world.platform().open(now, &opening).unwrap();
    world
        .platform()
        .pay(now, "alice", &opened.target, Some("123456"))
        .unwrap();
    world.settle().await;
    opened.redirect_url
}

async fn is_paid(world: &World, payment: &Value) {
    let paid = world.payment(payment).await;
    assert_eq!(paid["state"], "paid");
    assert_eq!(paid["attempts"][0]["state"], "succeeded");
    assert_eq!(
        paid["attempts"][0]["payer"]["openid"],
        openid(world, "alice")
    );
    assert_eq!(world.shop.told_kinds(), ["payment.paid"]);
}

#[tokio::test]
async fn a_page_in_the_wallet_is_given_what_it_hands_over() {
    let world = World::open().await;
    let payer = json!({"openid": openid(&world, "alice")});
    let payment = ask(&world, json!({"scene": "jsapi", "payer": payer})).await;

    let action = &payment["attempts"][0]["action"];
    assert_eq!(action["type"], "wechat_jsapi");
    let names: Vec<_> = action["params"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "appId",
            "nonceStr",
            "package",
            "paySign",
            "signType",
            "timeStamp"
        ]
    );
    let json = action["params"].to_string();
    opens_and_pays(&world, Opening::Jsapi { json }).await;
    is_paid(&world, &payment).await;
}

#[tokio::test]
async fn a_mini_program_is_given_the_same_without_the_app() {
    let world = World::open().await;
    let payer = json!({"openid": openid(&world, "alice")});
    let payment = ask(&world, json!({"scene": "mini_program", "payer": payer})).await;

    let action = &payment["attempts"][0]["action"];
    let names: Vec<_> = action["params"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["nonceStr", "package", "paySign", "signType", "timeStamp"]
    );
    let json = action["params"].to_string();
    opens_and_pays(&world, Opening::Jsapi { json }).await;
    is_paid(&world, &payment).await;
}

#[tokio::test]
async fn an_app_is_given_names_in_lower_case() {
    let world = World::open().await;
    let payment = ask(&world, json!({"scene": "app"})).await;

    let action = &payment["attempts"][0]["action"];
    assert_eq!(action["type"], "wechat_app");
    let params = &action["params"];
    assert_eq!(params["package"], "Sign=WXPay");
    assert_eq!(params["timestamp"].as_str().unwrap().len(), 10);
    let json = params.to_string();
    opens_and_pays(&world, Opening::App { json }).await;
    is_paid(&world, &payment).await;
}

#[tokio::test]
async fn a_browser_is_sent_to_the_wallet_and_comes_back() {
    let world = World::open().await;
    let payment = ask(&world, json!({"scene": "h5", "client_ip": "203.0.113.7"})).await;

    let action = &payment["attempts"][0]["action"];
    assert_eq!(action["type"], "redirect");
    let url = action["url"].as_str().unwrap().to_owned();
    let back = opens_and_pays(&world, Opening::MwebUrl(url)).await;
    assert_eq!(back.as_deref(), Some("https://shop.test/orders/1?a=b"));
    is_paid(&world, &payment).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_with_the_same_order() {
    for attempt in [
        json!({"scene": "app"}),
        json!({"scene": "h5", "client_ip": "203.0.113.7"}),
    ] {
        let world = World::open().await;
        world.fault(tongbao_simulator::NewFault {
            times: Some(1),
            ..tongbao_simulator::NewFault::of(tongbao_simulator::FaultKind::NoAnswer)
        });
        let payment = ask(&world, attempt).await;
        assert_eq!(payment["attempts"][0]["state"], "unknown");

        world.pass(Duration::from_secs(40)).await;

        let found = world.payment(&payment).await;
        assert_eq!(found["attempts"][0]["state"], "pending");
        assert!(found["attempts"][0]["action"].is_object());
        assert_eq!(world.platform().truth().trades().count(), 1);
    }
}

#[tokio::test]
async fn another_payer_is_another_attempt() {
    let world = World::open().await;
    let (alice, other) = (openid(&world, "alice"), "oTongbaoSomebodyElse".to_owned());
    let payment = ask(
        &world,
        json!({"scene": "jsapi", "payer": {"openid": alice}}),
    )
    .await;
    let path = format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap());
    let start = |openid: &String| json!({"scene": "jsapi", "payer": {"openid": openid}});

    let again = world.post(&path, &start(&alice)).await;
    assert_eq!(
        (again.status, &again.json()["id"]),
        (200, &payment["attempts"][0]["id"])
    );
    let stranger = world.post(&path, &start(&other)).await;
    assert_eq!(stranger.status, 201);
    // The platform knows nobody of that name in this application.
    assert_eq!(stranger.json()["state"], "failed");
    assert_eq!(stranger.json()["failure"]["code"], "channel_refused");
}

#[tokio::test]
async fn what_a_scene_needs_is_asked_for_before_anything_is_written() {
    let world = World::open().await;
    for (attempt, field) in [
        (json!({"scene": "jsapi"}), "payer.openid"),
        (
            json!({"scene": "mini_program", "payer": {}}),
            "payer.openid",
        ),
        (
            json!({"scene": "jsapi", "payer": {"openid": ""}}),
            "payer.openid",
        ),
        (
            json!({"scene": "jsapi", "payer": {"code": "c0de", "openid": "o1"}}),
            "payer.code",
        ),
        (json!({"scene": "app", "payer": {"code": "c0de"}}), "payer"),
        (json!({"scene": "app", "payer": {"openid": "o1"}}), "payer"),
        (json!({"scene": "h5"}), "client_ip"),
    ] {
        let new = json!({
            "merchant_order_no": "T1", "amount": 1, "subject": "茶", "attempt": attempt,
        });
        let answer = world.post("/v1/payments", &new).await;
        let problem = (422, "invalid_field".to_owned(), Some(field.to_owned()));
        assert_eq!(answer.problem(), problem, "{new}");
    }
    let payments = world.get("/v1/payments").await.json();
    assert_eq!(payments["data"], json!([]));
}
