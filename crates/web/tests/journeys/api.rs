//! What the API refuses, and what a refusal looks like.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{World, order};

/// Of a problem.
fn refused(status: u16, code: &str, field: Option<&str>) -> (u16, String, Option<String>) {
    (status, code.to_owned(), field.map(str::to_owned))
}

fn with(field: &str, value: Value) -> Value {
    let mut order = order("T1");
    order[field] = value;
    order
}

async fn stored(world: &World) -> usize {
    let listed = world.get("/v1/payments").await.json();
    listed["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_problem_says_cause_and_cure() {
    let world = World::open().await;
    let (headers, body) = ([("x-request-id", "order-0001")], with("amount", json!(0)));
    let answer = world
        .send_json(Method::POST, "/v1/payments", &headers, &body.to_string())
        .await;
    insta::assert_json_snapshot!("problem", answer.json());
}

#[tokio::test]
async fn an_order_that_cannot_be_is_refused_and_nothing_is_stored() {
    let world = World::open().await;
    for (field, value) in [
        ("amount", json!(0)),
        ("amount", json!(-1)),
        ("amount", json!(12.5)),
        ("amount", json!("100")),
        ("amount", json!(10_000_000_001_i64)),
        ("amount", json!(u64::MAX)),
        ("subject", json!("")),
        ("subject", json!("豆".repeat(43))),
        ("subject", json!("a&b=c")),
        ("merchant_order_no", json!("订单1")),
        ("merchant_order_no", json!("T 1")),
        ("merchant_order_no", json!("")),
        ("merchant_order_no", json!("T".repeat(65))),
        ("currency", json!("USD")),
        ("currency", json!("cny")),
        ("expires_in", json!(59)),
        ("metadata", json!([])),
        ("return_url", json!("javascript:alert(1)")),
        ("store", json!("")),
        ("store", json!("外滩")),
        ("store", json!("sto_01kb2v7q4w8z3n5m6r7t9x1c2d")),
        ("attempt.scene", json!({"scene": "nativ"})),
        (
            "attempt.client_ip",
            json!({"scene": "native", "client_ip": "here"}),
        ),
    ] {
        let name = field.split('.').next().unwrap();
        let answer = world.post("/v1/payments", &with(name, value.clone())).await;
        assert_eq!(
            answer.problem(),
            refused(422, "invalid_field", Some(field)),
            "{value}"
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(field), "{detail}");
    }
    assert_eq!(stored(&world).await, 0);
}

#[tokio::test]
async fn a_field_that_does_not_exist_is_refused_by_name() {
    let world = World::open().await;
    for (body, field) in [
        (with("status", json!("paid")), "status"),
        (with("merchant_id", json!("mer_1")), "merchant_id"),
        (
            with("attempt", json!({"scene": "native", "paid": true})),
            "attempt.paid",
        ),
        (
            with(
                "attempt",
                json!({"scene": "native", "payer": {"name": "x"}}),
            ),
            "attempt.payer.name",
        ),
    ] {
        let answer = world.post("/v1/payments", &body).await;
        assert_eq!(answer.problem(), refused(422, "unknown_field", Some(field)));
    }
    let answer = world
        .post("/v1/payments", &json!({"amount": 1, "subject": "x"}))
        .await;
    assert_eq!(
        answer.problem(),
        refused(422, "missing_field", Some("merchant_order_no"))
    );
    assert_eq!(stored(&world).await, 0);
}

#[tokio::test]
async fn a_body_must_be_plain_json() {
    let world = World::open().await;
    let good = order("T1").to_string();
    let large = with("metadata", json!({"filler": "x".repeat(70_000)})).to_string();
    let twice = good.replacen("\"amount\":1234", "\"amount\":1,\"amount\":1234", 1);
    for (header, body, problem) in [
        (
            ("content-type", "text/plain"),
            &good,
            refused(415, "unsupported_media_type", None),
        ),
        (
            ("content-type", "application/json; charset=gbk"),
            &good,
            refused(415, "unsupported_media_type", None),
        ),
        (
            ("content-encoding", "gzip"),
            &good,
            refused(415, "unsupported_media_type", None),
        ),
        (
            ("x-any", "1"),
            &"{".to_owned(),
            refused(400, "invalid_json", None),
        ),
        (
            ("x-any", "1"),
            &String::new(),
            refused(400, "invalid_json", None),
        ),
        (("x-any", "1"), &large, refused(413, "body_too_large", None)),
        (
            ("x-any", "1"),
            &twice,
            refused(422, "duplicate_field", Some("amount")),
        ),
    ] {
        let mut request = world
            .request(Method::POST, "/v1/payments")
            .header(header.0, header.1);
        if header.0 != "content-type" {
            request = request.header("content-type", "application/json");
        }
        let answer = world
            .send(request.body(Body::from(body.clone())).unwrap())
            .await;
        assert_eq!(answer.problem(), problem, "{header:?}");
    }
    assert_eq!(stored(&world).await, 0);
}

#[tokio::test]
async fn a_query_is_as_strict_as_a_body() {
    let world = World::open().await;
    for (query, code, field) in [
        ("?sort=amount", "unknown_field", "sort"),
        ("?state=payed", "invalid_field", "state"),
        ("?limit=0", "invalid_field", "limit"),
        ("?limit=101", "invalid_field", "limit"),
        ("?limit=ten", "invalid_field", "limit"),
        ("?limit=1&limit=2", "duplicate_field", "limit"),
        ("?from=yesterday", "invalid_field", "from"),
        ("?cursor=%27%20OR%201=1", "invalid_field", "cursor"),
    ] {
        let answer = world.get(&format!("/v1/payments{query}")).await;
        assert_eq!(answer.problem(), refused(422, code, Some(field)), "{query}");
    }
}

#[tokio::test]
async fn nothing_is_said_without_a_key() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    let good = format!("Bearer {}", world.key);
    for header in [
        "",
        "Bearer",
        "Bearer sk_wrong",
        &world.key,
        &format!("Basic {}", world.key),
        &format!("{good}x"),
        &good[..good.len() - 1],
    ] {
        let request = Request::get(&path).header("authorization", header);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            answer.problem(),
            refused(401, "unauthorized", None),
            "{header}"
        );
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[tokio::test]
async fn what_is_anothers_answers_as_what_is_not_there() {
    let world = World::open().await;
    let other = world.engine.create_merchant("隔壁").await.unwrap();
    let key = world.engine.create_api_key(other.id).await.unwrap();
    let payment = world.order("T1").await;
    let id = payment["id"].as_str().unwrap();
    let absent = "pay_00000000000000000000000000";
    let as_other = |path: String| {
        Request::get(path)
            .header("authorization", format!("Bearer {key}"))
            .header("x-request-id", "the-same-id")
            .body(Body::empty())
            .unwrap()
    };
    for path in ["", "/events", "?refresh=true"] {
        let foreign = world
            .send(as_other(format!("/v1/payments/{id}{path}")))
            .await;
        let absent = world
            .send(as_other(format!("/v1/payments/{absent}{path}")))
            .await;
        assert_eq!(foreign.problem(), refused(404, "not_found", None));
        assert_eq!(foreign.text, absent.text);
    }
    for (path, id) in [
        ("/v1/channels/", world.channel().await),
        ("/v1/webhook_endpoints/", {
            let endpoints = world.get("/v1/webhook_endpoints").await.json();
            endpoints["data"][0]["id"].as_str().unwrap().to_owned()
        }),
    ] {
        let foreign = world.send(as_other(format!("{path}{id}"))).await;
        let absent = world
            .send(as_other(format!("{path}chn_00000000000000000000000000")))
            .await;
        let text = |text: &str| text.replace("channel", "thing");
        assert_eq!(foreign.problem(), refused(404, "not_found", None));
        assert_eq!(text(&foreign.text), text(&absent.text));
    }
    for path in [
        "/v1/payments",
        "/v1/channels",
        "/v1/webhook_endpoints",
        "/v1/events",
        "/v1/cases",
        "/v1/notifications",
    ] {
        let listed = world.send(as_other(path.to_owned())).await.json();
        assert_eq!(listed, json!({"data": [], "next_cursor": null}), "{path}");
    }
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer() {
    let world = World::open().await;
    let send = async |key: &str, body: &Value| {
        let headers = [("idempotency-key", key)];
        world
            .send_json(Method::POST, "/v1/payments", &headers, &body.to_string())
            .await
    };
    let first = send("k1", &order("T1")).await;
    let again = send("k1", &order("T1")).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json(), again.json());
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));

    // The same order under another key is the same payment, not a repeated answer.
    let other_key = send("k2", &order("T1")).await;
    assert_eq!(
        (other_key.status, other_key.header("idempotency-replayed")),
        (200, None)
    );
    assert_eq!(other_key.json(), first.json());

    let reused = send("k1", &order("T2")).await;
    assert_eq!(
        reused.problem(),
        refused(422, "idempotency_key_reused", None)
    );
    assert_eq!(stored(&world).await, 1);
}

