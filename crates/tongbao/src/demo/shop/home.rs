//! The first page: what there is to buy, and every address of the demo.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::Shop;
use super::article::{ARTICLES, Article, Drawing};
use super::book::{Order, Standing};
use super::lang::{Chosen, Lang};
use super::message;
use super::order_no::OrderNo;
use super::render::render_in;
use super::text::Text;

#[derive(Template)]
#[template(path = "demo/home.html")]
struct Page<'a> {
    lang: Lang,
    t: &'static Text,
    here: &'static str,
    offers: Vec<Offer>,
    orders: Vec<Line>,
    /// The checkout page of the order that waits for its money.
    checkout_url: Option<String>,
    phone_url: &'a str,
    gateway_url: &'a str,
}

/// An article with the number that an order of it will have: whoever presses
/// the button twice has ordered once.
struct Offer {
    article: &'static Article,
    no: OrderNo,
}

/// One of the latest orders.
struct Line {
    order: Order,
    name: &'static str,
}

const LATEST: usize = 5;

pub(super) async fn show(State(shop): State<Shop>, chosen: Chosen) -> Response {
    let lang = chosen.lang;
    let offers = ARTICLES
        .iter()
        .map(|article| OrderNo::draw().map(|no| Offer { article, no }))
        .collect::<Result<Vec<_>, _>>();
    let Ok(offers) = offers else {
        let text = Text::of(lang).out_of_order;
        return message::page(lang, StatusCode::INTERNAL_SERVER_ERROR, text);
    };
    let orders = shop.book.latest(LATEST);
    let checkout_url = orders
        .iter()
        .filter(|order| order.standing == Standing::Waiting)
        .find_map(|order| Some(order.bill.as_ref()?.checkout_url.clone()));
    let page = Page {
        lang,
        t: Text::of(lang),
        here: "/",
        offers,
        orders: orders
            .into_iter()
            .map(|order| Line::new(order, lang))
            .collect(),
        checkout_url,
        phone_url: &shop.phone_url,
        gateway_url: shop.gateway.base_url(),
    };
    render_in(&chosen, &page)
}

impl Line {
    fn new(order: Order, lang: Lang) -> Self {
        let name = Article::find(&order.article).map_or("", |article| article.name(lang));
        Self { order, name }
    }
}
