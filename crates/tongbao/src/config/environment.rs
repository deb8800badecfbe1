//! Settings from environment variables: `TONGBAO_LOG__LEVEL` is `level` of `[log]`.

use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, ConfigError};

const PREFIX: &str = "TONGBAO_";

/// Read elsewhere: by the command line, by `pay` and by `attack`.
const NOT_SETTINGS: [&str; 4] = [
    "TONGBAO_CONFIG",
    "TONGBAO_GATEWAY",
    "TONGBAO_API_KEY",
    "TONGBAO_ATTACK_KEY",
];

/// Puts the variables over the file's text. A variable with our prefix that is
/// no setting is an error: a setting that was misspelt must not go unnoticed.
pub(super) fn overlay(
    from_file: Config,
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut config = from_file;
    let mut table: Option<Table> = None;
    for (name, value) in environment {
        let Some(setting) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if name == config.key.env || NOT_SETTINGS.contains(&&*name) || is_service_link(setting) {
            continue;
        }
        // The same text was read before, so it is TOML.
        let table = table.get_or_insert_with(|| text.parse().unwrap_or_default());
        let path = setting.to_ascii_lowercase();
        put(table, &path, &value).map_err(|detail| ConfigError::variable(&name, &detail))?;
        config = Config::deserialize(table.clone())
            .map_err(|error| ConfigError::variable(&name, error.message()))?;
    }
    Ok(config)
}

/// Kubernetes sets these for every service, and one of ours may well be called
/// `tongbao`.
fn is_service_link(setting: &str) -> bool {
    setting == "PORT"
        || setting == "SERVICE_HOST"
        || setting.starts_with("PORT_")
        || setting.starts_with("SERVICE_PORT")
}

fn put(table: &mut Table, path: &str, value: &str) -> Result<(), String> {
    match path.split_once("__") {
        None => {
            table.insert(path.to_owned(), typed(value));
            Ok(())
        }
        Some((head, rest)) => {
            let below = table
                .entry(head)
                .or_insert_with(|| Value::Table(Table::new()));
            let below = below
                .as_table_mut()
                .ok_or_else(|| format!("{head} has no settings below it"))?;
            put(below, rest, value)
        }
    }
}

/// Numbers, truth values and lists are written as in TOML; everything else is text.
fn typed(value: &str) -> Value {
    let read = format!("v = {value}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("v"));
    read.unwrap_or_else(|| Value::String(value.to_owned()))
}
