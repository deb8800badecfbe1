//! What an operator decides: one struct, read once, before anything else.
//!
//! `tongbao.example.toml` explains every setting; a test holds the two together.

mod environment;
mod error;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use tongbao_channels::{Addresses, Kind, kind, kinds};
use tongbao_core::Patience;
use tongbao_core::channel::Confirm;
use zeroize::Zeroizing;

pub use error::ConfigError;
pub use value::{BaseUrl, LogLevel, Networks};

use crate::secret::Secret;

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

impl DeclaredTill {
    fn read_secret_file(&mut self, config_file: &Path) -> Result<(), ConfigError> {
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

    fn read_secret_files(&mut self, config_file: &Path) -> Result<(), ConfigError> {
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
fn secret_file(config_file: &Path, setting: &str, path: &Path) -> Result<Secret, ConfigError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "tongbao.toml";

    fn read(text: &str) -> Result<Config, ConfigError> {
        read_with(text, &[])
    }

    fn read_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::read(Path::new(FILE), text, environment.iter().map(owned))
    }

    fn complaint(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let config = read("").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.public_url(), "http://127.0.0.1:8080");
        assert_eq!(config.key_file(), Path::new("data/master.key"));
    }

    #[test]
    fn an_unknown_setting_is_named_with_its_line_and_its_neighbours() {
        let text = complaint("listen = \"127.0.0.1:1\"\n\n[webhooks]\nallow_htp = true\n");
        assert!(
            text.starts_with("tongbao.toml, line 4: `allow_htp` is not a setting"),
            "{text}"
        );
        assert!(text.contains("`allow_networks`, `allow_http`"), "{text}");
    }

    #[test]
    fn every_error_says_where_and_what_would_be_right() {
        for (text, words) in [
            (
                "listen = \"here\"",
                "line 1: listen: invalid socket address syntax",
            ),
            (
                "public_url = \"pay.example.com\"",
                "line 1: public_url: is not an http or https",
            ),
            ("public_url = \"https://a.example/?x=1\"", "without a query"),
            (
                "public_url = \"https://127.0.0.256\"",
                "public_url: has an invalid IPv4 address",
            ),
            ("channel_timeout_secs = 0", "line 1: channel_timeout_secs"),
            (
                "channel_timeout_secs = 46",
                "channel_timeout_secs is 46; write at most 45",
            ),
            (
                "[till]\nreverse_after_secs = 10",
                "till.reverse_after_secs is 10; write 15 to 60",
            ),
            (
                "[webhooks]\nallow_networks = [\"10.0.0.1\"]",
                "line 2: allow_networks",
            ),
            ("[log]\nlevel = \"=\"", "line 2: level"),
            ("[log]\nformat = \"xml\"", "`text` or `json`"),
            ("listen = ", "line 1: listen"),
            (
                "[platforms]\nalipy = \"https://a.example\"",
                "platforms.alipy is not a platform",
            ),
            ("[[merchants]]\n", "missing field `name`"),
            (
                "[[merchants]]\nname = \"a\"\n[[merchants]]\nname = \"a\"",
                "is there twice",
            ),
            (
                "[[merchants]]\nname = \"a\"\n[[merchants.channels]]\nkind = \"x\"\nname = \"y\"",
                "kind \"x\" is not known; there are: wechat_v2",
            ),
        ] {
            let complaint = complaint(text);
            assert!(complaint.starts_with(FILE), "{complaint}");
            assert!(complaint.contains(words), "{text}: {complaint}");
        }
    }

    #[test]
    fn an_error_in_a_secret_does_not_show_it() {
        for text in [
            "[[merchants]]\nname = \"a\"\napi_key = 8675309",
            "[[merchants]]\nname = \"a\"\napi_key = hunter8675309",
            "[[merchants]]\nname = \"a\"\n[[merchants.channels]]\nkind = \"wechat_v2\"\n\
             name = \"b\"\nsettings = { api_v2_key = 8675309 }",
        ] {
            let complaint = complaint(text);
            assert!(!complaint.contains("8675309"), "{complaint}");
        }
    }

