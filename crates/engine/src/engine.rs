//! The engine and what it is made of.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tongbao_channels::Addresses;
use tongbao_core::{ChannelId, Patience, PaymentId, Timestamp};
use tongbao_store::Store;
use zeroize::Zeroizing;

use crate::bell::Bell;
use crate::error::EngineError;
use crate::lane::Lanes;
use crate::login::Asking;
use crate::notification::Minutes;
use crate::open_channel::OpenChannels;
use crate::said::Said;
use crate::seams::{Clock, Seams};
use crate::vault::Vault;
use crate::worker;

/// What the engine must be told once.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Where payers and platforms reach this gateway; no slash at its end.
    pub public_url: String,
    /// Where the platforms are.
    pub platforms: Addresses,
    /// How long a channel may take to answer.
    pub channel_timeout: Duration,
    /// How long a payer at a till is waited for.
    pub patience: Patience,
}

/// So many changes a slow listener may be behind before it must look for itself.
const CHANGES: usize = 256;

/// Every use case of the gateway.
pub struct Engine {
    pub(crate) seams: Seams,
    pub(crate) vault: Vault,
    pub(crate) config: EngineConfig,
    pub(crate) open_channels: OpenChannels,
    pub(crate) asking: Asking,
    pub(crate) lanes: Lanes,
    pub(crate) refused_sample: Minutes,
    pub(crate) said: Said,
    pub(crate) unknown_sample: Minutes,
    pub(crate) changes: broadcast::Sender<PaymentId>,
    pub(crate) bell: Bell,
    pub(crate) nap: Duration,
}

impl Engine {
    /// Opens the vault with the master key. A key that is not the one that
    /// sealed the database is an error, and nothing is written.
    pub async fn open(
        seams: Seams,
        kek: Zeroizing<[u8; 32]>,
        config: EngineConfig,
    ) -> Result<Self, EngineError> {
        let vault = Vault::open(&kek, seams.store.data_keys().await?)?;
        let (changes, _) = broadcast::channel(CHANGES);
        Ok(Self {
            seams,
            vault,
            config,
            open_channels: OpenChannels::default(),
            asking: Asking::default(),
            lanes: Lanes::default(),
            refused_sample: Minutes::default(),
            said: Said::default(),
            unknown_sample: Minutes::default(),
            changes,
            bell: Bell::default(),
            nap: worker::NAP,
        })
    }

    /// The worker looks at the database at least this often, whether or not
    /// something rang; every half a minute when not said.
    #[must_use]
    pub fn with_nap(self, nap: Duration) -> Self {
        Self { nap, ..self }
    }

    /// The database, for reading.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.seams.store
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.seams.clock
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.seams.clock.now()
    }

    /// A random id for a request, for logs.
    pub fn request_id(&self) -> String {
        crate::mint::token(&*self.seams.mint)
    }

    /// Payments that have just changed: for pages that show them. A slow
    /// listener misses some and must look for itself.
    pub fn changes(&self) -> broadcast::Receiver<PaymentId> {
        self.changes.subscribe()
    }

    /// Payers reach this gateway over TLS, so what is given to their browsers need
    /// never travel without.
    pub fn is_behind_tls(&self) -> bool {
        self.config.public_url.starts_with("https:")
    }

    /// Where the platform is to send this account's notifications.
    pub fn notify_url(&self, channel: ChannelId) -> String {
        format!("{}/notify/{channel}", self.config.public_url)
    }
}
