//! WeChat Pay v2 held against published and computed examples.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod client_call;
mod code_payment;
mod fixture;
mod notification;
mod operations;
mod properties;
mod refund;
mod refund_notification;
mod replies;
mod requests;
mod service_provider;
mod sign;
mod xml;
