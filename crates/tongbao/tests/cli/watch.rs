//! `tongbao watch`, with the gateway and the platforms beside it.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::program::{API_KEY, Home, Running, shop};

fn watch(home: &Home, gateway: &str, more: &[&str]) -> Running {
    let mut args = vec!["watch", "--gateway", gateway];
    args.extend(more);
    let mut command = home.command(&args);
    command.env("TONGBAO_API_KEY", API_KEY);
    Running::start(command)
}

async fn post(url: &str, body: Value) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(url)
        .bearer_auth(API_KEY)
        .header("content-type", "application/json");
    let response = request.body(body.to_string()).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert!(status.is_success(), "{status} {text}");
    serde_json::from_str(&text).unwrap()
}

async fn order(gateway: &str, number: &str) -> Value {
    let new = json!({
        "merchant_order_no": number, "amount": 1234, "subject": "豆浆",
        "attempt": {"scene": "native"},
    });
    post(&format!("{gateway}/v1/payments"), new).await
}

async fn pay(simulator: &str, payment: &Value) {
    let code = &payment["attempts"][0]["action"]["code_url"];
    let pays = json!({"code_url": code, "password": "123456"});
    post(&format!("{simulator}/_sim/wallets/alice/pay"), pays).await;
}

#[tokio::test]
async fn what_happens_is_told_line_by_line_and_goes_on_after_a_restart() {
    let home = Home::new("");
    let simulator = home.simulate();
    let shop = shop(&simulator).await;
    // The address stays when the gateway comes back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    home.configure_at(&address.to_string(), &shop);
    let gateway = home.serve();
    let before = order(&gateway.url, "T0").await;

    let mut watching = watch(&home, &gateway.url, &[]);
    watching.logs("watching");
    let payment = order(&gateway.url, "T1").await;
    watching.says("T1  created ¥12.34 豆浆");
    watching.says("T1  attempt native");
    watching.says("T1  native answer: accepted");
    pay(&simulator.url, &payment).await;
    watching.says("T1  native query: success ¥12.34 → paid");
    watching.says("T1  payment.paid evt_");

    gateway.stop();
    watching.logs("connection lost");
    let gateway = home.serve();
    watching.logs("connected again");
    pay(&simulator.url, &before).await;
    watching.says("T0  native query: success ¥12.34 → paid");

    watching.signal(Signal::INT);
    let (status, _, err) = watching.ended();
    assert_eq!(status.code(), Some(0), "{err}");
    drop(gateway);
}

#[tokio::test]
async fn one_payment_is_followed_from_its_beginning_in_json() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    let gateway = home.serve();
    let (payment, other) = (
        order(&gateway.url, "T1").await,
        order(&gateway.url, "T2").await,
    );
    let id = payment["id"].as_str().unwrap();
    let mut watching = watch(&home, &gateway.url, &["--json", "--payment", id]);
    pay(&simulator.url, &other).await;
    pay(&simulator.url, &payment).await;
    let mut told = Vec::new();
    loop {
        let line: Value = serde_json::from_str(&watching.says("{")).unwrap();
        assert_eq!(line["payment"], id, "{line}");
        assert_eq!(line["merchant_order_no"], "T1");
        told.push(line["what"].as_str().unwrap_or_default().to_owned());
        if line["type"] == "event" {
            assert_eq!(line["event"], "payment.paid");
            break;
        }
    }
    assert_eq!(told[..2], ["created", "attempt_started"]);
    watching.signal(Signal::INT);
    assert_eq!(watching.ended().0.code(), Some(0));
}

#[tokio::test]
async fn a_gateway_that_says_no_or_nothing_ends_it() {
    let home = Home::new("");
    let gateway = home.serve();
    let (status, _, err) = watch(&home, &gateway.url, &[]).ended();
    assert_eq!(status.code(), Some(2), "{err}");
    assert!(err.contains("unauthorized"), "{err}");
    let url = gateway.url.clone();
    gateway.stop();
    let (status, _, err) = watch(&home, &url, &[]).ended();
    assert_eq!(status.code(), Some(2), "{err}");
    assert!(err.contains("does not answer"), "{err}");
    let (status, _, err) = watch(&home, &url, &["--payment", "../secrets"]).ended();
    assert_eq!(status.code(), Some(2), "{err}");
}
