//! Shops and tills: who hears of a payment, and what a till's key may do.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, World, order};

async fn store(world: &World, name: &str) -> String {
    let made = world.post("/v1/stores", &json!({ "name": name })).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
    made.json()["id"].as_str().unwrap().to_owned()
}

/// A till of the store: its id and its key.
async fn till(world: &World, store: &str, name: &str) -> (String, String) {
    let path = format!("/v1/stores/{store}/tills");
    let made = world.post(&path, &json!({ "name": name })).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
    let made = made.json();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

async fn with_key(
    world: &World,
    key: &str,
    method: Method,
    path: &str,
    body: &Value,
    name: Option<&str>,
) -> Answer {
    let mut request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {key}"));
    if let Some(name) = name {
        request = request.header("idempotency-key", name);
    }
    let body = if body.is_null() {
        axum::body::Body::empty()
    } else {
        request = request.header("content-type", "application/json");
        axum::body::Body::from(body.to_string())
    };
    world.send(request.body(body).unwrap()).await
}

async fn get_with(world: &World, key: &str, path: &str) -> Answer {
    with_key(world, key, Method::GET, path, &Value::Null, None).await
}

async fn post_with(world: &World, key: &str, path: &str, body: &Value) -> Answer {
    with_key(world, key, Method::POST, path, body, None).await
}

/// An endpoint, whose secret the merchant's server keeps.
async fn endpoint(world: &World, url: &str, store: Option<&str>) {
    let mut body = json!({ "url": url });
    if let Some(store) = store {
        body["store"] = store.into();
    }
    let made = world.post("/v1/webhook_endpoints", &body).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    world.shop.knows_at(url, &secret);
}

#[tokio::test]
async fn a_result_goes_to_the_merchant_and_to_its_own_store_and_to_no_other() {
    let world = World::open().await;
    let (bund, west) = (store(&world, "外滩").await, store(&world, "城西").await);
    endpoint(&world, "https://bund.test/hook", Some(&bund)).await;
    endpoint(&world, "https://west.test/hook", Some(&west)).await;

    let mut sold = order("T1");
    sold["store"] = json!(bund);
    let payment = world.post("/v1/payments", &sold).await.json();
    assert_eq!(payment["store"], json!(bund));
    world.pay(&payment, "alice");
    world.settle().await;
    let elsewhere = world.order("T2").await;
    world.pay(&elsewhere, "alice");
    world.settle().await;

    let told = world.shop.told();
    let heard = |host: &str| -> Vec<_> {
        let there = told.iter().filter(|told| told.url.contains(host));
        there
            .map(|told| (told.kind().to_owned(), told.body["data"]["id"].clone()))
            .collect()
    };
    let paid = |payment: &Value| ("payment.paid".to_owned(), payment["id"].clone());
    assert_eq!(heard("bund.test"), [paid(&payment)]);
    assert_eq!(heard("west.test"), []);
    assert_eq!(heard("shop.test"), [paid(&payment), paid(&elsewhere)]);
    // In the same words, under the same id.
    let of_payment: Vec<_> = told
        .iter()
        .filter(|told| told.body["data"]["id"] == payment["id"])
        .collect();
    assert_eq!(of_payment.len(), 2);
    assert_eq!(of_payment[0].id, of_payment[1].id);
    assert_eq!(of_payment[0].body, of_payment[1].body);
}

#[tokio::test]
async fn a_till_sells_in_its_own_store() {
    let world = World::open().await;
    let (bund, west) = (store(&world, "外滩").await, store(&world, "城西").await);
    let (_, key) = till(&world, &bund, "1 号").await;
    let mut elsewhere = order("T0");
    elsewhere["store"] = json!(west);
    let elsewhere = world.post("/v1/payments", &elsewhere).await.json();

    let sold = post_with(&world, &key, "/v1/payments", &order("T1")).await;
    assert_eq!(sold.status, 201);
    let sold = sold.json();
    assert_eq!(sold["store"], json!(bund));
    let mut named = order("T2");
    named["store"] = json!(bund);
    named.as_object_mut().unwrap().remove("attempt");
    let second = post_with(&world, &key, "/v1/payments", &named).await.json();
    let path = |payment: &Value| format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    let attempt = json!({"scene": "native"});
    let start = format!("{}/attempts", path(&second));
    let started = post_with(&world, &key, &start, &attempt).await;
    assert_eq!(started.status, 201);
    // The platform closes none that is younger than five minutes.
    world.pass(Duration::from_mins(5)).await;
    let close = format!("{}/close", path(&second));
    let closed = post_with(&world, &key, &close, &Value::Null).await;
    assert_eq!(closed.json()["state"], "closed");
    world.pay(&sold, "alice");
    world.settle().await;
    let read = get_with(&world, &key, &path(&sold)).await;
    assert_eq!(read.json()["state"], "paid");

    let listed = get_with(&world, &key, "/v1/payments").await.json();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().all(|row| row["store"] == json!(bund)));
    let hidden = get_with(&world, &key, "/v1/payments?merchant_order_no=T0").await;
    assert_eq!(hidden.json()["data"], json!([]));
    let absent = get_with(&world, &key, "/v1/payments/pay_01kb2v7q4w8z3n5m6r7t9x1c2d").await;
    for (method, rest, body) in [
        (Method::GET, "", Value::Null),
        (Method::GET, "?refresh=true", Value::Null),
        (Method::POST, "/attempts", attempt.clone()),
        (Method::POST, "/close", Value::Null),
    ] {
        let foreign = format!("{}{rest}", path(&elsewhere));
        let answer = with_key(&world, &key, method, &foreign, &body, None).await;
        assert_eq!(answer.problem(), absent.problem(), "{rest}");
    }
    assert_eq!(world.payment(&elsewhere).await["state"], "pending");

    let me = get_with(&world, &key, "/v1/till").await.json();
    let today = took(1, sold["amount"].as_i64().unwrap());
    assert_eq!(
        (&me["store"]["name"], &me["today"], &me["own_today"]),
        (&json!("外滩"), &today, &today)
    );
    world.pass(std::time::Duration::from_hours(12)).await;
    let me = get_with(&world, &key, "/v1/till").await.json();
    assert_eq!((&me["today"], &me["own_today"]), (&took(0, 0), &took(0, 0)));
}

