//! The list of channels. A new one is one entry here.

use std::collections::BTreeMap;

use tongbao_wire::payment_code::Wallet;

use crate::channel::Channel;
use crate::settings::{Field, Rotation, Settings, SettingsError};
use crate::wechat_v2;

/// One platform or acquirer, in one version of its protocol.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name in the API, the config and the database.
    pub name: &'static str,
    /// The platform it speaks to.
    pub platform: &'static str,
    /// The addresses that it needs; the first is where orders go.
    pub sites: &'static [Site],
    /// What a payer calls it: Chinese, English.
    pub label: [&'static str; 2],
    /// Whose payment codes it takes.
    pub wallets: &'static [Wallet],
    /// What an account needs.
    pub fields: &'static [Field],
    /// The key that both sides change, each in its own moment.
    pub rotation: Option<Rotation>,
    /// Opens an account.
    pub open: Open,
}

/// Opens an account at the platform's addresses.
pub type Open = fn(&Settings, &Addresses) -> Result<Box<dyn Channel>, SettingsError>;

/// One of a platform's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name in the config.
    pub name: &'static str,
    /// Where it is, unless the config says otherwise; no slash at its end.
    pub usual: &'static str,
}

/// Where platforms are: those of the config, and the others where they usually are.
#[derive(Clone, Debug, Default)]
pub struct Addresses(BTreeMap<String, String>);

impl Addresses {
    /// By the name of the site; without a slash at the end.
    pub fn new(configured: BTreeMap<String, String>) -> Self {
        Self(configured)
    }

    /// Where that one is.
    pub fn of(&self, site: &Site) -> &str {
        self.0.get(site.name).map_or(site.usual, String::as_str)
    }
}

const KINDS: &[Kind] = &[wechat_v2::KIND];

/// All kinds of channels.
pub fn kinds() -> &'static [Kind] {
    KINDS
}

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
