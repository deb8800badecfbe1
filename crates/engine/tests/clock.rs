//! A wall clock that is set back while the worker works, and while nobody does.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use tongbao_core::channel::Confirm;
use tongbao_core::{Currency, Money, Order, Scene, Timestamp};
use tongbao_engine::{
    Addresses, AtOnce, Clock, Engine, EngineConfig, Mint, NewAttempt, NewChannel, NewPayment,
    NoFaults, Seams, SendError, Target, Transport,
};
use tongbao_store::Store;
use tongbao_store::sqlite::SqliteStore;
use zeroize::Zeroizing;

const HOUR: Duration = Duration::from_hours(1);

/// A wall clock that can be set back, and waits that do not notice.
struct TwoClocks {
    steady: watch::Sender<Timestamp>,
    back: watch::Sender<Duration>,
    waits: watch::Sender<u64>,
}

impl TwoClocks {
    fn set_back(&self, by: Duration) {
        self.back.send_modify(|back| *back += by);
    }

    /// Time passes, and whoever waited has begun to wait again.
    async fn pass(&self, duration: Duration) {
        let mut waits = self.waits.subscribe();
        let before = *waits.borrow_and_update();
        self.steady.send_modify(|now| *now = *now + duration);
        waits.wait_for(|waits| *waits > before).await.unwrap();
    }
}

impl Clock for TwoClocks {
    fn now(&self) -> Timestamp {
        *self.steady.borrow() - *self.back.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut steady = self.steady.subscribe();
        let until = *steady.borrow() + duration;
        self.waits.send_modify(|waits| *waits += 1);
        Box::pin(async move {
            let _ = steady.wait_for(|now| *now >= until).await;
        })
    }
}

/// Different every time, the same in every run.
struct CountingMint(AtomicU64);

impl Mint for CountingMint {
    fn fill(&self, out: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, value) in out.iter_mut().zip(number.iter().cycle()) {
            *byte = *value;
        }
    }
}

/// A platform that never answers, and counts how often it is asked.
struct Silence(watch::Sender<u64>);

impl Transport for Silence {
    fn send(
        &self,
        _: Target,
        _: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        self.0.send_modify(|asked| *asked += 1);
        Box::pin(async { Err(SendError::Unknown("silence".to_owned())) })
    }
}

struct World {
    engine: Engine,
    clock: Arc<TwoClocks>,
    silence: Arc<Silence>,
    store: Arc<dyn Store>,
    _directory: TempDir,
}

/// With a payment whose order is on its way to the platform.
async fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("tongbao.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&database).unwrap());
    let clock = Arc::new(TwoClocks {
        steady: watch::Sender::new(Timestamp::from_secs(1_790_000_000)),
        back: watch::Sender::new(Duration::ZERO),
        waits: watch::Sender::new(0),
    });
    let silence = Arc::new(Silence(watch::Sender::new(0)));
    let seams = Seams {
        clock: clock.clone(),
        mint: Arc::new(CountingMint(AtomicU64::new(1))),
        transport: silence.clone(),
        store: store.clone(),
        faults: Arc::new(NoFaults),
        labour: Arc::new(AtOnce),
    };
    let config = EngineConfig {
        public_url: "https://pay.example.com".to_owned(),
        platforms: Addresses::default(),
        channel_timeout: Duration::from_secs(10),
        patience: tongbao_core::Patience::default(),
    };
    let engine = Engine::open(seams, Zeroizing::new([7; 32]), config)
        .await
        .unwrap();
    let merchant = engine.create_merchant("茶铺").await.unwrap();
    let channel = NewChannel {
        kind: "wechat_v2".to_owned(),
        name: "main".to_owned(),
        settings: json!({
            "app_id": "wx1",
            "mch_id": "1900000001",
            "api_v2_key": "TongbaoSimulatorTestKey000000001",
        }),
        confirm: Confirm::Query,
        enabled: true,
    };
    engine
        .create_channel(merchant.id, channel, None)
        .await
        .unwrap();
    let payment = NewPayment {
        order: Order {
            merchant_order_no: "T1".to_owned(),
            amount: Money::new(100, Currency::CNY),
            subject: "豆浆".to_owned(),
            metadata: json!({}),
            store: None,
            return_url: None,
        },
        expires_in: None,
        attempt: None,
    };
    let payment = engine.create_payment(&merchant, payment, None).await;
    let attempt = NewAttempt {
        scene: Scene::Native,
        channel: None,
        auth_code: None,
        payer: None,
        client_ip: None,
        till: None,
    };
    let payment = payment.unwrap().payment.id;
    let started = engine.start_attempt(&merchant, payment, attempt, None);
    started.await.unwrap();
    World {
        engine,
        clock,
        silence,
        store,
        _directory: directory,
    }
}

#[tokio::test]
async fn what_is_due_soon_stays_due_soon_when_the_clock_is_set_back() {
    let world = world().await;
    let asked_again = async {
        let mut asked = world.silence.0.subscribe();
        let before = *asked.borrow_and_update();
        // The worker has looked once, by the clock as it was.
        let mut waits = world.clock.waits.subscribe();
        waits.wait_for(|waits| *waits > 0).await.unwrap();
        world.clock.set_back(HOUR);
        for _ in 0..10 {
            world.clock.pass(Duration::from_secs(30)).await;
        }
        let now = *asked.borrow();
        assert!(now >= before + 3, "asked {before} times, then {now} times");
    };
    let run = async {
        world.engine.run(std::future::pending()).await;
        unreachable!("it was not told to stop");
    };
    let both = futures::future::select(Box::pin(asked_again), Box::pin(run));
    let ended = tokio::time::timeout(Duration::from_mins(1), both).await;
    assert!(ended.is_ok(), "the worker stands still");
}

#[tokio::test]
async fn a_clock_that_was_set_back_while_nobody_worked_is_noticed_at_the_start() {
    let world = world().await;
    let before = world.store.next_due().await.unwrap().unwrap();
    let written = world.clock.now();
    world.clock.set_back(HOUR);

    world.engine.database_was_written_at(written).await;

    let after = world.store.next_due().await.unwrap().unwrap();
    assert_eq!(after, before - HOUR);
    // A clock that is right owes nothing.
    world
        .engine
        .database_was_written_at(world.clock.now())
        .await;
    assert_eq!(world.store.next_due().await.unwrap(), Some(after));
}
