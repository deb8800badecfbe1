//! A gateway with its database, a platform and a merchant's shop around it, all
//! on one clock that the test moves.

mod answer;
mod books;
mod clock;
mod mint;
mod network;
mod shop;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use tongbao_core::Timestamp;
use tongbao_core::merchant::Merchant;
use tongbao_engine::{Addresses, AtOnce, Engine, EngineConfig, NoFaults, Seams};
use tongbao_simulator::{
    Account, Delivered, EarlyClose, FaultKind, NewFault, Outgoing, Platform, Settings, UnixMillis,
};
use tongbao_store::sqlite::SqliteStore;
use tongbao_web::{App, Options};
use tower::ServiceExt;
use zeroize::Zeroizing;

pub(crate) use answer::Answer;
use books::Books;
use clock::ManualClock;
use mint::CountingMint;
use network::Network;
pub(crate) use shop::Shop;

/// 2026-11-21, noon in China.
pub(crate) const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);

pub(crate) const MASTER_KEY: [u8; 32] = [7; 32];

pub(crate) const PUBLIC_URL: &str = "https://pay.test";

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) platform: Arc<Mutex<Platform>>,
    pub(crate) shop: Arc<Shop>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) merchant: Merchant,
    pub(crate) key: String,
    pub(crate) app: App,
    router: Router,
    mint: Arc<CountingMint>,
    books: Books,
    platforms: BTreeMap<String, String>,
}

async fn gateway(
    database: &Path,
    clock: Arc<ManualClock>,
    mint: Arc<CountingMint>,
    network: Network,
    platforms: BTreeMap<String, String>,
) -> Arc<Engine> {
    let store = SqliteStore::open(database).unwrap();
    let seams = Seams {
        clock,
        mint,
        transport: Arc::new(network),
        store: Arc::new(store),
        faults: Arc::new(NoFaults),
        labour: Arc::new(AtOnce),
    };
    let config = EngineConfig {
        public_url: PUBLIC_URL.to_owned(),
        platforms: Addresses::new(platforms),
        channel_timeout: Duration::from_secs(10),
        patience: tongbao_core::Patience::default(),
    };
    let kek = Zeroizing::new(MASTER_KEY);
    Arc::new(Engine::open(seams, kek, config).await.unwrap())
}

impl World {
    /// One merchant with an API key, and nothing else.
    pub(crate) async fn bare() -> Self {
        Self::with(BTreeMap::new()).await
    }

    /// The same, with the platform at another address than its own.
    pub(crate) async fn at(address: &str) -> Self {
        Self::with([("wechat_pay".to_owned(), address.to_owned())].into()).await
    }

