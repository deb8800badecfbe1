//! The merchant API: one resource, one file, its router on top.

mod attempts;
mod cases;
mod channels;
mod events;
mod listed;
mod made;
mod merchant;
mod notifications;
pub(crate) mod openapi;
mod payments;
mod refunds;
mod stores;
mod takings;
mod tills;
mod timeline;
mod webhook_endpoints;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use http::HeaderValue;
use http::header::CACHE_CONTROL;

use crate::app::App;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .merge(payments::router())
        .merge(attempts::router())
        .merge(refunds::router())
        .merge(timeline::router())
        .merge(stores::router())
        .merge(takings::router())
        .merge(tills::router())
        .merge(webhook_endpoints::router())
        .merge(events::router())
        .merge(channels::router())
        .merge(cases::router())
        .merge(merchant::router())
        .merge(notifications::router())
        .layer(map_response(not_stored))
        .merge(openapi::router())
}

/// Answers are one merchant's: no cache between keeps them.
async fn not_stored(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
