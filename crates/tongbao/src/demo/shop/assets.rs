//! The files that pages load.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// Name, media type and content.
const ASSETS: [(&str, &str, &str); 3] = [
    (
        "shop.css",
        "text/css; charset=utf-8",
        include_str!("../../../static/demo/shop.css"),
    ),
    (
        "order.js",
        "text/javascript; charset=utf-8",
        include_str!("../../../static/demo/order.js"),
    ),
    (
        "mark.svg",
        "image/svg+xml",
        include_str!("../../../static/demo/mark.svg"),
    ),
];

pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let Some((_, media_type, content)) = ASSETS.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, *media_type),
        // The next build of the demo may bring others.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, *content).into_response()
}
