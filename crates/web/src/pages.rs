//! Pages, made on the server from typed templates: the payer's and the
//! developer's.

pub(crate) mod assets;
mod checkout;
mod docs;
mod headers;
mod language;
mod live;
mod qr;
mod seats;

use axum::Router;
use axum::middleware::map_response;

use crate::app::App;

pub(crate) use seats::Seats;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .merge(checkout::router())
        .merge(docs::router())
        .layer(map_response(headers::strict))
        .merge(assets::router())
}