    async fn with(platforms: BTreeMap<String, String>) -> Self {
        let database = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOON));
        let platform = Arc::new(Mutex::new(strict_platform()));
        let shop = Arc::new(Shop::default());
        let mint = Arc::new(CountingMint::default());
        let network = Network {
            clock: clock.clone(),
            platform: platform.clone(),
            shop: shop.clone(),
        };
        let books = Books {
            database,
            platform: platform.clone(),
            clock: clock.clone(),
            excuse: Mutex::default(),
        };
        let engine = gateway(
            &books.file(),
            clock.clone(),
            mint.clone(),
            network,
            platforms.clone(),
        )
        .await;
        let merchant = engine.create_merchant("老街早餐店").await.unwrap();
        let key = engine.create_api_key(merchant.id).await.unwrap();
        let app = App::new(engine.clone(), Options::default());
        Self {
            router: tongbao_web::router(app.clone()),
            app,
            clock,
            platform,
            shop,
            engine,
            merchant,
            key,
            mint,
            books,
            platforms,
        }
    }

    /// The same after the process has died and another one has begun.
    pub(crate) async fn restarted(self) -> Self {
        self.restarted_after(|_| ()).await
    }

    /// The same, and somebody did something to the database's file in between.
    pub(crate) async fn restarted_after(self, between: impl FnOnce(&Path)) -> Self {
        let Self {
            clock,
            platform,
            shop,
            mint,
            books,
            platforms,
            ..
        } = self;
        drop((self.engine, self.app, self.router));
        between(&books.file());
        let network = Network {
            clock: clock.clone(),
            platform: platform.clone(),
            shop: shop.clone(),
        };
        let engine = gateway(
            &books.file(),
            clock.clone(),
            mint.clone(),
            network,
            platforms.clone(),
        )
        .await;
        let app = App::new(engine.clone(), Options::default());
        Self {
            router: tongbao_web::router(app.clone()),
            app,
            clock,
            platform,
            shop,
            engine,
            merchant: self.merchant,
            key: self.key,
            mint,
            books,
            platforms,
        }
    }

    /// With a channel at the platform, and a shop that is told of everything.
    pub(crate) async fn open() -> Self {
        let world = Self::bare().await;
        world.add_channel().await;
        let endpoint = json!({"url": "https://shop.test/webhooks"});
        let answer = world.post("/v1/webhook_endpoints", &endpoint).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        world.shop.knows(answer.json()["secret"].as_str().unwrap());
        world
    }

    /// The database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.books.file()
    }

    /// At the end the platform's books may say something else than ours.
    pub(crate) fn books_differ(&self, because: &'static str) {
        *self.books.excuse.lock().unwrap() = Some(because);
    }

    /// From now on with these options.
    pub(crate) fn serve(&mut self, options: Options) {
        self.app = App::new(self.engine.clone(), options);
        self.router = tongbao_web::router(self.app.clone());
    }

    /// The id of the new channel.
    pub(crate) async fn add_channel(&self) -> String {
        let account = Account::ready_made();
        let channel = json!({
            "kind": "wechat_v2",
            "settings": {
                "app_id": account.app_id,
                "mch_id": account.mch_id,
                "api_v2_key": account.api_v2_key.0,
            },
        });
        let answer = self.post("/v1/channels", &channel).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// The channel's app can ask who its readers are.
    pub(crate) async fn set_app_secret(&self, secret: &str) {
        let path = format!("/v1/channels/{}", self.channel().await);
        let settings = json!({"settings": {"app_secret": secret}}).to_string();
        let answer = self.send_json(Method::PATCH, &path, &[], &settings).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub(crate) async fn channel(&self) -> String {
        let channels = self.get("/v1/channels").await.json();
        channels["data"][0]["id"].as_str().unwrap().to_owned()
    }

    /// A payment of ¥12.34 with an open code.
    pub(crate) async fn order(&self, number: &str) -> Value {
        let answer = self.post("/v1/payments", &order(number)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// As it stands now.
    pub(crate) async fn payment(&self, payment: &Value) -> Value {
        let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
        self.get(&path).await.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send_json(Method::POST, path, &[], &body.to_string())
            .await
    }

    /// JSON with more headers.
    pub(crate) async fn send_json(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self
            .request(method, path)
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.to_owned().into()).unwrap())
            .await
    }

    /// With the merchant's key.
    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// The answer as it comes in, for streams.
    pub(crate) async fn stream(&self, path: &str) -> http::Response<Body> {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The person with that wallet scans the payment's code and pays.
    pub(crate) fn pay(&self, payment: &Value, wallet: &str) {
        let attempts = payment["attempts"].as_array().unwrap();
        let code = attempts.last().unwrap()["action"]["code_url"].as_str();
        let code = tongbao_simulator::Target::CodeUrl(code.unwrap().to_owned());
        let now = self.platform_now();
        let mut platform = self.platform();
        platform.pay(now, wallet, &code, Some("123456")).unwrap();
    }

    pub(crate) fn fault(&self, fault: NewFault) {
        let now = self.platform_now();
        self.platform().add_fault(now, fault);
    }

    pub(crate) fn fault_of(&self, kind: FaultKind) {
        self.fault(NewFault::of(kind));
    }

    pub(crate) fn platform(&self) -> MutexGuard<'_, Platform> {
        self.platform.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn platform_now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.clock.time().as_millis())
    }

    /// Does everything that is due now: the platform's notifications, our jobs,
    /// our webhooks.
    pub(crate) async fn settle(&self) {
        loop {
            let mut idle = true;
            for outgoing in self.fired() {
                idle = false;
                self.deliver(outgoing).await;
            }
            self.engine.run(std::future::ready(())).await;
            let next = self.engine.store().next_due().await.unwrap();
            idle &= next.is_none_or(|due| due > self.clock.time());
            let next = self.platform().next_due();
            idle &= next.is_none_or(|due| due > self.platform_now());
            if idle {
                return;
            }
        }
    }

    /// Lets time pass, and does everything when it is due.
    pub(crate) async fn pass(&self, duration: Duration) {
        let until = self.clock.time() + duration;
        self.settle().await;
        while let Some(due) = self.next_due().await.filter(|due| *due <= until) {
            self.clock.set(due.max(self.clock.time()));
            self.settle().await;
        }
        self.clock.set(until);
        self.settle().await;
    }

    async fn next_due(&self) -> Option<Timestamp> {
        let ours = self.engine.store().next_due().await.unwrap();
        let platform = self.platform().next_due();
        let platform = platform.map(|due| Timestamp::from_millis(due.as_millis()));
        [ours, platform].into_iter().flatten().min()
    }

    /// What the platform wants to tell us now.
    pub(crate) fn fired(&self) -> Vec<Outgoing> {
        let now = self.platform_now();
        self.platform().fire(now)
    }

    /// Brings a notification to our door, and the answer back.
    pub(crate) async fn deliver(&self, outgoing: Outgoing) -> Answer {
        let answer = self.notify(&outgoing.request).await;
        let delivered = Delivered::Http {
            status: answer.status,
            body: Bytes::from(answer.text.clone()),
        };
        let now = self.platform_now();
        self.platform().answered(now, outgoing.id, delivered);
        answer
    }

    /// The same, from anybody.
    pub(crate) async fn notify(&self, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path_and_query().unwrap().as_str();
        let mut ours = Request::builder().method(request.method()).uri(path);
        for (name, value) in request.headers() {
            ours = ours.header(name, value);
        }
        let body = Body::from(request.body().clone());
        self.send(ours.body(body).unwrap()).await
    }

    /// What was made of the messages of platforms, newest first: verdict, reason,
    /// copies.
    pub(crate) async fn inbox(&self) -> Vec<(String, Option<String>, i64)> {
        let listed = self.get("/v1/notifications").await.json();
        let rows = listed["data"].as_array().unwrap().iter();
        rows.map(|row| {
            (
                row["verdict"].as_str().unwrap().to_owned(),
                row["reason"].as_str().map(str::to_owned),
                row["copies"].as_i64().unwrap(),
            )
        })
        .collect()
    }
}

/// As strict as its manual.
fn strict_platform() -> Platform {
    let mut platform = Platform::new(7);
    platform.set_settings(Settings {
        early_close: EarlyClose::Refused,
        ..Settings::default()
    });
    platform
}

/// An order of ¥12.34 whose code is wanted at once.
pub(crate) fn order(number: &str) -> Value {
    json!({
        "merchant_order_no": number,
        "amount": 1234,
        "subject": "豆浆 × 2",
        "attempt": {"scene": "native"},
    })
}
