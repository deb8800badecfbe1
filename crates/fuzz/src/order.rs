//! Orders: what `core` takes, the channel can send and the platform reads as it was meant. An
//! address on a page leads where it seems to lead.

use tongbao_channels::{Call, Stamp};
use tongbao_core::{Currency, Money, Order, Scene, Timestamp};
use tongbao_wire::wechat_v2::{Fields, SignType, limits, sign, unified_order};
use url::Url;

use crate::account;

/// Texts that somebody's reader takes for something else.
pub const WORDS: &[&str] = &[
    "{",
    "}",
    "\"",
    ":",
    ",",
    "null",
    "\"amount\":{\"minor\":1,\"currency\":\"CNY\"}",
    "\"USD\"",
    "10000000000",
    "10000000001",
    "-1",
    "0",
    "\"subject\":",
    "\"metadata\":{}",
    "\"store\":",
    "\"return_url\":",
    "\"merchant_order_no\":",
    "A-1001",
    "&",
    "=",
    "]]>",
    "<",
    "\\u0000",
    "\\u0085",
    "\\u200b",
    "\\u200f",
    "\\u2028",
    "\\u202e",
    "\\ufeff",
    "\\uffff",
    "\\ud83c\\udf75",
    "龙井茶",
    "https://",
    "http://",
    "//",
    "\\\\",
    "@",
    ":443",
    ":99999",
    "%2f",
    "[::1]",
    "127.1",
    "javascript:",
    "shop.example",
    "#",
    "?",
    "..",
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(order) = serde_json::from_slice::<Order>(input) else {
        return;
    };
    assert_eq!(order.difference(&order), None);
    if order.validate().is_err() {
        return;
    }
    assert!((1..=Money::MAX_FEN).contains(&order.amount.minor()));
    assert_eq!(order.amount.currency(), Currency::CNY);
    assert!(order.metadata.is_object());
    if let Some(url) = &order.return_url {
        leads_where_it_seems_to_lead(url);
    }
    can_be_sent(&order);
}

fn leads_where_it_seems_to_lead(text: &str) {
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert!(matches!(url.scheme(), "http" | "https"), "{text:?}");
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "{text:?}"
    );
    let seems = text.split("://").nth(1).unwrap_or_default();
    let seems = seems.split(['/', '?', '#']).next().unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let seems = seems.to_ascii_lowercase();
    let default = ["", ":80", ":443", ":"]
        .iter()
        .any(|port| seems == format!("{host}{port}"));
    let number = host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[');
    assert!(
        seems == format!("{host}{port}") || default || number,
        "{text:?} leads to {url}"
    );
}

fn can_be_sent(order: &Order) {
    let created_at = Timestamp::from_secs(1_795_233_600);
    let call = Call::Start(tongbao_channels::Order {
        out_trade_no: "01kb2v7q4w8z3n5m6r7t9x1c2d",
        amount: order.amount,
        subject: &order.subject,
        scene: Scene::Native,
        auth_code: None,
        payer: None,
        client_ip: None,
        created_at,
        expires_at: created_at + std::time::Duration::from_mins(30),
        notify_url: "https://pay.test/notify/chn_1",
        pages: tongbao_channels::Pages {
            site: "https://pay.test",
            back: "https://shop.test",
        },
        asked_at: created_at,
    });
    let stamp = Stamp {
        now: created_at,
        nonce: "0123456789abcdef0123456789abcdef".to_owned(),
    };
    let channel = account::channel(SignType::HmacSha256);
    let request = channel.encode(&call, &stamp).expect("core took it");
    let fields = Fields::read(request.body()).expect("what we write is read");
    assert_eq!(limits::check(&fields, limits::UNIFIED_ORDER), Ok(()));
    assert!(sign::is_unambiguous(&fields));
    let read = unified_order::Request::from_fields(&fields).expect("it keeps the limits");
    assert_eq!(read.body, order.subject);
    assert_eq!(i128::from(read.total_fee), i128::from(order.amount.minor()));
    // The same key signs both ways: our own order is no notification.
    let echoed = account::post("/notify", request.body().clone());
    assert!(channel.notification(&echoed, created_at).is_err());
}
