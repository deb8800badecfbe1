//! Bodies that are no order, or more than one.

use serde_json::json;

use super::{Row, create, order_with};

/// D8, A34, A35: bodies that are no order, or more than one.
pub(super) fn bodies() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, value) in [
        ("status", json!("paid")),
        ("state", json!("paid")),
        ("merchant_id", json!("mer_1")),
        ("merchant", json!("x")),
        ("id", json!("pay_1")),
        ("paid_at", json!("2026-01-01T00:00:00Z")),
        ("received", json!(1)),
        ("checkout_token", json!("x")),
        ("version", json!(7)),
        ("amount_refunded", json!(1)),
        ("__proto__", json!({})),
        ("Amount", json!(1)),
        ("amount ", json!(1)),
        ("", json!(1)),
    ] {
        rows.push(("D8", order_with(name, value), 422, "unknown_field"));
    }
    for (name, value) in [
        ("scene", json!("native")),
        ("state", json!("succeeded")),
        ("out_trade_no", json!("x")),
        ("transaction_id", json!("x")),
    ] {
        let mut attempt = json!({"scene": "native"});
        attempt[name] = value;
        if name != "scene" {
            rows.push(("D8", order_with("attempt", attempt), 422, "unknown_field"));
        }
    }
    for text in [
        "{\"merchant_order_no\":\"d\",\"amount\":1,\"amount\":100,\"subject\":\"tea\"}",
        "{\"merchant_order_no\":\"d\",\"merchant_order_no\":\"e\",\"amount\":1,\"subject\":\"tea\"}",
        "{\"merchant_order_no\":\"d\",\"amount\":1,\"\\u0061mount\":100,\"subject\":\"tea\"}",
        "{\"merchant_order_no\":\"d\",\"amount\":1,\"subject\":\"tea\",\"metadata\":{\"a\":1,\"a\":2}}",
        "{\"merchant_order_no\":\"d\",\"amount\":1,\"subject\":\"tea\",\"metadata\":{\"a\":[{\"b\":1,\"b\":2}]}}",
    ] {
        rows.push(("A34", create(&text), 422, "duplicate_field"));
    }
    for text in [
        "",
        " ",
        "{",
        "{\"merchant_order_no\":\"d\"",
        "{} {}",
        "{},",
        "nul",
        "{'a':1}",
        "{\"a\":1,}",
        "{a:1}",
        "// x\n{}",
        "\u{feff}{}",
        "{\"subject\":\"\\ud800\"}",
        "{\"subject\":\"\u{1}\"}",
        "undefined",
        "merchant_order_no=d&amount=1&subject=tea",
    ] {
        rows.push(("A35", create(&text), 400, "invalid_json"));
    }
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    rows.push(("A35", create(&deep), 400, "invalid_json"));
    let mut no_text = create("");
    no_text.body = b"{\"subject\":\"\xff\"}".to_vec();
    rows.push(("A35", no_text, 400, "invalid_json"));
    for text in ["null", "[]", "[{}]", "1", "\"{}\"", "true"] {
        rows.push(("A35", create(&text), 422, "invalid_field"));
    }
    rows.push(("A35", create("{}"), 422, "missing_field"));
    let order = r#"{"merchant_order_no":"d","amount":1,"subject":"tea"}"#;
    for kind in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=gbk",
        "application/problem+json",
        "application/jsonp",
        "*/*",
    ] {
        let mut sent = create(&order);
        kind.clone_into(&mut sent.headers[1].1);
        rows.push(("L3", sent, 415, "unsupported_media_type"));
    }
    for encoding in ["gzip", "deflate", "br", "identity"] {
        let mut sent = create(&order);
        sent.headers.push(("content-encoding", encoding.to_owned()));
        rows.push(("K4", sent, 415, "unsupported_media_type"));
    }
    let large = format!("{{\"subject\":\"{}\"}}", "x".repeat(70_000));
    rows.push(("K3", create(&large), 413, "body_too_large"));
    rows
}
