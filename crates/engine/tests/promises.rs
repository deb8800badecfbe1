//! What a caller was once told stays true: under an idempotency key, beside an
//! account that is out of order, and after something was written down.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use tongbao_core::channel::{ChannelAccount, Confirm};
use tongbao_core::job::{JobKind, Subject};
use tongbao_core::merchant::Merchant;
use tongbao_core::schedule::LEASE;
use tongbao_core::{AttemptState, Currency, Money, Order, Payment, Scene, Timestamp};
use tongbao_engine::{
    Addresses, ChannelPatch, Clock, Engine, EngineConfig, EngineError, IdempotencyKey, Labour,
    Mint, NewAttempt, NewChannel, NewEndpoint, NewPayment, NoFaults, SECRET_SHOWN_FOR, Seams,
    Secretive, SendError, Target, Transport,
};
use tongbao_store::sqlite::SqliteStore;
use tongbao_store::{EventFilter, Store};
use zeroize::Zeroizing;

struct MovedClock(watch::Sender<Timestamp>);

impl MovedClock {
    fn pass(&self, duration: Duration) {
        self.0.send_modify(|now| *now = *now + duration);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let until = self.now() + duration;
        let mut time = self.0.subscribe();
        Box::pin(async move {
            let _ = time.wait_for(|now| *now >= until).await;
        })
    }
}

/// Counts: different every time, and the same in every run.
struct CountingMint(AtomicU64);

impl Mint for CountingMint {
    fn fill(&self, out: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, value) in out.iter_mut().zip(number.iter().cycle()) {
            *byte = *value;
        }
    }
}

/// Every request to a platform is lost on its way, or never answered. A webhook
/// endpoint is out of order at first, and takes a second to say so.
struct Network {
    clock: Arc<MovedClock>,
    webhooks: watch::Sender<u16>,
    /// Requests with this text hang.
    hangs: Mutex<Option<&'static str>>,
    /// How many did not.
    lost: AtomicU64,
}

impl Transport for Network {
    fn send(
        &self,
        target: Target,
        request: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(async move {
            if target == Target::Platform {
                let body = String::from_utf8_lossy(request.body());
                let hangs = *self.hangs.lock().unwrap();
                if hangs.is_some_and(|text| body.contains(text)) {
                    return std::future::pending().await;
                }
                self.lost.fetch_add(1, Ordering::Relaxed);
                return Err(SendError::Unknown("silence".to_owned()));
            }
            self.webhooks.send_modify(|tries| *tries += 1);
            let status = match *self.webhooks.borrow() {
                1 => 503,
                _ => 200,
            };
            self.clock.sleep(Duration::from_secs(1)).await;
            Ok(Response::builder()
                .status(status)
                .body(Bytes::new())
                .unwrap())
        })
    }
}

/// Counts what is carried out.
#[derive(Default)]
struct Counted(AtomicU64);

impl Labour for Counted {
    fn carry_out(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        work();
        Box::pin(std::future::ready(()))
    }
}

struct World {
    engine: Engine,
    labour: Arc<Counted>,
    clock: Arc<MovedClock>,
    network: Arc<Network>,
    store: Arc<dyn Store>,
    merchant: Merchant,
    _directory: TempDir,
}

async fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&directory.path().join("tongbao.db")).unwrap());
    let noon = Timestamp::from_secs(1_790_000_000);
    let clock = Arc::new(MovedClock(watch::Sender::new(noon)));
    let network = Arc::new(Network {
        clock: clock.clone(),
        webhooks: watch::Sender::new(0),
        hangs: Mutex::new(None),
        lost: AtomicU64::new(0),
    });
    let labour = Arc::new(Counted::default());
    let seams = Seams {
        clock: clock.clone(),
        mint: Arc::new(CountingMint(AtomicU64::new(1))),
        transport: network.clone(),
        store: store.clone(),
        faults: Arc::new(NoFaults),
        labour: labour.clone(),
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
    World {
        engine,
        labour,
        clock,
        network,
        store,
        merchant,
        _directory: directory,
    }
}

impl World {
    async fn channel(&self, name: &str) -> ChannelAccount {
        self.channel_as(name, None).await
    }

