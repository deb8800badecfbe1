//! The payment platforms, played from the other side.
//!
//! [`Platform`] is a pure state machine: a request and the time come in, a response and perhaps
//! a notification for the merchant come out. It has no clock, no chance, no socket and no async,
//! so the same rules serve three faces: the HTTP server in [`server`], tests that call it
//! directly on a clock of their own, and simulations that run a day from one seed.
//!
//! ```
//! use std::time::Duration;
//! use tongbao_simulator::{Platform, Target, UnixMillis};
//!
//! let mut platform = Platform::new(7);
//! let now = UnixMillis::from_secs(1_790_000_000);
//!
//! // A merchant's client brings its own bytes:
//! # let order_bytes = Vec::new();
//! let request = http::Request::post("/pay/unifiedorder").body(order_bytes.into())?;
//! let response = platform.handle(now, &request);
//!
//! // A person pays what the code says:
//! let code = Target::CodeUrl("weixin://wxpay/bizpayurl?pr=abcdefghi".into());
//! let paid = platform.pay(now, "alice", &code, None);
//!
//! // Notifications leave when they are due, and the merchant's answer comes back in:
//! while let Some(due) = platform.next_due() {
//!     for outgoing in platform.fire(due) {
//!         // … send `outgoing.request` …
//!         let answer = tongbao_simulator::Delivered::NoAnswer("refused".into());
//!         platform.answered(due + Duration::from_millis(3), outgoing.id, answer);
//!     }
//! }
//! # Ok::<(), http::Error>(())
//! ```
//!
//! What this crate will never hold: anything of the gateway. It knows the platforms' published
//! protocols, through `tongbao-wire` used from the other side, and nothing else; any client
//! library that can be given another base URL can use it.
//!
//! Played so far: WeChat Pay API v2, orders that a payer completes (`NATIVE`, `JSAPI`, `APP`,
//! `MWEB`), payment codes at a till (`MICROPAY`), reversals, refunds, service providers, and the
//! exchange of login codes for openids.

mod chance;
pub mod platform;
pub mod server;
mod time;

pub use platform::account::{Account, App, CLIENT_CERTIFICATE, Funds, SubMerchant, TestKey};
pub use platform::cashier::{Prompt, Receipt, Refusal, Target};
pub use platform::client_call::{Opened, Opening};
pub use platform::code_payment::Reply;
pub use platform::fault::{Fault, FaultId, FaultKind, NewFault};
pub use platform::notification::{
    Delivered, News, Notification, NotificationId, NotificationKind, NotificationState, Outcome,
    Outgoing, Try, TryId,
};
pub use platform::payment_code::PaymentCode;
pub use platform::refund::{Refund, RefundAskedBy, RefundKey, RefundSource, RefundState};
pub use platform::refunding::{RefundDecision, RefundRefusal};
pub use platform::response::WireResponse;
pub use platform::settings::{EarlyClose, NotifySchedule, Settings};
pub use platform::trade::{
    ClosedBy, Paid, PayFailure, Prepay, RevokedBy, Trade, TradeId, TradeState,
};
pub use platform::wallet::{Wallet, WalletError, WalletPlatform, WalletStatus};
pub use platform::{Books, Moment, Platform, Secured};
pub use time::UnixMillis;
