//! A caller's name for a request that may arrive twice.

use aws_lc_rs::digest;
use tongbao_core::order::Invalid;
use tongbao_core::{MerchantId, Timestamp};
use tongbao_store::IdempotencyRecord;

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
        resource: impl std::fmt::Display + Copy,
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

impl Engine {
    /// What the key made before; an error when it was given for something else.
    pub(crate) async fn made_before<T: std::str::FromStr>(
        &self,
        merchant: MerchantId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<T>, EngineError> {
        let Some(key) = key else { return Ok(None) };
        let Some(record) = self.store().idempotency(merchant, &key.key).await? else {
            return Ok(None);
        };
        if record.fingerprint != key.fingerprint {
            return Err(EngineError::KeyReused);
        }
        // A resource of another kind cannot have the same method and path.
        record
            .resource
            .parse()
            .map(Some)
            .map_err(|_| EngineError::KeyReused)
    }
}
