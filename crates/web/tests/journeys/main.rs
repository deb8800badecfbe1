//! Journeys: the real router, engine and database, the platform played by the
//! simulator, on a clock that the test moves.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod api;
mod audit;
mod barcode;
mod cases;
mod checkout;
mod closing;
mod faults;
mod keys;
mod notifications;
mod operations;
mod payer;
mod payment;
mod refunds;
mod scenes;
mod service_provider;
mod shops;
mod strange_codes;
mod support;
mod wallet_pages;
mod webhooks;
