//! A gateway's real router and database, on a clock that the test moves.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use tongbao_core::Timestamp;
use tongbao_engine::{
    Addresses, AtOnce, Clock, Engine, EngineConfig, Mint, NoFaults, Seams, SendError, Target,
    Transport,
};
use tongbao_store::sqlite::SqliteStore;
use tongbao_web::{App, Options};
use tower::ServiceExt;
use zeroize::Zeroizing;

use super::*;

const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);

struct MovedClock(watch::Sender<Timestamp>);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let until = self.now() + duration;
        let mut time = self.0.subscribe();
        async move {
            let _ = time.wait_for(|now| *now >= until).await;
        }
        .boxed()
    }
}

/// Every number once.
struct CountingMint(AtomicU64);

impl Mint for CountingMint {
    fn fill(&self, out: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, value) in out.iter_mut().rev().zip(number.iter().rev().cycle()) {
            *byte = *value;
        }
    }
}

/// No platform answers.
struct Silence;

impl Transport for Silence {
    fn send(
        &self,
        _: Target,
        _: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        std::future::ready(Err(SendError::Unknown("silence".to_owned()))).boxed()
    }
}

struct World {
    router: Router,
    key: String,
    clock: Arc<MovedClock>,
    /// How many requests are answered until one is not.
    answers: Cell<usize>,
    _database: TempDir,
}

impl Read for &World {
    async fn read<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let left = self.answers.get();
        self.answers.set(left.wrapping_sub(1));
        anyhow::ensure!(left > 0, "the connection broke");
        let request = Request::get(path).body(Body::empty())?;
        Ok(serde_json::from_slice(&self.send(request).await)?)
    }
}

impl World {
    async fn open() -> Self {
        let database = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&database.path().join("tongbao.db")).unwrap();
        let clock = Arc::new(MovedClock(watch::Sender::new(NOON)));
        let seams = Seams {
            clock: clock.clone(),
            mint: Arc::new(CountingMint(AtomicU64::new(1))),
            transport: Arc::new(Silence),
            store: Arc::new(store),
            faults: Arc::new(NoFaults),
            labour: Arc::new(AtOnce),
        };
        let config = EngineConfig {
            public_url: "https://pay.test".to_owned(),
            platforms: Addresses::default(),
            channel_timeout: Duration::from_secs(10),
            patience: tongbao_core::Patience::default(),
        };
        let kek = Zeroizing::new([7; 32]);
        let engine = Arc::new(Engine::open(seams, kek, config).await.unwrap());
        let merchant = engine.create_merchant("老街早餐店").await.unwrap();
        let key = engine.create_api_key(merchant.id).await.unwrap();
        let world = Self {
            router: tongbao_web::router(App::new(engine, Options::default())),
            key,
            clock,
            answers: Cell::new(usize::MAX),
            _database: database,
        };
        let settings = json!({
            "app_id": "wx1",
            "mch_id": "1900000001",
            "api_v2_key": "TongbaoSimulatorTestKey000000001",
        });
        let channel = json!({"kind": "wechat_v2", "settings": settings});
        world.post("/v1/channels", &channel).await;
        world
    }

    async fn send(&self, mut request: Request<Body>) -> Bytes {
        let bearer = format!("Bearer {}", self.key).parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{status} {body:?}");
        body
    }

    /// A second later.
    async fn post(&self, path: &str, body: &Value) -> Value {
        let time = &self.clock.0;
        time.send_modify(|now| *now = *now + Duration::from_secs(1));
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(body.to_string().into())
            .unwrap();
        serde_json::from_slice(&self.send(request).await).unwrap()
    }

    /// The path of a new payment that nobody has tried to pay.
    async fn order(&self, number: &str) -> String {
        let new = json!({"merchant_order_no": number, "amount": 1234, "subject": "豆浆"});
        let payment = self.post("/v1/payments", &new).await;
        format!("/v1/payments/{}", payment["id"].as_str().unwrap())
    }

    async fn attempt(&self, payment: &str) {
        let path = format!("{payment}/attempts");
        self.post(&path, &json!({"scene": "native"})).await;
    }

    async fn close(&self, payment: &str) {
        self.post(&format!("{payment}/close"), &json!({})).await;
    }
}

