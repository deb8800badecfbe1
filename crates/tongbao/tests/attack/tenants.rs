//! X5: whatever belongs to one merchant is not there for another.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::gateway::API_KEY;
use crate::http::Answer;
use crate::world::{NEIGHBOURS_KEY, World};

/// Every operation of the documented interface that names a thing.
#[test]
fn a_neighbours_thing_is_answered_as_one_that_is_not_there() {
    let mut world = World::open("tenants");
    let order = world.order("T1", "signature");
    world.pay(&order);
    let endpoint = json!({"url": "https://shop.example.com/hook"});
    let endpoint = world
        .api(API_KEY, "POST", "/v1/webhook_endpoints", &endpoint)
        .json();
    let refund = json!({"merchant_refund_no": "R1", "amount": 1});
    let path = format!("/v1/payments/{}/refunds", order.id);
    let refund = world.api(API_KEY, "POST", &path, &refund).json();
    let first = |value: &Value| value["data"][0]["id"].as_str().unwrap().to_owned();
    let ours = BTreeMap::from([
        ("payments", order.id.clone()),
        ("channels", first(&world.get("/v1/channels"))),
        (
            "webhook_endpoints",
            endpoint["id"].as_str().unwrap().to_owned(),
        ),
        ("events", first(&world.get("/v1/events"))),
        ("refunds", refund["id"].as_str().unwrap().to_owned()),
    ]);

    let operations = operations(&mut world);
    let mut walked = 0;
    for (method, path) in operations.iter().filter(|(_, path)| path.contains("{id}")) {
        let thing = path.split('/').nth(2).unwrap();
        let Some(id) = ours.get(thing) else {
            panic!("{method} {path} names things that this test has none of");
        };
        let body = body(method, path);
        let before = world.database.facts(&order.id);
        let foreign = world.api(NEIGHBOURS_KEY, method, &path.replace("{id}", id), &body);
        let absent = id[..4].to_owned() + "01kb2v7q4w8z3n5m6r7t9x1c2d";
        let absent = world.api(
            NEIGHBOURS_KEY,
            method,
            &path.replace("{id}", &absent),
            &body,
        );
        assert_eq!(foreign.status, 404, "{method} {path}: {}", foreign.text());
        assert_eq!(
            words(&foreign),
            words(&absent),
            "{method} {path} tells them apart"
        );
        assert!(
            before == world.database.facts(&order.id),
            "{method} {path} changed something"
        );
        walked += 1;
    }
    assert!(walked >= 15, "{walked} operations");

    for (_, path) in operations
        .iter()
        .filter(|(method, path)| method == "GET" && !path.contains('{'))
    {
        for query in [
            "",
            "?limit=100",
            &*format!("?payment={}", order.id),
            "?merchant_order_no=T1",
        ] {
            let answer = world.api(
                NEIGHBOURS_KEY,
                "GET",
                &format!("{path}{query}"),
                &Value::Null,
            );
            for (thing, id) in &ours {
                assert!(
                    !answer.text().contains(&**id),
                    "{path}{query} shows a neighbour's {thing}"
                );
            }
        }
    }
    let after = format!("/v1/payments?cursor={}", order.id);
    let list = world.api(NEIGHBOURS_KEY, "GET", &after, &Value::Null);
    assert_eq!(
        list.json()["data"],
        json!([]),
        "a cursor of another merchant leads to nothing"
    );
}

/// D4: one number or key in two hands is two things.
#[test]
fn two_merchants_may_use_one_number_and_one_key() {
    let mut world = World::open("numbers");
    let body = json!({"merchant_order_no": "T1", "amount": 1, "subject": "tea"}).to_string();
    let mut ids = Vec::new();
    for key in [API_KEY, NEIGHBOURS_KEY] {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("authorization", &*authorization),
            ("content-type", "application/json"),
            ("idempotency-key", "one-key"),
        ];
        let answer = world
            .client
            .send("POST", "/v1/payments", &headers, body.as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
        ids.push(answer.json()["id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
}

/// Method and path of everything that the gateway says it can do.
fn operations(world: &mut World) -> Vec<(String, String)> {
    let document = world.get("/v1/openapi.json");
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if path.starts_with("/v1/") {
                operations.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    operations
}

/// What the operation would take from the owner.
fn body(method: &str, path: &str) -> Value {
    match (method, path.rsplit('/').next().unwrap()) {
        ("POST", "refunds") => json!({"merchant_refund_no": "R2", "amount": 1}),
        ("POST", "attempts") => json!({"scene": "native"}),
        ("POST", "replay") => json!({"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}),
        ("PATCH", _) => json!({"enabled": false}),
        _ => Value::Null,
    }
}

fn words(answer: &Answer) -> (Value, Value, Value) {
    let problem = answer.json();
    (
        problem["code"].clone(),
        problem["detail"].clone(),
        problem["field"].clone(),
    )
}
