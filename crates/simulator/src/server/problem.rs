//! Errors of the control API, in the form of RFC 9457.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{RefundRefusal, Refusal, WalletError};

/// What went wrong, with a stable `code` and a `detail` that names cause and cure.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
        }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            title: &'static str,
            status: u16,
            code: &'static str,
            detail: String,
        }
        let body = Body {
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::UnknownWallet(_)
            | Refusal::UnknownCode
            | Refusal::UnknownApp(_)
            | Refusal::NoPrompt => StatusCode::NOT_FOUND,
            Refusal::CodeExpired | Refusal::OrderExpired | Refusal::BrowserTooLate => {
                StatusCode::GONE
            }
            Refusal::OrderPaid | Refusal::OrderClosed | Refusal::NotEnough { .. } => {
                StatusCode::CONFLICT
            }
            Refusal::OtherPlatform
            | Refusal::OtherPayer
            | Refusal::WalletClosed
            | Refusal::BadCall(_)
            | Refusal::PasswordRequired
            | Refusal::WrongPassword { .. }
            | Refusal::WalletLocked { .. } => StatusCode::FORBIDDEN,
        };
        Self::new(status, refusal.code(), refusal.to_string())
    }
}

impl From<RefundRefusal> for Problem {
    fn from(refusal: RefundRefusal) -> Self {
        let status = match refusal {
            RefundRefusal::Unknown => StatusCode::NOT_FOUND,
            _ => StatusCode::CONFLICT,
        };
        Self::new(status, refusal.code(), refusal.to_string())
    }
}

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::Taken(_) => {
                Self::new(StatusCode::CONFLICT, "wallet_exists", error.to_string())
            }
            WalletError::Id | WalletError::Password | WalletError::Openid => {
                Self::invalid(error.to_string())
            }
        }
    }
}

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(unreadable_body(&rejection)),
        }
    }
}

fn unreadable_body(rejection: &JsonRejection) -> Problem {
    let code = match rejection {
        JsonRejection::JsonSyntaxError(_) => "bad_json",
        JsonRejection::MissingJsonContentType(_) => "content_type",
        JsonRejection::JsonDataError(_) => "invalid",
        _ => "bad_body",
    };
    Problem::new(rejection.status(), code, rejection.body_text())
}

/// Parameters of the path.
pub(super) struct InPath<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejected = |rejection: PathRejection| Problem::not_found(rejection.body_text());
        let Path(value) = Path::from_request_parts(parts, state)
            .await
            .map_err(rejected)?;
        Ok(Self(value))
    }
}

/// Parameters behind the question mark.
pub(super) struct InQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for InQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejected = |rejection: QueryRejection| {
            Problem::new(rejection.status(), "bad_query", rejection.body_text())
        };
        let Query(value) = Query::from_request_parts(parts, state)
            .await
            .map_err(rejected)?;
        Ok(Self(value))
    }
}
