//! The list of channels. A new one is one entry here.

use tongbao_wire::payment_code::Wallet;

use crate::channel::Channel;
use crate::settings::{Field, Rotation, Settings, SettingsError};
use crate::wechat_v2;

/// One platform or acquirer, in one version of its protocol.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name in the API, the config and the database.
    pub name: &'static str,
    /// The platform it speaks to: the name of its address in the config.
    pub platform: &'static str,
    /// Where the platform is, unless the config says otherwise.
    pub default_base_url: &'static str,
    /// What a payer calls it: Chinese, English.
    pub label: [&'static str; 2],
    /// Whose payment codes it takes.
    pub wallets: &'static [Wallet],
    /// What an account needs.
    pub fields: &'static [Field],
    /// The key that both sides change, each in its own moment.
    pub rotation: Option<Rotation>,
    /// Opens an account. The base address has no slash at its end.
    pub open: Open,
}

/// Opens an account at the platform's address.
pub type Open = fn(&Settings, base_url: &str) -> Result<Box<dyn Channel>, SettingsError>;

const KINDS: &[Kind] = &[wechat_v2::KIND];

/// All kinds of channels.
pub fn kinds() -> &'static [Kind] {
    KINDS
}

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