/// What was taken, and nothing given back.
fn took(payments: i64, fen: i64) -> Value {
    json!({"payments": payments, "amount": fen, "refunds": 0, "amount_refunded": 0})
}

#[tokio::test]
async fn it_is_known_which_till_took_the_money_and_which_gave_it_back() {
    let world = crate::refunds::open().await;
    let bund = store(&world, "外滩").await;
    let (one, first) = till(&world, &bund, "1 号").await;
    let (two, second) = till(&world, &bund, "2 号").await;
    endpoint(&world, "https://bund.test/hook", Some(&bund)).await;
    let west = store(&world, "城西").await;
    endpoint(&world, "https://west.test/hook", Some(&west)).await;

    // The merchant's server orders, a till collects.
    let mut ordered = order("T1");
    ordered["store"] = json!(bund);
    ordered.as_object_mut().unwrap().remove("attempt");
    let ordered = world.post("/v1/payments", &ordered).await.json();
    assert_eq!(ordered["till"], Value::Null);
    let path = format!("/v1/payments/{}", ordered["id"].as_str().unwrap());
    let start = format!("{path}/attempts");
    let started = post_with(&world, &first, &start, &json!({"scene": "native"})).await;
    assert_eq!(started.json()["till"], json!(one));
    let waiting = get_with(&world, &second, &path).await.json();
    world.pay(&waiting, "alice");
    world.settle().await;
    let paid = world.payment(&ordered).await;
    assert_eq!(
        (&paid["state"], &paid["till"]),
        (&json!("paid"), &json!(one))
    );
    let told = world.shop.told();
    assert_eq!(told.last().unwrap().body["data"]["till"], json!(one));

    let refunds = format!("{path}/refunds");
    let body = json!({"merchant_refund_no": "R1", "amount": 34});
    let refund = post_with(&world, &second, &refunds, &body).await.json();
    assert_eq!(refund["till"], json!(two));
    world.pass(std::time::Duration::from_mins(10)).await;
    let refund = format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
    let refund = get_with(&world, &first, &refund).await.json();
    assert_eq!(
        (&refund["state"], &refund["till"]),
        (&json!("succeeded"), &json!(two))
    );

    let lines = get_with(&world, &second, &format!("{path}/events"))
        .await
        .json();
    let by = |kind: &str| {
        let mut lines = lines["data"].as_array().unwrap().iter();
        lines.find(|line| line["type"] == kind).unwrap()["till"].clone()
    };
    assert_eq!(
        (by("attempt_started"), by("refund_requested")),
        (json!(one), json!(two))
    );
    assert_eq!(by("created"), Value::Null);

    let day = world
        .get(&format!("/v1/stores/{bund}/takings"))
        .await
        .json();
    let amount = paid["amount"].as_i64().unwrap();
    let gave = json!({"payments": 0, "amount": 0, "refunds": 1, "amount_refunded": 34});
    let named = |takings: &Value, id: &str, name: &str| {
        let mut row = takings.clone();
        row["id"] = json!(id);
        row["name"] = json!(name);
        row
    };
    let mut tills = day["tills"].as_array().unwrap().clone();
    tills.sort_by_key(|row| row["name"].to_string());
    let took = named(&took(1, amount), &one, "1 号");
    assert_eq!(tills, [took, named(&gave, &two, "2 号")]);
    let sums = ["payments", "amount", "refunds", "amount_refunded"].map(|name| &day[name]);
    assert_eq!(sums, [&json!(1), &json!(amount), &json!(1), &json!(34)]);
    let me = get_with(&world, &second, "/v1/till").await.json();
    assert_eq!(me["own_today"], gave);
    assert_eq!(me["store"]["tills"].as_array().unwrap().len(), 2);
    // The platform's books say the same.
    let balance = world.platform().truth().wallets["alice"].balance_fen;
    assert_eq!(1_000_000 - i64::try_from(balance).unwrap(), amount - 34);

    // The merchant and the store heard of both, in the same words; no other store did.
    let told = world.shop.told();
    let heard = |host: &str| {
        let there = told.iter().filter(|told| told.url.contains(host));
        there
            .map(|told| (told.id.clone(), told.body.clone()))
            .collect::<Vec<_>>()
    };
    let kinds: Vec<_> = heard("bund.test")
        .iter()
        .map(|(_, body)| body["type"].clone())
        .collect();
    assert_eq!(kinds, [json!("payment.paid"), json!("refund.succeeded")]);
    assert_eq!(heard("bund.test"), heard("shop.test"));
    assert_eq!(heard("west.test"), []);
}

