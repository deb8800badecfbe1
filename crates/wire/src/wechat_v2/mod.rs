//! WeChat Pay, API v2: flat XML over HTTPS, signed with one key that both sides hold.
//!
//! A message travels through three layers:
//!
//! 1. [`xml`] turns bytes into [`Fields`] and back;
//! 2. [`sign`] checks or adds the signature over those fields, known and unknown alike;
//! 3. one module an operation turns fields into a struct and back.
//!
//! Verification happens on layer two, never over a struct: a struct forgets what it does not
//! know, and the platform signs fields that were invented after this was written.

pub mod app_call;
pub mod auth_code;
pub mod auth_code_to_openid;
mod client;
pub mod close_order;
pub mod error_code;
pub mod field;
pub mod head;
pub mod jsapi_call;
pub mod limits;
pub mod merchants;
pub mod micropay;
pub mod mweb;
pub mod notification;
pub mod number;
pub mod order_query;
pub mod refund;
pub mod refund_notification;
pub mod refund_query;
pub mod refunded;
pub mod req_info;
pub mod reverse;
pub mod scene_info;
pub mod sign;
pub mod time;
pub mod time_stamp;
pub mod trade;
pub mod unified_order;
pub mod xml;

pub use app_call::AppCall;
pub use auth_code::AuthCode;
pub use client::CallError;
pub use error_code::ErrorCode;
pub use field::FieldError;
pub use head::{Reply, ReplyHead, RequestHead};
pub use jsapi_call::JsapiCall;
pub use merchants::{Merchants, Stranger};
pub use sign::{ApiKey, SignError, SignType};
pub use time::BeijingTime;
pub use time_stamp::TimeStamp;
pub use trade::{TradeState, TradeType};
pub use xml::{Fields, XmlError};
