//! What is made at the start: merchants with their channels, shops and tills.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use tongbao_channels::{Kind, kind, kinds};
use tongbao_core::channel::Confirm;
use zeroize::Zeroizing;

use super::ConfigError;
use crate::secret::Secret;

/// A merchant that is made at the start when there is none of that name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredMerchant {
    /// What the payer reads; also how it is found again.
    pub name: String,
    /// A key of the merchant API that was chosen elsewhere.
    pub api_key: Option<Secret>,
    /// A file that holds it.
    pub api_key_file: Option<PathBuf>,
    /// Whether a payment that comes after the close is kept. What is not said here
    /// stays as it was set through the API.
    pub accept_late: Option<bool>,
    /// Money of cases that goes back without a person.
    #[serde(default)]
    pub auto_refund: DeclaredAutoRefund,
    /// Its accounts at platforms.
    #[serde(default)]
    pub channels: Vec<DeclaredChannel>,
    /// Its shops.
    #[serde(default)]
    pub stores: Vec<DeclaredStore>,
}

/// A shop that is made at the start when there is none of that name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredStore {
    /// What people call it; also how it is found again.
    pub name: String,
    /// Its tills.
    #[serde(default)]
    pub tills: Vec<DeclaredTill>,
}

/// A till that is made at the start when its key is not known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredTill {
    /// What people call it.
    pub name: String,
    /// A till's key that was chosen elsewhere.
    pub key: Option<Secret>,
    /// A file that holds it.
    pub key_file: Option<PathBuf>,
}

/// What is said of automatic refunds; the rest stays as it was set through the
/// API.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredAutoRefund {
    /// The switch.
    pub enabled: Option<bool>,
    /// At most so much of one case.
    pub per_case_fen: Option<i64>,
    /// At most so much in one day of China.
    pub per_day_fen: Option<i64>,
}

/// An account at a platform that is made at the start, or brought up to date.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredChannel {
    /// Which protocol.
    pub kind: String,
    /// How it is found again.
    pub name: String,
    /// Whether new attempts may use it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What it takes before a notification may set "paid".
    #[serde(default)]
    pub confirm: Confirm,
    /// What the platform gave the merchant, under the platform's own names;
    /// a name with `_file` behind it gives the file that holds the value.
    #[serde(default)]
    pub settings: BTreeMap<String, Secret>,
}

impl DeclaredTill {
    pub(super) fn read_secret_file(&mut self, config_file: &Path) -> Result<(), ConfigError> {
        let detail = match (&self.key, self.key_file.take()) {
            (Some(_), None) => return Ok(()),
            (None, Some(file)) => {
                self.key = Some(secret_file(config_file, "key_file", &file)?);
                return Ok(());
            }
            (Some(_), Some(_)) => "has key and key_file; keep one of them",
            (None, None) => {
                "has no key; write key or key_file, or make the till with `tongbao till add`"
            }
        };
        let place = format!("till {:?}", self.name);
        Err(ConfigError::of(config_file, place, detail))
    }
}

impl DeclaredChannel {
    /// The protocol of that name.
    pub fn kind(&self) -> Result<&'static Kind, String> {
        kind(&self.kind).ok_or_else(|| {
            let known: Vec<_> = kinds().iter().map(|kind| kind.name).collect();
            format!(
                "kind {:?} is not known; there are: {}",
                self.kind,
                known.join(", ")
            )
        })
    }

    /// The settings as the channel reads them.
    pub fn settings_json(&self) -> serde_json::Value {
        let text = |secret: &Secret| serde_json::Value::from(secret.expose());
        self.settings
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }

    pub(super) fn read_secret_files(&mut self, config_file: &Path) -> Result<(), ConfigError> {
        let Ok(kind) = self.kind() else { return Ok(()) };
        for field in kind.fields {
            let name = format!("{}_file", field.name);
            let Some(path) = self.settings.remove(&name) else {
                continue;
            };
            if self.settings.contains_key(field.name) {
                let place = format!("channel {:?}", self.name);
                let detail = format!("has {} and {name}; keep one of them", field.name);
                return Err(ConfigError::of(config_file, place, detail));
            }
            let secret = setting_file(config_file, &name, Path::new(path.expose()))?;
            self.settings.insert(field.name.to_owned(), secret);
        }
        Ok(())
    }
}

/// What stands in `path`, without the line end that editors leave behind.
pub(super) fn secret_file(
    config_file: &Path,
    setting: &str,
    path: &Path,
) -> Result<Secret, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Secret::new(text.trim_end_matches(['\r', '\n']))),
        Err(error) => Err(unreadable(config_file, setting, path, &error)),
    }
}

/// The same; what is no text, as a PKCS #12 file, becomes base64.
fn setting_file(config_file: &Path, setting: &str, path: &Path) -> Result<Secret, ConfigError> {
    match std::fs::read(path).map(Zeroizing::new) {
        Ok(bytes) => Ok(Secret::new(match std::str::from_utf8(&bytes) {
            Ok(text) => text.trim_end_matches(['\r', '\n']).to_owned(),
            Err(_) => BASE64_STANDARD.encode(&*bytes),
        })),
        Err(error) => Err(unreadable(config_file, setting, path, &error)),
    }
}

fn unreadable(
    config_file: &Path,
    setting: &str,
    path: &Path,
    error: &std::io::Error,
) -> ConfigError {
    let detail = format!("{} cannot be read: {error}", path.display());
    ConfigError::of(config_file, setting.to_owned(), detail)
}

fn yes() -> bool {
    true
}
