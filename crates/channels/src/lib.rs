//! Platforms' words, turned into reports.
//!
//! A [`Channel`] is one merchant's account at one platform, in one version of
//! its protocol. It translates: calls into requests, responses into outcomes,
//! notifications into outcomes. It never sends, waits, reads a clock or draws a
//! number, and it never decides: whatever is not surely done or surely refused
//! is an [`Outcome::Unknown`](tongbao_core::Outcome::Unknown).
//!
//! The [`registry`] is the only list of channels. Nothing above this crate
//! learns a channel's name.

mod channel;
mod login;
pub mod registry;
pub mod settings;
mod wechat_v2;

/// Whose code was scanned.
pub use tongbao_wire::payment_code::{Wallet, trim as trim_code};

pub use channel::{
    Answer, Call, Channel, ChannelError, ClientIdentity, Diagnosis, NotANotification, Notification,
    Order, Pages, RefundAnswer, RefundCall, RefundOrder, Stamp, Told,
};
pub use login::{Login, NoPayer};
pub use registry::{Addresses, Kind, Site, kind, kinds};
pub use settings::{Settings, SettingsError};