/// `T1 created`, `T1 payment.closed`.
fn told(news: &[News]) -> Vec<String> {
    let line = |one: &News| {
        let what = ["event", "type"].map(|name| one.said.get(name).and_then(Value::as_str));
        let what = what.into_iter().flatten().next().unwrap_or_default();
        format!("{} {what}", one.order_no.as_deref().unwrap_or("-"))
    };
    news.iter().map(line).collect()
}

#[tokio::test]
async fn an_open_payment_is_told_of_however_many_are_newer() {
    let world = World::open().await;
    let (old, over) = (world.order("OLD").await, world.order("OVER").await);
    for number in 0..250 {
        let payment = world.order(&format!("N{number}")).await;
        if number % 2 == 0 {
            world.close(&payment).await;
        }
    }
    let mut feed = Feed::new(&world, None);
    assert_eq!(told(&feed.look().await.unwrap()), [""; 0]);

    world.attempt(&old).await;
    let lines = told(&feed.look().await.unwrap());
    assert_eq!(lines, ["OLD attempt_started", "OLD reported"]);
    world.close(&over).await;
    let lines = told(&feed.look().await.unwrap());
    assert_eq!(lines, ["OVER close_requested", "OVER payment.closed"]);
    assert_eq!(told(&feed.look().await.unwrap()), [""; 0]);
}

#[tokio::test]
async fn more_than_a_page_is_told_whole_and_in_order() {
    let world = World::open().await;
    world.order("BEFORE").await;
    let mut feed = Feed::new(&world, None);
    feed.look().await.unwrap();
    let mut payments = Vec::new();
    for number in 0..PAGE + 30 {
        payments.push(world.order(&format!("N{number}")).await);
    }
    let lines = told(&feed.look().await.unwrap());
    let expected: Vec<_> = (0..PAGE + 30).map(|it| format!("N{it} created")).collect();
    assert_eq!(lines, expected);

    for payment in &payments {
        world.close(payment).await;
    }
    let lines = told(&feed.look().await.unwrap());
    let of = |what: &str| {
        let numbers = (0..PAGE + 30).map(|it| format!("N{it} {what}"));
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(
        lines,
        [of("close_requested"), of("payment.closed")].concat()
    );
    assert_eq!(told(&feed.look().await.unwrap()), [""; 0]);
}

#[tokio::test]
async fn wherever_a_look_breaks_nothing_is_lost_and_nothing_told_twice() {
    let world = World::open().await;
    let mut feed = Feed::new(&world, None);
    feed.look().await.unwrap();
    for answers in 0.. {
        let (first, second) = (format!("A{answers}"), format!("B{answers}"));
        let (closed, open) = (world.order(&first).await, world.order(&second).await);
        world.close(&closed).await;
        world.attempt(&open).await;

        world.answers.set(answers);
        let broken = feed.look().await;
        world.answers.set(usize::MAX);
        let lines = match broken {
            Ok(ref news) => told(news),
            Err(_) => told(&feed.look().await.unwrap()),
        };
        let expected = [
            format!("{first} created"),
            format!("{first} close_requested"),
            format!("{second} created"),
            format!("{second} attempt_started"),
            format!("{second} reported"),
            format!("{first} payment.closed"),
        ];
        assert_eq!(lines, expected, "broken after {answers}");
        assert_eq!(told(&feed.look().await.unwrap()), [""; 0]);
        if broken.is_ok() {
            assert!(answers > 5, "a look asks for more than {answers} things");
            return;
        }
    }
}

#[tokio::test]
async fn one_payment_is_told_from_its_beginning() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    world.order("T2").await;
    world.close(&payment).await;
    let id = payment.strip_prefix("/v1/payments/").unwrap();

    let mut feed = Feed::new(&world, Some(id.parse().unwrap()));
    let lines = told(&feed.look().await.unwrap());
    assert_eq!(
        lines,
        ["T1 created", "T1 close_requested", "T1 payment.closed"]
    );
    assert_eq!(told(&feed.look().await.unwrap()), [""; 0]);
}
