//! The answers to requests that make or do something.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// On an answer that repeats the one that this idempotency key had before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What was done: `status`, and whether this key had the answer before.
pub(crate) struct Done<T> {
    pub(crate) status: StatusCode,
    pub(crate) view: T,
    pub(crate) replayed: bool,
}

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.view)).into_response();
        if self.replayed {
            let replayed = HeaderValue::from_static("true");
            response.headers_mut().insert(REPLAYED, replayed);
        }
        response
    }
}

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
        let (status, replayed) = match self.by {
            By::This => (StatusCode::CREATED, false),
            By::Replayed => (StatusCode::CREATED, true),
            By::Another => (StatusCode::OK, false),
        };
        let view = self.view;
        Done {
            status,
            view,
            replayed,
        }
        .into_response()
    }
}
