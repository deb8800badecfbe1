//! One order: what was bought, and whether it is paid.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use jiff::tz::{Offset, TimeZone};

use super::Shop;
use super::article::{Article, Drawing};
use super::book::{Order, Standing};
use super::lang::{Chosen, Lang};
use super::message;
use super::order_no::OrderNo;
use super::render::render_in;
use super::text::Text;

#[derive(Template)]
#[template(path = "demo/order.html")]
struct Page {
    lang: Lang,
    t: &'static Text,
    here: String,
    order: Order,
    article: &'static Article,
    /// When the gateway took the order, and when it was paid or closed.
    ordered_at: Option<String>,
    settled_at: Option<String>,
    /// The phone, with the code already picked when it is known.
    phone_url: String,
}

pub(super) async fn show(
    State(shop): State<Shop>,
    chosen: Chosen,
    Path(no): Path<String>,
) -> Response {
    let lang = chosen.lang;
    let found = no
        .parse::<OrderNo>()
        .ok()
        .and_then(|no| shop.book.order(&no));
    let Some((order, article)) =
        found.and_then(|order| Article::find(&order.article).map(|article| (order, article)))
    else {
        return message::page(lang, StatusCode::NOT_FOUND, Text::of(lang).not_found);
    };
    let page = Page {
        lang,
        t: Text::of(lang),
        here: format!("/orders/{}", order.no),
        article,
        ordered_at: order
            .bill
            .as_ref()
            .map(|bill| in_shanghai(&bill.created_at)),
        settled_at: order.told.as_ref().map(|told| in_shanghai(&told.at)),
        phone_url: phone_url(&shop.phone_url, &order, lang),
        order,
    };
    render_in(&chosen, &page)
}

fn phone_url(phone: &str, order: &Order, lang: Lang) -> String {
    let code = order
        .bill
        .as_ref()
        .and_then(|bill| bill.code_url.as_deref());
    let query = code
        .map(|code| ("code", code))
        .into_iter()
        .chain([("lang", lang.code())]);
    let query = serde_urlencoded::to_string(query.collect::<Vec<_>>());
    format!("{phone}/?{}", query.unwrap_or_default())
}

/// `2026-11-21 16:00:00` in China; the text itself when it is no time.
fn in_shanghai(rfc3339: &str) -> String {
    let shanghai = TimeZone::fixed(Offset::constant(8));
    let time = rfc3339.parse::<jiff::Timestamp>();
    time.map_or_else(
        |_| rfc3339.to_owned(),
        |time| {
            let time = time.to_zoned(shanghai);
            time.strftime("%Y-%m-%d %H:%M:%S").to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_chinas() {
        assert_eq!(
            in_shanghai("2026-11-21T20:15:30.125Z"),
            "2026-11-22 04:15:30"
        );
        assert_eq!(in_shanghai("soon"), "soon");
    }
}
