//! What a page or an app hands to the wallet: a flat JSON object of texts, signed once more.
//!
//! The second signature has the order's algorithm. One that was ordered with HMAC and is called
//! with MD5 fails on the phone.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::field::FieldError;
use super::sign::{self, ApiKey, SignError, SignType};
use super::xml::Fields;

/// Objects above this are refused unread; a genuine one has less than a KiB.
const MAX_BYTES: usize = 16 * 1024;

/// Why the wallet does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not a JSON object of texts: a number for the time, a name that comes twice.
    #[error("not an object of texts")]
    Json,
    /// A field is missing or malformed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Signed with another algorithm than the order was.
    #[error("not signed with the algorithm of the order")]
    SignType,
    /// Signed wrongly, or not at all.
    #[error(transparent)]
    Sign(#[from] SignError),
}

pub(super) fn write_json(fields: &Fields<'_>) -> String {
    serde_json::to_string(&Object(fields.clone())).expect("texts are JSON")
}

pub(super) fn read_json(text: &str) -> Result<Fields<'static>, CallError> {
    if text.len() > MAX_BYTES {
        return Err(CallError::Json);
    }
    let object: Object<'static> = serde_json::from_str(text).map_err(|_| CallError::Json)?;
    Ok(object.0)
}

/// Takes the signature out of the field that has it, and checks it over all others.
pub(super) fn take_and_verify(
    fields: &mut Fields<'_>,
    field: &'static str,
    key: &ApiKey,
    sign_type: SignType,
) -> Result<(), SignError> {
    let received = fields.remove(field);
    sign::verify_value(fields, received.as_deref(), key, sign_type)
}

struct Object<'a>(Fields<'a>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

impl<'de> Deserialize<'de> for Object<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Texts)
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Object<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = Fields::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            if fields.get(&name).is_some() {
                return Err(M::Error::custom("a name comes twice"));
            }
            fields.insert(Cow::Owned(name), Cow::Owned(value));
        }
        Ok(Object(fields))
    }
}
