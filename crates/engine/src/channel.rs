//! A merchant's accounts at platforms, and the key doctor.

use std::time::Duration;

use serde_json::Value;
use tongbao_channels::{Channel, ChannelError, Diagnosis, Settings, Stamp, kind, kinds};
use tongbao_core::channel::{ChannelAccount, Confirm};
use tongbao_core::order::Invalid;
use tongbao_core::{ChannelId, MerchantId, Timestamp};
use tongbao_store::{Change, StoreError, Unique};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::IdempotencyKey;
use crate::mint;
use crate::open_channel::secrets_place;
use crate::seams::{Target, Transport};

/// An account as it is typed in.
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// A name of the registry: `wechat_v2`.
    pub kind: String,
    /// The merchant's name for it.
    pub name: String,
    /// Names and texts, secrets included; which ones, the kind says.
    pub settings: Value,
    /// What it takes before a notification may set "paid".
    pub confirm: Confirm,
    /// Whether new attempts may use it.
    pub enabled: bool,
}

/// What is to be changed of an account.
#[derive(Clone, Debug, Default)]
pub struct ChannelPatch {
    /// A new name.
    pub name: Option<String>,
    /// These settings, in the place of those of the same name.
    pub settings: Option<Value>,
    /// What it takes before a notification may set "paid".
    pub confirm: Option<Confirm>,
    /// Whether new attempts may use it.
    pub enabled: Option<bool>,
}

impl Engine {
    /// Adds an account. Settings that cannot be opened are refused before
    /// anything is stored.
    pub async fn create_channel(
        &self,
        merchant: MerchantId,
        new: NewChannel,
        key: Option<IdempotencyKey>,
    ) -> Result<ChannelAccount, EngineError> {
        if let Some(promised) = self
            .made_before::<ChannelId>(merchant, key.as_ref())
            .await?
        {
            return self.channel_of(merchant, promised.resource).await;
        }
        let Some(kind) = kind(&new.kind) else {
            let known: Vec<_> = kinds().iter().map(|kind| kind.name).collect();
            let detail = format!("is not a channel; there are: {}", known.join(", "));
            return Err(Invalid::new("kind", detail).into());
        };
        let settings = Settings::read(kind.fields, new.settings)?;
        let codec = self.codec(kind.name, settings.clone()).await?;
        let now = self.now();
        not_expired(&*codec, None, now)?;
        if let Some(rotation) = kind.rotation {
            rotation.check(&settings, now)?;
        }
        let id: ChannelId = mint::new_id(&*self.seams.mint, now);
        let (open, secret) = settings.split(kind.fields);
        let account = ChannelAccount {
            id,
            merchant,
            kind: kind.name.to_owned(),
            name: named(&new.name)?,
            enabled: new.enabled,
            confirm: new.confirm,
            settings: open,
            sealed_secrets: self.seal_settings(merchant, id, &secret).await?,
            version: 1,
            created_at: now,
        };
        let change = Change {
            channel: Some(Box::new(account.clone())),
            idempotency: key.as_ref().map(|key| key.record(merchant, id, now)),
            ..Change::default()
        };
        match self.store().commit(change).await {
            // The same request was faster.
            Err(StoreError::Taken(Unique::IdempotencyKey)) => {
                let made = self.made_before(merchant, key.as_ref()).await?;
                let made = made.ok_or(EngineError::Busy)?.resource;
                self.channel_of(merchant, made).await
            }
            written => written.map(|_| account).map_err(Into::into),
        }
    }

    /// Changes an account. What has begun goes on with the new settings, also what
    /// was laid aside.
    pub async fn update_channel(
        &self,
        merchant: MerchantId,
        id: ChannelId,
        patch: ChannelPatch,
    ) -> Result<ChannelAccount, EngineError> {
        let mut account = self.channel_of(merchant, id).await?;
        if let Some(typed) = patch.settings {
            let kind = kind(&account.kind).ok_or(EngineError::NotFound("kind of channel"))?;
            let optional: Vec<_> = kind
                .fields
                .iter()
                .map(|field| tongbao_channels::settings::Field {
                    required: false,
                    ..*field
                })
                .collect();
            let mut known = match self.settings(&account) {
                // The cure is to enter them again.
                Err(EngineError::Vault(_)) => Settings::join(account.settings.clone(), Value::Null),
                known => known?,
            };
            let before = self.codec(kind.name, known.clone()).await.ok();
            let before = before.and_then(|codec| codec.certificate_until());
            let mut newer = Settings::read(&optional, typed)?;
            if let Some(rotation) = kind.rotation {
                rotation.begin(&mut known, &mut newer);
                rotation.check(&newer, self.now())?;
            }
            let settings = known.overlaid(newer, kind.fields)?;
            let codec = self.codec(kind.name, settings.clone()).await?;
            not_expired(&*codec, before, self.now())?;
            let (open, secret) = settings.split(kind.fields);
            account.settings = open;
            account.sealed_secrets = self.seal_settings(merchant, id, &secret).await?;
        }
        if let Some(name) = patch.name {
            account.name = named(&name)?;
        }
        account.confirm = patch.confirm.unwrap_or(account.confirm);
        account.enabled = patch.enabled.unwrap_or(account.enabled);
        account.version += 1;
        match self.store().save_channel(account.clone()).await {
            Err(StoreError::Conflict) => return Err(EngineError::Busy),
            saved => saved?,
        }
        self.open_channels.forget(id);
        self.take_up(id).await?;
        Ok(account)
    }

