//! Groups C and D, and what belongs to the pages: requests of a merchant or of
//! somebody in its name. Each is refused with its status and its stable code,
//! and leaves nothing behind.

mod addresses;
mod amounts;
mod bodies;
mod callers;
mod orders;
mod settings;

use serde_json::{Value, json};

use crate::database::difference;
use crate::gateway::API_KEY;
use crate::http::Answer;
use crate::world::World;

/// Number, what is sent, status, code.
type Row = (&'static str, Sent, u16, &'static str);

struct Sent {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

#[test]
fn c_and_d_are_refused_with_their_code_and_change_nothing() {
    let mut world = World::open("api");
    let order = world.order("taken", "signature");
    let checkout = world.get(&format!("/v1/payments/{}", order.id))["checkout_url"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = checkout.rsplit('/').next().unwrap();

    let mut used = create(&json!({"merchant_order_no": "used", "amount": 1, "subject": "tea"}));
    used.headers.push(("idempotency-key", "used".to_owned()));
    assert_eq!(send(&mut world, &used).status, 201);

    let mut rows = amounts::amounts();
    rows.extend(callers::keys());
    rows.extend(callers::callers());
    rows.extend(bodies::bodies());
    rows.extend(orders::orders());
    rows.extend(orders::lists());
    rows.extend(addresses::names(&order));
    rows.extend(addresses::pages(token));
    rows.extend(settings::settings());
    let count = rows.len();
    let mut wrong = Vec::new();
    for (id, sent, status, code) in rows {
        let before = world.database.facts(&order.id);
        let answer = send(&mut world, &sent);
        let after = world.database.facts(&order.id);
        let name = format!(
            "{id} {} {} {}",
            sent.method,
            cut(&sent.path),
            cut(&String::from_utf8_lossy(&sent.body))
        );
        if (answer.status, &*answer.code()) != (status, code) {
            wrong.push(format!(
                "{name}: {} {}, not {status} {code}",
                answer.status,
                answer.text()
            ));
        }
        if before != after {
            wrong.push(format!("{name} changed\n{}", difference(&before, &after)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    eprintln!("{count} requests");
    world.pay(&order);
}

fn send(world: &mut World, sent: &Sent) -> Answer {
    let headers: Vec<_> = sent
        .headers
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    world
        .client
        .send(sent.method, &sent.path, &headers, &sent.body)
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

fn get(path: &str) -> Sent {
    Sent {
        method: "GET",
        path: path.to_owned(),
        headers: vec![("authorization", format!("Bearer {API_KEY}"))],
        body: Vec::new(),
    }
}

fn post(path: &str) -> Sent {
    Sent {
        method: "POST",
        ..get(path)
    }
}

fn post_json(path: &str, body: &Value) -> Sent {
    let mut sent = post(path);
    sent.headers
        .push(("content-type", "application/json".to_owned()));
    sent.body = body.to_string().into_bytes();
    sent
}

fn create(body: &(impl ToString + ?Sized)) -> Sent {
    let mut sent = post("/v1/payments");
    sent.headers
        .push(("content-type", "application/json".to_owned()));
    sent.body = body.to_string().into_bytes();
    sent
}

fn order_with(name: &str, value: Value) -> Sent {
    let mut order = json!({"merchant_order_no": "d", "amount": 1, "subject": "tea"});
    order[name] = value;
    create(&order)
}
