//! What an operator decides: one struct, read once, before anything else.
//!
//! `tongbao.example.toml` explains every setting; a test holds the two together.

mod declared;
mod environment;
mod error;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tongbao_channels::{Addresses, kinds};
use tongbao_core::Patience;

pub use declared::{
    DeclaredAutoRefund, DeclaredChannel, DeclaredMerchant, DeclaredStore, DeclaredTill,
};
pub use error::ConfigError;
pub use value::{BaseUrl, LogLevel, Networks};

use self::declared::secret_file;

/// Where the file is when nobody says otherwise.
pub const DEFAULT_FILE: &str = "tongbao.toml";

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where merchants, platforms and payers are served.
    pub listen: SocketAddr,
    /// Where they reach it from outside; `http://` and `listen` when not set.
    pub public_url: Option<BaseUrl>,
    /// Database, master key and lock.
    pub data_dir: PathBuf,
    /// Where metrics are served; nowhere when not set.
    pub admin_listen: Option<SocketAddr>,
    /// How long a platform may take to answer.
    pub channel_timeout_secs: NonZeroU64,
    /// How long a payer at a till is waited for.
    pub till: Till,
    /// Addresses of platforms that are not at their usual place.
    pub platforms: BTreeMap<String, BaseUrl>,
    /// Which addresses of merchants may be called.
    pub webhooks: Webhooks,
    /// How many connections are taken.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: Log,
    /// Where the master key is.
    pub key: Key,
    /// Merchants that are there from the first start.
    pub merchants: Vec<DeclaredMerchant>,
}

/// How long a payer at a till is waited for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Till {
    /// Between two questions.
    pub query_every_secs: NonZeroU32,
    /// After so long what is not paid is reversed.
    pub reverse_after_secs: NonZeroU32,
}

/// Which addresses of merchants may be called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Networks that are not public and may be called all the same.
    pub allow_networks: Networks,
    /// Whether an endpoint may be `http:`.
    pub allow_http: bool,
}

/// How many connections are taken.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// In total.
    pub connections: NonZeroU32,
    /// From one address; this machine's own addresses are not counted.
    pub connections_per_address: NonZeroU32,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// How much.
    pub level: LogLevel,
    /// For people or for machines.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// Where the master key is: in the environment variable when that is set, else
/// in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Key {
    /// `master.key` in the data directory when not set.
    pub file: Option<PathBuf>,
    /// The variable's name.
    pub env: String,
}

/// Shorter than a job's lease (`tongbao_core::schedule::LEASE`), with room for
/// what comes before and after a call.
const LONGEST_CALL: Duration = Duration::from_secs(45);

/// When a payer at a till may be given up.
const REVERSE_AFTER_SECS: std::ops::RangeInclusive<u32> = 15..=60;

