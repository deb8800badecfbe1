//! Errors as the outside sees them: problem details (RFC 9457).
//!
//! The one translation from what went wrong to a status and a stable code. The
//! cause of a failure of ours goes to the log, and nowhere else.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use tongbao_core::Refusal;
use tongbao_core::order::Invalid;
use tongbao_engine::{ChannelError, EngineError, NoPayer};
use tongbao_store::StoreError;
use utoipa::ToSchema;

/// What an error's body says. `request_id` finds it in the log.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(
    example = json!({
        "type": "/docs#error-invalid_field",
        "title": "A field cannot be accepted",
        "status": 422,
        "code": "invalid_field",
        "detail": "amount: is 0; send fen as a whole number from 1 to 10000000000 (¥12.34 is 1234)",
        "field": "amount",
        "request_id": "01kb2v7q4w8z3n5m6r7t9x1c2d"
    })
)]
pub(crate) struct ProblemView {
    /// Where the code is explained.
    r#type: String,
    /// The code in words.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// Stable: programs decide by it.
    code: &'static str,
    /// Cause and cure, for people.
    detail: String,
    /// The field of the request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The payment that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    /// The `x-request-id` of this answer.
    request_id: String,
}

/// An error on its way out. It becomes a body where the request's id is known,
/// in [`observe`](crate::observe).
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    field: Option<String>,
    payment: Option<String>,
}

/// A stable code with its status and its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $status:ident, $code:literal, $title:literal;)*) => {
        $(pub(crate) const $name: Kind = Kind {
            status: StatusCode::$status,
            code: $code,
            title: $title,
        };)*

        /// All of them, for the documentation.
        pub(crate) const KINDS: &[Kind] = &[$($name),*];
    };
}

