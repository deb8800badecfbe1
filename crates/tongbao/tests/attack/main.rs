//! The attack suite: the program as it ships, over real sockets, against
//! everything that the catalogue of attacks knows for what is built so far.
//!
//! Rows of its tables bear the catalogue's numbers, such as `A8-3`.

#![expect(
    clippy::disallowed_methods,
    reason = "real processes live in real time"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../ring_d/gateway.rs"]
#[expect(dead_code, reason = "only other tests kill it")]
mod gateway;

mod database;
mod flood;
mod http;
mod merchant_api;
mod notifications;
mod secrets;
mod server;
mod tenants;
mod work;
mod world;

async fn pause(duration: std::time::Duration) {
    tokio::time::sleep(duration).await;
}
