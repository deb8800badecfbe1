//! Pages, made on the server from typed templates: the payer's, the
//! cashier's and the developer's.

pub(crate) mod assets;
mod checkout;
mod docs;
mod headers;
mod language;
mod live;
mod qr;
mod seats;
mod till;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Redirect;
use axum::routing::get;

use crate::app::App;

pub(crate) use seats::Seats;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .merge(checkout::router())
        .merge(docs::router())
        .merge(till::router())
        .layer(map_response(headers::strict))
        .merge(assets::router())
}

/// Whoever comes by is told what this is.
async fn home() -> Redirect {
    Redirect::to("/docs")
}
