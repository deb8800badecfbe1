//! Amounts that are none.

use serde_json::json;

use super::{Row, create, order_with};

/// C3, C4, C10: amounts that are none.
pub(super) fn amounts() -> Vec<Row> {
    let mut rows = Vec::new();
    for text in [
        "0",
        "-1",
        "10000000001",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
        "1.5",
        "1.0",
        "1e2",
        "-0",
        "\"100\"",
        "\"\"",
        "\"1.00\"",
        "null",
        "true",
        "[]",
        "[100]",
        "{}",
        "{\"fen\":100}",
        "99999999999999999999999999999999999999999",
    ] {
        let body = format!("{{\"merchant_order_no\":\"c\",\"subject\":\"tea\",\"amount\":{text}}}");
        rows.push(("C4", create(&body), 422, "invalid_field"));
    }
    for text in [
        "+1", "01", ".5", "1.", "1,000", "0x10", "１", "NaN", "Infinity", "1_000", "1e999",
    ] {
        let body = format!("{{\"merchant_order_no\":\"c\",\"subject\":\"tea\",\"amount\":{text}}}");
        rows.push(("C3", create(&body), 400, "invalid_json"));
    }
    for currency in [
        json!("USD"),
        json!("cny"),
        json!(""),
        json!("CNYY"),
        json!(156),
        json!(["CNY"]),
    ] {
        rows.push((
            "C10",
            order_with("currency", currency),
            422,
            "invalid_field",
        ));
    }
    rows
}
