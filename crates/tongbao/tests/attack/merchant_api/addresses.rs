//! Addresses that are nobody's, and methods that are not there.

use super::{Row, get, post};
use crate::world::Placed;

/// D13, K5, K8: names that are nobody's, and methods that are not there.
pub(super) fn names(order: &Placed) -> Vec<Row> {
    let mut rows = Vec::new();
    let real = &order.id;
    for id in [
        "x",
        "pay_",
        "pay_1",
        "pay_01kb2v7q4w8z3n5m6r7t9x1c2d",
        "%20",
        "..",
        "%2e%2e",
        "%00",
        "pay_%00",
        &real.to_uppercase(),
        &format!("{real}%20"),
        &format!("{real}%0a"),
        &real.replace("pay_", "att_"),
        &real.replace("pay_", ""),
        "*",
        "%25",
        "'%20OR%20'1'%3D'1",
        &"x".repeat(4_000),
    ] {
        rows.push(("D13", get(&format!("/v1/payments/{id}")), 404, "not_found"));
        rows.push((
            "D13",
            post(&format!("/v1/payments/{id}/close")),
            404,
            "not_found",
        ));
    }
    for path in [
        "/v1",
        "/v1/",
        "/v1/payments/",
        "/v2/payments",
        "/V1/payments",
        "//v1/payments",
        "/v1//payments",
        "/admin",
        "/.git/config",
        "/.env",
        "/v1/payments/../channels",
        "/v1/%70ayments",
        "/static/../tongbao.db",
        "/static/x/..%2f..%2ftongbao.db",
        "/actuator/health",
        "/debug/pprof",
        "/v1/keys",
        "/v1/merchants",
    ] {
        rows.push(("K5", get(path), 404, "unknown_route"));
    }
    let notify = &order.notify;
    for (method, path) in [
        ("PUT", "/v1/payments"),
        ("DELETE", "/v1/payments"),
        ("PATCH", &*format!("/v1/payments/{real}")),
        ("DELETE", &*format!("/v1/payments/{real}")),
        ("GET", &*format!("/v1/payments/{real}/close")),
        ("TRACE", "/v1/payments"),
        ("OPTIONS", "/v1/payments"),
        ("CONNECT", "/v1/payments"),
        ("HACK", "/v1/payments"),
        ("GET", notify),
        ("PUT", notify),
        ("DELETE", notify),
        ("OPTIONS", notify),
        ("TRACE", notify),
        ("POST", "/healthz"),
        ("POST", "/metrics"),
        ("DELETE", "/docs"),
    ] {
        let mut sent = get(path);
        sent.method = match method {
            "GET" => "GET",
            "PUT" => "PUT",
            "DELETE" => "DELETE",
            "PATCH" => "PATCH",
            "TRACE" => "TRACE",
            "OPTIONS" => "OPTIONS",
            "CONNECT" => "CONNECT",
            "POST" => "POST",
            _ => "HACK",
        };
        rows.push(("K8", sent, 405, "method_not_allowed"));
    }
    for channel in [
        "x",
        "chn_1",
        "chn_01kb2v7q4w8z3n5m6r7t9x1c2d",
        "..%2f",
        "%00",
        &notify["/notify/".len()..].to_uppercase(),
    ] {
        let mut sent = post(&format!("/notify/{channel}"));
        sent.body = b"<xml></xml>".to_vec();
        rows.push(("A30", sent, 404, "not_found"));
    }
    rows
}

/// L3, L6: the checkout page is reached by a token that nobody can guess, and
/// takes forms of its own only.
pub(super) fn pages(token: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for guess in [
        "x",
        "0",
        "null",
        &token[1..],
        &format!("{token}0"),
        &token.to_uppercase(),
        "..",
        "%00",
        &"x".repeat(3_000),
    ] {
        let status = format!("/checkout/{guess}/status");
        rows.push(("L6", get(&status), 404, "not_found"));
    }
    for site in ["cross-site", "same-site", ""] {
        let mut sent = post(&format!("/checkout/{token}/attempts"));
        sent.headers = vec![
            ("sec-fetch-site", site.to_owned()),
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ];
        sent.body = b"channel=signature".to_vec();
        rows.push(("L3", sent, 403, "cross_site"));
    }
    rows
}
