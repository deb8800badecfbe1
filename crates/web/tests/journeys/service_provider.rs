//! A service provider collects for two shops: one account, one key, and what
//! belongs to one is never the other's.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tongbao_simulator::{Account, FaultKind, NewFault, Opening, Outgoing, Target};

use crate::support::World;

const TEA: &str = "1900007401";
const TEAS_APP: &str = "wx7e57000000000102";
const BOOKS: &str = "1900007402";

fn settings(sub: &Value) -> Value {
    let provider = Account::service_provider();
    let mut settings = json!({
        "app_id": provider.app_id,
        "mch_id": provider.mch_id,
        "api_v2_key": provider.api_v2_key.0,
    });
    for (name, value) in sub.as_object().unwrap() {
        settings[name] = value.clone();
    }
    settings
}

async fn add(world: &World, name: &str, sub: Value) -> String {
    let channel = json!({"kind": "wechat_v2", "name": name, "settings": settings(&sub)});
    let answer = world.post("/v1/channels", &channel).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// A tea house with an application of its own, and a bookshop without one.
async fn two_shops() -> World {
    let world = World::at("http://platform.test").await;
    let endpoint = json!({"url": "https://shop.test/webhooks"});
    let answer = world.post("/v1/webhook_endpoints", &endpoint).await;
    world.shop.knows(answer.json()["secret"].as_str().unwrap());
    world.platform().add_account(Account::service_provider());
    let tea = json!({"sub_mch_id": TEA, "sub_appid": TEAS_APP});
    add(&world, "tea", tea).await;
    add(&world, "books", json!({"sub_mch_id": BOOKS})).await;
    world
}

async fn ask(world: &World, number: &str, attempt: &Value) -> Value {
    let new = json!({
        "merchant_order_no": number,
        "amount": 1234,
        "subject": "龙井茶",
        "attempt": attempt,
    });
    let answer = world.post("/v1/payments", &new).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn alice_in(world: &World, app_id: &str) -> String {
    world.platform().truth().wallets["alice"].openid_in(app_id)
}

fn opens_and_pays(world: &World, opening: &Opening) {
    let now = world.platform_now();
    let opened = world.platform().open(now, opening).unwrap();
    let paid = world
        .platform()
        .pay(now, "alice", &opened.target, Some("123456"));
    paid.unwrap();
}

/// What the payer's side does with what an attempt asks of it.
fn follow(world: &World, action: &Value) {
    let text = |name: &str| action[name].as_str().unwrap().to_owned();
    let json = action["params"].to_string();
    let opening = match action["type"].as_str() {
        Some("qr_code") => Opening::Bare(Target::CodeUrl(text("code_url"))),
        Some("wechat_jsapi") => Opening::Jsapi { json },
        Some("wechat_app") => Opening::App { json },
        Some("redirect") => Opening::MwebUrl(text("url")),
        // The till has charged the payer.
        _ => return,
    };
    opens_and_pays(world, &opening);
}

/// What a sub-merchant has at the platform.
fn money_of(world: &World, sub_mch_id: &str) -> u64 {
    let platform = world.platform();
    let truth = platform.truth();
    truth.check().unwrap();
    let provider = &truth.accounts[&Account::service_provider().mch_id];
    let sub = provider.sub_merchant(sub_mch_id).unwrap();
    sub.funds.unsettled_fen
}

fn attempts(world: &World, channel: &str, app_id: &str) -> Vec<Value> {
    let now = world.platform_now();
    let code = world.platform().auth_code(now, "alice").unwrap().digits;
    let openid = alice_in(world, app_id);
    vec![
        // First: the code lives a minute.
        json!({"scene": "barcode", "channel": channel, "auth_code": code}),
        json!({"scene": "native", "channel": channel}),
        json!({"scene": "jsapi", "channel": channel, "payer": {"openid": openid}}),
        json!({"scene": "mini_program", "channel": channel, "payer": {"openid": openid}}),
        json!({"scene": "app", "channel": channel}),
        json!({"scene": "h5", "channel": channel, "client_ip": "203.0.113.7"}),
    ]
}

#[tokio::test]
async fn every_scene_is_paid_to_the_sub_merchant_and_refunded_out_of_its_money() {
    let providers_app = Account::service_provider().app_id;
    for (channel, sub, app_id) in [("tea", TEA, TEAS_APP), ("books", BOOKS, &providers_app)] {
        let world = two_shops().await;
        let mut paid = 0;
        for (place, attempt) in attempts(&world, channel, app_id).iter().enumerate() {
            let payment = ask(&world, &format!("T{place}"), attempt).await;
            follow(&world, &payment["attempts"][0]["action"]);
            world.settle().await;

            let payment = world.payment(&payment).await;
            assert_eq!(payment["state"], "paid", "{channel}: {attempt}");
            let payer = &payment["attempts"][0]["payer"]["openid"];
            assert_eq!(*payer, alice_in(&world, app_id), "{channel}: {attempt}");
            paid += 1234;
            assert_eq!(money_of(&world, sub), paid);

            let path = format!("/v1/payments/{}/refunds", payment["id"].as_str().unwrap());
            let wanted = json!({"merchant_refund_no": format!("R{place}"), "amount": 234});
            let refund = world.post(&path, &wanted).await;
            assert_eq!(refund.status, 201, "{refund:?}");
            world.pass(Duration::from_mins(2)).await;
            let path = format!("/v1/refunds/{}", refund.json()["id"].as_str().unwrap());
            assert_eq!(world.get(&path).await.json()["state"], "succeeded");
            paid -= 234;
            assert_eq!(money_of(&world, sub), paid);
        }
        let other = if sub == TEA { BOOKS } else { TEA };
        assert_eq!(money_of(&world, other), 0);
    }
}

/// The notification that the platform would send now.
fn outgoing(world: &World) -> Outgoing {
    world.fired().pop().unwrap()
}

#[tokio::test]
async fn what_is_told_of_one_at_the_others_address_changes_nothing() {
    let world = two_shops().await;
    let books = world.get("/v1/channels").await.json()["data"][1]["id"].clone();
    let payment = ask(&world, "T1", &json!({"scene": "native", "channel": "tea"})).await;
    follow(&world, &payment["attempts"][0]["action"]);

    let genuine = outgoing(&world);
    let mut astray = genuine.request.clone();
    let address = format!("https://pay.test/notify/{}", books.as_str().unwrap());
    *astray.uri_mut() = address.parse().unwrap();
    let answer = world.notify(&astray).await;

    assert!(answer.text.contains("FAIL"), "{answer:?}");
    let reason = Some("other_sub_merchant".to_owned());
    assert_eq!(world.inbox().await, [("refused".to_owned(), reason, 1)]);
    assert_eq!(world.payment(&payment).await["state"], "pending");
    assert!(world.shop.told().is_empty());

    world.deliver(genuine).await;
    world.settle().await;
    assert_eq!(world.payment(&payment).await["state"], "paid");
    assert_eq!(world.get("/v1/cases").await.json()["data"], json!([]));
}

#[tokio::test]
async fn an_order_is_closed_and_reversed_for_the_sub_merchant_that_it_is_of() {
    let world = two_shops().await;
    let native = json!({"scene": "native", "channel": "books"});
    let payment = ask(&world, "T1", &native).await;
    let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    world.post(&path, &json!({})).await;
    world.pass(Duration::from_mins(10)).await;
    assert_eq!(world.payment(&payment).await["state"], "closed");

    let now = world.platform_now();
    let code = world.platform().auth_code(now, "alice").unwrap().digits;
    world.fault(NewFault {
        path: Some("/pay/micropay".to_owned()),
        times: Some(1),
        ..NewFault::of(FaultKind::NoAnswer)
    });
    let new = json!({
        "merchant_order_no": "T2", "amount": 60_000, "subject": "书",
        "attempt": {"scene": "barcode", "channel": "books", "auth_code": code},
    });
    let payment = world.post("/v1/payments", &new).await.json();
    world.pass(Duration::from_mins(5)).await;
    let payment = world.payment(&payment).await;
    assert_eq!(payment["attempts"][0]["state"], "reversed", "{payment}");
    assert_eq!(money_of(&world, BOOKS), 0);
}

#[tokio::test]
async fn whom_a_channel_acts_for_is_shown_checked_and_never_changed() {
    let world = two_shops().await;
    let channels = world.get("/v1/channels").await.json();
    let tea = &channels["data"][0];
    let provider = Account::service_provider();
    let shown = json!({
        "app_id": provider.app_id, "mch_id": provider.mch_id,
        "sub_mch_id": TEA, "sub_appid": TEAS_APP,
    });
    assert_eq!(tea["settings"], shown);

    let path = format!("/v1/channels/{}", tea["id"].as_str().unwrap());
    for (settings, field) in [
        (json!({"sub_mch_id": BOOKS}), "settings.sub_mch_id"),
        (json!({"sub_appid": "wx0"}), "settings.sub_appid"),
    ] {
        let changed = json!({"settings": settings}).to_string();
        let answer = world.send_json(Method::PATCH, &path, &[], &changed).await;
        let (status, code, named) = answer.problem();
        assert_eq!((status, &*code), (422, "invalid_field"));
        assert_eq!(named.as_deref(), Some(field));
    }

    let found = world.post(&format!("{path}/check"), &json!({})).await;
    let found = found.json();
    assert_eq!(found["code"], "ok");
    assert!(found["cause"].as_str().unwrap().contains(TEA), "{found}");

    for (name, sub) in [
        ("nobody", json!({})),
        ("strangers", json!({"sub_mch_id": "1900007499"})),
        (
            "mixed up",
            json!({"sub_mch_id": BOOKS, "sub_appid": TEAS_APP}),
        ),
    ] {
        let id = add(&world, name, sub).await;
        let found = world
            .post(&format!("/v1/channels/{id}/check"), &json!({}))
            .await;
        assert_eq!(found.json()["code"], "sub_merchant_refused", "{name}");
    }
}