#[tokio::test]
async fn any_day_of_the_calendar_can_be_asked_for() {
    let world = World::open().await;
    let bund = store(&world, "外滩").await;
    let other = world
        .get(&format!("/v1/stores/{bund}/takings?date=2020-02-29"))
        .await
        .json();
    assert_eq!(
        (&other["since"], &other["amount"]),
        (&json!("2020-02-28T16:00:00Z"), &json!(0))
    );
    let bad = world
        .get(&format!("/v1/stores/{bund}/takings?date=2021-02-29"))
        .await;
    assert_eq!(
        bad.problem(),
        (422, "invalid_field".to_owned(), Some("date".to_owned()))
    );
}

/// Whatever hangs on another store's payment is not there, and its numbers tell
/// nothing.
#[tokio::test]
async fn a_till_reads_nothing_of_another_stores_payment() {
    let world = crate::refunds::open().await;
    let (bund, west) = (store(&world, "外滩").await, store(&world, "城西").await);
    let (_, key) = till(&world, &bund, "1 号").await;
    let (_, other) = till(&world, &west, "1 号").await;
    let own = post_with(&world, &key, "/v1/payments", &order("T1"))
        .await
        .json();
    let theirs = post_with(&world, &other, "/v1/payments", &order("T2"))
        .await
        .json();
    for payment in [&own, &theirs] {
        world.pay(payment, "alice");
    }
    world.settle().await;
    let refunds =
        |payment: &Value| format!("/v1/payments/{}/refunds", payment["id"].as_str().unwrap());
    let body = json!({"merchant_refund_no": "R1", "amount": 1});
    let refund = post_with(&world, &other, &refunds(&theirs), &body)
        .await
        .json();

    let there = |kind: &str, rest: &str| format!("/v1/{kind}_01kb2v7q4w8z3n5m6r7t9x1c2d{rest}");
    let events = format!("/v1/payments/{}/events", theirs["id"].as_str().unwrap());
    let absent = get_with(&world, &key, &there("payments/pay", "/events")).await;
    assert_eq!(
        get_with(&world, &key, &events).await.problem(),
        absent.problem()
    );
    let read = format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
    let absent = get_with(&world, &key, &there("refunds/rfd", "")).await;
    assert_eq!(
        get_with(&world, &key, &read).await.problem(),
        absent.problem()
    );
    let absent = post_with(&world, &key, &there("payments/pay", "/refunds"), &body).await;
    let refused = post_with(&world, &key, &refunds(&theirs), &body).await;
    assert_eq!(refused.problem(), absent.problem());

    let taken = post_with(&world, &key, &refunds(&own), &body).await;
    let number = Some("merchant_refund_no".to_owned());
    assert_eq!(
        taken.problem(),
        (409, "refund_no_conflict".to_owned(), number)
    );
    assert!(!taken.json().to_string().contains("rfd_"));
    let day = format!("/v1/stores/{bund}/takings");
    let refused = get_with(&world, &key, &day).await;
    assert_eq!(refused.problem(), (403, "not_for_tills".to_owned(), None));
}

