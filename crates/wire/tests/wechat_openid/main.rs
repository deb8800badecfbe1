//! How a page and a mini-program learn who the payer is.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod replies;
mod requests;
