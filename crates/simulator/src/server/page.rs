//! The phone.

use axum::Router;

use super::Simulator;

pub(super) fn router() -> Router<Simulator> {
    Router::new()
}
