//! Secrets at rest, as somebody with the database in hand finds them.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::json;
use tongbao_core::Timestamp;
use tongbao_core::channel::{ChannelAccount, Confirm};
use tongbao_core::merchant::Merchant;
use tongbao_engine::{
    Addresses, AtOnce, Clock, Engine, EngineConfig, EngineError, Mint, NewChannel, NewEndpoint,
    NoFaults, Seams, SendError, Target, Transport,
};
use tongbao_store::Store;
use tongbao_store::sqlite::SqliteStore;
use zeroize::Zeroizing;

const API_KEY: &str = "TongbaoSimulatorTestKey000000001";

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_790_000_000)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// Counts: different every time, and the same in every run.
struct CountingMint(AtomicU8);

impl Mint for CountingMint {
    fn fill(&self, out: &mut [u8]) {
        out.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

struct NoNetwork;

impl Transport for NoNetwork {
    fn send(
        &self,
        _: Target,
        _: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(async { Err(SendError::NotSent("no network here".to_owned())) })
    }
}

async fn engine(store: Arc<dyn Store>, kek: [u8; 32]) -> Result<Engine, EngineError> {
    let seams = Seams {
        clock: Arc::new(StandingClock),
        mint: Arc::new(CountingMint(AtomicU8::new(1))),
        transport: Arc::new(NoNetwork),
        store,
        faults: Arc::new(NoFaults),
        labour: Arc::new(AtOnce),
    };
    let config = EngineConfig {
        public_url: "https://pay.example.com".to_owned(),
        platforms: Addresses::default(),
        channel_timeout: Duration::from_secs(10),
        patience: tongbao_core::Patience::default(),
    };
    Engine::open(seams, Zeroizing::new(kek), config).await
}

async fn add_channel(engine: &Engine, merchant: &Merchant, mch_id: &str) -> ChannelAccount {
    let new = NewChannel {
        kind: "wechat_v2".to_owned(),
        name: format!("account {mch_id}"),
        settings: json!({ "app_id": "wx1", "mch_id": mch_id, "api_v2_key": API_KEY }),
        confirm: Confirm::Query,
        enabled: true,
    };
    engine.create_channel(merchant.id, new, None).await.unwrap()
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

#[tokio::test]
async fn the_database_files_hold_no_secret_in_clear_text() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&dir.path().join("tongbao.db")).unwrap());
    let engine = engine(store.clone(), [7; 32]).await.unwrap();
    let merchant = engine.create_merchant("茶铺").await.unwrap();
    add_channel(&engine, &merchant, "1900000001").await;
    let endpoint = NewEndpoint {
        url: "https://shop.example.com/hook".to_owned(),
        event_types: Vec::new(),
        store: None,
    };
    let (_, secret) = engine
        .create_endpoint(merchant.id, endpoint, None)
        .await
        .unwrap();
    let key = engine.create_api_key(merchant.id).await.unwrap();

    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let file = entry.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        for marker in [API_KEY, &secret.as_ref().unwrap()["whsec_".len()..], &key] {
            assert!(
                !contains(&bytes, marker),
                "{} holds a secret",
                file.display()
            );
        }
    }
}

#[tokio::test]
async fn another_master_key_is_refused_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&dir.path().join("tongbao.db")).unwrap());
    let first = engine(store.clone(), [7; 32]).await.unwrap();
    let merchant = first.create_merchant("茶铺").await.unwrap();
    add_channel(&first, &merchant, "1900000001").await;
    let before = store.data_keys().await.unwrap();

    let refused = engine(store.clone(), [8; 32]).await.map(drop).unwrap_err();

    assert!(refused.to_string().contains("master key"), "{refused}");
    assert_eq!(store.data_keys().await.unwrap(), before);
    assert!(engine(store, [7; 32]).await.is_ok());
}

#[tokio::test]
async fn a_sealed_secret_that_was_moved_to_another_row_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&dir.path().join("tongbao.db")).unwrap());
    let engine = engine(store.clone(), [7; 32]).await.unwrap();
    let merchant = engine.create_merchant("茶铺").await.unwrap();
    let mine = add_channel(&engine, &merchant, "1900000001").await;
    let other = add_channel(&engine, &merchant, "1900000002").await;
    assert!(
        engine
            .check_channel(merchant.id, other.id, None)
            .await
            .is_ok()
    );

    let swapped = ChannelAccount {
        sealed_secrets: mine.sealed_secrets.clone(),
        version: other.version + 1,
        ..other.clone()
    };
    store.save_channel(swapped).await.unwrap();

    let refused = engine
        .check_channel(merchant.id, other.id, None)
        .await
        .unwrap_err();
    assert!(matches!(refused, EngineError::Vault(_)), "{refused}");
}

#[tokio::test]
async fn settings_that_cannot_be_opened_are_refused_before_anything_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&dir.path().join("tongbao.db")).unwrap());
    let engine = engine(store.clone(), [7; 32]).await.unwrap();
    let merchant = engine.create_merchant("茶铺").await.unwrap();
    for (field, settings) in [
        (
            "api_v2_key",
            json!({ "app_id": "wx1", "mch_id": "1900000001" }),
        ),
        (
            "api_v2_key",
            json!({ "app_id": "wx1", "mch_id": "1900000001", "api_v2_key": "" }),
        ),
        (
            "api_v2_key",
            json!({ "app_id": "wx1", "mch_id": "1900000001", "api_v2_key": "short" }),
        ),
        (
            "api_v2_key",
            json!({ "app_id": "wx1", "mch_id": "1900000001",
                    "api_v2_key": "192006250b4c09247ec02edce69f6a2d" }),
        ),
        (
            "sign_type",
            json!({ "app_id": "wx1", "mch_id": "1900000001", "api_v2_key": API_KEY,
                    "sign_type": "none" }),
        ),
        (
            "password",
            json!({ "app_id": "wx1", "mch_id": "1900000001", "api_v2_key": API_KEY,
                    "password": "x" }),
        ),
    ] {
        let new = NewChannel {
            kind: "wechat_v2".to_owned(),
            name: "main".to_owned(),
            settings,
            confirm: Confirm::Query,
            enabled: true,
        };
        let refused = engine
            .create_channel(merchant.id, new, None)
            .await
            .unwrap_err();
        let EngineError::Settings(refused) = refused else {
            panic!("{refused}")
        };
        assert_eq!(refused.field, field);
        assert!(
            !refused.to_string().contains("192006250b4c"),
            "the error shows the key"
        );
    }
    assert!(store.channels(merchant.id).await.unwrap().is_empty());
}
