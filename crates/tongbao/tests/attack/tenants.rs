//! X5: whatever belongs to one merchant is not there for another.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tongbao::attack;

use crate::gateway::API_KEY;
use crate::http::Answer;
use crate::world::{NEIGHBOURS_KEY, World};

/// Every operation of the documented interface that names a thing.
#[test]
fn a_neighbours_thing_is_answered_as_one_that_is_not_there() {
    let mut world = World::open("tenants");
    let order = world.order("T1", "signature");
    world.pay(&order);
    // A second receipt under its number is a case.
    let again = attack::genuine(&World::target(&order));
    world.tell(&order.notify, &again);
    let endpoint = json!({"url": "https://shop.example.com/hook"});
    let endpoint = world
        .api(API_KEY, "POST", "/v1/webhook_endpoints", &endpoint)
        .json();
    let refund = json!({"merchant_refund_no": "R1", "amount": 1});
    let path = format!("/v1/payments/{}/refunds", order.id);
    let refund = world.api(API_KEY, "POST", &path, &refund).json();
    let shop = world
        .api(API_KEY, "POST", "/v1/stores", &json!({"name": "外滩"}))
        .json();
    let tills = format!("/v1/stores/{}/tills", shop["id"].as_str().unwrap());
    let till = world
        .api(API_KEY, "POST", &tills, &json!({"name": "1 号"}))
        .json();
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
        ("cases", first(&world.get("/v1/cases"))),
        ("stores", shop["id"].as_str().unwrap().to_owned()),
        ("tills", till["id"].as_str().unwrap().to_owned()),
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
        let absent = id[..=id.find('_').unwrap()].to_owned() + "01kb2v7q4w8z3n5m6r7t9x1c2d";
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
    assert!(walked >= 21, "{walked} operations");

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

/// Every documented operation, with a till's key: its own store's payments, and
/// nothing else.
#[test]
fn a_tills_key_opens_its_own_store_and_nothing_else() {
    let mut world = World::open("tills");
    let (bund, west) = (shop(&mut world, "外滩"), shop(&mut world, "城西"));
    let path = format!("/v1/stores/{bund}/tills");
    let till = world.api(API_KEY, "POST", &path, &json!({"name": "1 号"}));
    let till = till.json();
    let key = till["key"].as_str().unwrap().to_owned();
    let endpoint = json!({"url": "https://shop.example.com/hook"});
    let endpoint = world.api(API_KEY, "POST", "/v1/webhook_endpoints", &endpoint);
    let endpoint = endpoint.json()["id"].as_str().unwrap().to_owned();
    let sold = |world: &mut World, number: &str, store: Option<&str>| {
        let mut body = json!({
            "merchant_order_no": number, "amount": 888, "subject": "tea",
            "attempt": {"scene": "native", "channel": "signature"},
        });
        if let Some(store) = store {
            body["store"] = json!(store);
        }
        let made = world.api(API_KEY, "POST", "/v1/payments", &body).json();
        made["id"].as_str().unwrap().to_owned()
    };
    let order = world.order("M1", "signature");
    world.pay(&order);
    let foreign = [sold(&mut world, "W1", Some(&west)), order.id.clone()];
    let event = {
        let listed = world.get("/v1/events");
        listed["data"][0]["id"].as_str().unwrap().to_owned()
    };
    let channels = world.get("/v1/channels");
    let channel = channels["data"][0]["id"].as_str().unwrap().to_owned();

    for (method, path) in operations(&mut world) {
        let body = match (&*method, &*path) {
            ("POST", "/v1/payments") => json!({
                "merchant_order_no": "T1", "amount": 888, "subject": "tea",
            }),
            _ => body(&method, &path),
        };
        let thing = path.split('/').nth(2).unwrap();
        let ids = match thing {
            "payments" => {
                let number = format!("T-{method}-{}", path.len());
                vec![sold(&mut world, &number, Some(&bund))]
            }
            "stores" => vec![bund.clone(), west.clone()],
            "tills" => vec![till["id"].as_str().unwrap().to_owned()],
            "webhook_endpoints" => vec![endpoint.clone()],
            "events" => vec![event.clone()],
            "channels" => vec![channel.clone()],
            "refunds" => vec!["rfd_01kb2v7q4w8z3n5m6r7t9x1c2d".to_owned()],
            "cases" => vec!["case_01kb2v7q4w8z3n5m6r7t9x1c2d".to_owned()],
            _ => vec![String::new()],
        };
        let open = FOR_TILLS.contains(&(&*method, &*path));
        for id in ids {
            let answer = world.api(&key, &method, &path.replace("{id}", &id), &body);
            if open {
                let expected = granted(&path);
                let text = answer.text();
                assert!(expected.contains(&answer.status), "{method} {path}: {text}");
                for other in &foreign {
                    assert!(!answer.text().contains(&**other), "{method} {path}");
                }
            } else {
                assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
                assert_eq!(answer.json()["code"], "not_for_tills", "{method} {path}");
            }
        }
        if open && thing == "payments" && path.contains("{id}") {
            let absent = "pay_01kb2v7q4w8z3n5m6r7t9x1c2d".to_owned();
            let absent = world.api(&key, &method, &path.replace("{id}", &absent), &body);
            for id in &foreign {
                let before = world.get(&format!("/v1/payments/{id}"));
                let answer = world.api(&key, &method, &path.replace("{id}", id), &body);
                assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
                assert_eq!(words(&answer), words(&absent), "{method} {path}");
                let after = world.get(&format!("/v1/payments/{id}"));
                assert_eq!(before, after, "{method} {path}");
            }
        }
    }

    let revoke = format!("/v1/tills/{}/revoke", till["id"].as_str().unwrap());
    let revoked = world.api(API_KEY, "POST", &revoke, &Value::Null);
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    for (method, path) in operations(&mut world) {
        let answer = world.api(
            &key,
            &method,
            &path.replace("{id}", &foreign[0]),
            &Value::Null,
        );
        let open = path == "/v1/openapi.json";
        assert!(
            open || answer.status == 401,
            "{method} {path}: {}",
            answer.text()
        );
    }
}

/// Nothing was paid that could be refunded; the journeys have that.
fn granted(path: &str) -> std::ops::Range<u16> {
    match path {
        "/v1/payments/{id}/refunds" => 409..410,
        "/v1/refunds/{id}" => 404..405,
        _ => 200..300,
    }
}

/// The id of a new store.
fn shop(world: &mut World, name: &str) -> String {
    let body = json!({ "name": name });
    let shop = world.api(API_KEY, "POST", "/v1/stores", &body).json();
    shop["id"].as_str().unwrap().to_owned()
}

/// What a till may do; everything else that is documented is refused.
const FOR_TILLS: [(&str, &str); 10] = [
    ("POST", "/v1/payments"),
    ("GET", "/v1/payments"),
    ("GET", "/v1/payments/{id}"),
    ("GET", "/v1/payments/{id}/events"),
    ("POST", "/v1/payments/{id}/attempts"),
    ("POST", "/v1/payments/{id}/close"),
    ("POST", "/v1/payments/{id}/refunds"),
    ("GET", "/v1/refunds"),
    ("GET", "/v1/refunds/{id}"),
    ("GET", "/v1/till"),
];

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
        ("POST", "resolve") => json!({"action": "dismiss", "reason": "mine"}),
        ("PATCH", "merchant") => json!({"accept_late": true}),
        ("POST", "tills") => json!({"name": "2 号"}),
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