#[tokio::test]
async fn every_post_that_makes_something_takes_a_key() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let attempts = format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap());
    let account = tongbao_simulator::Account::ready_made();
    let settings = json!({"app_id": account.app_id, "mch_id": account.mch_id, "api_v2_key": account.api_v2_key.0});
    let second = json!({"kind": "wechat_v2", "name": "second", "settings": settings});
    for (path, body, other) in [
        (
            "/v1/channels",
            second,
            json!({"kind": "wechat_v2", "settings": settings}),
        ),
        (
            "/v1/webhook_endpoints",
            json!({"url": "https://shop.test/a"}),
            json!({"url": "https://shop.test/b"}),
        ),
        (
            &attempts,
            json!({"scene": "native", "channel": "second"}),
            json!({"scene": "native"}),
        ),
    ] {
        let headers = [("idempotency-key", path)];
        let send = async |body: &Value| {
            world
                .send_json(Method::POST, path, &headers, &body.to_string())
                .await
        };
        let (first, again) = (send(&body).await, send(&body).await);
        assert_eq!((first.status, again.status), (201, 201), "{path} {first:?}");
        assert_eq!(first.json(), again.json());
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{path}");
        let reused = send(&other).await;
        assert_eq!(
            reused.problem(),
            refused(422, "idempotency_key_reused", None),
            "{path}"
        );
    }
}

