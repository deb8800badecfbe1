//! The whole web side, from a request's bytes to the database: every request is answered in the
//! form that is documented, none fails inside, and what must be refused is.
//!
//! An input is a request as it stands on the wire. `%KEY%`, `%PAYMENT%`, `%TOKEN%`, `%CHANNEL%`
//! and `%ENDPOINT%` stand for the gateway's own.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use http::{Method, Request};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};
use url::Url;

use crate::account;
use crate::gateway::{Answer, Gateway};

/// Lines, names and values of requests.
pub const WORDS: &[&str] = &[
    "GET ",
    "POST ",
    "PATCH ",
    "DELETE ",
    "/v1/payments",
    "/v1/channels",
    "/v1/webhook_endpoints",
    "/v1/events",
    "/v1/cases",
    "/v1/notifications",
    "/attempts",
    "/close",
    "/replay",
    "/check",
    "/timeline",
    "/checkout/",
    "/status",
    "/notify/",
    "/docs",
    "/openapi.json",
    "%PAYMENT%",
    "%TOKEN%",
    "%CHANNEL%",
    "%ENDPOINT%",
    "?limit=",
    "&limit=1",
    "&from=2026-11-21T00:00:00%2B08:00",
    "&to=2026-11-21",
    "?cursor=",
    "&state=paid",
    "?refresh=true",
    "&lang=en",
    "+",
    "%2B",
    "%00",
    "%ff",
    "%",
    "[]",
    "\nauthorization: Bearer %KEY%",
    "\ncontent-type: application/json",
    "\nidempotency-key: k1",
    "\naccept-language: en;q=0.5, zh;q=0.25",
    "\ncontent-encoding: gzip",
    "q=0.1234",
    "\n\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "true",
    "0",
    "-0",
    "1.0",
    "1e2",
    "1e400",
    "9223372036854775808",
    "\"amount\":1",
    "\"attempt\":{\"scene\":\"native\"}",
    "\"metadata\":{\"a\":1}",
    "\"expires_in\":60",
    "\"store\":\"s\"",
    "\"return_url\":",
    "\"https://shop.example/\"",
    "\"http://127.0.0.1/\"",
    "\"\\u0061mount\":1",
    "\\u0000",
    "\\ud800",
    "\"event_types\":[\"payment.paid\"]",
    "\"enabled\":false",
    "\"name\":\"x\"",
    "\"client_ip\":\"::1\"",
];

/// So many requests, then a new gateway: the database does not grow for ever.
const REQUESTS: usize = 5_000;

struct World {
    gateway: Gateway,
    own: Vec<(&'static str, String)>,
    requests: usize,
}

/// See the module.
pub fn run(input: &[u8]) {
    thread_local! {
        static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    }
    WORLD.with_borrow_mut(|world| {
        let world = world.get_or_insert_with(World::open);
        world.requests += 1;
        if world.requests > REQUESTS {
            *world = World::open();
        }
        world.is_asked(input);
    });
}

impl World {
    fn open() -> Self {
        let gateway = Gateway::open();
        let channel = gateway.make("/v1/channels", &Gateway::account());
        let endpoint = json!({"url": "https://shop.test/webhooks"});
        let endpoint = gateway.make("/v1/webhook_endpoints", &endpoint);
        let order = json!({
            "merchant_order_no": "A-1001",
            "amount": 1234,
            "subject": "豆浆 × 2",
            "attempt": {"scene": "native"},
        });
        let payment = gateway.make("/v1/payments", &order);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let page = text(&payment["checkout_url"]);
        let own = vec![
            ("%KEY%", gateway.key.clone()),
            ("%PAYMENT%", text(&payment["id"])),
            (
                "%TOKEN%",
                page.rsplit('/').next().unwrap_or_default().to_owned(),
            ),
            ("%CHANNEL%", text(&channel["id"])),
            ("%ENDPOINT%", text(&endpoint["id"])),
        ];
        Self {
            gateway,
            own,
            requests: 0,
        }
    }

    fn is_asked(&self, input: &[u8]) {
        let mut text = String::from_utf8_lossy(input).into_owned();
        for (name, value) in &self.own {
            text = text.replace(name, value);
        }
        let Some(request) = request(&text) else {
            return;
        };
        let answer = self.gateway.send(request.clone());
        is_well_formed(&request, &answer);
        self.strangers_hear_nothing(&request, &answer);
        what_is_taken_may_be_taken(&request, &answer);
        if !text.contains(account::KEY) {
            assert!(!answer.text.contains(account::KEY), "a secret: {answer:?}");
        }
    }

    fn strangers_hear_nothing(&self, request: &Request<Bytes>, answer: &Answer) {
        let mut keys = request.headers().get_all("authorization").iter();
        let known = match (keys.next(), keys.next()) {
            (Some(key), None) => key
                .as_bytes()
                .ends_with(format!(" {}", self.gateway.key).as_bytes()),
            _ => false,
        };
        let guarded = request.uri().path().starts_with("/v1/");
        assert!(
            known || !guarded || matches!(answer.status, 401 | 404 | 405),
            "{request:?} {answer:?}"
        );
    }
}

/// As HTTP/1.1 has it, read more kindly: what follows here is not about framing.
fn request(text: &str) -> Option<Request<Bytes>> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let target = target.split(' ').next()?;
    let mut request = Request::builder()
        .method(method.parse::<Method>().ok()?)
        .uri(
            target
                .parse::<http::Uri>()
                .ok()
                .filter(|uri| uri.path().starts_with('/'))?,
        );
    for line in lines {
        let (name, value) = line.split_once(':')?;
        request = request.header(name, value.trim());
    }
    request.body(Bytes::copy_from_slice(body.as_bytes())).ok()
}