#[tokio::test]
async fn a_till_cannot_sell_elsewhere_or_learn_of_other_stores_orders() {
    let world = World::open().await;
    let (bund, west) = (store(&world, "外滩").await, store(&world, "城西").await);
    let (_, key) = till(&world, &bund, "1 号").await;
    let (_, other) = till(&world, &west, "1 号").await;
    let mut elsewhere = order("T1");
    elsewhere["store"] = json!(west);
    let refused = post_with(&world, &key, "/v1/payments", &elsewhere).await;
    assert_eq!(refused.problem(), (403, "not_for_tills".to_owned(), None));
    let list = get_with(&world, &key, &format!("/v1/payments?store={west}")).await;
    assert_eq!(list.problem(), (403, "not_for_tills".to_owned(), None));

    let sold = post_with(&world, &other, "/v1/payments", &order("T1")).await;
    assert_eq!(sold.status, 201);
    let conflict = post_with(&world, &key, "/v1/payments", &order("T1")).await;
    let number = Some("merchant_order_no".to_owned());
    assert_eq!(
        conflict.problem(),
        (409, "order_no_conflict".to_owned(), number)
    );
    let id = sold.json()["id"].as_str().unwrap().to_owned();
    assert!(!conflict.json().to_string().contains(&id));
}

/// K6: what one till was promised under a key is nothing to another.
#[tokio::test]
async fn two_tills_may_use_one_idempotency_key() {
    let world = World::open().await;
    let (bund, west) = (store(&world, "外滩").await, store(&world, "城西").await);
    let (_, one) = till(&world, &bund, "1 号").await;
    let (_, two) = till(&world, &west, "1 号").await;
    let send = |key: String, number: &'static str| {
        let world = &world;
        async move {
            let body = order(number);
            with_key(world, &key, Method::POST, "/v1/payments", &body, Some("k")).await
        }
    };
    let first = send(one.clone(), "T1").await;
    let second = send(two, "T2").await;
    let merchants = send(world.key.clone(), "T3").await;
    assert_eq!(
        (first.status, second.status, merchants.status),
        (201, 201, 201)
    );
    let again = send(one.clone(), "T1").await;
    assert_eq!(again.json()["id"], first.json()["id"]);
    let other = send(one, "T4").await;
    assert_eq!(
        other.problem(),
        (422, "idempotency_key_reused".to_owned(), None)
    );
}

#[tokio::test]
async fn a_tills_key_is_shown_once_and_opens_nothing_when_it_is_revoked() {
    let world = World::open().await;
    let bund = store(&world, "外滩").await;
    let path = format!("/v1/stores/{bund}/tills");
    let body = json!({"name": "1 号"});
    let key = world.key.clone();
    let send = || with_key(&world, &key, Method::POST, &path, &body, Some("till-1"));
    let made = send().await.json();
    let till_key = made["key"].as_str().unwrap().to_owned();
    let again = send().await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (201, Some("true"))
    );
    assert_eq!(again.json()["id"], made["id"]);
    let listed = world.get(&path).await.json();
    for answer in [&again.json(), &listed] {
        assert!(!answer.to_string().contains(&till_key));
    }
    assert_eq!(get_with(&world, &till_key, "/v1/till").await.status, 200);
    let taken = world.post(&path, &body).await;
    let name = Some("name".to_owned());
    assert_eq!(taken.problem(), (422, "invalid_field".to_owned(), name));

    let revoke = format!("/v1/tills/{}/revoke", made["id"].as_str().unwrap());
    let revoked = world.post(&revoke, &json!({})).await;
    assert_eq!(revoked.status, 200);
    let refused = get_with(&world, &till_key, "/v1/till").await;
    assert_eq!(refused.problem(), (401, "unauthorized".to_owned(), None));
    world.pass(std::time::Duration::from_mins(1)).await;
    let second = world.post(&revoke, &json!({})).await.json();
    assert_eq!(second, revoked.json());
    assert_eq!(world.post(&path, &body).await.status, 201);
}

