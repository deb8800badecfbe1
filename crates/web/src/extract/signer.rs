//! Which key a request came with, where that is kept.

use axum::extract::FromRequestParts;
use http::request::Parts;
use tongbao_core::ApiKeyId;

use super::caller::bearer;
use crate::app::App;
use crate::problem::Problem;

/// The caller's API key: who decided, for people who look later. Behind
/// [`Caller`](super::Caller) among a handler's arguments.
pub(crate) struct Signer(pub(crate) ApiKeyId);

impl FromRequestParts<App> for Signer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let key = bearer(parts).ok_or_else(Problem::unauthorized)?;
        let found = app.engine.api_key(key).await?;
        found
            .map(|key| Self(key.id))
            .ok_or_else(Problem::unauthorized)
    }
}
