//! The merchant API, the platforms' notifications, and the pages.
//!
//! A request becomes a typed value, one call of the engine does the work, and
//! its answer becomes JSON or a page. Nothing here decides anything about money
//! or writes to the database; errors become problem details in one place,
//! `problem`.

mod admin;
mod api;
mod app;
mod extract;
mod notify;
mod observe;
mod pages;
mod problem;

use axum::Router;
use axum::middleware::from_fn_with_state;

pub use api::openapi::document as openapi;
pub use app::{App, Options};
pub use extract::Peer;
pub use pages::assets::{COIN_SVG, TOKENS_CSS};

/// Everything that the outside may reach: the merchant API, the platforms'
/// notifications, the checkout page and the documentation.
pub fn router(app: App) -> Router {
    let mut router = Router::new()
        .merge(notify::router())
        .merge(api::router())
        .merge(pages::router())
        .merge(admin::health_router());
    if app.public_metrics() {
        router = router.merge(admin::metrics_router());
    }
    observed(router, app)
}

/// What only the operator's own machines should reach: health and metrics.
pub fn admin_router(app: App) -> Router {
    let router = admin::health_router().merge(admin::metrics_router());
    observed(router, app)
}

fn observed(router: Router<App>, app: App) -> Router {
    router
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}
