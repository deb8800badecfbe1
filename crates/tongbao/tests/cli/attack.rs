//! `tongbao attack`: against this gateway, against one that believes
//! everything, and against what it must leave alone.

use std::net::TcpListener;

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};

use crate::program::{API_KEY, Home, Said, shop};

const KEY: &str = "TongbaoSimulatorTestKey000000001";

fn attack(url: &str, order: &str, more: &[&str]) -> Said {
    let account = [
        "--app-id",
        "wx7e57000000000001",
        "--mch-id",
        "1900007357",
        "--key",
        KEY,
        "--per-second",
        "1000",
        "--amount-fen",
        "888",
        "--order-no",
        order,
    ];
    Home::new("").run(&[&["attack", url], &account[..], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn this_gateway_believes_nothing() {
    let simulator = Home::new("").simulate();
    let home = Home::new(&shop(&simulator).await);
    let gateway = home.serve();
    let client = reqwest::Client::new();
    let order = json!({
        "merchant_order_no": "T1",
        "amount": 888,
        "subject": "tea",
        "attempt": {"scene": "native"},
    });
    let request = client
        .post(format!("{}/v1/payments", gateway.url))
        .bearer_auth(API_KEY);
    let answer = request
        .header("content-type", "application/json")
        .body(order.to_string());
    let payment: Value =
        serde_json::from_slice(&answer.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let number = payment["attempts"][0]["out_trade_no"].as_str().unwrap();
    let request = client
        .get(format!("{}/v1/channels", gateway.url))
        .bearer_auth(API_KEY);
    let channels: Value =
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let url = channels["data"][0]["notify_url"].as_str().unwrap();
    // `public_url` is not set, and the port is any that was free.
    let url = format!("{}{}", gateway.url, &url[url.find("/notify/").unwrap()..]);

    let said = attack(&url, number, &["--json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["believed"], json!([]));
    assert!(report["sent"].as_u64().unwrap() > 800, "{report}");
    assert_eq!(report["sent"], report["messages"]);

    let said = attack(&url, number, &["--only", "B5", "--leaked-key"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("B5-1"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_believes_everything_is_found_out() {
    let success = || async { "<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>" };
    let router = Router::new().route("/notify", post(success));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "a gateway beside the test")]
    tokio::spawn(async { axum::serve(listener, router).await });

    let said = attack(&url, "T20260101000001", &["--only", "A1", "--only", "A8-3"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    for words in [
        "BELIEVED  A1-1 ",
        "BELIEVED  A8-3 ",
        "T20260101000001 must still be unpaid",
    ] {
        assert!(said.out.contains(words), "{}", said.out);
    }
}

#[test]
fn what_is_not_there_or_not_the_callers_is_not_attacked() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let public = attack("http://192.0.2.1/notify", "T20260101000001", &[]);
    assert_eq!(public.code, 2);
    assert!(
        public.err.contains("--i-own-this-gateway"),
        "{}",
        public.err
    );
    let nobody = attack(&format!("http://{closed}/notify"), "T20260101000001", &[]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("does not answer"), "{}", nobody.err);
    let listed = attack("http://192.0.2.1/notify", "T20260101000001", &["--list"]);
    assert_eq!(listed.code, 0);
    assert!(listed.out.lines().count() > 800);
}
