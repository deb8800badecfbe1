//! Who calls the merchant API.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use tongbao_core::merchant::Merchant;

use crate::app::App;
use crate::problem::Problem;

/// The merchant whose key came with the request. First among a handler's
/// arguments: nothing else is read before it is known.
pub(crate) struct Caller(pub(crate) Merchant);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let key = bearer(parts).ok_or_else(Problem::unauthorized)?;
        let merchant = app.engine.authenticate(key).await?;
        merchant.map(Self).ok_or_else(Problem::unauthorized)
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let mut all = parts.headers.get_all(AUTHORIZATION).iter();
    let (one, none) = (all.next()?, all.next());
    let (scheme, key) = one.to_str().ok()?.split_once(' ')?;
    let fits = none.is_none()
        && scheme.eq_ignore_ascii_case("bearer")
        && key.starts_with("sk_")
        && key.len() <= 256;
    fits.then_some(key)
}