#[tokio::test]
async fn a_store_is_made_once_and_names_are_its_own() {
    let world = World::open().await;
    let key = world.key.clone();
    let body = json!({"name": " 外滩 "});
    let send = || with_key(&world, &key, Method::POST, "/v1/stores", &body, Some("s"));
    let made = send().await.json();
    assert_eq!(made["name"], "外滩");
    assert_eq!(send().await.json(), made);
    let name = Some("name".to_owned());
    for other in ["外滩", "", "a\nb", &"x".repeat(129)] {
        let refused = world.post("/v1/stores", &json!({ "name": other })).await;
        let expected = (422, "invalid_field".to_owned(), name.clone());
        assert_eq!(refused.problem(), expected, "{other}");
    }
    let read = world
        .get(&format!("/v1/stores/{}", made["id"].as_str().unwrap()))
        .await;
    assert_eq!(read.json(), made);
    let listed = world.get("/v1/stores").await.json();
    assert_eq!(listed["data"], json!([made]));
    let own = world.get("/v1/till").await;
    assert_eq!(own.problem(), (403, "only_for_tills".to_owned(), None));
}

#[tokio::test]
async fn the_till_page_knows_nothing_and_its_code_is_a_picture_while_it_is_open() {
    let world = World::open().await;
    let page = world.get("/pos").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
    assert_eq!(page.header("set-cookie"), None);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    for known in ["老街早餐店", "外滩"] {
        assert!(!page.text.contains(known));
    }

    let payment = world.order("T1").await;
    let url = payment["checkout_url"].as_str().unwrap();
    let path = url.strip_prefix(crate::support::PUBLIC_URL).unwrap();
    let code = format!("{path}/code.svg");
    let picture = world.get(&code).await;
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    assert!(picture.text.starts_with("<svg") && picture.text.contains(" d=\"M4 4h7v1h-7z"));
    world.pay(&payment, "alice");
    world.settle().await;
    assert_eq!(world.get(&code).await.status, 404);
}

#[tokio::test]
async fn a_till_refunds_what_its_own_store_took() {
    let world = crate::refunds::open().await;
    let (bund, west) = (store(&world, "外滩").await, store(&world, "城西").await);
    let (_, key) = till(&world, &bund, "1 号").await;
    let (_, other) = till(&world, &west, "1 号").await;
    let sold = post_with(&world, &key, "/v1/payments", &order("T1")).await;
    let sold = sold.json();
    world.pay(&sold, "alice");
    world.settle().await;

    let path = format!("/v1/payments/{}/refunds", sold["id"].as_str().unwrap());
    let wanted = json!({"merchant_refund_no": "R1", "amount": 234});
    let foreign = post_with(&world, &other, &path, &wanted).await;
    assert_eq!(foreign.problem(), (404, "not_found".to_owned(), None));
    let made = post_with(&world, &key, &path, &wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/v1/refunds/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(get_with(&world, &key, &path).await.status, 200);
    let foreign = get_with(&world, &other, &path).await;
    assert_eq!(foreign.problem(), (404, "not_found".to_owned(), None));

    // What other stores gave back, and the merchant's server without one, is not there.
    let listed = async |key: &str, path: &str| {
        let page = get_with(&world, key, path).await.json();
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["merchant_refund_no"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let elsewhere = world.order("T2").await;
    world.pay(&elsewhere, "alice");
    world.settle().await;
    let path = format!("/v1/payments/{}/refunds", elsewhere["id"].as_str().unwrap());
    let wanted = json!({"merchant_refund_no": "R2", "amount": 1});
    assert_eq!(world.post(&path, &wanted).await.status, 201);
    let of_bund = format!("/v1/refunds?store={bund}");
    assert_eq!(listed(&key, "/v1/refunds").await, ["R1"]);
    assert_eq!(listed(&key, &of_bund).await, ["R1"]);
    assert_eq!(
        listed(&key, "/v1/refunds?state=closed").await,
        [""; 0],
        "the state still counts"
    );
    assert_eq!(listed(&other, "/v1/refunds").await, [""; 0]);
    let foreign = get_with(&world, &other, &of_bund).await;
    assert_eq!(foreign.problem(), (403, "not_for_tills".to_owned(), None));
    let merchants = world.key.clone();
    assert_eq!(listed(&merchants, "/v1/refunds").await, ["R2", "R1"]);
    assert_eq!(listed(&merchants, &of_bund).await, ["R1"]);
}
