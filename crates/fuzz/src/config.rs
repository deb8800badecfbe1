//! The configuration: whatever stands in the file and in the environment, it is read or refused,
//! no complaint repeats a secret, and what is taken can be used.
//!
//! An input is TOML; after a line `#env`, every line is a variable.

use std::path::Path;

use toml::{Table, Value};
use tongbao::config::Config;
use url::Url;

/// Settings and values.
pub const WORDS: &[&str] = &[
    "listen = ",
    "\"127.0.0.1:1\"",
    "public_url = ",
    "\"https://pay.example\"",
    "data_dir = ",
    "admin_listen = ",
    "channel_timeout_secs = ",
    "[platforms]\n",
    "wechat_pay = ",
    "[webhooks]\n",
    "allow_networks = [\"10.0.0.0/8\"]\n",
    "allow_http = true\n",
    "[limits]\n",
    "connections = ",
    "[log]\n",
    "level = ",
    "\"info,tongbao=debug\"",
    "format = \"json\"\n",
    "[key]\n",
    "env = ",
    "[[merchants]]\n",
    "name = \"a\"\n",
    "api_key = \"sk_0123456789abcdefghij0123456789ab\"\n",
    "[[merchants.channels]]\n",
    "kind = \"wechat_v2\"\n",
    "confirm = \"signature\"\n",
    "settings = { api_v2_key = \"TongbaoSimulatorTestKey000000001\" }\n",
    "\n#env\n",
    "TONGBAO_LISTEN=",
    "TONGBAO_LOG__LEVEL=",
    "TONGBAO_LOG__FORMAT=xml",
    "TONGBAO_MERCHANTS=",
    "TONGBAO_PORT_80_TCP=tcp://1",
    "__",
    "0",
    "-1",
    "1e9",
    "18446744073709551616",
    "\"\"\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    "#",
    "\\u0000",
    "\u{feff}",
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else {
        return;
    };
    let (text, environment) = input.split_once("\n#env\n").unwrap_or((input, ""));
    // Files that are named are read: no input of ours names one.
    if input.to_ascii_lowercase().contains("_file") {
        return;
    }
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    match Config::read(Path::new("tongbao.toml"), text, variables) {
        Err(error) => {
            let complaint = error.to_string();
            for secret in secrets_of(text, environment) {
                assert!(!complaint.contains(&secret), "{complaint}");
            }
        }
        Ok(config) => {
            let url = config.public_url();
            assert!(!url.ends_with('/'), "{url}");
            for url in [url]
                .into_iter()
                .chain(config.platforms.values().map(ToString::to_string))
            {
                let whole = Url::parse(&format!("{url}/notify/1"));
                let whole = whole.unwrap_or_else(|error| panic!("{url:?}: {error}"));
                assert!(
                    whole.path().ends_with("/notify/1") && whole.query().is_none(),
                    "{whole}"
                );
            }
            assert!(!config.channel_timeout().is_zero());
            let shown = format!("{config:?}");
            for secret in secrets_of(text, environment) {
                assert!(!shown.contains(&secret), "{shown}");
            }
            for merchant in &config.merchants {
                for channel in &merchant.channels {
                    assert!(config.declares(&merchant.name, &channel.name));
                    assert!(channel.kind().is_ok() && channel.settings_json().is_object());
                }
            }
        }
    }
}

/// Texts that stand where secrets do, and nowhere else.
fn secrets_of(text: &str, environment: &str) -> Vec<String> {
    let Ok(table) = text.parse::<Table>() else {
        return Vec::new();
    };
    let list = |table: &Table, name: &str| -> Vec<Table> {
        let found = table.get(name).and_then(Value::as_array).cloned();
        let entries = found.unwrap_or_default().into_iter();
        entries
            .filter_map(|entry| entry.as_table().cloned())
            .collect()
    };
    let mut secrets = Vec::new();
    for merchant in list(&table, "merchants") {
        secrets.extend(
            merchant
                .get("api_key")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        for channel in list(&merchant, "channels") {
            let settings = channel.get("settings").and_then(Value::as_table).cloned();
            for (_, value) in settings.unwrap_or_default() {
                secrets.extend(value.as_str().map(str::to_owned));
            }
        }
    }
    let once = |secret: &String| {
        secret.len() > 12
            && text.matches(&**secret).count() == 1
            && !environment.contains(&**secret)
    };
    secrets.into_iter().filter(once).collect()
}