    async fn channel_as(&self, name: &str, key: Option<IdempotencyKey>) -> ChannelAccount {
        self.channel_of(name, "1900000001", key).await
    }

    async fn channel_of(
        &self,
        name: &str,
        mch_id: &str,
        key: Option<IdempotencyKey>,
    ) -> ChannelAccount {
        let new = NewChannel {
            kind: "wechat_v2".to_owned(),
            name: name.to_owned(),
            settings: json!({
                "app_id": "wx1",
                "mch_id": mch_id,
                "api_v2_key": "TongbaoSimulatorTestKey000000001",
            }),
            confirm: Confirm::Query,
            enabled: true,
        };
        let created = self.engine.create_channel(self.merchant.id, new, key);
        created.await.unwrap()
    }

    async fn endpoint(&self, key: Option<IdempotencyKey>) -> Secretive {
        let new = NewEndpoint {
            url: "https://shop.example.com/hook".to_owned(),
            event_types: Vec::new(),
            store: None,
        };
        let created = self.engine.create_endpoint(self.merchant.id, new, key);
        created.await.unwrap()
    }

    /// What was sealed for another row does not open in this one, once the copy
    /// in memory is too old.
    async fn spoil(&self, account: &ChannelAccount) {
        let mut sealed_secrets = account.sealed_secrets.clone();
        sealed_secrets.reverse();
        let spoiled = ChannelAccount {
            sealed_secrets,
            version: account.version + 1,
            ..account.clone()
        };
        self.store.save_channel(spoiled).await.unwrap();
        self.clock.pass(Duration::from_secs(6));
    }

    async fn pay(&self, number: &str, key: Option<IdempotencyKey>) -> Result<Payment, EngineError> {
        let new = NewPayment {
            order: Order {
                merchant_order_no: number.to_owned(),
                amount: Money::new(100, Currency::CNY),
                subject: "豆浆".to_owned(),
                metadata: json!({}),
                store: None,
                return_url: None,
            },
            expires_in: None,
            attempt: None,
        };
        let created = self.engine.create_payment(&self.merchant, new, key).await?;
        Ok(created.payment)
    }

    /// How many tries of its one event are written down.
    async fn webhook_tries(&self) -> usize {
        let filter = EventFilter {
            merchant: self.merchant.id,
            kind: None,
            payment: None,
            cursor: None,
            limit: 1,
        };
        let events = self.store.events(filter).await.unwrap().rows;
        let event = events[0].id;
        let deliveries = self.store.deliveries(self.merchant.id, event).await;
        deliveries.unwrap()[0].tries.len()
    }

    async fn start(
        &self,
        payment: &Payment,
        key: Option<IdempotencyKey>,
    ) -> Result<tongbao_engine::StartedAttempt, EngineError> {
        self.start_at(payment, None, key).await
    }

    async fn start_at(
        &self,
        payment: &Payment,
        channel: Option<&str>,
        key: Option<IdempotencyKey>,
    ) -> Result<tongbao_engine::StartedAttempt, EngineError> {
        let new = NewAttempt {
            scene: Scene::Native,
            channel: channel.map(str::to_owned),
            auth_code: None,
            payer: None,
            client_ip: None,
            till: None,
        };
        self.engine
            .start_attempt(&self.merchant, payment.id, new, key)
            .await
    }
}

