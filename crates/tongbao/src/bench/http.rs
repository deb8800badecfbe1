//! Requests as bytes, written once before anything is measured.

/// One request of a kept connection.
pub(super) fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut lines = vec![
        format!("{method} {target} HTTP/1.1"),
        "Host: bench".to_owned(),
    ];
    lines.extend(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    if !body.is_empty() {
        lines.push(format!("Content-Length: {}", body.len()));
    }
    let head = lines.join("\r\n") + "\r\n\r\n";
    [head.as_bytes(), body].concat()
}

/// The text of the first field of this name in compact JSON. Enough for the
/// answers of our own server, and free of cost while somebody is measured.
pub(super) fn text_field<'a>(json: &'a [u8], name: &str) -> Option<&'a str> {
    let json = std::str::from_utf8(json).ok()?;
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    let (text, _) = rest.split_once('"')?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_how_long_its_body_is() {
        let bytes = request("POST", "/x", &[("A", "b")], b"{}");
        let text = "POST /x HTTP/1.1\r\nHost: bench\r\nA: b\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(bytes, text.as_bytes());
    }

    #[test]
    fn a_field_is_found_among_others() {
        let json = br#"{"id":"pay_1","attempts":[{"id":"att_1","out_trade_no":"01x"}]}"#;
        assert_eq!(text_field(json, "out_trade_no"), Some("01x"));
        assert_eq!(text_field(json, "id"), Some("pay_1"));
        assert_eq!(text_field(json, "state"), None);
    }
}
