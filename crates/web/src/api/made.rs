//! The answer to a request that makes something.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// On an answer that repeats the one that this idempotency key had before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What was made, and by which request.
pub(crate) struct Made<T> {
    by: By,
    view: T,
}

enum By {
    /// This one.
    This,
    /// This one, when it came first.
    Replayed,
    /// Another one that asked for the same.
    Another,
}

impl<T> Made<T> {
    pub(crate) fn new(view: T, fresh: bool, replayed: bool) -> Self {
        let by = match (fresh, replayed) {
            (true, _) => By::This,
            (false, true) => By::Replayed,
            (false, false) => By::Another,
        };
        Self { by, view }
    }
}

impl<T: Serialize> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        let body = Json(self.view);
        match self.by {
            By::This => (StatusCode::CREATED, body).into_response(),
            By::Replayed => {
                let replayed = [(REPLAYED, HeaderValue::from_static("true"))];
                (StatusCode::CREATED, replayed, body).into_response()
            }
            By::Another => (StatusCode::OK, body).into_response(),
        }
    }
}
