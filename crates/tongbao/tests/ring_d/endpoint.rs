//! The merchant's own server: hears the webhooks, and is not always well.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::merchant::Merchant;

/// So often one event finds it unwell at most: after a fourth failure the
/// gateway waits for minutes.
const ITS_WORST: usize = 2;

/// Everything that was told under one id.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) kind: String,
    /// The payment, or the case.
    pub(crate) subject: String,
    pub(crate) body: Vec<u8>,
    pub(crate) times: usize,
    /// Answered with a 2xx at least once.
    pub(crate) heard: bool,
}

pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    merchant: Arc<Merchant>,
    secret: OnceLock<Webhook>,
    any_time: AtomicBool,
    chance: Mutex<Chance>,
    /// By webhook id.
    told: Mutex<BTreeMap<String, Told>>,
    /// How often "paid" was held against the API in the moment it was told.
    pub(crate) asked_back: Mutex<usize>,
}

impl Endpoint {
    pub(crate) async fn bind(merchant: Arc<Merchant>, chance: Chance) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        Self {
            address: listener.local_addr().expect("it is bound"),
            listener,
            merchant,
            secret: OnceLock::new(),
            any_time: AtomicBool::new(false),
            chance: Mutex::new(chance),
            told: Mutex::default(),
            asked_back: Mutex::default(),
        }
    }

    /// Subscribes to everything.
    pub(crate) async fn subscribe(&self) {
        let body = serde_json::json!({"url": format!("http://{}/webhooks", self.address)});
        let (status, endpoint) = self
            .merchant
            .post("/v1/webhook_endpoints", &body, Some("endpoint"))
            .await;
        assert_eq!(status, 201, "{endpoint}");
        let secret = endpoint["secret"].as_str().expect("whsec_…");
        let webhook = Webhook::new(secret).expect("a secret of the specification");
        assert!(self.secret.set(webhook).is_ok(), "subscribed once");
    }

    /// For a gateway whose clock is known to be wrong.
    pub(crate) fn ignore_timestamps(&self) {
        self.any_time.store(true, Ordering::Relaxed);
    }

    pub(crate) fn told(&self) -> BTreeMap<String, Told> {
        self.told.lock().expect("nobody panicked").clone()
    }

    /// How often this has been told so far.
    fn times(&self, id: &str) -> usize {
        let told = self.told.lock().expect("nobody panicked");
        told.get(id).map_or(0, |told| told.times)
    }

    pub(crate) async fn listen(self: Arc<Self>) {
        let mut visits = JoinSet::new();
        loop {
            let (stream, _) = self.listener.accept().await.expect("accept");
            let endpoint = self.clone();
            visits.spawn(async move { endpoint.visit(stream).await });
            while let Some(ended) = visits.try_join_next() {
                ended.expect("no webhook may break a promise");
            }
        }
    }

    /// Answers what comes over one connection, until it ends.
    async fn visit(&self, mut stream: TcpStream) {
        while let Some((headers, body)) = read(&mut stream).await {
            let Some(status) = self.hear(&headers, &body).await else {
                // Heard, and silent: as if our server had been killed as well.
                return;
            };
            let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    async fn hear(&self, headers: &HeaderMap, body: &[u8]) -> Option<u16> {
        let secret = self
            .secret
            .get()
            .expect("nothing is told before subscribing");
        if self.any_time.load(Ordering::Relaxed) {
            let text = |name| headers[name].to_str().expect("ASCII");
            let at = text("webhook-timestamp").parse().expect("seconds");
            let sign = secret.sign(text("webhook-id"), at, body);
            let signs = text("webhook-signature");
            assert!(signs.contains(&sign.expect("it signs")), "{signs}");
        } else {
            secret.verify(body, headers).expect("the signature is good");
        }
        let id = headers["webhook-id"].to_str().expect("ASCII").to_owned();
        let event: Value = serde_json::from_slice(body).expect("JSON");
        let told = Told {
            kind: event["type"].as_str().expect("a type").to_owned(),
            subject: event["data"]["id"].as_str().expect("an id").to_owned(),
            body: body.to_vec(),
            times: 0,
            heard: false,
        };
        let (ask_back, mood) = {
            let mut chance = self.chance.lock().expect("nobody panicked");
            (chance.one_in(3), chance.below(20))
        };
        if told.kind == "payment.paid" {
            assert_eq!(event["data"]["state"], "paid");
            if ask_back && let Some(payment) = self.merchant.look(&told.subject).await {
                assert_eq!(
                    payment["state"], "paid",
                    "told before it was recorded: {payment}"
                );
                *self.asked_back.lock().expect("nobody panicked") += 1;
            }
        }
        let status = match mood {
            0 | 1 if self.times(&id) >= ITS_WORST => Some(200),
            0 => Some(500),
            1 => None,
            2 => {
                crate::pause(Duration::from_millis(300)).await;
                Some(204)
            }
            _ => Some(200),
        };
        let mut all = self.told.lock().expect("nobody panicked");
        let entry = all.entry(id).or_insert_with(|| told.clone());
        assert_eq!(entry.body, told.body, "one id, two bodies");
        entry.times += 1;
        entry.heard |= status.is_some_and(|status| status < 300);
        status
    }
}

/// One request; `None` when the connection ends or breaks off.
async fn read(stream: &mut TcpStream) -> Option<(HeaderMap, Vec<u8>)> {
    let mut bytes = Vec::new();
    let (headers, start) = loop {
        if let Some(head) = head(&bytes) {
            break head;
        }
        let read = stream.read_buf(&mut bytes).await.ok()?;
        if read == 0 {
            return None;
        }
    };
    let length: usize = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    while bytes.len() < start + length {
        let read = stream.read_buf(&mut bytes).await.ok()?;
        if read == 0 {
            return None;
        }
    }
    Some((headers, bytes[start..start + length].to_vec()))
}

/// The headers and where the body starts, once they are there.
fn head(bytes: &[u8]) -> Option<(HeaderMap, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut headers = HeaderMap::new();
    for line in text.split("\r\n").skip(1) {
        let (name, value) = line.split_once(": ")?;
        let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.insert(name, value.parse().ok()?);
    }
    Some((headers, end + 4))
}