    /// The key doctor: asks the platform something harmless and reads the answer.
    pub async fn check_channel(
        &self,
        merchant: MerchantId,
        id: ChannelId,
        key: Option<IdempotencyKey>,
    ) -> Result<Diagnosis, EngineError> {
        let account = self.channel_of(merchant, id).await?;
        // A diagnosis is true for a moment: the same request asks again.
        if self
            .made_before::<ChannelId>(merchant, key.as_ref())
            .await?
            .is_none()
        {
            self.found(merchant, key.as_ref(), id).await?;
        }
        let codec = self.codec(&account.kind, self.settings(&account)?).await?;
        let stamp = Stamp {
            now: self.now(),
            nonce: mint::nonce(&*self.seams.mint),
        };
        let timeout = self.config.channel_timeout;
        let found = diagnose(&*codec, &*self.seams.transport, &stamp, timeout).await?;
        if found.healthy {
            self.take_up(id).await?;
        }
        Ok(found)
    }

    /// Jobs that were laid aside because the account could not be used are tried
    /// again.
    async fn take_up(&self, id: ChannelId) -> Result<(), EngineError> {
        if self.store().take_up(id, self.now()).await? > 0 {
            self.bell.ring();
        }
        Ok(())
    }

    /// The merchant's own account of that id.
    pub async fn channel_of(
        &self,
        merchant: MerchantId,
        id: ChannelId,
    ) -> Result<ChannelAccount, EngineError> {
        let found = self.store().channel(id).await?;
        found
            .filter(|account| account.merchant == merchant)
            .ok_or(EngineError::NotFound("channel"))
    }

    async fn seal_settings(
        &self,
        merchant: MerchantId,
        id: ChannelId,
        secret: &Value,
    ) -> Result<Vec<u8>, EngineError> {
        let (row, plain) = (id.to_string(), zeroize::Zeroizing::new(secret.to_string()));
        let seams = &self.seams;
        self.vault
            .seal(
                &*seams.store,
                &*seams.mint,
                self.now(),
                merchant,
                &secrets_place(&row),
                plain.as_bytes(),
            )
            .await
    }
}

/// Asks the platform something harmless and reads the answer. An error is about
/// the settings themselves: nothing was sent.
pub async fn diagnose(
    channel: &dyn Channel,
    transport: &dyn Transport,
    stamp: &Stamp,
    timeout: Duration,
) -> Result<Diagnosis, ChannelError> {
    let request = channel.probe(stamp)?;
    let sent = transport.send(Target::Platform, request, timeout).await;
    Ok(match sent {
        Ok(response) => channel.diagnose(&response, stamp.now),
        Err(error) => Diagnosis {
            healthy: false,
            code: "unreachable",
            cause: format!("the platform did not answer: {error}"),
            cure: "check this machine's network, DNS and clock, and [platforms] in the \
                   configuration"
                .to_owned(),
        },
    })
}

/// A certificate that is entered has to be good still. One that was, and ended
/// since, hinders no other change.
fn not_expired(
    codec: &dyn Channel,
    before: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Invalid> {
    let ended = |until: &Timestamp| *until <= now && before != Some(*until);
    match codec.certificate_until().filter(ended) {
        Some(until) => Err(Invalid::new(
            "settings.client_certificate",
            format!("ended at {until}; download a new one from the platform and enter that"),
        )),
        None => Ok(()),
    }
}

fn named(name: &str) -> Result<String, Invalid> {
    let name = name.trim();
    if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
        return Err(Invalid::new("name", "use 1 to 64 bytes of text"));
    }
    Ok(name.to_owned())
}
