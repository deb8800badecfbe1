//! Pages for payers and developers.
mod seats;
use crate::app::App;
use axum::Router;
pub(crate) use seats::Seats;
pub(crate) fn router() -> Router<App> {
    Router::new()
}
