//! The platforms' bytes: how each platform spells, signs and frames its messages.
//!
//! One folder a platform, one operation a file. Every message can be read and written from
//! both sides, so that the gateway and a simulated platform speak through the same structs,
//! and published examples in `fixtures/` judge them both.
//!
//! What this crate will never hold: a clock, a random number, a socket, a thread, async, a
//! retry, a database, a log line, or a decision. It does not know what a payment is; the
//! platform's words (`out_trade_no`, `NOTPAY`) are kept as the platform has them, words that
//! are not known yet included, and another crate says what they mean.
//!
//! Every byte that comes in is taken to be hostile: readers are bounded, refuse what they do
//! not need, and never panic. Secrets are zeroed when dropped and print as stars.

pub mod payment_code;
mod query;
pub mod secret;
pub mod wechat_openid;
pub mod wechat_v2;
mod word;
