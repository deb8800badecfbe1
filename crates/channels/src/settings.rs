//! A channel account's settings: what an operator types, split into what may be
//! shown and what is sealed.

mod rotation;

use serde_json::{Map, Value};

pub use rotation::Rotation;

/// One setting of a kind of channel.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in JSON and TOML: the platform's own word.
    pub name: &'static str,
    /// Sealed in the database, never shown again.
    pub secret: bool,
    /// An account without it cannot be opened.
    pub required: bool,
    /// Says whose account it is. It never changes: the platform knows the orders
    /// under way by it, and asked under another name it would know of none.
    pub identity: bool,
    /// What it is and where to find it.
    pub help: &'static str,
}

/// The settings of one account, secrets included. Lives in memory only.
#[derive(Clone, Default)]
pub struct Settings {
    values: Map<String, Value>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.values.keys()).finish()
    }
}

/// A setting that is missing, unknown or of no use: the cause and the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("settings.{field}: {detail}")]
pub struct SettingsError {
    /// Which setting.
    pub field: String,
    /// What is wrong, and what would be right. Never the value.
    pub detail: String,
}

impl SettingsError {
    pub(crate) fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            detail: detail.into(),
        }
    }
}

impl Settings {
    /// Reads what was typed: every name must be one of `fields`, every value
    /// text, and what is required must be there.
    pub fn read(fields: &[Field], typed: Value) -> Result<Self, SettingsError> {
        let Value::Object(values) = typed else {
            return Err(SettingsError::new("", "send an object of names and texts"));
        };
        for (name, value) in &values {
            if !fields.iter().any(|field| field.name == name) {
                let known: Vec<_> = fields.iter().map(|field| field.name).collect();
                let detail = format!(
                    "is not a setting of this channel; it has {}",
                    known.join(", ")
                );
                return Err(SettingsError::new(name, detail));
            }
            if !value.is_string() {
                return Err(SettingsError::new(
                    name,
                    "is not text; put it in quotation marks",
                ));
            }
        }
        let missing = |field: &&Field| field.required && !values.contains_key(field.name);
        match fields.iter().find(missing) {
            Some(field) => Err(SettingsError::new(
                field.name,
                format!("is missing: {}", field.help),
            )),
            None => Ok(Self { values }),
        }
    }

    /// Puts the two stored halves together again.
    pub fn join(open: Value, secret: Value) -> Self {
        let mut values = Map::new();
        for half in [open, secret] {
            if let Value::Object(half) = half {
                values.extend(half);
            }
        }
        Self { values }
    }

    /// What may be shown, and what must be sealed.
    pub fn split(self, fields: &[Field]) -> (Value, Value) {
        let is_secret = |name: &str| {
            fields
                .iter()
                .any(|field| field.secret && field.name == name)
        };
        let (secret, open): (Map<_, _>, Map<_, _>) = self
            .values
            .into_iter()
            .partition(|(name, _)| is_secret(name));
        (Value::Object(open), Value::Object(secret))
    }

    /// These settings, with those of `newer` in their place; refused when that
    /// would make it another account.
    pub fn overlaid(mut self, newer: Self, fields: &[Field]) -> Result<Self, SettingsError> {
        for field in fields.iter().filter(|field| field.identity) {
            let (was, is) = (self.get(field.name), newer.get(field.name));
            if is.is_some() && is != was {
                let detail = "is another account's, and orders under way belong to this one; add \
                              a channel for the other account";
                return Err(SettingsError::new(field.name, detail));
            }
        }
        self.values.extend(newer.values);
        Ok(self)
    }

    /// A setting's text; `None` when it is not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_str()
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&str, SettingsError> {
        match self.get(name) {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(SettingsError::new(name, "is missing or empty")),
        }
    }
}
