//! Where a merchant wants to be told.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tongbao_core::order::Invalid;
use tongbao_core::webhook::{Endpoint, EventType};
use tongbao_core::{EndpointId, MerchantId, StoreId};
use tongbao_store::{Change, StoreError, Unique};
use zeroize::Zeroizing;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::IdempotencyKey;
use crate::mint;
use crate::vault::Place;
use crate::webhook_url;

/// An endpoint as it is asked for.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Absolute http or https address.
    pub url: String,
    /// Only these; empty means all.
    pub event_types: Vec<EventType>,
    /// Only events of this shop.
    pub store: Option<StoreId>,
}

/// What is to be changed of an endpoint.
#[derive(Clone, Debug, Default)]
pub struct EndpointPatch {
    /// A new address.
    pub url: Option<String>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
    /// Only these; empty means all.
    pub event_types: Option<Vec<EventType>>,
}

/// An endpoint, with its secret while it may be seen.
pub type Secretive = (Endpoint, Option<Zeroizing<String>>);

/// How long after an endpoint was made the same request, under the same key, is
/// answered with its secret: enough for whoever lost the answer to ask again,
/// and not for whoever finds the key in an old log.
pub const SECRET_SHOWN_FOR: Duration = Duration::from_mins(10);

/// 24 random bytes: what Standard Webhooks recommends at least.
const SECRET_LEN: usize = 24;

impl Engine {
    /// Adds an endpoint and makes its secret, `whsec_…`. The same request under the
    /// same key sees it again for [`SECRET_SHOWN_FOR`].
    pub async fn create_endpoint(
        &self,
        merchant: MerchantId,
        new: NewEndpoint,
        key: Option<IdempotencyKey>,
    ) -> Result<Secretive, EngineError> {
        if let Some(made) = self.made_endpoint(merchant, key.as_ref()).await? {
            return Ok(made);
        }
        webhook_url::check(&new.url, &self.config.public_url)?;
        self.check_store(merchant, new.store).await?;
        let mut random = Zeroizing::new([0; SECRET_LEN]);
        self.seams.mint.fill(&mut *random);
        let secret = Zeroizing::new(format!("whsec_{}", BASE64_STANDARD.encode(*random)));
        let now = self.now();
        let id: EndpointId = mint::new_id(&*self.seams.mint, now);
        let row = id.to_string();
        let seams = &self.seams;
        let sealed_secret = self
            .vault
            .seal(
                &*seams.store,
                &*seams.mint,
                now,
                merchant,
                &secret_place(&row),
                secret.as_bytes(),
            )
            .await?;
        let endpoint = Endpoint {
            id,
            merchant,
            url: new.url,
            enabled: true,
            event_types: new.event_types,
            store: new.store,
            sealed_secret,
            created_at: now,
        };
        let change = Change {
            endpoint: Some(Box::new(endpoint.clone())),
            idempotency: key.as_ref().map(|key| key.record(merchant, id, now)),
            ..Change::default()
        };
        match self.store().commit(change).await {
            // The same request was faster.
            Err(StoreError::Taken(Unique::IdempotencyKey)) => {
                let made = self.made_endpoint(merchant, key.as_ref()).await?;
                made.ok_or(EngineError::Busy)
            }
            written => written
                .map(|_| (endpoint, Some(secret)))
                .map_err(Into::into),
        }
    }

    /// What the key made before, with its secret if that was a short while ago.
    async fn made_endpoint(
        &self,
        merchant: MerchantId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Secretive>, EngineError> {
        let Some(promised) = self.made_before(merchant, key).await? else {
            return Ok(None);
        };
        let endpoint = self.endpoint_of(merchant, promised.resource).await?;
        let age = self.now().since(endpoint.created_at);
        let secret = (age < SECRET_SHOWN_FOR)
            .then(|| self.endpoint_secret(&endpoint))
            .transpose()?;
        Ok(Some((endpoint, secret)))
    }

    /// Changes an endpoint. Deliveries that waited while it was off go out when it
    /// is on again. Of two changes at the same time the later one counts.
    pub async fn update_endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
        patch: EndpointPatch,
    ) -> Result<Endpoint, EngineError> {
        let mut endpoint = self.endpoint_of(merchant, id).await?;
        if let Some(url) = patch.url {
            webhook_url::check(&url, &self.config.public_url)?;
            endpoint.url = url;
        }
        endpoint.enabled = patch.enabled.unwrap_or(endpoint.enabled);
        endpoint.event_types = patch.event_types.unwrap_or(endpoint.event_types);
        self.store().save_endpoint(endpoint.clone()).await?;
        self.bell.ring();
        Ok(endpoint)
    }

    /// Removes an endpoint, with what waits for it.
    pub async fn delete_endpoint(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<(), EngineError> {
        let found = self.store().delete_endpoint(merchant, id).await?;
        found
            .then_some(())
            .ok_or(EngineError::NotFound("webhook endpoint"))
    }

    /// The merchant's own endpoint of that id.
    pub async fn endpoint_of(
        &self,
        merchant: MerchantId,
        id: EndpointId,
    ) -> Result<Endpoint, EngineError> {
        let found = self.store().endpoint(merchant, id).await?;
        found.ok_or(EngineError::NotFound("webhook endpoint"))
    }

    /// The signing secret, `whsec_…`.
    pub fn endpoint_secret(&self, endpoint: &Endpoint) -> Result<Zeroizing<String>, EngineError> {
        let row = endpoint.id.to_string();
        let secret = self.vault.unseal(
            endpoint.merchant,
            &secret_place(&row),
            &endpoint.sealed_secret,
        )?;
        let text = std::str::from_utf8(&secret).map_err(|_| {
            EngineError::Vault(format!(
                "the secret of {row} is unreadable; make a new endpoint"
            ))
        })?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// Where an endpoint's secret is sealed to.
pub(crate) fn secret_place(row: &str) -> Place<'_> {
    Place {
        column: "endpoints|sealed_secret",
        row,
    }
}

/// Reads the names of event types; every one must be known.
pub fn event_types(names: &[String]) -> Result<Vec<EventType>, Invalid> {
    let read = |name: &String| {
        EventType::parse(name).ok_or_else(|| {
            let known = EventType::ALL.map(EventType::as_str).join(", ");
            Invalid::new(
                "event_types",
                format!("{name} is not one; there are: {known}"),
            )
        })
    };
    names.iter().map(read).collect()
}
