//! What the page is drawn with, served by ourselves.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;

use crate::server::Simulator;

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/_sim/assets/phone.css", get(style))
        .route("/_sim/assets/phone.js", get(script))
        .route("/_sim/assets/mark.svg", get(mark))
}

async fn style() -> Response {
    let text = include_str!("../../../static/phone.css");
    asset("text/css; charset=utf-8", text)
}

async fn script() -> Response {
    let text = include_str!("../../../static/phone.js");
    asset("text/javascript; charset=utf-8", text)
}

async fn mark() -> Response {
    asset("image/svg+xml", include_str!("../../../static/mark.svg"))
}

/// Asked for again every time, so a new build is seen at once; it is a few kilobytes.
fn asset(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
