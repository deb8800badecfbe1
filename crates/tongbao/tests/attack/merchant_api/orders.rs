//! Orders that cannot be, and lists that there are not.

use serde_json::json;

use super::{Row, create, get, order_with};

/// D6, D11, D12: orders that cannot be.
pub(super) fn orders() -> Vec<Row> {
    let mut rows = vec![(
        "D6",
        create(&json!({"merchant_order_no": "taken", "amount": 1, "subject": "tea"})),
        409,
        "order_no_conflict",
    )];
    for number in [
        "",
        " ",
        "a b",
        "订单1",
        "A/1",
        "A@1",
        "Ａ1",
        "a\n",
        "a\0",
        "'; DROP TABLE payments; --",
        "../../etc",
        "<b>",
        "%00",
        "a&b=c",
        "$(id)",
        "a\u{200b}",
        &"n".repeat(65),
        &"n".repeat(5_000),
    ] {
        rows.push((
            "A33",
            order_with("merchant_order_no", json!(number)),
            422,
            "invalid_field",
        ));
    }
    for subject in [
        "",
        " ",
        " tea",
        "tea ",
        "a&b",
        "a=b",
        "tea\u{202e}1",
        "tea\u{2066}",
        "a\nb",
        "a\0b",
        "a\u{7f}",
        "a\u{85}",
        "\u{feff}\u{fffe}",
        &"茶".repeat(43),
        &"x".repeat(10_240),
    ] {
        rows.push((
            "D11",
            order_with("subject", json!(subject)),
            422,
            "invalid_field",
        ));
    }
    for url in [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "//evil.example",
        "/local",
        "evil.example",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://shop.example/",
        "https://good.example@evil.example/",
        "https://",
        "http:///x",
        "https://shop.example/\r\nset-cookie: a=b",
        "https://shop.example/ x",
        "https://shop.example/\"><script>",
        "https://shop.example\\@evil.example",
        "https://商店.example/",
        " https://shop.example/",
        "",
        &format!("https://shop.example/{}", "x".repeat(600)),
    ] {
        rows.push((
            "D12",
            order_with("return_url", json!(url)),
            422,
            "invalid_field",
        ));
    }
    rows.extend(other_fields());
    rows
}

fn other_fields() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, value) in [
        ("expires_in", json!(0)),
        ("expires_in", json!(-1)),
        ("expires_in", json!(59)),
        ("expires_in", json!(7_201)),
        ("expires_in", json!(i64::MAX)),
        ("expires_in", json!(60.5)),
        ("expires_in", json!("60")),
        ("metadata", json!("x")),
        ("metadata", json!([])),
        ("metadata", json!({"a": "x".repeat(5_000)})),
        ("store", json!("")),
        ("store", json!("x".repeat(65))),
        ("store", json!("sto_01kb2v7q4w8z3n5m6r7t9x1c2d")),
        ("store", json!("a\nb")),
        ("attempt", json!({"scene": "free"})),
        (
            "attempt",
            json!({"scene": "native", "client_ip": "localhost"}),
        ),
        ("attempt", json!("native")),
        ("attempt", json!({"scene": "barcode"})),
        ("attempt", json!({"scene": "barcode", "auth_code": 13})),
        (
            "attempt",
            json!({"scene": "native", "auth_code": "134567890123456789"}),
        ),
        ("attempt", json!({"scene": "jsapi"})),
        (
            "attempt",
            json!({"scene": "app", "payer": {"openid": "o1"}}),
        ),
        ("attempt", json!({"scene": "h5"})),
    ] {
        rows.push(("D11", order_with(name, value), 422, "invalid_field"));
    }
    rows.push((
        "D17",
        order_with("attempt", json!({"scene": "native", "channel": "nobody"})),
        422,
        "no_channel",
    ));
    rows.push((
        "D17",
        order_with(
            "attempt",
            json!({"scene": "barcode", "auth_code": "284567890123456789"}),
        ),
        422,
        "no_channel",
    ));
    rows
}

/// D14: lists.
pub(super) fn lists() -> Vec<Row> {
    let mut rows = Vec::new();
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=999999999999",
        "limit=abc",
        "limit=",
        "cursor=x",
        "cursor=",
        "cursor=pay_",
        "cursor=1%20OR%201%3D1",
        "state=gone",
        "state=paid'--",
        "from=yesterday",
        "to=2026-13-01T00:00:00Z",
        "from=1795190400",
    ] {
        rows.push((
            "D14",
            get(&format!("/v1/payments?{query}")),
            422,
            "invalid_field",
        ));
    }
    for query in [
        "sort=id;DROP",
        "order_by=amount",
        "merchant_id=mer_1",
        "limit%00=1",
        "Limit=1",
        "state[]=paid",
    ] {
        rows.push((
            "D14",
            get(&format!("/v1/payments?{query}")),
            422,
            "unknown_field",
        ));
    }
    rows.push((
        "D14",
        get("/v1/payments?limit=1&limit=2"),
        422,
        "duplicate_field",
    ));
    for list in ["events", "cases", "notifications"] {
        rows.push((
            "D14",
            get(&format!("/v1/{list}?limit=1000")),
            422,
            "invalid_field",
        ));
        rows.push((
            "D14",
            get(&format!("/v1/{list}?cursor=pay_01kb2v7q4w8z3n5m6r7t9x1c2d")),
            422,
            "invalid_field",
        ));
        rows.push((
            "D14",
            get(&format!("/v1/{list}?sort=x")),
            422,
            "unknown_field",
        ));
    }
    rows
}