/// A payment that is paid and told, another one, and where they can be acted on.
async fn acts(world: &World) -> [(String, Value); 4] {
    let paid = world.order("T1").await;
    world.pay(&paid, "alice");
    world.settle().await;
    let open = world.order("T2").await;
    let event = &world.get("/v1/events").await.json()["data"][0]["id"];
    let endpoint = &world.get("/v1/webhook_endpoints").await.json()["data"][0]["id"];
    let text = |id: &Value| id.as_str().unwrap().to_owned();
    let span = json!({"from": "2026-11-21T00:00:00Z", "to": "2026-11-22T00:00:00Z"});
    [
        (
            format!("/v1/payments/{}/close", text(&open["id"])),
            json!({}),
        ),
        (
            format!("/v1/channels/{}/check", world.channel().await),
            json!({}),
        ),
        (format!("/v1/events/{}/redeliver", text(event)), json!({})),
        (
            format!("/v1/webhook_endpoints/{}/replay", text(endpoint)),
            span,
        ),
    ]
}

#[tokio::test]
async fn every_post_that_does_something_takes_a_key() {
    let world = World::open().await;
    let acts = acts(&world).await;
    let another = order("T3").to_string();
    for (path, body) in &acts {
        let headers = [("idempotency-key", path.as_str())];
        let send = async |path: &str, body: &str| {
            world.send_json(Method::POST, path, &headers, body).await
        };
        // Neither the room between fields nor their order matters.
        let turned = match body.as_object().unwrap().len() {
            0 => String::new(),
            _ => format!("{{ \"to\": {}, \"from\": {} }}", body["to"], body["from"]),
        };
        let first = send(path, &body.to_string()).await;
        let again = send(path, &turned).await;
        assert!((200..300).contains(&first.status), "{path} {first:?}");
        assert_eq!((first.status, first.json()), (again.status, again.json()));

        let reused = send("/v1/payments", &another).await;
        assert_eq!(
            reused.problem(),
            refused(422, "idempotency_key_reused", None),
            "{path}"
        );
        for (other, body) in acts.iter().filter(|(other, _)| other != path) {
            let reused = send(other, &body.to_string()).await;
            assert_eq!(reused.status, 422, "{path}, then {other}: {reused:?}");
        }
    }
}

