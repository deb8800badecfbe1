//! An id in an address.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use crate::app::App;
use crate::problem::Problem;

/// The `{id}` of the address. One that cannot be an id answers as one that is
/// not there.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: tongbao_core::id::Id + std::str::FromStr + Send> FromRequestParts<App> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let found = Path::<String>::from_request_parts(parts, app).await.ok();
        found
            .and_then(|Path(text)| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Problem::not_found(what(T::PREFIX)))
    }
}

/// The same words as the engine's own "not found".
fn what(prefix: &str) -> &'static str {
    match prefix {
        "pay_" => "payment",
        "case_" => "case",
        "chn_" => "channel",
        "whe_" => "webhook endpoint",
        "sto_" => "store",
        "til_" => "till",
        "evt_" => "event",
        _ => "thing",
    }
}
