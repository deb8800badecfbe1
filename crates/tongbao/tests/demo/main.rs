//! The real program, `tongbao demo`: an order is placed, paid and told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chrome;
mod in_a_browser;
mod in_wallets;
mod over_http;
mod program;