    #[test]
    fn the_environment_is_above_the_file() {
        let config = read_with(
            "listen = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"",
            &[
                ("TONGBAO_LISTEN", "127.0.0.1:2"),
                ("TONGBAO_LOG__LEVEL", "debug"),
                ("TONGBAO_WEBHOOKS__ALLOW_HTTP", "true"),
                ("TONGBAO_WEBHOOKS__ALLOW_NETWORKS", "10.0.0.0/8, fd00::/8"),
                ("TONGBAO_PLATFORMS__WECHAT_PAY", "http://127.0.0.1:8100/"),
                ("TONGBAO_KEY", "not a setting"),
                ("TONGBAO_SERVICE_PORT_HTTP", "what Kubernetes sets"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.log.level.as_str(), "debug");
        assert!(config.webhooks.allow_http);
        assert_eq!(config.webhooks.allow_networks.as_slice().len(), 2);
        assert_eq!(
            config.platforms["wechat_pay"].to_string(),
            "http://127.0.0.1:8100"
        );
    }

    #[test]
    fn an_error_in_the_environment_names_the_variable() {
        for (name, value, words) in [
            ("TONGBAO_LISTENN", "1", "is not a setting"),
            ("TONGBAO_LISTEN", "here", "invalid socket address"),
            ("TONGBAO_LOG__FORMAT", "xml", "`text` or `json`"),
            (
                "TONGBAO_LISTEN__PORT",
                "1",
                "listen has no settings below it",
            ),
        ] {
            let complaint = read_with("listen = \"127.0.0.1:1\"", &[(name, value)]);
            let complaint = complaint.unwrap_err().to_string();
            assert!(
                complaint.starts_with(&format!("environment variable {name}")),
                "{complaint}"
            );
            assert!(complaint.contains(words), "{complaint}");
        }
    }

    #[test]
    fn a_secret_may_lie_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, "K3y\r\n").unwrap();
        let declared = |more: &str| {
            format!(
                "[[merchants]]\nname = \"a\"\n[[merchants.channels]]\nkind = \"wechat_v2\"\n\
                 name = \"b\"\n[merchants.channels.settings]\napi_v2_key_file = {:?}\n{more}",
                file.display().to_string()
            )
        };

        let config = read(&declared("")).unwrap();
        assert_eq!(
            config.merchants[0].channels[0].settings["api_v2_key"].expose(),
            "K3y"
        );

        let complaint = complaint(&declared("api_v2_key = \"other\""));
        assert!(complaint.contains("keep one of them"), "{complaint}");
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let config = read(
            "[[merchants]]\nname = \"a\"\napi_key = \"sk_hunter2\"\n[[merchants.channels]]\n\
             kind = \"wechat_v2\"\nname = \"b\"\nsettings = { api_v2_key = \"hunter2\" }",
        )
        .unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    mod example {
        use super::*;

        const EXAMPLE: &str = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tongbao.example.toml"
        ));

        /// `#name = …` and `#[table]` are settings that are switched off; `# text` explains.
        fn switched_on() -> String {
            let on = |line: &'static str| match line.strip_prefix('#') {
                Some(rest) if rest.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()) => {
                    rest
                }
                _ => line,
            };
            EXAMPLE.lines().map(on).collect::<Vec<_>>().join("\n")
        }

        #[test]
        fn it_loads_as_it_is_and_means_the_defaults() {
            let config = read(EXAMPLE).unwrap();
            assert_eq!(config.listen, Config::default().listen);
            assert_eq!(
                config.limits.connections,
                Config::default().limits.connections
            );
            assert_eq!(
                config.channel_timeout_secs,
                Config::default().channel_timeout_secs
            );
            assert!(config.merchants.is_empty());
        }

        #[test]
        fn it_loads_with_everything_switched_on() {
            let config = toml::from_str::<Config>(&switched_on()).unwrap();
            assert!(!config.merchants[0].channels.is_empty());
            assert!(config.admin_listen.is_some() && config.key.file.is_some());
        }

        #[test]
        fn every_setting_appears_in_it() {
            let text = switched_on();
            for table in [
                "",
                "[till]",
                "[webhooks]",
                "[limits]",
                "[log]",
                "[key]",
                "[[merchants]]",
                "[[merchants]]\nname = \"a\"\n[[merchants.channels]]",
            ] {
                for name in settings_of(table) {
                    let found = text.lines().any(|line| {
                        let line = line.trim_start_matches('[');
                        let head = line.split(['=', ']']).next().unwrap_or_default().trim();
                        head == name || head.ends_with(&format!(".{name}"))
                    });
                    assert!(found, "{name} of {table:?} is not explained");
                }
            }
            for site in kinds().iter().flat_map(|kind| kind.sites) {
                let line = format!("\n{} = \"{}\"\n", site.name, site.usual);
                assert!(text.contains(&line), "{line}");
            }
            for field in kinds().iter().flat_map(|kind| kind.fields) {
                assert!(text.contains(field.name), "{} is not explained", field.name);
            }
        }

        /// The parser's own list, out of its complaint about a setting that is none.
        fn settings_of(table: &str) -> Vec<String> {
            let error = toml::from_str::<Config>(&format!("{table}\nnone = 1")).unwrap_err();
            let names: Vec<_> = error
                .message()
                .split('`')
                .skip(3)
                .step_by(2)
                .map(str::to_owned)
                .collect();
            assert!(!names.is_empty(), "{}", error.message());
            names
        }
    }
}