#[tokio::test]
async fn an_event_is_told_again_once_for_one_key() {
    let world = World::open().await;
    let [_, _, (redeliver, body), (replay, span)] = acts(&world).await;
    let before = world.shop.told().len();
    for (path, body, key) in [(redeliver, body, "k1"), (replay, span, "k2")] {
        for replayed in [None, Some("true")] {
            let headers = [("idempotency-key", key)];
            let answer = world
                .send_json(Method::POST, &path, &headers, &body.to_string())
                .await;
            assert_eq!(answer.json()["deliveries"], 1, "{path}");
            assert_eq!(answer.header("idempotency-replayed"), replayed, "{path}");
            world.settle().await;
        }
    }
    assert_eq!(world.shop.told().len(), before + 2);
}

#[tokio::test]
async fn a_close_is_heard_again_whatever_it_came_to() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let path = format!("/v1/payments/{}/close", payment["id"].as_str().unwrap());
    let headers = [("idempotency-key", "k1")];
    world.fault_of(tongbao_simulator::FaultKind::NoAnswer);
    let close = async || world.send_json(Method::POST, &path, &headers, "{}").await;
    let first = close().await;
    assert_eq!(
        (first.status, &first.json()["state"]),
        (200, &json!("pending"))
    );
    world.pay(&payment, "alice");
    world.platform().clear_faults();
    world.pass(std::time::Duration::from_mins(2)).await;

    let again = close().await;
    assert_eq!(
        (again.status, &again.json()["state"]),
        (200, &json!("paid"))
    );
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    // Under no key it is a new request.
    assert_eq!(world.post(&path, &json!({})).await.status, 409);
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_is_refused() {
    let world = World::open().await;
    for key in ["", "two words", "ключ", &"k".repeat(256)] {
        let request = world
            .request(Method::POST, "/v1/payments")
            .header("content-type", "application/json")
            .header(
                "idempotency-key",
                http::HeaderValue::from_bytes(key.as_bytes()).unwrap(),
            );
        let request = request.body(Body::from(order("T1").to_string())).unwrap();
        let answer = world.send(request).await;
        assert_eq!(
            answer.problem(),
            refused(400, "invalid_idempotency_key", Some("Idempotency-Key"))
        );
    }
    assert_eq!(stored(&world).await, 0);
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_a_problem_too() {
    let world = World::open().await;
    let home = world.get("/").await;
    assert_eq!((home.status, home.header("location")), (303, Some("/docs")));
    for path in [
        "/v1",
        "/v2/payments",
        "/v1/payments/",
        "/notify",
        "/static/0/tokens.css",
        "/v1/statements",
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            answer.problem(),
            refused(404, "unknown_route", None),
            "{path}"
        );
    }
    for path in [
        "/v1/payments/pay_1",
        "/v1/payments/att_00000000000000000000000000",
        "/v1/channels/x",
    ] {
        assert_eq!(
            world.get(path).await.problem(),
            refused(404, "not_found", None),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = World::open().await;
    for (method, path, allowed) in [
        (Method::DELETE, "/v1/payments", &["GET", "POST"][..]),
        (Method::PUT, "/v1/payments/pay_1", &["GET"]),
        (Method::GET, "/v1/payments/pay_1/close", &["POST"]),
        (Method::GET, "/notify/chn_1", &["POST"]),
        (Method::POST, "/healthz", &["GET"]),
        (Method::TRACE, "/v1/events", &["GET"]),
    ] {
        let request = world
            .request(method.clone(), path)
            .body(Body::empty())
            .unwrap();
        let answer = world.send(request).await;
        assert_eq!(
            answer.problem(),
            refused(405, "method_not_allowed", None),
            "{method} {path}"
        );
        let header = answer.header("allow").unwrap();
        assert!(
            allowed.iter().all(|one| header.contains(one)),
            "{path}: {header}"
        );
    }
}

#[tokio::test]
async fn every_answer_bears_a_request_id() {
    let world = World::open().await;
    for path in [
        "/healthz",
        "/readyz",
        "/v1/payments",
        "/nowhere",
        "/docs",
        "/checkout/x",
    ] {
        let (one, other) = (world.get(path).await, world.get(path).await);
        assert!(one.header("x-request-id").unwrap().len() >= 20);
        assert_ne!(
            one.header("x-request-id"),
            other.header("x-request-id"),
            "{path}"
        );
        assert_eq!(one.header("x-content-type-options"), Some("nosniff"));
    }
    let named = world
        .request(Method::GET, "/nowhere")
        .header("x-request-id", "order-0001");
    let answer = world.send(named.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.json()["request_id"], "order-0001");
}

#[tokio::test]
async fn a_channel_never_shows_its_secrets() {
    let world = World::open().await;
    let key = tongbao_simulator::Account::ready_made().api_v2_key.0;
    let listed = world.get("/v1/channels").await;
    assert!(!listed.text.contains(&key));
    insta::assert_json_snapshot!("channels", listed.json());

    let path = format!("/v1/channels/{}", world.channel().await);
    let change = json!({"name": "renamed", "enabled": false, "settings": {"sign_type": "MD5"}});
    let changed = world
        .send_json(Method::PATCH, &path, &[], &change.to_string())
        .await;
    assert!(!changed.text.contains(&key));
    assert_eq!(changed.json()["name"], "renamed");
    assert_eq!(changed.json()["settings"]["sign_type"], "MD5");
    assert_eq!(world.get(&path).await.json(), changed.json());
}

#[tokio::test]
async fn a_channel_that_cannot_work_is_refused_by_the_settings_name() {
    let world = World::bare().await;
    let good = json!({"app_id": "wx7e57000000000001", "mch_id": "1900007357", "api_v2_key": "k"});
    for (body, field) in [
        (json!({"kind": "wechat_v9", "settings": {}}), "kind"),
        (json!({"kind": "wechat_v2", "settings": []}), "settings."),
        (
            json!({"kind": "wechat_v2", "settings": good}),
            "settings.api_v2_key",
        ),
        (
            json!({"kind": "wechat_v2", "settings": {"app_id": "wx1", "mch_id": "1"}}),
            "settings.api_v2_key",
        ),
        (
            json!({"kind": "wechat_v2", "settings": {"appid": "wx1"}}),
            "settings.appid",
        ),
        (
            json!({"kind": "wechat_v2", "settings": good, "confirm": "hope"}),
            "confirm",
        ),
    ] {
        let answer = world.post("/v1/channels", &body).await;
        assert_eq!(
            answer.problem(),
            refused(422, "invalid_field", Some(field)),
            "{body}"
        );
    }
    assert_eq!(world.get("/v1/channels").await.json()["data"], json!([]));
}

#[tokio::test]
async fn the_key_doctor_names_the_illness() {
    let world = World::open().await;
    let path = format!("/v1/channels/{}/check", world.channel().await);
    let healthy = world.post(&path, &json!({})).await.json();
    assert_eq!(
        (&healthy["healthy"], &healthy["code"]),
        (&json!(true), &json!("ok"))
    );

    let channel = path.strip_suffix("/check").unwrap();
    let change = json!({"settings": {"api_v2_key": "0123456789abcdef0123456789abcdeF"}});
    world
        .send_json(Method::PATCH, channel, &[], &change.to_string())
        .await;
    let ill = world.post(&path, &json!({})).await.json();
    assert_eq!(
        (&ill["healthy"], &ill["code"]),
        (&json!(false), &json!("bad_key"))
    );
}

#[tokio::test]
async fn a_payment_needs_a_channel_that_can_take_it() {
    let world = World::bare().await;
    let no_channel = refused(422, "no_channel", Some("channel"));
    assert_eq!(
        world.post("/v1/payments", &order("T1")).await.problem(),
        no_channel
    );
    world.add_channel().await;
    for attempt in [
        json!({"scene": "barcode", "auth_code": "284567890123456789"}),
        json!({"scene": "native", "channel": "alipay"}),
    ] {
        let answer = world.post("/v1/payments", &with("attempt", attempt)).await;
        assert_eq!(answer.problem(), no_channel);
    }
    assert_eq!(stored(&world).await, 0);
}

#[tokio::test]
async fn the_description_is_openapi_3_1_and_leads_to_what_is_there() {
    let world = World::open().await;
    let answer = world.get("/v1/openapi.json").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{id}", "pay_1");
            let answer = world
                .send(
                    Request::builder()
                        .method(&method)
                        .uri(&path)
                        .body(Body::empty())
                        .unwrap(),
                )
                .await;
            assert_eq!(
                answer.problem(),
                refused(401, "unauthorized", None),
                "{method} {path}"
            );
        }
    }
    insta::assert_json_snapshot!("openapi", document);
}
