//! Styles, scripts and pictures: inside the program, at an address that changes
//! with their content, so that browsers may keep them for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::problem::{Problem, UNKNOWN_ROUTE};

/// The colours, letters and measures that all pages share.
pub const TOKENS_CSS: &str = include_str!("../../static/tokens.css");

/// The mark: the old coin, round with a square hole.
pub const COIN_SVG: &str = include_str!("../../static/coin.svg");

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

const FILES: &[(&str, &str, &str)] = &[
    ("tokens.css", CSS, TOKENS_CSS),
    ("coin.svg", "image/svg+xml", COIN_SVG),
    (
        "checkout.css",
        CSS,
        include_str!("../../static/checkout.css"),
    ),
    ("checkout.js", JS, include_str!("../../static/checkout.js")),
    ("till.css", CSS, include_str!("../../static/till.css")),
    ("till.js", JS, include_str!("../../static/till.js")),
    ("docs.css", CSS, include_str!("../../static/docs.css")),
];

/// Of all files together: a page and its files are of one build.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (name, _, content) in FILES {
        hash.update(name);
        hash.update(content);
    }
    hex::encode(&hash.finalize()[..8])
});

pub(crate) fn router() -> Router<App> {
    Router::new().route("/static/{hash}/{name}", get(serve))
}

/// Where a page finds a file.
pub(crate) fn url(name: &str) -> String {
    format!("/static/{}/{name}", *HASH)
}

async fn serve(Path((hash, name)): Path<(String, String)>) -> Result<Response, Problem> {
    let file = FILES.iter().find(|(known, ..)| *known == name);
    // An address of another build would be kept under the wrong content.
    let Some((_, content_type, content)) = file.filter(|_| hash == *HASH) else {
        return Err(Problem::new(UNKNOWN_ROUTE, "there is no such file"));
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    Ok((headers, *content).into_response())
}
