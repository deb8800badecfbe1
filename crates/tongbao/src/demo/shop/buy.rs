//! The buy button: the order is written down, then the gateway is asked for its
//! money, then the buyer goes to the checkout page.

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::Shop;
use super::article::Article;
use super::book::{Order, Standing};
use super::gateway::GatewayError;
use super::lang::{Chosen, Lang};
use super::message;
use super::order_no::OrderNo;
use super::text::Text;

#[derive(Deserialize)]
pub(super) struct Buy {
    no: OrderNo,
    article: String,
}

pub(super) async fn buy(
    State(shop): State<Shop>,
    Chosen { lang, .. }: Chosen,
    form: Result<Form<Buy>, FormRejection>,
) -> Response {
    let text = Text::of(lang);
    let Ok(Form(buy)) = form else {
        return message::page(lang, StatusCode::BAD_REQUEST, text.unreadable_form);
    };
    let Some(article) = Article::find(&buy.article) else {
        return message::page(lang, StatusCode::BAD_REQUEST, text.unreadable_form);
    };
    let placed = shop
        .book
        .place(&buy.no, article.id, article.name(lang), article.price);
    match placed {
        Ok(Ok(order)) => to_checkout(&shop, lang, &order).await,
        Ok(Err(_)) => message::page(lang, StatusCode::CONFLICT, text.unreadable_form),
        Err(error) => {
            tracing::error!(%error, "the order book cannot be written");
            message::page(lang, StatusCode::INTERNAL_SERVER_ERROR, text.out_of_order)
        }
    }
}

async fn to_checkout(shop: &Shop, lang: Lang, order: &Order) -> Response {
    let order_page = format!("/orders/{}", order.no);
    match (&order.bill, order.standing) {
        (Some(bill), Standing::Waiting) => return redirect_to(&bill.checkout_url, lang),
        (_, Standing::Paid | Standing::Closed) => return Redirect::to(&order_page).into_response(),
        (None, Standing::Waiting) => {}
    }
    let return_url = format!("{}{order_page}", shop.public_url);
    let bill = match shop.gateway.bill(order, &return_url).await {
        Ok(bill) => bill,
        Err(error) => return no_bill(lang, order, &error),
    };
    let checkout_url = bill.checkout_url.clone();
    // An order whose bill was not written down is billed again, under the same
    // number, when the buyer comes back to it.
    if let Err(error) = shop.book.bill(&order.no, bill) {
        tracing::error!(%error, "the order book cannot be written");
    }
    redirect_to(&checkout_url, lang)
}

/// The checkout page goes on in the buyer's language.
fn redirect_to(checkout_url: &str, lang: Lang) -> Response {
    Redirect::to(&format!("{checkout_url}?lang={}", lang.code())).into_response()
}

/// The order stands: its page has the button that asks again.
fn no_bill(lang: Lang, order: &Order, error: &GatewayError) -> Response {
    tracing::error!(order = %order.no, %error, "the gateway gave no bill");
    message::of_order(
        lang,
        StatusCode::BAD_GATEWAY,
        Text::of(lang).no_bill,
        &order.no,
    )
}