fn key(body: &str) -> IdempotencyKey {
    IdempotencyKey::new("K", "POST", "/v1", body.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_key_that_found_an_open_attempt_names_that_one_for_ever() {
    let world = world().await;
    world.channel("main").await;
    let payment = world.pay("A1", None).await.unwrap();
    let open = world.start(&payment, None).await.unwrap().attempt;

    let found = world.start(&payment, Some(key("{}"))).await.unwrap();
    assert_eq!((found.attempt, found.fresh), (open, false));
    let again = world.start(&payment, Some(key("{}"))).await.unwrap();
    assert_eq!((again.attempt, again.fresh), (open, false));
    let spaced = world.start(&payment, Some(key("{ }"))).await.unwrap();
    assert_eq!(spaced.attempt, open);
    let other = world.start(&payment, Some(key("[]"))).await;
    assert!(matches!(other, Err(EngineError::KeyReused)));
}

#[tokio::test]
async fn a_key_that_found_the_same_order_is_used_up() {
    let world = world().await;
    let payment = world.pay("A1", None).await.unwrap();
    let found = world.pay("A1", Some(key("A1"))).await.unwrap();
    assert_eq!(found.id, payment.id);

    let other = world.pay("A2", Some(key("A2"))).await;
    assert!(matches!(other, Err(EngineError::KeyReused)));
    let number = world.store.payment_by_order_no(world.merchant.id, "A2");
    assert_eq!(number.await.unwrap(), None);
}

#[tokio::test]
async fn equal_requests_at_once_make_one_endpoint_and_know_its_secret() {
    let world = world().await;
    let twice = || world.endpoint(Some(key("{}")));

    let (one, other) = futures::join!(twice(), twice());

    assert_eq!(one, other);
    assert_eq!(twice().await, one);
    let endpoints = world.store.endpoints(world.merchant.id).await.unwrap();
    assert_eq!(endpoints, [one.0]);
}

#[tokio::test]
async fn a_key_shows_a_secret_again_for_a_short_while() {
    let world = world().await;
    let first = world.endpoint(Some(key("{}"))).await;
    world.clock.pass(SECRET_SHOWN_FOR / 2);
    assert_eq!(world.endpoint(Some(key("{}"))).await, first);

    world.clock.pass(SECRET_SHOWN_FOR / 2);
    let (endpoint, secret) = world.endpoint(Some(key("{}"))).await;
    assert_eq!((endpoint, secret), (first.0, None));
}

#[tokio::test]
async fn equal_requests_at_once_make_one_account() {
    let world = world().await;
    let twice = || world.channel_as("main", Some(key("{}")));

    let (one, other) = futures::join!(twice(), twice());

    assert_eq!(one, other);
    let accounts = world.store.channels(world.merchant.id).await.unwrap();
    assert_eq!(accounts, [one]);
}

#[tokio::test]
async fn an_account_never_becomes_another_account() {
    let world = world().await;
    let account = world.channel("main").await;
    for (field, settings) in [
        ("mch_id", json!({ "mch_id": "1900000002" })),
        ("app_id", json!({ "app_id": "wx2" })),
    ] {
        let patch = ChannelPatch {
            settings: Some(settings),
            ..ChannelPatch::default()
        };
        let refused = world
            .engine
            .update_channel(world.merchant.id, account.id, patch)
            .await
            .unwrap_err();
        let EngineError::Settings(refused) = refused else {
            panic!("{refused}")
        };
        assert_eq!(refused.field, field);
    }
    let same = ChannelPatch {
        settings: Some(json!({ "mch_id": "1900000001", "sign_type": "MD5" })),
        ..ChannelPatch::default()
    };
    let updated = world
        .engine
        .update_channel(world.merchant.id, account.id, same)
        .await
        .unwrap();
    assert_eq!(updated.version, 2);
}

#[tokio::test]
async fn secrets_that_do_not_open_can_be_entered_again() {
    let world = world().await;
    let account = world.channel("main").await;
    world.spoil(&account).await;
    let payment = world.pay("A1", None).await.unwrap();
    assert!(world.start(&payment, None).await.is_err());

    let patch = ChannelPatch {
        settings: Some(json!({ "api_v2_key": "TongbaoSimulatorTestKey000000002" })),
        ..ChannelPatch::default()
    };
    let updated = world
        .engine
        .update_channel(world.merchant.id, account.id, patch);
    assert_eq!(updated.await.unwrap().version, 3);
    assert!(world.start(&payment, None).await.unwrap().fresh);
}

#[tokio::test]
async fn an_account_that_does_not_open_stands_in_no_other_ones_way() {
    let world = world().await;
    let broken = world.channel("broken").await;
    world.spoil(&broken).await;
    let payment = world.pay("A1", None).await.unwrap();
    let refused = world.start(&payment, None).await;
    assert!(matches!(refused, Err(EngineError::NoChannel(_))));

    let sound = world.channel("sound").await;
    let started = world.start(&payment, None).await.unwrap();
    let attempt = started.payment.attempt(started.attempt).unwrap();
    assert_eq!(attempt.channel, sound.id);
    let ways = world.engine.ways_to_pay(&world.merchant).await.unwrap();
    let ways: Vec<_> = ways.iter().map(|way| (way.scene, way.channel)).collect();
    // It does not know its app's secret, so nobody can be named in the wallet.
    assert_eq!(ways, [(Scene::Native, sound.id), (Scene::H5, sound.id)]);
}

#[tokio::test]
async fn what_was_written_down_is_told_although_the_call_cannot_be_made() {
    let world = world().await;
    let account = world.channel("main").await;
    let payment = world.pay("A1", None).await.unwrap();
    world.start(&payment, None).await.unwrap();
    world.spoil(&account).await;

    let closing = world
        .engine
        .close(world.merchant.id, payment.id, None)
        .await;

    let closing = closing.unwrap().answer;
    assert_eq!(closing.public_state(), "pending");
    assert_eq!(closing.attempts[0].state, AttemptState::Unknown);
    let kept = world.engine.payment(world.merchant.id, payment.id).await;
    assert_eq!(kept.unwrap(), closing);
}

#[tokio::test]
async fn a_webhook_that_failed_goes_out_again_at_its_time() {
    let world = world().await;
    world.endpoint(None).await;
    let payment = world.pay("A1", None).await.unwrap();
    let closed = world
        .engine
        .close(world.merchant.id, payment.id, None)
        .await;
    assert_eq!(closed.unwrap().answer.public_state(), "closed");

    let told_twice = async {
        let mut webhooks = world.network.webhooks.subscribe();
        webhooks.wait_for(|tries| *tries == 1).await.unwrap();
        // By the time that the answer comes, the worker rests.
        for _ in 0..10 {
            world.clock.pass(Duration::from_millis(10));
            tokio::task::yield_now().await;
        }
        world.clock.pass(Duration::from_secs(1));
        while world.webhook_tries().await < 1 {
            tokio::task::yield_now().await;
        }
        // The second try is fifteen seconds after the first, give or take a tenth.
        world.clock.pass(Duration::from_secs(17));
        let second = webhooks.wait_for(|tries| *tries == 2);
        let in_time = tokio::time::timeout(Duration::from_secs(5), second).await;
        assert!(in_time.is_ok(), "the second try is late");
    };
    let run = async {
        world.engine.run(std::future::pending()).await;
    };
    futures::pin_mut!(told_twice, run);
    futures::future::select(told_twice, run).await;
}

#[tokio::test]
async fn what_is_known_is_told_although_the_channel_cannot_be_asked() {
    let world = world().await;
    let account = world.channel("main").await;
    let payment = world.pay("A1", None).await.unwrap();
    world.start(&payment, None).await.unwrap();
    world.spoil(&account).await;

    let refreshed = world.engine.refresh(world.merchant.id, payment.id).await;
    assert_eq!(refreshed.unwrap().attempts[0].state, AttemptState::Unknown);
}

#[tokio::test]
async fn a_job_that_cannot_be_done_is_laid_aside_until_its_channel_is_mended() {
    let world = world().await;
    let account = world.channel("main").await;
    let payment = world.pay("A1", None).await.unwrap();
    world.start(&payment, None).await.unwrap();
    world.spoil(&account).await;
    let laid_aside = async || {
        let pulse = world.store.pulse(world.clock.now()).await;
        pulse.unwrap().jobs_laid_aside
    };
    let work = async || {
        world.clock.pass(Duration::from_mins(1));
        world.engine.run(std::future::ready(())).await;
    };
    let before = world.network.lost.load(Ordering::Relaxed);
    work().await;
    assert!(laid_aside().await > 0);
    work().await;

    let patch = ChannelPatch {
        settings: Some(json!({ "api_v2_key": "TongbaoSimulatorTestKey000000002" })),
        ..ChannelPatch::default()
    };
    let updated = world
        .engine
        .update_channel(world.merchant.id, account.id, patch);
    updated.await.unwrap();
    assert_eq!(laid_aside().await, 0);
    assert_eq!(world.network.lost.load(Ordering::Relaxed), before);
    work().await;
    assert!(world.network.lost.load(Ordering::Relaxed) > before);
}

#[tokio::test]
async fn a_webhook_that_cannot_be_signed_is_a_try_that_failed() {
    let world = world().await;
    let (endpoint, _) = world.endpoint(None).await;
    let spoiled = tongbao_core::webhook::Endpoint {
        sealed_secret: vec![0; 40],
        ..endpoint
    };
    world.store.save_endpoint(spoiled).await.unwrap();
    let payment = world.pay("A1", None).await.unwrap();
    let closed = world
        .engine
        .close(world.merchant.id, payment.id, None)
        .await;
    assert_eq!(closed.unwrap().answer.public_state(), "closed");

    for tries in 1..=16 {
        world.engine.run(std::future::ready(())).await;
        assert_eq!(world.webhook_tries().await, tries);
        world.clock.pass(Duration::from_hours(7));
    }
    world.engine.run(std::future::ready(())).await;
    assert_eq!(world.webhook_tries().await, 16);
    let pulse = world.store.pulse(world.clock.now()).await.unwrap();
    assert_eq!((pulse.deliveries_exhausted, pulse.deliveries_due), (1, 0));
}

#[tokio::test]
async fn a_platform_that_hangs_holds_up_its_own_jobs_alone() {
    let world = world().await;
    let hanging = world.channel("hanging").await;
    let sound = world.channel_of("sound", "1900000002", None).await;
    let start = async |number: &str, channel: &ChannelAccount| {
        let payment = world.pay(number, None).await.unwrap();
        let new = NewAttempt {
            scene: Scene::Native,
            channel: Some(channel.id.to_string()),
            auth_code: None,
            payer: None,
            client_ip: None,
            till: None,
        };
        let started = world
            .engine
            .start_attempt(&world.merchant, payment.id, new, None);
        started.await.unwrap();
    };
    // More than the worker does at once, and all due before the other's.
    for number in 0..300 {
        start(&format!("A{number}"), &hanging).await;
    }
    world.clock.pass(Duration::from_secs(1));
    start("B1", &sound).await;
    *world.network.hangs.lock().unwrap() = Some("1900000001");
    world.clock.pass(Duration::from_secs(10));

    let before = world.network.lost.load(Ordering::Relaxed);
    let asked = async {
        while world.network.lost.load(Ordering::Relaxed) == before {
            world.clock.pass(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), asked);
    let run = world.engine.run(std::future::pending());
    futures::pin_mut!(in_time, run);
    match futures::future::select(in_time, run).await {
        futures::future::Either::Left((in_time, _)) => {
            assert!(in_time.is_ok(), "the sound channel was never asked");
        }
        futures::future::Either::Right(_) => panic!("the worker ended"),
    }
}

/// A request makes six calls at most. The seventh job was claimed for it.
#[tokio::test]
async fn what_a_request_leaves_undone_is_due_at_once() {
    let world = world().await;
    let payment = world.pay("A1", None).await.unwrap();
    for number in 1..=7 {
        let name = format!("account {number}");
        let mch_id = format!("190000000{number}");
        world.channel_of(&name, &mch_id, None).await;
        world.start_at(&payment, Some(&name), None).await.unwrap();
    }
    let asked = || world.network.lost.load(Ordering::Relaxed);
    let before = asked();
    let closing = world.engine.close(world.merchant.id, payment.id, None);
    closing.await.unwrap();
    assert_eq!(asked() - before, 6);

    let now = world.clock.now();
    let claimed = world.store.claim_jobs(now, now + LEASE, 10).await;
    let left: Vec<_> = claimed.unwrap().into_iter().map(|job| job.key).collect();
    let newest = world.engine.payment(world.merchant.id, payment.id).await;
    let seventh = newest.unwrap().attempts[6].id;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].kind, JobKind::Query);
    assert_eq!(left[0].subject, Subject::Attempt(seventh));
}

/// A password may take a while to become a key.
#[tokio::test]
async fn an_account_is_opened_where_nobody_waits_for_the_thread() {
    let world = world().await;
    let opened = || world.labour.0.load(Ordering::Relaxed);
    let account = world.channel("main").await;
    assert_eq!(opened(), 1);

    let payment = world.pay("A1", None).await.unwrap();
    world.start(&payment, None).await.unwrap();
    assert_eq!(opened(), 2);

    let merchant = world.merchant.id;
    let checked = world.engine.check_channel(merchant, account.id, None);
    checked.await.unwrap();
    assert_eq!(opened(), 3);
}
