//! The merchant's shop: orders, and asks again until it has an answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::join;
use http::Method;
use serde_json::{Value, json};
use tongbao_simulator::Target;
use tongbao_simulator::server::Simulator;

use crate::chance::Chance;
use crate::gateway::API_KEY;
use crate::pause;

/// Alice's, in the simulator's books.
const PASSWORD: &str = "123456";

/// No answer in this time, over all restarts and stops, is a broken promise.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the merchant has been promised.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// What was asked for.
    pub(crate) body: Value,
    /// The payment that was answered.
    pub(crate) id: String,
}

pub(crate) struct Merchant {
    client: reqwest::Client,
    gateway: SocketAddr,
    simulator: Simulator,
    closing_time: AtomicBool,
    /// By the merchant's order number.
    pub(crate) orders: Mutex<BTreeMap<String, Order>>,
    /// Payment ids by the number that the platform knows them by.
    pub(crate) numbers: Mutex<BTreeMap<String, String>>,
}

impl Merchant {
    pub(crate) fn new(gateway: SocketAddr, simulator: Simulator) -> Self {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(15))
            .build()
            .expect("a client without TLS");
        Self {
            client,
            gateway,
            simulator,
            closing_time: AtomicBool::new(false),
            orders: Mutex::default(),
            numbers: Mutex::default(),
        }
    }

    /// Whoever is at the counter is still served.
    pub(crate) fn close_the_shop(&self) {
        self.closing_time.store(true, Ordering::Relaxed);
    }

    /// One customer after the other.
    pub(crate) async fn serve(self: Arc<Self>, counter: u64, mut chance: Chance) {
        for customer in 0_u64.. {
            if self.closing_time.load(Ordering::Relaxed) {
                return;
            }
            let number = format!("c{counter}-{customer}");
            self.customer(number, &mut chance).await;
        }
    }

    async fn customer(&self, number: String, chance: &mut Chance) {
        let attempt = json!({
            "scene": "native",
            "channel": chance.choose(&["signature", "query"]),
        });
        let mut body = json!({
            "merchant_order_no": number,
            "amount": 1 + chance.below(100),
            "subject": "豆浆",
        });
        if chance.one_in(5) {
            body["expires_in"] = json!(60);
        }
        let in_one_call = chance.one_in(2);
        if in_one_call {
            body["attempt"] = attempt.clone();
        }
        let key = chance.one_in(2).then(|| format!("key-{number}"));
        let (status, payment) = self.post("/v1/payments", &body, key.as_deref()).await;
        assert!([200, 201].contains(&status), "{status} {payment}");
        let id = payment["id"].as_str().expect("an id").to_owned();
        let order = Order {
            body,
            id: id.clone(),
        };
        self.orders
            .lock()
            .expect("nobody panicked")
            .insert(number, order.clone());
        if !in_one_call {
            let path = format!("/v1/payments/{id}/attempts");
            let (status, answer) = self.post(&path, &attempt, None).await;
            assert!([200, 201, 409].contains(&status), "{status} {answer}");
        }
        let close = format!("/v1/payments/{id}/close");
        pause(chance.millis(100)).await;
        let choice = chance.below(10);
        // A channel that does not answer leaves the customer without a code.
        match (choice, self.code(&id).await) {
            (0, _) => {}
            (1, _) | (_, None) => {
                self.post(&close, &Value::Null, None).await;
            }
            (2, Some(code)) => {
                let pay = async {
                    pause(chance.millis(5)).await;
                    self.pay(&code);
                };
                let close = self.post(&close, &Value::Null, None);
                let ((), (status, answer)) = join!(pay, close);
                assert!([200, 409].contains(&status), "{status} {answer}");
            }
            (_, Some(code)) => self.pay(&code),
        }
        if chance.one_in(4) {
            self.ask_again(&order).await;
        }
    }

    /// The same order once more gives the same payment.
    pub(crate) async fn ask_again(&self, order: &Order) {
        let (status, payment) = self.post("/v1/payments", &order.body, None).await;
        assert_eq!(status, 200, "{payment}");
        assert_eq!(payment["id"], order.id, "one order, two payments");
    }

    /// The QR code's text, as soon as there is one.
    async fn code(&self, id: &str) -> Option<String> {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(10) {
            let (_, payment) = self.get(&format!("/v1/payments/{id}")).await;
            for attempt in payment["attempts"].as_array().into_iter().flatten() {
                let number = attempt["out_trade_no"].as_str().expect("a number");
                self.numbers
                    .lock()
                    .expect("nobody panicked")
                    .insert(number.to_owned(), id.to_owned());
                if let Some(code) = attempt["action"]["code_url"].as_str() {
                    return Some(code.to_owned());
                }
            }
            if ["paid", "closed"].contains(&payment["state"].as_str().unwrap_or_default()) {
                return None;
            }
            pause(Duration::from_millis(100)).await;
        }
        None
    }

    /// The customer pays; the wallet refuses what is closed or too late.
    fn pay(&self, code: &str) {
        let target = Target::CodeUrl(code.to_owned());
        let _ = self
            .simulator
            .act(|platform, now| platform.pay(now, "alice", &target, Some(PASSWORD)));
    }

    pub(crate) async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> (u16, Value) {
        self.until_answered(Method::POST, path, body, key).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.until_answered(Method::GET, path, &Value::Null, None)
            .await
    }

    /// The payment, if the gateway is there to be asked.
    pub(crate) async fn look(&self, id: &str) -> Option<Value> {
        let path = format!("/v1/payments/{id}");
        let (status, payment) = self.once(&Method::GET, &path, &Value::Null, None).await?;
        (status == 200).then_some(payment)
    }

    /// Every row of a list.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let (status, page) = self.get(&format!("{path}{joint}limit=100{cursor}")).await;
            assert_eq!(status, 200, "{page}");
            rows.extend(page["data"].as_array().expect("rows").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// The same request again and again, as everybody does whose connection
    /// breaks: whether it was done the first time, nobody can know.
    async fn until_answered(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> (u16, Value) {
        let since = Instant::now();
        loop {
            if let Some((status, answer)) = self.once(&method, path, body, key).await
                && status < 500
            {
                return (status, answer);
            }
            assert!(
                since.elapsed() < PATIENCE,
                "no answer to {method} {path} {body}"
            );
            pause(Duration::from_millis(20)).await;
        }
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Option<(u16, Value)> {
        let url = format!("http://{}{path}", self.gateway);
        let mut request = self
            .client
            .request(method.clone(), url)
            .bearer_auth(API_KEY);
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        // A connection that breaks in the middle of an answer is no answer.
        let body = answer.bytes().await.ok()?;
        let value = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body)));
        Some((status, value))
    }
}
