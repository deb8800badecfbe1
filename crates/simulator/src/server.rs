//! The platforms over HTTP: for any client, at the platforms' real paths.
//!
//! [`router`] answers; [`Simulator::drive`] does what falls due and sends the notifications;
//! [`serve`] runs both on a listener until it is told to stop.
//!
//! | path | what |
//! | --- | --- |
//! | `/pay/unifiedorder`, `/pay/orderquery`, `/pay/closeorder`, `/pay/micropay`, `/secapi/pay/reverse`, `/secapi/pay/refund`, `/pay/refundquery`, `/tools/authcodetoopenid` | WeChat Pay API v2 |
//! | `/sns/jscode2session`, `/sns/oauth2/access_token` | WeChat's openids |
//! | `GET /_sim/credentials` | the ready-made test accounts; a platform is listed once it is played |
//! | `GET, POST /_sim/wallets`, `GET /_sim/wallets/{id}` | people with a wallet |
//! | `POST /_sim/wallets/{id}/scan`, `/open`, `/pay`, `/cancel` | what they do |
//! | `POST /_sim/wallets/{id}/auth_code` | the 18 digits for a till: one minute, one use |
//! | `POST /_sim/wallets/{id}/login_code`, `/authorize` | who the person is, to a mini-program or a page |
//! | `GET /_sim/wallets/{id}/prompts`, `POST /_sim/wallets/{id}/confirm` | what a till's payment asks on the phone, and the answer |
//! | `GET /_sim/trades`, `/_sim/trades/{out_trade_no}`, `/_sim/notifications` | the platform's own truth |
//! | `PATCH /_sim/wallets/{id}` | closes a person's account, or the card behind it |
//! | `GET /_sim/merchants`, `GET, PATCH /_sim/merchants/{mch_id}`, `POST …/settle`, `…/recharge` | what merchants have, and where it lies |
//! | `POST /_sim/trades/{out_trade_no}/refunds`, `POST /_sim/refunds/{refund_id}/decide` | what a merchant's people do on the platform's pages |
//! | `GET /_sim/requests` | the last requests, and why one was refused |
//! | `GET, POST, DELETE /_sim/faults`, `DELETE /_sim/faults/{id}` | what goes wrong |
//! | `GET, POST /_sim/clock` | the platform's time |
//! | `GET, PATCH /_sim/settings` | the platform's habits |
//! | `GET /_sim/events` | server-sent events: something has changed |
//! | `GET /` | the phone |

mod clock;
mod control;
mod driver;
mod events;
mod face;
mod page;
mod problem;
mod serve;
mod snapshot;
mod tls;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use tokio::sync::watch;

use crate::{Account, Platform, UnixMillis};
pub use clock::system_clock;
pub use face::HangUp;
pub use serve::{serve, serve_with_tls};
pub use snapshot::SnapshotError;
pub use tls::{CertificateError, Certificates, ClientCertificate};

/// One set of platforms, shared by everyone who talks to it.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    platform: Mutex<Platform>,
    now: Box<dyn Fn() -> UnixMillis + Send + Sync>,
    /// Counts changes.
    revision: watch::Sender<u64>,
    /// Set when the streams of events are to end.
    closing: watch::Sender<bool>,
    snapshot: Option<PathBuf>,
    certificates: OnceLock<Arc<Certificates>>,
}

impl Simulator {
    /// Platforms in memory, on this clock. The program passes [`system_clock`].
    pub fn new(platform: Platform, now: impl Fn() -> UnixMillis + Send + Sync + 'static) -> Self {
        Self::with_snapshot(platform, now, None)
    }

    /// Platforms that outlive the program: loaded from the file if it is there, and written to it
    /// while [`drive`](Self::drive) runs, at most once a second. A kill may lose that second.
    pub fn open(
        path: impl Into<PathBuf>,
        seed: u64,
        now: impl Fn() -> UnixMillis + Send + Sync + 'static,
    ) -> Result<Self, SnapshotError> {
        let path = path.into();
        let platform = snapshot::load(&path)?.unwrap_or_else(|| Platform::new(seed));
        Ok(Self::with_snapshot(platform, now, Some(path)))
    }

    fn with_snapshot(
        platform: Platform,
        now: impl Fn() -> UnixMillis + Send + Sync + 'static,
        snapshot: Option<PathBuf>,
    ) -> Self {
        let mut platform = platform;
        let provider = Account::service_provider();
        if !platform.truth().accounts.contains_key(&provider.mch_id) {
            platform.add_account(provider);
        }
        Self {
            shared: Arc::new(Shared {
                platform: Mutex::new(platform),
                now: Box::new(now),
                revision: watch::Sender::new(0),
                closing: watch::Sender::new(false),
                snapshot,
                certificates: OnceLock::new(),
            }),
        }
    }

    /// Changes something, and lets everyone who waits know.
    pub fn act<T>(&self, change: impl FnOnce(&mut Platform, UnixMillis) -> T) -> T {
        let now = (self.shared.now)();
        let mut platform = self
            .shared
            .platform
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut platform, now);
        drop(platform);
        self.shared.revision.send_modify(|revision| *revision += 1);
        result
    }

    /// Hands them out from now on; the first ones stay.
    fn know_certificates(&self, certificates: Arc<Certificates>) {
        let _ = self.shared.certificates.set(certificates);
    }

    /// Only looks.
    pub fn look<T>(&self, look: impl FnOnce(&Platform, UnixMillis) -> T) -> T {
        let now = (self.shared.now)();
        let platform = self
            .shared
            .platform
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        look(&platform, now)
    }
}

/// Platforms, control API and phone, on one origin.
pub fn router(simulator: Simulator) -> Router {
    Router::new()
        .merge(page::router())
        .nest("/_sim", control::router())
        .fallback(face::platform)
        .with_state(simulator)
}
