//! A small shop, written as any merchant would write one.
//!
//! It shares a process with the gateway and nothing else: it asks for money over
//! the gateway's public API, with its API key, and believes an order paid only
//! when a webhook says so whose signature is good. Its orders live in a file of
//! its own.

mod article;
mod assets;
mod book;
mod buy;
mod fen;
mod gateway;
mod headers;
mod home;
mod lang;
mod live;
mod message;
mod order;
mod order_no;
mod render;
mod text;
mod webhook;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use standardwebhooks::Webhook;
use tokio_util::sync::CancellationToken;

use self::book::Book;
use self::gateway::Gateway;
use super::keep;
use crate::secret::Secret;

/// Where the shop takes webhooks.
const WEBHOOK_PATH: &str = "/webhooks/tongbao";

/// What the shop must be told.
pub(super) struct ShopConfig<'a> {
    /// Where buyers and the gateway reach it; no slash at its end.
    pub(super) public_url: String,
    /// The gateway's address; no slash at its end.
    pub(super) gateway_url: String,
    /// The simulated phone's address; no slash at its end.
    pub(super) phone_url: String,
    /// What the gateway gave this merchant.
    pub(super) api_key: Secret,
    /// Where it keeps its orders.
    pub(super) dir: &'a Path,
    /// Ends the open connections of live pages, so that the server can end.
    pub(super) stop: CancellationToken,
}

/// What every handler may use.
type Shop = Arc<Open>;

struct Open {
    public_url: String,
    phone_url: String,
    gateway: Gateway,
    webhook: Webhook,
    book: Book,
    stop: CancellationToken,
}

/// Asks the gateway to tell this shop what becomes of its payments, and opens
/// its pages. The gateway must be running.
pub(super) async fn open(config: ShopConfig<'_>) -> anyhow::Result<Router> {
    let gateway = Gateway::new(config.gateway_url, config.api_key).context("the HTTP client")?;
    let webhook = enrol(&gateway, &config.public_url, config.dir)
        .await
        .context("the shop cannot ask the gateway for webhooks")?;
    let orders = config.dir.join("orders.jsonl");
    let book = Book::open(&orders).with_context(|| format!("{}", orders.display()))?;
    Ok(router(Arc::new(Open {
        public_url: config.public_url,
        phone_url: config.phone_url,
        gateway,
        webhook,
        book,
        stop: config.stop,
    })))
}

/// Has one endpoint for good: the one of the last start moves to where the shop
/// is now, with all that waits for it.
async fn enrol(gateway: &Gateway, public_url: &str, dir: &Path) -> anyhow::Result<Webhook> {
    let file = dir.join("webhook.json");
    let url = format!("{public_url}{WEBHOOK_PATH}");
    let kept = keep::read(&file)?;
    let endpoint = gateway.enrol(kept, &url).await?;
    keep::write(&file, &endpoint)?;
    Webhook::new(endpoint.secret()).context("the gateway's secret is none")
}

fn router(shop: Shop) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/orders", post(buy::buy))
        .route("/orders/{no}", get(order::show))
        .route("/orders/{no}/changes", get(live::changes))
        .route(WEBHOOK_PATH, post(webhook::take))
        .route("/static/{name}", get(assets::serve))
        .fallback(message::not_found)
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(middleware::from_fn_with_state(shop.clone(), headers::guard))
        .with_state(shop)
}
