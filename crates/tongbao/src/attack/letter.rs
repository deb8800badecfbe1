//! A message while it is being made.

use aws_lc_rs::hmac;
use md5::{Digest, Md5};

use super::Target;

/// The two digests of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Algorithm {
    /// What an order without `sign_type` is signed with.
    #[value(name = "MD5")]
    Md5,
    /// The better one.
    #[value(name = "HMAC-SHA256")]
    HmacSha256,
}

impl Algorithm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Md5, Self::HmacSha256];

    /// The word in `sign_type`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Md5 => Self::HmacSha256,
            Self::HmacSha256 => Self::Md5,
        }
    }

    /// The keyed digest of a text, in the platform's spelling.
    pub(super) fn digest(self, key: &str, text: &str) -> String {
        match self {
            Self::Md5 => hex::encode_upper(Md5::digest(text)),
            Self::HmacSha256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                hex::encode_upper(hmac::sign(&key, text.as_bytes()))
            }
        }
    }
}

/// Names and values in any order; a name may come twice.
#[derive(Clone)]
pub(super) struct Letter {
    pub(super) pairs: Vec<(String, String)>,
}

impl Letter {
    pub(super) fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            pairs: pairs.into_iter().map(own).collect(),
        }
    }

    /// What the platform says when the order is paid, before signing.
    pub(super) fn of(target: &Target) -> Self {
        let amount = target.amount_fen.to_string();
        Self::new([
            ("appid", &*target.account.app_id),
            ("bank_type", "OTHERS"),
            ("cash_fee", &amount),
            ("fee_type", "CNY"),
            ("is_subscribe", "N"),
            ("mch_id", &target.account.mch_id),
            ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
            ("out_trade_no", &target.out_trade_no),
            ("result_code", "SUCCESS"),
            ("return_code", "SUCCESS"),
            ("time_end", "20261121142400"),
            ("total_fee", &amount),
            ("trade_type", "NATIVE"),
            ("transaction_id", "4200000000202611210000000001"),
        ])
    }

    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// With another value in its place, or with one field more at the end.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        match self.pairs.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.pairs.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.pairs.retain(|(known, _)| known != name);
        self
    }

    /// One field more in front, even when its name is there already.
    pub(super) fn first(mut self, name: &str, value: &str) -> Self {
        self.pairs.insert(0, (name.to_owned(), value.to_owned()));
        self
    }

    /// One field more at the end, even when its name is there already.
    pub(super) fn last(mut self, name: &str, value: &str) -> Self {
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `a=1&b=2`: every field but `sign` that is not empty, by name.
    pub(super) fn text(&self) -> String {
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.retain(|(name, value)| name != "sign" && !value.is_empty());
        pairs.sort();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    }

    pub(super) fn signature(&self, key: &str, algorithm: Algorithm) -> String {
        algorithm.digest(key, &format!("{}&key={key}", self.text()))
    }

    pub(super) fn signed(self, key: &str, algorithm: Algorithm) -> Self {
        let sign = self.signature(key, algorithm);
        self.with("sign", &sign)
    }

    /// As the platform writes.
    pub(super) fn xml(&self) -> Vec<u8> {
        self.lines().into_bytes()
    }

    /// The same, to be changed as a text.
    pub(super) fn lines(&self) -> String {
        let lines = self.pairs.iter().map(|(name, value)| {
            let bare = name.ends_with("_fee") && value.bytes().all(|b| b.is_ascii_digit());
            if bare {
                format!("<{name}>{value}</{name}>\n")
            } else {
                format!("<{name}><![CDATA[{value}]]></{name}>\n")
            }
        });
        format!("<xml>\n{}</xml>", joined(lines))
    }
}

pub(super) fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().concat()
}
