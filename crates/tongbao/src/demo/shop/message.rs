//! A page that says what went wrong, and what to do next.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::lang::{Chosen, Lang};
use super::order_no::OrderNo;
use super::render::render;
use super::text::Text;

#[derive(Template)]
#[template(path = "demo/message.html")]
struct Page {
    lang: Lang,
    t: &'static Text,
    here: String,
    title: &'static str,
    help: &'static str,
    link: &'static str,
}

/// Leads back to the shelf.
pub(super) fn page(lang: Lang, status: StatusCode, text: [&'static str; 2]) -> Response {
    answer(lang, status, text, "/".to_owned(), Text::of(lang).to_shelf)
}

/// Leads to the order, which stands.
pub(super) fn of_order(
    lang: Lang,
    status: StatusCode,
    text: [&'static str; 2],
    no: &OrderNo,
) -> Response {
    let here = format!("/orders/{no}");
    answer(lang, status, text, here, Text::of(lang).to_order)
}

pub(super) async fn not_found(chosen: Chosen) -> Response {
    let text = Text::of(chosen.lang).not_found;
    page(chosen.lang, StatusCode::NOT_FOUND, text)
}

fn answer(
    lang: Lang,
    status: StatusCode,
    [title, help]: [&'static str; 2],
    here: String,
    link: &'static str,
) -> Response {
    let mut response = render(&Page {
        lang,
        t: Text::of(lang),
        here,
        title,
        help,
        link,
    });
    if response.status().is_success() {
        *response.status_mut() = status;
    }
    response
}
