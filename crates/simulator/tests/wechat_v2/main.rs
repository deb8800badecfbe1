//! WeChat Pay API v2, played on a clock that the test moves.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod clients;
#[path = "../common/mod.rs"]
mod common;
mod envelope;
mod faults;
mod notifications;
mod orders;
mod providers;
mod refunds;
mod replay;
mod stage;
mod till;
mod wallets;
