//! Hostile bytes for every reader of the gateway.
//!
//! A target is a function from bytes to nothing that panics when a rule is broken: the reader
//! panicked itself, took more than it may, read something else than a second implementation
//! reads, did not give back what was written, or took what must be refused. Each has its file
//! here and its inputs in `corpus/<target>/`. `README.md` says how they are run.
//!
//! Nothing of this is ever part of the program.
#![expect(
    clippy::missing_panics_doc,
    reason = "a target panics when a rule is broken: that is all that it does"
)]

pub mod address;
pub mod answer;
pub mod api;
pub mod config;
pub mod id;
pub mod messages;
pub mod notification;
pub mod number;
pub mod openid;
pub mod order;
pub mod platform;
pub mod refund_notification;
pub mod sealed;
pub mod settings;
pub mod signature;
pub mod stored_json;
pub mod time;
pub mod wallet;
pub mod webhook;
pub mod xml;

mod account;
mod gateway;
pub mod mutate;

/// One reader with the rules that it must keep.
pub struct Target {
    /// Also the name of its corpus.
    pub name: &'static str,
    /// Panics when a rule is broken.
    pub run: fn(&[u8]),
    /// What its inputs are made of, for who makes new ones.
    pub words: &'static [&'static str],
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            run: $name::run,
            words: $name::WORDS,
        }),*];

        /// Calls a macro with the names of all targets.
        #[macro_export]
        macro_rules! each_target {
            ($each:ident) => { $($each!($name);)* };
        }
    };
}

targets!(
    address,
    answer,
    api,
    config,
    id,
    messages,
    notification,
    number,
    openid,
    order,
    platform,
    refund_notification,
    sealed,
    settings,
    signature,
    stored_json,
    time,
    wallet,
    webhook,
    xml,
);
