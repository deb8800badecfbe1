//! Channel accounts, opened once and kept for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tongbao_channels::{Channel, Settings, kind};
use tongbao_core::channel::{ChannelAccount, Confirm};
use tongbao_core::merchant::Merchant;
use tongbao_core::{ChannelId, Grade, MerchantId, Rules, Timestamp};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::vault::Place;

/// An account with its codec and its merchant.
pub(crate) struct OpenChannel {
    pub(crate) account: ChannelAccount,
    pub(crate) merchant: Merchant,
    pub(crate) channel: Arc<dyn Channel>,
}

impl OpenChannel {
    /// How reports of this account are judged.
    pub(crate) fn rules(&self) -> Rules {
        let trust = match self.account.confirm {
            Confirm::Query => Grade::Strong,
            Confirm::Signature => Grade::Shared,
        };
        Rules {
            policy: self.merchant.policy.without_limits(),
            trust,
        }
    }
}

/// Another process may change an account: no copy is older than this.
const KEEP: Duration = Duration::from_secs(5);

/// The accounts opened lately.
#[derive(Default)]
pub(crate) struct OpenChannels {
    kept: Mutex<BTreeMap<ChannelId, (Timestamp, Arc<OpenChannel>)>>,
}

impl OpenChannels {
    fn get(&self, id: ChannelId, now: Timestamp) -> Option<Arc<OpenChannel>> {
        let kept = self.lock();
        let (since, open) = kept.get(&id)?;
        (now.since(*since) < KEEP && *since <= now).then(|| open.clone())
    }

    /// However old: a codec stays right as long as its account's row is the same.
    fn kept(&self, id: ChannelId) -> Option<Arc<OpenChannel>> {
        self.lock().get(&id).map(|(_, open)| open.clone())
    }

    fn put(&self, now: Timestamp, open: Arc<OpenChannel>) {
        self.lock().insert(open.account.id, (now, open));
    }

    pub(crate) fn forget(&self, id: ChannelId) {
        self.lock().remove(&id);
    }

    /// The merchant decided something anew.
    pub(crate) fn forget_all_of(&self, merchant: MerchantId) {
        self.lock()
            .retain(|_, (_, open)| open.merchant.id != merchant);
    }

    fn lock(
        &self,
    ) -> std::sync::MutexGuard<'_, BTreeMap<ChannelId, (Timestamp, Arc<OpenChannel>)>> {
        self.kept
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Where an account's secrets are sealed to.
pub(crate) fn secrets_place(row: &str) -> Place<'_> {
    Place {
        column: "channels|sealed_secrets",
        row,
    }
}

impl Engine {
    /// The account of that id, ready to speak.
    pub(crate) async fn open_channel(
        &self,
        id: ChannelId,
    ) -> Result<Arc<OpenChannel>, EngineError> {
        let now = self.now();
        if let Some(open) = self.open_channels.get(id, now) {
            return Ok(open);
        }
        let account = self
            .store()
            .channel(id)
            .await?
            .ok_or(EngineError::NotFound("channel"))?;
        let open = match self.open_channels.kept(id) {
            Some(kept) if kept.account == account => {
                Arc::new(self.open_with(account, kept.channel.clone()).await?)
            }
            _ => Arc::new(self.open_account(account).await?),
        };
        self.open_channels.put(now, open.clone());
        Ok(open)
    }

    /// The same; `None` for an account that cannot be opened as it stands, which
    /// is no reason not to use another one.
    pub(crate) async fn open_if_sound(
        &self,
        id: ChannelId,
    ) -> Result<Option<Arc<OpenChannel>>, EngineError> {
        match self.open_channel(id).await {
            Err(error @ (EngineError::Vault(_) | EngineError::Settings(_))) => {
                tracing::error!(channel = %id, %error, "the channel cannot be opened");
                Ok(None)
            }
            opened => opened.map(Some),
        }
    }

    /// Opens an account as it stands, stored or not.
    pub(crate) async fn open_account(
        &self,
        account: ChannelAccount,
    ) -> Result<OpenChannel, EngineError> {
        let channel = self.codec(&account.kind, self.settings(&account)?).await?;
        self.open_with(account, channel.into()).await
    }

    async fn open_with(
        &self,
        account: ChannelAccount,
        channel: Arc<dyn Channel>,
    ) -> Result<OpenChannel, EngineError> {
        let merchant = self
            .store()
            .merchant(account.merchant)
            .await?
            .ok_or(EngineError::NotFound("merchant"))?;
        Ok(OpenChannel {
            account,
            merchant,
            channel,
        })
    }

    /// The account's settings, secrets included.
    pub(crate) fn settings(&self, account: &ChannelAccount) -> Result<Settings, EngineError> {
        let row = account.id.to_string();
        let secrets = self.vault.unseal(
            account.merchant,
            &secrets_place(&row),
            &account.sealed_secrets,
        )?;
        let secrets = serde_json::from_slice(&secrets)
            .map_err(|_| EngineError::Vault(format!("the secrets of {row} are unreadable")))?;
        Ok(Settings::join(account.settings.clone(), secrets))
    }

    /// The codec for those settings, at the platform's addresses. A certificate
    /// under a password is work.
    pub(crate) async fn codec(
        &self,
        name: &str,
        settings: Settings,
    ) -> Result<Box<dyn Channel>, EngineError> {
        let kind = kind(name).ok_or(EngineError::NotFound("kind of channel"))?;
        let platforms = self.config.platforms.clone();
        let work = move || (kind.open)(&settings, &platforms);
        let opened = self.seams.labour.result_of(work).await;
        opened.map_or_else(
            || {
                Err(EngineError::Vault(format!(
                    "the settings of {name} do not open"
                )))
            },
            |opened| opened.map_err(Into::into),
        )
    }
}