kinds! {
    INVALID_JSON = BAD_REQUEST, "invalid_json", "The body is not JSON";
    INVALID_BODY = BAD_REQUEST, "invalid_body", "The body could not be read";
    INVALID_KEY = BAD_REQUEST, "invalid_idempotency_key", "The Idempotency-Key cannot be used";
    UNAUTHORIZED = UNAUTHORIZED, "unauthorized", "The API key is missing or unknown";
    FORBIDDEN = FORBIDDEN, "cross_site", "The request came from another site";
    NOT_FOR_TILLS = FORBIDDEN, "not_for_tills", "A till's key cannot do this";
    ONLY_FOR_TILLS = FORBIDDEN, "only_for_tills", "Only a till's key can do this";
    NOT_FOUND = NOT_FOUND, "not_found", "There is no such thing";
    UNKNOWN_ROUTE = NOT_FOUND, "unknown_route", "Nothing is at this address";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED, "method_not_allowed", "The address does not take this method";
    ORDER_NO_CONFLICT = CONFLICT, "order_no_conflict", "The order number belongs to another order";
    REFUND_NO_CONFLICT = CONFLICT, "refund_no_conflict", "The refund number belongs to another refund";
    NOT_PAID = CONFLICT, "payment_not_paid", "The payment is not paid";
    ABOVE_REST = CONFLICT, "refund_above_rest", "Less than that is left of the payment";
    TOO_MANY_REFUNDS = CONFLICT, "too_many_refunds", "The payment has too many refunds";
    NO_CERTIFICATE = CONFLICT, "client_certificate_missing", "The channel has no client certificate";
    NO_APP_SECRET = CONFLICT, "app_secret_missing", "The channel has no app_secret";
    WRONG_APP_SECRET = CONFLICT, "app_secret_wrong", "The platform does not take the channel's app_secret";
    APP_REFUSED = CONFLICT, "app_refused", "The platform does not answer the channel's app_id";
    CODE_USED = CONFLICT, "payer_code_used", "The payer's login code was used before";
    CODE_EXPIRED = CONFLICT, "payer_code_expired", "The payer's login code is too old";
    PAYER_BLOCKED = CONFLICT, "payer_blocked", "The platform blocks the payer";
    PREVIEW = CONFLICT, "payer_in_preview", "The payer sees a preview of the page";
    ALREADY_PAID = CONFLICT, "payment_already_paid", "The payment is paid";
    ALREADY_CLOSED = CONFLICT, "payment_already_closed", "The payment is closed";
    EXPIRED = CONFLICT, "payment_expired", "The payment's time is up";
    ALREADY_OPEN = CONFLICT, "attempt_already_open", "This way of paying is open already";
    TOO_MANY_ATTEMPTS = CONFLICT, "too_many_attempts", "The payment has too many attempts";
    CASE_RESOLVED = CONFLICT, "case_resolved", "The case is resolved";
    CASE_REFUNDING = CONFLICT, "case_refunding", "The money is on its way back";
    CASE_REFUND_MAY_REVIVE = CONFLICT, "case_refund_may_revive", "The money may have gone back all the same";
    CASE_UNCONFIRMED = CONFLICT, "case_unconfirmed", "The platform has not confirmed the money";
    CASE_NOT_REFUNDABLE = CONFLICT, "case_not_refundable", "The money cannot be sent back from here";
    CASE_NOT_ACCEPTABLE = CONFLICT, "case_not_acceptable", "There is no money to keep";
    TOO_LARGE = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large";
    MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body's type is not taken";
    INVALID_FIELD = UNPROCESSABLE_ENTITY, "invalid_field", "A field cannot be accepted";
    UNKNOWN_FIELD = UNPROCESSABLE_ENTITY, "unknown_field", "There is no such field";
    DUPLICATE_FIELD = UNPROCESSABLE_ENTITY, "duplicate_field", "A field comes twice";
    MISSING_FIELD = UNPROCESSABLE_ENTITY, "missing_field", "A field is missing";
    KEY_REUSED = UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The Idempotency-Key came with another request";
    CODE_INVALID = UNPROCESSABLE_ENTITY, "payer_code_invalid", "The platform does not know the payer's login code";
    NO_CHANNEL = UNPROCESSABLE_ENTITY, "no_channel", "No channel can take it";
    PLATFORM_LIMIT = TOO_MANY_REQUESTS, "platform_limit", "The platform has been asked too often";
    INTERNAL = INTERNAL_SERVER_ERROR, "internal", "The gateway failed";
    PAYER_UNKNOWN = BAD_GATEWAY, "payer_unknown", "The platform did not say who the payer is";
    PLATFORM_BUSY = SERVICE_UNAVAILABLE, "platform_busy", "The platform is busy";
    UNREACHABLE = SERVICE_UNAVAILABLE, "platform_unreachable", "The platform cannot be reached";
    BUSY = SERVICE_UNAVAILABLE, "busy", "Others are changing the same thing";
    UNAVAILABLE = SERVICE_UNAVAILABLE, "unavailable", "The gateway cannot do this now";
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            field: None,
            payment: None,
        }
    }

    /// The text starts with the field's name, so that people see it too.
    pub(crate) fn field(kind: Kind, field: impl Into<String>, detail: impl AsRef<str>) -> Self {
        let field = field.into();
        let detail = format!("{field}: {}", detail.as_ref());
        Self {
            field: Some(field),
            ..Self::new(kind, detail)
        }
    }

    /// A failure of ours: the log gets the cause, the caller a number to ask by.
    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            INTERNAL,
            "something failed here; what you sent may or may not have been done. Ask again with \
             the same Idempotency-Key, and tell the operator the request_id if it stays so",
        )
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(NOT_FOUND, format!("there is no such {what}"))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            UNAUTHORIZED,
            "send `Authorization: Bearer sk_…` (or a till's `tk_…`) with a key of this gateway that \
             was not revoked",
        )
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.kind.status
    }

    pub(crate) fn code(&self) -> &'static str {
        self.kind.code
    }

    pub(crate) fn into_view(self, request_id: &str) -> ProblemView {
        ProblemView {
            r#type: format!("/docs#error-{}", self.kind.code),
            title: self.kind.title,
            status: self.kind.status.as_u16(),
            code: self.kind.code,
            detail: self.detail,
            field: self.field,
            payment: self.payment,
            request_id: request_id.to_owned(),
        }
    }

    /// Gives `response`, which has this problem's status and headers, its body.
    pub(crate) fn fill(self, response: &mut Response, request_id: &str) {
        let body = serde_json::to_vec(&self.into_view(request_id))
            .expect("text and numbers are always JSON");
        *response.body_mut() = body.into();
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = self.kind.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.kind.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.kind == PLATFORM_LIMIT {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound(what) => Self::not_found(what),
            EngineError::Invalid(invalid) => invalid.into(),
            EngineError::OrderDiffers { field, payment } => Self {
                field: Some(field.to_owned()),
                payment: Some(payment.to_string()),
                ..Self::new(ORDER_NO_CONFLICT, error.to_string())
            },
            EngineError::RefundDiffers { field, .. } => Self {
                field: Some(field.to_owned()),
                ..Self::new(REFUND_NO_CONFLICT, error.to_string())
            },
            EngineError::KeyReused => Self::new(KEY_REUSED, error.to_string()),
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Settings(error) => Self::field(
                INVALID_FIELD,
                format!("settings.{}", error.field),
                error.detail,
            ),
            EngineError::NoChannel(detail) => Self {
                field: Some("channel".to_owned()),
                ..Self::new(NO_CHANNEL, detail)
            },
            EngineError::Channel(ChannelError::NoCertificate(_)) => {
                Self::new(NO_CERTIFICATE, error.to_string())
            }
            EngineError::Channel(ChannelError::NoAppSecret(_)) => {
                Self::new(NO_APP_SECRET, error.to_string())
            }
            EngineError::Channel(ChannelError::NoPages(_)) => Self {
                field: Some("channel".to_owned()),
                ..Self::new(NO_CHANNEL, error.to_string())
            },
            EngineError::NoPayer(why) => why.into(),
            EngineError::Channel(_) => Self::new(INVALID_FIELD, error.to_string()),
            EngineError::Busy => Self::new(BUSY, error.to_string()),
            EngineError::Store(error) => error.into(),
            EngineError::Vault(_) => Self::internal(&error),
        }
    }
}

