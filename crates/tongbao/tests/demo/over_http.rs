//! The walk as programs make it, and what the demo will not do.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::program::{self, Demo};

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_order_is_billed_once_paid_and_told_and_is_still_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("demo");
    let demo = Demo::start_in(&data_dir).await;
    let buyer = Buyer::new(&demo);
    let no = buyer.number_of("teapot").await;
    let checkout = buyer.buy(&no, "teapot").await;
    assert_eq!(buyer.buy(&no, "teapot").await, checkout);
    assert_eq!(buyer.get(&checkout).await.status(), StatusCode::OK);

    buyer.pay(&no).await;
    buyer.wait_until_paid(&no).await;
    let (status, words) = demo.end().await;
    assert!(status.success(), "{words}");
    assert!(words.contains("1 payments, 1 paid"), "{words}");
    assert!(words.contains("Sound: everything adds up"), "{words}");

    let demo = Demo::start_in(&data_dir).await;
    let buyer = Buyer::new(&demo);
    assert!(buyer.order(&no).await.contains("data-standing=\"paid\""));
    let no = buyer.number_of("gaiwan").await;
    buyer.buy(&no, "gaiwan").await;
    buyer.pay(&no).await;
    buyer.wait_until_paid(&no).await;
    assert!(demo.stop().await.success());
}

#[tokio::test]
async fn the_printed_key_opens_the_api() {
    let demo = Demo::start().await;
    let order = r#"{"merchant_order_no": "A-1001", "amount": 1234, "subject": "龙井茶"}"#;
    let made = demo.ask("/v1/payments", order).await;
    assert_eq!(made["amount"], 1234);
    assert!(demo.stop().await.success());
}

#[tokio::test]
async fn a_real_gateways_data_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tongbao.db"), "").unwrap();
    let refused = program::command()
        .arg("--data-dir")
        .arg(dir.path())
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    assert!(told.contains("not a demo's"), "{told}");
}

#[tokio::test]
async fn the_shop_refuses_what_it_did_not_offer_and_forms_of_other_sites() {
    let demo = Demo::start().await;
    let buyer = Buyer::new(&demo);
    let orders = format!("{}/orders", demo.shop);
    for form in ["", "no=1&article=teapot", "no=TEA-000000000000&article=car"] {
        let refused = buyer.post(&orders, form.to_owned(), "same-origin").await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{form}");
    }
    let form = "no=TEA-000000000000&article=teapot".to_owned();
    let refused = buyer.post(&orders, form, "cross-site").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let unsigned = format!("{}/webhooks/tongbao", demo.shop);
    let refused = buyer.post(&unsigned, "{}".to_owned(), "none").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(demo.stop().await.success());
}

#[tokio::test]
async fn pages_that_listen_do_not_hold_up_the_end() {
    let demo = Demo::start().await;
    let buyer = Buyer::new(&demo);
    let no = buyer.number_of("longjing").await;
    let checkout = buyer.buy(&no, "longjing").await;
    let (checkout, _) = checkout.split_once('?').unwrap();
    let mut streams = Vec::new();
    for url in [
        format!("{checkout}/events"),
        format!("{}/orders/{no}/changes", demo.shop),
        format!("{}/_sim/events", demo.phone),
    ] {
        let stream = buyer.get(&url).await;
        assert_eq!(
            stream.headers()["content-type"],
            "text/event-stream",
            "{url}"
        );
        streams.push(stream);
    }
    let ended = timeout(Duration::from_secs(5), demo.stop()).await;
    assert!(ended.expect("it ends at once").success());
}

/// Somebody with a browser's manners and no eyes.
struct Buyer<'a> {
    demo: &'a Demo,
    http: Client,
}

impl<'a> Buyer<'a> {
    fn new(demo: &'a Demo) -> Self {
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(DEADLINE);
        Self {
            demo,
            http: http.build().unwrap(),
        }
    }

    async fn get(&self, url: &str) -> Response {
        self.http.get(url).send().await.unwrap()
    }

    async fn post(&self, url: &str, form: String, from: &str) -> Response {
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", from);
        request.body(form).send().await.unwrap()
    }

    /// The number in the article's form.
    async fn number_of(&self, article: &str) -> String {
        let page = self.get(&self.demo.shop).await.text().await.unwrap();
        let form = page
            .split("<form")
            .find(|form| form.contains(&format!("\"{article}\"")));
        let (_, rest) = form.unwrap().split_once("name=\"no\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Where the buy button leads.
    async fn buy(&self, no: &str, article: &str) -> String {
        let url = format!("{}/orders", self.demo.shop);
        let form = format!("no={no}&article={article}");
        let bought = self.post(&url, form, "same-origin").await;
        assert_eq!(bought.status(), StatusCode::SEE_OTHER);
        bought.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn order(&self, no: &str) -> String {
        let page = self.get(&format!("{}/orders/{no}", self.demo.shop)).await;
        page.text().await.unwrap()
    }

    /// Pays the code of the order's only trade from alice's wallet.
    async fn pay(&self, no: &str) {
        let page = self.order(no).await;
        let (_, rest) = page.split_once("/?code=").unwrap();
        let code = rest.split(['&', '"']).next().unwrap();
        let code: Vec<(String, String)> =
            serde_urlencoded::from_str(&format!("code={code}")).unwrap();
        let body = json!({ "code_url": code[0].1, "password": "123456" });
        let paid = self
            .http
            .post(format!("{}/_sim/wallets/alice/pay", self.demo.phone))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = paid.status();
        let answer: Value = serde_json::from_slice(&paid.bytes().await.unwrap()).unwrap();
        assert!(status.is_success(), "{answer}");
    }

    /// Listens to the order's changes, as its page does.
    async fn wait_until_paid(&self, no: &str) {
        let url = format!("{}/orders/{no}/changes", self.demo.shop);
        let mut changes = self.get(&url).await;
        let told = timeout(DEADLINE, async {
            while changes.chunk().await.unwrap().is_some() {
                if self.order(no).await.contains("data-standing=\"paid\"") {
                    return;
                }
            }
            panic!("the stream ended before the order was paid");
        });
        told.await.unwrap();
    }
}
