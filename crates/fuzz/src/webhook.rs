//! Webhooks as a shop checks them: the public library believes exactly what a second
//! implementation of HMAC believes.
//!
//! An input is the lines `webhook-id`, `webhook-timestamp` and `webhook-signature` (the values
//! alone), then the body. `%NOW%` stands for the time of the run.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderValue};
use standardwebhooks::Webhook;
use tongbao::seams::SystemClock;
use tongbao_engine::Clock;

/// Forms of a signature.
pub const WORDS: &[&str] = &[
    "%NOW%\n",
    "evt_1",
    "v1,",
    "v1a,",
    "v2,",
    " ",
    ",",
    "\n",
    "=",
    "AAAA",
    "v1",
    "+0",
    "-1",
    "0",
    "9223372036854775807",
    "{}",
    "{\"type\":\"payment.paid\"}",
    "é",
];

const SECRET: &[u8; 24] = b"a secret of 24 bytes....";

/// See the module.
pub fn run(input: &[u8]) {
    let now = SystemClock.now().as_secs();
    let text = String::from_utf8_lossy(input).replace("%NOW%", &now.to_string());
    let mut lines = text.splitn(4, '\n');
    let (Some(id), Some(timestamp), Some(signature)) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let body = lines.next().unwrap_or_default();
    // The library subtracts before it looks: times at the end of time overflow there.
    if timestamp
        .parse::<i64>()
        .is_ok_and(|secs| secs.unsigned_abs() > 1 << 60)
    {
        return;
    }
    let genuine = by_hand(id, timestamp, body);
    believed(id, timestamp, signature, body, now);
    believed(id, timestamp, &genuine, body, now);
    for forged in [
        "v1,".to_owned(),
        genuine[..genuine.len() - 1].to_owned(),
        format!("{genuine}="),
    ] {
        assert!(!believed(id, timestamp, &forged, body, now), "{forged}");
    }
}

fn believed(id: &str, timestamp: &str, signature: &str, body: &str, now: i64) -> bool {
    let mut headers = HeaderMap::new();
    for (name, text) in [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signature),
    ] {
        let Ok(value) = HeaderValue::from_str(text) else {
            return false;
        };
        headers.insert(name, value);
    }
    let webhook = Webhook::from_bytes(SECRET.to_vec()).expect("any bytes are a secret");
    let believed = webhook.verify(body.as_bytes(), &headers).is_ok();
    let Ok(secs) = timestamp.parse::<i64>() else {
        assert!(!believed);
        return false;
    };
    let one_of_them = signature
        .split(' ')
        .any(|one| one == by_hand(id, &secs.to_string(), body));
    if believed {
        assert!(
            one_of_them && secs.abs_diff(now) < 310,
            "{timestamp} {signature}"
        );
    } else {
        let printable = [id, signature]
            .iter()
            .all(|text| text.bytes().all(|b| (32..127).contains(&b) || b == b'\t'));
        assert!(
            !one_of_them || !printable || secs.abs_diff(now) > 290,
            "{timestamp} {signature}"
        );
    }
    believed
}

fn by_hand(id: &str, timestamp: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(tag))
}
