//! Values that are checked when they are read.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use tracing_subscriber::EnvFilter;

/// An http or https address without query and without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(String);

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "write https://host without a query";
        let uri: http::Uri = text
            .parse()
            .map_err(|_| format!("is not an http or https address; {wanted}"))?;
        let host = uri
            .authority()
            .map(http::uri::Authority::as_str)
            .unwrap_or_default();
        if !matches!(uri.scheme_str(), Some("http" | "https")) || host.is_empty() {
            return Err(format!("is not an http or https address; {wanted}"));
        }
        if host.contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(format!("has more than a host and a path; {wanted}"));
        }
        // `http` takes 127.0.0.256 and port 99999; who sends requests does not.
        reqwest::Url::parse(text).map_err(|error| format!("has an {error}; {wanted}"))?;
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `info`, or parts of the program with a level each:
/// `info,tongbao_engine=debug`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LogLevel(String);

impl LogLevel {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl TryFrom<String> for LogLevel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match EnvFilter::builder().parse(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(format!(
                "is not a level ({error}); write error, warn, info, debug or trace"
            )),
        }
    }
}

/// Networks as `10.0.0.0/8`: a list, or text with commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// The networks.
    pub fn as_slice(&self) -> &[IpNet] {
        &self.0
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NetworksVisitor)
    }
}

struct NetworksVisitor;

impl<'de> Visitor<'de> for NetworksVisitor {
    type Value = Networks;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of networks such as [\"10.0.0.0/8\"]")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Networks, E> {
        let words = text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        words.map(|word| network(word).map_err(E::custom)).collect()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Networks, A::Error> {
        let mut networks = Vec::new();
        while let Some(word) = list.next_element::<String>()? {
            networks.push(network(&word).map_err(de::Error::custom)?);
        }
        Ok(Networks(networks))
    }
}

fn network(word: &str) -> Result<IpNet, String> {
    word.parse()
        .map_err(|_| format!("{word} is not a network; write it with its length: 10.0.0.0/8"))
}
