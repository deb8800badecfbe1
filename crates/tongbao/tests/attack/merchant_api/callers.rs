//! Who calls, and under which name for the request.

use serde_json::json;

use super::{Row, Sent, create, get};
use crate::gateway::API_KEY;

/// D7, D3: idempotency keys.
pub(super) fn keys() -> Vec<Row> {
    let with = |key: &str| {
        let mut sent = create(&json!({"merchant_order_no": "d7", "amount": 1, "subject": "tea"}));
        sent.headers.push(("idempotency-key", key.to_owned()));
        sent
    };
    let mut rows = Vec::new();
    for key in [
        "",
        " ",
        "a b",
        "钥匙",
        "a\tb",
        &"k".repeat(256),
        &"k".repeat(8_000),
    ] {
        rows.push(("D7", with(key), 400, "invalid_idempotency_key"));
    }
    rows.push(("D3", with("used"), 422, "idempotency_key_reused"));
    // A control that no header may have.
    rows.push(("K5", with("a\u{7f}"), 400, ""));
    let mut twice = with("first-key");
    twice
        .headers
        .push(("idempotency-key", "second-key".to_owned()));
    rows.push(("D7", twice, 400, "invalid_idempotency_key"));
    rows
}

/// D13, D18: nobody, and somebody else.
pub(super) fn callers() -> Vec<Row> {
    let mut rows = Vec::new();
    let long = format!("Bearer sk_{}", "a".repeat(300));
    for authorization in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer sk_",
        "Bearer null",
        "Bearer undefined",
        "Basic c2s6",
        "Basic OnNrXzAxMjM0NTY3ODlhYmNkZWZnaGprbW5wcXJzdHZ3eHl6",
        "Token sk_0123456789abcdefghjkmnpqrstvwxyz",
        "sk_0123456789abcdefghjkmnpqrstvwxyz",
        "Bearer  sk_0123456789abcdefghjkmnpqrstvwxyz",
        "Bearer sk_0123456789abcdefghjkmnpqrstvwxy",
        "Bearer sk_0123456789abcdefghjkmnpqrstvwxyz0",
        "Bearer SK_0123456789ABCDEFGHJKMNPQRSTVWXYZ",
        "Bearer sk_' OR '1'='1",
        "Bearer sk_%",
        "Bearer sk_0123456789abcdefghjkmnpqrstvwxyz, Bearer x",
        &long,
    ] {
        for (method, path) in [
            ("GET", "/v1/payments"),
            ("POST", "/v1/payments"),
            ("GET", "/v1/channels"),
        ] {
            let sent = Sent {
                method,
                path: path.to_owned(),
                headers: vec![
                    ("authorization", authorization.to_owned()),
                    ("content-type", "application/json".to_owned()),
                ],
                body: b"{}".to_vec(),
            };
            rows.push(("D18", sent, 401, "unauthorized"));
        }
    }
    let mut twice = get("/v1/payments");
    twice.headers.push(("authorization", "Bearer x".to_owned()));
    rows.push(("D18", twice, 401, "unauthorized"));
    for (name, value, path) in [
        ("x-api-key", API_KEY, "/v1/payments".to_owned()),
        ("cookie", API_KEY, "/v1/payments".to_owned()),
        ("x-merchant-id", "shop", "/v1/payments".to_owned()),
        ("accept", "*/*", format!("/v1/payments?api_key={API_KEY}")),
        (
            "accept",
            "*/*",
            format!("/v1/payments?access_token={API_KEY}"),
        ),
    ] {
        let sent = Sent {
            method: "GET",
            path,
            headers: vec![(name, value.to_owned())],
            body: Vec::new(),
        };
        rows.push(("D18", sent, 401, "unauthorized"));
    }
    rows
}