fn is_well_formed(request: &Request<Bytes>, answer: &Answer) {
    assert!(answer.status < 500, "{request:?} {answer:?}");
    assert!(answer.text.len() < 2 << 20, "{} bytes", answer.text.len());
    let id = answer.request_id.as_deref();
    assert!(id.is_some_and(|id| !id.is_empty()), "{answer:?}");
    if !request.uri().path().starts_with("/v1/") {
        return;
    }
    if answer.status >= 400 {
        assert_eq!(
            answer.content_type, "application/problem+json",
            "{answer:?}"
        );
        let problem: Value = serde_json::from_str(&answer.text).expect("a problem is JSON");
        assert_eq!(problem["status"], answer.status);
        assert_eq!(problem["request_id"].as_str(), id);
        assert!(
            problem["code"].is_string() && problem["detail"].is_string(),
            "{problem}"
        );
    } else if answer.status != 204 {
        assert_eq!(answer.content_type, "application/json", "{answer:?}");
        assert!(serde_json::from_str::<Value>(&answer.text).is_ok());
    }
}

fn what_is_taken_may_be_taken(request: &Request<Bytes>, answer: &Answer) {
    let path = request.uri().path();
    if answer.status >= 300 || !path.starts_with("/v1/") {
        return;
    }
    if let Some(key) = request.headers().get("idempotency-key")
        && matches!(*request.method(), Method::POST | Method::PATCH)
    {
        let key = key.as_bytes();
        assert!(
            (1..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic),
            "{request:?}"
        );
    }
    if *request.method() == Method::GET {
        let query = request.uri().query().unwrap_or_default();
        every_parameter_is_known_and_comes_once(path, query);
        return;
    }
    let Ok(body) = serde_json::from_slice::<Value>(request.body()) else {
        assert!(
            request.body().is_empty() || *request.method() == Method::DELETE,
            "{request:?}"
        );
        return;
    };
    if *request.method() == Method::DELETE {
        return;
    }
    let unique = serde_json::from_slice::<Unique>(request.body());
    assert!(
        unique.is_ok_and(|Unique(unique)| unique),
        "a field comes twice: {request:?}"
    );
    match path {
        "/v1/payments" => {
            assert!(
                body["amount"]
                    .as_i64()
                    .is_some_and(|fen| (1..=10_000_000_000).contains(&fen))
            );
            let made: Value = serde_json::from_str(&answer.text).expect("JSON");
            for name in ["merchant_order_no", "amount", "subject"] {
                assert_eq!(made[name], body[name], "{name}");
            }
            let sent = body.get("metadata").filter(|sent| !sent.is_null()).cloned();
            let sent = sent.unwrap_or_else(|| json!({}));
            assert_eq!(made["metadata"].to_string(), sent.to_string());
            assert!(
                !sent.to_string().contains("e+"),
                "its last digits are gone: {sent}"
            );
        }
        "/v1/webhook_endpoints" => {
            let text = body["url"].as_str().expect("an address is text");
            let url = Url::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert!(matches!(url.scheme(), "http" | "https"), "{text:?}");
            assert!(
                url.has_host() && url.username().is_empty() && url.password().is_none(),
                "{text:?}"
            );
        }
        _ => {}
    }
}

fn every_parameter_is_known_and_comes_once(path: &str, query: &str) {
    let known: &[&str] = match path {
        "/v1/payments" => &[
            "merchant_order_no",
            "state",
            "from",
            "to",
            "cursor",
            "limit",
        ],
        "/v1/events" => &["payment", "type", "from", "to", "cursor", "limit"],
        _ => return,
    };
    let mut names = BTreeSet::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        assert!(known.contains(&&*name), "{name} is taken: {query}");
        assert!(
            names.insert(name.clone().into_owned()),
            "{name} comes twice: {query}"
        );
        if name == "limit" {
            assert!(
                value
                    .parse::<u8>()
                    .is_ok_and(|rows| (1..=100).contains(&rows)),
                "{query}"
            );
        }
    }
}

/// Whether no object has a name twice, at any depth.
struct Unique(bool);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let mut all: Vec<(String, bool)> = Vec::new();
        while let Some((name, Unique(below))) = map.next_entry::<String, Unique>()? {
            all.push((name, below));
        }
        let mut names: Vec<&str> = all.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        let distinct = names.windows(2).all(|two| two[0] != two[1]);
        Ok(Unique(distinct && all.iter().all(|(_, below)| *below)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
        let mut unique = true;
        while let Some(Unique(below)) = seq.next_element::<Unique>()? {
            unique &= below;
        }
        Ok(Unique(unique))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique(true))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique(true))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique(true))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique(true))
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique(true))
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique(true))
    }
}
