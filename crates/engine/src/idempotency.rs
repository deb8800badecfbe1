//! A caller's name for a request that may arrive twice.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use aws_lc_rs::digest;
use serde_json::Value;
use tongbao_core::order::Invalid;
use tongbao_core::{MerchantId, TillId, Timestamp};
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
    /// same when it comes again. Of a body in JSON the meaning counts, not the
    /// order of its fields or the room between them.
    pub fn new(key: &str, method: &str, path: &str, body: &[u8]) -> Result<Self, Invalid> {
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            let detail = "send 1 to 255 visible ASCII characters, for example a UUID";
            return Err(Invalid::new("Idempotency-Key", detail));
        }
        let mut context = digest::Context::new(&digest::SHA256);
        // What nobody can read is compared as it is.
        let canonical = serde_json::from_slice(body).map(|value| {
            let mut text = String::with_capacity(body.len());
            write_canonical(&value, &mut text);
            text
        });
        let body = canonical.as_deref().map_or(body, str::as_bytes);
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

    /// The same key in the hand of one till: what another one, or the merchant,
    /// was promised under it is nothing to this one. A space is in no key that
    /// comes from outside.
    #[must_use]
    pub fn of_till(self, till: TillId) -> Self {
        Self {
            key: format!("{till} {}", self.key),
            ..self
        }
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

/// The one text of everything that means the same: fields by name, no room
/// between, letters as themselves.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().collect();
            let mut before = '{';
            for (name, value) in fields {
                out.push(before);
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
                before = ',';
            }
            out.push_str(if before == '{' { "{}" } else { "}" });
        }
        Value::Array(values) => {
            let mut before = '[';
            for value in values {
                out.push(before);
                write_canonical(value, out);
                before = ',';
            }
            out.push_str(if before == '[' { "[]" } else { "]" });
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// The answer to a command that makes nothing.
#[derive(Clone, Debug)]
pub struct Answered<T> {
    /// What is true now.
    pub answer: T,
    /// The same request, under the same key, was answered before.
    pub replayed: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn key(body: &str) -> IdempotencyKey {
        IdempotencyKey::new("k", "POST", "/v1", body.as_bytes()).unwrap()
    }

    #[test]
    fn what_means_the_same_is_the_same_request() {
        let one = key(r#"{"a":{"x":1,"y":[true,null,"茶"]},"b":1.50}"#);
        for same in [
            r#"{"b":1.50,"a":{"y":[true,null,"茶"],"x":1}}"#,
            "{ \"b\" : 1.50,\n\"a\": {\"x\":1, \"y\":[ true,null , \"\\u8336\" ]}}",
        ] {
            assert_eq!(key(same), one, "{same}");
        }
        for other in [
            r#"{"a":{"x":1,"y":[true,"茶",null]},"b":1.50}"#,
            r#"{"a":{"x":1,"y":[true,null,"茶"]},"b":"1.50"}"#,
            r#"{"a":{"x":1,"y":[true,null,"茶"]}}"#,
            "",
            "{}",
            "not JSON",
        ] {
            assert_ne!(key(other), one, "{other}");
        }
    }

    #[test]
    fn amounts_that_a_float_would_make_equal_are_not() {
        let (one, two) = (r#"{"n":9007199254740993}"#, r#"{"n":9007199254740992}"#);
        assert_ne!(key(one), key(two));
        assert_ne!(key(r#"{"n":1}"#), key(r#"{"n":1.0}"#));
    }

    #[test]
    fn a_hostile_body_is_only_bytes() {
        let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
        assert_eq!(key(&deep), key(&deep));
        assert_ne!(key(&deep), key(&format!("{deep} ")));
    }

    #[test]
    fn method_and_path_count() {
        let of = |method, path| IdempotencyKey::new("k", method, path, b"{}").unwrap();
        assert_ne!(of("POST", "/a"), of("POST", "/b"));
        assert_ne!(of("POST", "/a"), of("PUT", "/a"));
    }
}
