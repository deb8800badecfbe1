//! A whole gateway in one thread: the real router, engine and database, a simulated platform
//! behind them, on a clock that stands still.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tongbao_core::Timestamp;
use tongbao_core::merchant::Merchant;
use tongbao_engine::{
    Addresses, AtOnce, Clock, Engine, EngineConfig, Mint, NoFaults, Seams, SendError, Target,
    Transport,
};
use tongbao_simulator::{Account, Platform, UnixMillis, WireResponse};
use tongbao_store::sqlite::SqliteStore;
use tongbao_web::{App, Options};
use tower::ServiceExt;
use zeroize::Zeroizing;

/// 2026-11-21, noon in China.
const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);

pub(crate) struct Gateway {
    pub(crate) engine: Arc<Engine>,
    pub(crate) merchant: Merchant,
    pub(crate) key: String,
    router: Router,
    runtime: Runtime,
    _database: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) request_id: Option<String>,
    pub(crate) text: String,
}

impl Gateway {
    /// One merchant with a key, and nothing else.
    pub(crate) fn open() -> Self {
        let database = tempfile::tempdir().expect("a directory for a database");
        let store = SqliteStore::open(&database.path().join("tongbao.db")).expect("a database");
        let seams = Seams {
            clock: Arc::new(Noon),
            mint: Arc::new(CountingMint::default()),
            transport: Arc::new(Network(Mutex::new(Platform::new(7)))),
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime without a clock");
        let made = runtime.block_on(async {
            let engine = Engine::open(seams, Zeroizing::new([7; 32]), config).await?;
            let merchant = engine.create_merchant("老街早餐店").await?;
            let key = engine.create_api_key(merchant.id).await?;
            Ok::<_, tongbao_engine::EngineError>((Arc::new(engine), merchant, key))
        });
        let (engine, merchant, key) = made.expect("a gateway");
        let app = App::new(engine.clone(), Options::default());
        Self {
            router: tongbao_web::router(app),
            engine,
            merchant,
            key,
            runtime,
            _database: database,
        }
    }

    /// The answer's JSON, to a request that must succeed.
    pub(crate) fn make(&self, path: &str, body: &Value) -> Value {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()));
        let answer = self.send(request.expect("a request"));
        assert_eq!(answer.status, 201, "{answer:?}");
        serde_json::from_str(&answer.text).expect("JSON")
    }

    /// The simulator's ready-made account, as it is typed in.
    pub(crate) fn account() -> Value {
        let account = Account::ready_made();
        json!({
            "kind": "wechat_v2",
            "settings": {
                "app_id": account.app_id,
                "mch_id": account.mch_id,
                "api_v2_key": account.api_v2_key.0,
            },
        })
    }

    pub(crate) fn send(&self, request: Request<Bytes>) -> Answer {
        let request = request.map(Body::from);
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await;
            let (head, body) = response.unwrap_or_else(|never| match never {}).into_parts();
            let header = |name: &str| {
                let value = head.headers.get(name)?.to_str();
                Some(value.unwrap_or_default().to_owned())
            };
            let content_type = header("content-type").unwrap_or_default();
            // A live page's connection has no end.
            let bytes = if content_type == "text/event-stream" {
                Bytes::new()
            } else {
                let body = body.collect().await.expect("a body with an end");
                body.to_bytes()
            };
            Answer {
                status: head.status.as_u16(),
                content_type,
                request_id: header("x-request-id"),
                text: String::from_utf8_lossy(&bytes).into_owned(),
            }
        })
    }

    /// The answer of something that the database is asked.
    pub(crate) fn ask<T>(&self, question: impl Future<Output = T>) -> T {
        self.runtime.block_on(question)
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        NOON
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
}

#[derive(Default)]
struct CountingMint(AtomicU64);

impl Mint for CountingMint {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let bytes = fastrand::Rng::with_seed(number).u64(..).to_le_bytes();
            let len = chunk.len();
            chunk.copy_from_slice(&bytes[..len]);
        }
    }
}

struct Network(Mutex<Platform>);

impl Transport for Network {
    fn send(
        &self,
        target: Target,
        request: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        let mut platform = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = UnixMillis::from_millis(NOON.as_millis());
        let answer = match target {
            Target::Webhook => Ok(Response::default()),
            Target::Platform => match platform.handle(now, &request) {
                WireResponse::Answer { response, .. } => Ok(response),
                WireResponse::Dropped { .. } | WireResponse::Refused => {
                    Err(SendError::Unknown("no answer".to_owned()))
                }
            },
        };
        std::future::ready(answer).boxed()
    }
}
