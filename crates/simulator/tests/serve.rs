//! Over real sockets: broken connections, notifications that arrive, a snapshot that stays.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::routing::post;
use common::{HEARD, Merchant, read};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tongbao_simulator::Platform;
use tongbao_simulator::server::{Simulator, serve, system_clock};

struct Server {
    base: String,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(simulator: Simulator) -> Self {
        let (listener, address) = listen().await;
        let (stop, stopped) = oneshot::channel();
        let running = spawn(serve(listener, simulator, async {
            let _ = stopped.await;
        }));
        Self {
            base: format!("http://{address}"),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            stop,
            running,
        }
    }

    async fn order(&self, notify_url: &str) -> reqwest::Result<String> {
        let mut order = Merchant::order("T00001", 888);
        order.insert("notify_url", notify_url.to_owned());
        let response = self
            .client
            .post(format!("{}/pay/unifiedorder", self.base))
            .body(Merchant::ready_made().sign(&order))
            .send()
            .await?;
        Ok(read(&response.bytes().await?)
            .get("code_url")
            .unwrap()
            .to_owned())
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.base);
        let response = self.client.get(url).send().await.unwrap();
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> u16 {
        let response = self
            .client
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        response.status().as_u16()
    }

    /// The one notification, once its first try has ended so.
    async fn until_first_try_is(&self, verdict: &str) -> Value {
        let url = format!("{}/_sim/events", self.base);
        let mut events = self.client.get(url).send().await.unwrap();
        loop {
            let notifications = self.get("/_sim/notifications").await;
            if notifications[0]["tries"][0]["verdict"] == verdict {
                return notifications[0].clone();
            }
            events.chunk().await.unwrap();
        }
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }
}

/// A shop that says "heard", and hands on what it was told.
async fn shop() -> (String, mpsc::UnboundedReceiver<String>) {
    let (listener, address) = listen().await;
    let (heard, told) = mpsc::unbounded_channel();
    let hear = move |body: String| {
        let heard = heard.clone();
        async move {
            heard.send(body).unwrap();
            HEARD
        }
    };
    let router = Router::new().route("/notify", post(hear));
    spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://{address}/notify"), told)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    #[expect(clippy::disallowed_methods, reason = "a test is a program")]
    tokio::spawn(future)
}

fn in_memory() -> Simulator {
    Simulator::new(Platform::new(7), system_clock)
}

#[tokio::test]
async fn a_payment_is_told_to_the_merchants_server() {
    let (server, (notify_url, mut told)) = (Server::start(in_memory()).await, shop().await);
    let code_url = server.order(&notify_url).await.unwrap();
    let paid = server
        .post("/_sim/wallets/alice/pay", &json!({"code_url": code_url}))
        .await;
    assert_eq!(paid, 200);

    let notice = read(told.recv().await.unwrap().as_bytes());
    assert_eq!(notice.get("out_trade_no"), Some("T00001"));
    let notification = server.until_first_try_is("accepted").await;
    assert_eq!(notification["tries"][0]["status"], 200);
    assert_eq!(notification["state"], "accepted");
    server.end().await;
}

#[tokio::test]
async fn a_merchant_that_is_not_there_is_told_again_later() {
    let server = Server::start(in_memory()).await;
    let (listener, address) = listen().await;
    drop(listener);
    let code_url = server.order(&format!("http://{address}/")).await.unwrap();
    server
        .post("/_sim/wallets/alice/pay", &json!({"code_url": code_url}))
        .await;

    let notification = server.until_first_try_is("no_answer").await;
    assert_eq!(notification["state"], "waiting");
    let reason = &notification["tries"][0]["reason"];
    assert!(reason.as_str().unwrap().contains("refused"), "{reason}");
    server.end().await;
}

#[tokio::test]
async fn a_lost_answer_is_a_connection_that_breaks() {
    let server = Server::start(in_memory()).await;
    server
        .post("/_sim/faults", &json!({"kind": "no_answer", "times": 1}))
        .await;

    let lost = server.order(common::NOTIFY_URL).await;
    assert!(lost.is_err());
    assert_eq!(server.get("/_sim/trades/T00001").await["state"], "NOTPAY");
    assert!(server.order(common::NOTIFY_URL).await.is_ok());
    server.end().await;
}

#[tokio::test]
async fn a_snapshot_outlives_the_program() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = directory.join("a_snapshot_outlives_the_program.json");
    let _ = std::fs::remove_file(&path);
    let open = || Simulator::open(&path, 7, system_clock).unwrap();

    let server = Server::start(open()).await;
    server.order(common::NOTIFY_URL).await.unwrap();
    server.end().await;
    let server = Server::start(open()).await;
    assert_eq!(server.get("/_sim/trades/T00001").await["state"], "NOTPAY");
    server.end().await;

    std::fs::write(&path, "{}").unwrap();
    let refused = Simulator::open(&path, 7, system_clock).err().unwrap();
    assert!(refused.to_string().contains("move it away"), "{refused}");
}