impl Config {
    /// Reads `file`, or [`DEFAULT_FILE`] if that exists, and the environment
    /// over it.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => {
                String::new()
            }
            Err(error) => return Err(ConfigError::unreadable(path, &error)),
        };
        Self::read(path, &text, environment)
    }

    /// Reads `text`, which came from `path`, and the environment over it.
    pub fn read(
        path: &Path,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        // Once by itself, because only this way an error knows its line.
        let from_file: Self = toml::from_str(text).map_err(|e| ConfigError::at(path, text, &e))?;
        let mut config = environment::overlay(from_file, text, environment)?;
        config.read_secret_files(path)?;
        config.check(path)?;
        Ok(config)
    }

    /// Where payers and platforms reach the gateway; no slash at its end.
    pub fn public_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.to_string(),
            None => format!("http://{}", self.listen),
        }
    }

    /// Where the platforms are.
    pub fn addresses(&self) -> Addresses {
        let configured = self.platforms.iter();
        Addresses::new(
            configured
                .map(|(name, url)| (name.clone(), url.to_string()))
                .collect(),
        )
    }

    /// How long a platform may take to answer.
    pub fn channel_timeout(&self) -> Duration {
        Duration::from_secs(self.channel_timeout_secs.get())
    }

    /// How long a payer at a till is waited for.
    pub fn patience(&self) -> Patience {
        Patience {
            query_every_secs: self.till.query_every_secs.get(),
            reverse_after_secs: self.till.reverse_after_secs.get(),
        }
    }

    /// Where the master key is, when it is not in the environment.
    pub fn key_file(&self) -> PathBuf {
        match &self.key.file {
            Some(file) => file.clone(),
            None => self.data_dir.join("master.key"),
        }
    }

    /// Whether a channel of that name is declared for that merchant.
    pub fn declares(&self, merchant: &str, channel: &str) -> bool {
        let declared = self
            .merchants
            .iter()
            .filter(|declared| declared.name == merchant);
        declared
            .flat_map(|declared| &declared.channels)
            .any(|declared| declared.name == channel)
    }

    fn read_secret_files(&mut self, config_file: &Path) -> Result<(), ConfigError> {
        for merchant in &mut self.merchants {
            if let Some(file) = merchant.api_key_file.take() {
                if merchant.api_key.is_some() {
                    let place = format!("merchant {}", merchant.name);
                    let detail = "has api_key and api_key_file; keep one of them";
                    return Err(ConfigError::of(config_file, place, detail));
                }
                merchant.api_key = Some(secret_file(config_file, "api_key_file", &file)?);
            }
            for channel in &mut merchant.channels {
                channel.read_secret_files(config_file)?;
            }
            for till in merchant
                .stores
                .iter_mut()
                .flat_map(|store| &mut store.tills)
            {
                till.read_secret_file(config_file)?;
            }
        }
        Ok(())
    }

    /// What a type cannot say.
    fn check(&self, file: &Path) -> Result<(), ConfigError> {
        if self.channel_timeout() > LONGEST_CALL {
            let detail = format!(
                "is {}; write at most {}: another process may take up a call that has lasted for \
                 a minute, and would make it twice",
                self.channel_timeout_secs,
                LONGEST_CALL.as_secs()
            );
            let place = "channel_timeout_secs".to_owned();
            return Err(ConfigError::of(file, place, detail));
        }
        if !REVERSE_AFTER_SECS.contains(&self.till.reverse_after_secs.get()) {
            let detail = format!(
                "is {}; write {} to {}: platforms refuse to reverse earlier, and what a payer has \
                 not paid by then is not paid",
                self.till.reverse_after_secs,
                REVERSE_AFTER_SECS.start(),
                REVERSE_AFTER_SECS.end()
            );
            let place = "till.reverse_after_secs".to_owned();
            return Err(ConfigError::of(file, place, detail));
        }
        let sites = kinds().iter().flat_map(|kind| kind.sites);
        let known: BTreeSet<_> = sites.map(|site| site.name).collect();
        for platform in self.platforms.keys() {
            if !known.contains(platform.as_str()) {
                let known = Vec::from_iter(known).join(", ");
                let detail = format!("is not a platform; there are: {known}");
                return Err(ConfigError::of(
                    file,
                    format!("platforms.{platform}"),
                    detail,
                ));
            }
        }
        let mut merchants = BTreeSet::new();
        for merchant in &self.merchants {
            let place = || format!("merchant {:?}", merchant.name);
            if !merchants.insert(&merchant.name) {
                let detail = "is there twice; a merchant is found again by its name";
                return Err(ConfigError::of(file, place(), detail));
            }
            let mut stores = BTreeSet::new();
            for store in &merchant.stores {
                let place = format!("{}, store {:?}", place(), store.name);
                if !stores.insert(&store.name) {
                    let detail = "is there twice; a store is found again by its name";
                    return Err(ConfigError::of(file, place, detail));
                }
            }
            let mut channels = BTreeSet::new();
            for channel in &merchant.channels {
                let place = format!("{}, channel {:?}", place(), channel.name);
                if !channels.insert(&channel.name) {
                    let detail = "is there twice; a channel is found again by its name";
                    return Err(ConfigError::of(file, place, detail));
                }
                channel
                    .kind()
                    .map_err(|detail| ConfigError::of(file, place, detail))?;
            }
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
            data_dir: "data".into(),
            admin_listen: None,
            channel_timeout_secs: const { NonZeroU64::new(10).expect("10 is not 0") },
            till: Till::default(),
            platforms: BTreeMap::new(),
            webhooks: Webhooks::default(),
            limits: Limits::default(),
            log: Log::default(),
            key: Key::default(),
            merchants: Vec::new(),
        }
    }
}

impl Default for Till {
    fn default() -> Self {
        Self {
            query_every_secs: const { NonZeroU32::new(5).expect("5 is not 0") },
            reverse_after_secs: const { NonZeroU32::new(30).expect("30 is not 0") },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: const { NonZeroU32::new(4_096).expect("not 0") },
            connections_per_address: const { NonZeroU32::new(512).expect("not 0") },
        }
    }
}

impl Default for Key {
    fn default() -> Self {
        Self {
            file: None,
            env: "TONGBAO_KEY".to_owned(),
        }
    }
}