impl From<NoPayer> for Problem {
    fn from(why: NoPayer) -> Self {
        let kind = match why {
            NoPayer::CodeUsed(_) => CODE_USED,
            NoPayer::CodeExpired(_) => CODE_EXPIRED,
            NoPayer::CodeInvalid(_) => CODE_INVALID,
            NoPayer::WrongSecret(_) => WRONG_APP_SECRET,
            NoPayer::AppRefused(_) => APP_REFUSED,
            NoPayer::TooFrequent(_) => PLATFORM_LIMIT,
            NoPayer::Busy(_) => PLATFORM_BUSY,
            NoPayer::PayerBlocked(_) => PAYER_BLOCKED,
            NoPayer::Preview => PREVIEW,
            NoPayer::NotAsked(_) => UNREACHABLE,
            NoPayer::Unknown(_) => PAYER_UNKNOWN,
        };
        Self {
            field: Some("payer.code".to_owned()),
            ..Self::new(kind, why.to_string())
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) => {
                tracing::error!(%error, "the database cannot be written");
                Self::new(
                    UNAVAILABLE,
                    "the database cannot be written; nothing was done. Try again later",
                )
            }
            StoreError::CommitUnknown(_) => {
                tracing::error!(%error, "the database cannot be written");
                Self::new(
                    UNAVAILABLE,
                    "the database failed, and whether anything was done is not known. Send the \
                     request again with the same Idempotency-Key: nothing is done twice",
                )
            }
            StoreError::Closed => Self::new(UNAVAILABLE, "the gateway is shutting down; try again"),
            StoreError::Conflict
            | StoreError::AboveLimit
            | StoreError::Taken(_)
            | StoreError::Fenced
            | StoreError::Corrupt(_)
            | StoreError::Failed(_) => Self::internal(&error),
        }
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::field(INVALID_FIELD, invalid.field, invalid.detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::AlreadyPaid => ALREADY_PAID,
            Refusal::AlreadyClosed => ALREADY_CLOSED,
            Refusal::Expired => EXPIRED,
            Refusal::AlreadyOpen(_) => ALREADY_OPEN,
            Refusal::TooManyAttempts => TOO_MANY_ATTEMPTS,
            Refusal::NotPaid => NOT_PAID,
            Refusal::AboveRest { .. } => ABOVE_REST,
            Refusal::TooManyRefunds => TOO_MANY_REFUNDS,
            Refusal::AlreadyRefunded(_) => REFUND_NO_CONFLICT,
            Refusal::UnknownCase => return Self::not_found("case"),
            Refusal::CaseResolved(_) => CASE_RESOLVED,
            Refusal::CaseRefunding(_) => CASE_REFUNDING,
            Refusal::CaseRefundMayRevive(_) => CASE_REFUND_MAY_REVIVE,
            Refusal::CaseUnconfirmed => CASE_UNCONFIRMED,
            Refusal::CaseNotRefundable => CASE_NOT_REFUNDABLE,
            Refusal::CaseNotAcceptable => CASE_NOT_ACCEPTABLE,
            // Channels report attempts and refunds; no request can.
            Refusal::UnknownAttempt | Refusal::UnknownRefund => return Self::internal(&refusal),
        };
        Self::new(kind, refusal.to_string())
    }
}

/// Nothing is at this address.
pub(crate) async fn unknown_route() -> Problem {
    Problem::new(
        UNKNOWN_ROUTE,
        "nothing is at this address; GET /docs lists what there is",
    )
}

/// The router adds the `Allow` header.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(
        METHOD_NOT_ALLOWED,
        "this address does not take this method; the Allow header lists those that it takes",
    )
}
