//! From a page to an answer.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};

use super::lang::Chosen;

/// The page; a template that cannot be written is a bug, told plainly.
pub(super) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The page, and the language kept when this request chose it.
pub(super) fn render_in(chosen: &Chosen, page: &impl Template) -> Response {
    let mut response = render(page);
    if chosen.now
        && let Ok(cookie) = chosen.lang.cookie().parse()
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
