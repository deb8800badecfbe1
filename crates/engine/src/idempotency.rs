//! A caller's name for a request that may arrive twice.

use std::fmt::Display;
use std::str::FromStr;

use aws_lc_rs::digest;
use tongbao_core::order::Invalid;
use tongbao_core::{MerchantId, Timestamp};
use tongbao_store::{Change, IdempotencyRecord, StoreError};

use crate::engine::Engine;
use crate::error::EngineError;

/// The key, and what it was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    key: String,
    fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// `key` is 1 to 255 visible ASCII characters; the rest is what must be the
    /// same when it comes again.
    pub fn new(key: &str, method: &str, path: &str, body: &[u8]) -> Result<Self, Invalid> {
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            let detail = "send 1 to 255 visible ASCII characters, for example a UUID";
            return Err(Invalid::new("Idempotency-Key", detail));
        }
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [method.as_bytes(), b"\n", path.as_bytes(), b"\n", body] {
            context.update(part);
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.finish().as_ref());
        Ok(Self {
            key: key.to_owned(),
            fingerprint,
        })
    }

    /// The row that goes into the transaction that makes `resource`.
    pub(crate) fn record(
        &self,
        merchant: MerchantId,
        resource: impl Display + Copy,
        now: Timestamp,
    ) -> IdempotencyRecord {
        IdempotencyRecord {
            merchant,
            key: self.key.clone(),
            fingerprint: self.fingerprint,
            resource: resource.to_string(),
            created_at: now,
        }
    }
}

/// What a key stands for.
pub(crate) struct Promised<T> {
    pub(crate) resource: T,
    /// When that was written: with the resource, if the key made it.
    pub(crate) at: Timestamp,
}

impl Engine {
    /// What the key made or found before; an error when it was given for
    /// something else.
    pub(crate) async fn made_before<T: FromStr>(
        &self,
        merchant: MerchantId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Promised<T>>, EngineError> {
        let Some(key) = key else { return Ok(None) };
        let Some(record) = self.store().idempotency(merchant, &key.key).await? else {
            return Ok(None);
        };
        if record.fingerprint != key.fingerprint {
            return Err(EngineError::KeyReused);
        }
        // A resource of another kind cannot have the same method and path.
        let resource = record.resource.parse();
        let resource = resource.map_err(|_| EngineError::KeyReused)?;
        Ok(Some(Promised {
            resource,
            at: record.created_at,
        }))
    }

    /// Ties the key to what was found where it would have made something: the
    /// same request finds the same from now on. Where the key was used in
    /// between, that decides.
    pub(crate) async fn found<T: FromStr + Display + Copy>(
        &self,
        merchant: MerchantId,
        key: Option<&IdempotencyKey>,
        resource: T,
    ) -> Result<T, EngineError> {
        let Some(key) = key else { return Ok(resource) };
        let change = Change {
            idempotency: Some(key.record(merchant, resource, self.now())),
            ..Change::default()
        };
        match self.store().commit(change).await {
            Ok(_) => Ok(resource),
            Err(StoreError::Taken(_) | StoreError::CommitUnknown(_)) => {
                let promised = self.made_before(merchant, Some(key)).await?;
                promised
                    .map(|promised| promised.resource)
                    .ok_or(EngineError::Busy)
            }
            Err(error) => Err(error.into()),
        }
    }
}
