//! `/pos`: did this customer pay?
//!
//! The page is the same for everybody and knows nothing. Whoever has a till's key
//! signs in with it in the browser, where it stays in the tab's own storage and
//! goes to this gateway's API alone, as any other client's does. There is no
//! cookie, so no other site can make a browser speak with it.

use askama::Template;
use axum::Router;
use axum::middleware::map_response;
use axum::response::{Html, Response};
use axum::routing::get;
use http::{HeaderName, HeaderValue};

use super::language::Language;
use crate::app::App;
use crate::problem::Problem;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/pos", get(page))
        .layer(map_response(not_indexed))
}

#[derive(Template)]
#[template(path = "till.html")]
struct TillPage {
    language: Language,
}

impl TillPage {
    const fn say<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        self.language.of([chinese, english])
    }
}

async fn page(language: Language) -> Result<Html<String>, Problem> {
    let text = TillPage { language }.render();
    text.map(Html).map_err(|error| Problem::internal(&error))
}

async fn not_indexed(mut response: Response) -> Response {
    response.headers_mut().insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    response
}
