//! What is refused when it is entered.

use serde_json::json;

use super::{Row, post_json};

/// A1, A2, G4: settings and addresses that are refused when they are entered.
pub(super) fn settings() -> Vec<Row> {
    let mut rows = Vec::new();
    for key in [
        "",
        " ",
        &" ".repeat(32),
        &"0".repeat(32),
        "short",
        "TongbaoSimulatorTestKey000000001 ",
        "TongbaoSimulatorTestKey00000000\n",
        "192006250b4c09247ec02edce69f6a2d",
        "钥匙钥匙钥匙钥匙钥匙钥匙钥匙钥匙",
        &"k".repeat(33),
        &"k".repeat(64),
    ] {
        let body = json!({
            "kind": "wechat_v2", "name": "a1",
            "settings": {"app_id": "wx7e57000000000001", "mch_id": "1900007357", "api_v2_key": key},
        });
        rows.push(("A1", post_json("/v1/channels", &body), 422, "invalid_field"));
    }
    for (name, value) in [
        ("app_id", ""),
        ("mch_id", "1 OR 1"),
        ("sign_type", "none"),
        ("sign_type", "RSA"),
    ] {
        let mut settings = json!({"app_id": "wx7e57000000000001", "mch_id": "1900007357", "api_v2_key": "TongbaoSimulatorTestKey000000009"});
        settings[name] = json!(value);
        let body = json!({"kind": "wechat_v2", "name": "a7", "settings": settings});
        rows.push(("A7", post_json("/v1/channels", &body), 422, "invalid_field"));
    }
    for url in [
        "",
        "shop.example",
        "/hook",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "javascript:alert(1)",
        "https://user@shop.example/",
        "https://user:pass@shop.example/",
        "https://",
        "https://shop.example/a b",
        "https://shop.example/\r\nx: y",
        &format!("https://shop.example/{}", "x".repeat(3_000)),
    ] {
        rows.push((
            "G4",
            post_json("/v1/webhook_endpoints", &json!({"url": url})),
            422,
            "invalid_field",
        ));
    }
    rows.push((
        "G4",
        post_json(
            "/v1/webhook_endpoints",
            &json!({"url": "https://shop.example/", "event_types": ["payment.stolen"]}),
        ),
        422,
        "invalid_field",
    ));
    rows.push((
        "D8",
        post_json(
            "/v1/webhook_endpoints",
            &json!({"url": "https://shop.example/", "secret": "x"}),
        ),
        422,
        "unknown_field",
    ));
    rows
}
