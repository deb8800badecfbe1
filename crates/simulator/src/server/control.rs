//! `/_sim`: the hand that moves the platforms.

mod clock;
mod credentials;
mod faults;
mod merchants;
mod notifications;
mod refunds;
mod requests;
mod settings;
mod trades;
mod wallets;

use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode, Uri};

use super::problem::Problem;
use super::{Simulator, events};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .merge(clock::router())
        .merge(credentials::router())
        .merge(faults::router())
        .merge(merchants::router())
        .merge(notifications::router())
        .merge(refunds::router())
        .merge(requests::router())
        .merge(settings::router())
        .merge(trades::router())
        .merge(wallets::router())
        .route("/events", get(events::stream))
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at /_sim{}", uri.path()))
}

async fn other_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("/_sim{} does not take {method}", uri.path()),
    )
}
