//! `/v1/webhook_endpoints`

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tongbao_core::EndpointId;
use tongbao_core::order::Invalid;
use tongbao_core::webhook::Endpoint;
use tongbao_engine::{Answered, EndpointPatch, NewEndpoint, event_types};
use utoipa::ToSchema;

use super::listed::Listed;
use super::made::{Done, Made};
use super::stores::store_id;
use crate::app::App;
use crate::extract::{Caller, Command, Id, Key, timestamp};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/webhook_endpoints", get(list).post(create))
        .route(
            "/v1/webhook_endpoints/{id}",
            get(read).patch(update).delete(delete),
        )
        .route("/v1/webhook_endpoints/{id}/replay", post(replay))
}

/// Where you are told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointView {
    /// Ours.
    #[schema(example = "whe_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    id: String,
    /// Where the events go.
    #[schema(example = "https://shop.example.com/webhooks/tongbao")]
    url: String,
    /// Nothing is sent while it is off; what waits goes out when it is on again.
    enabled: bool,
    /// Only these; empty means all.
    event_types: Vec<&'static str>,
    /// Only events of this store.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// The signing secret, `whsec_…`; only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// When it was made, RFC 3339.
    created_at: String,
}

impl From<&Endpoint> for EndpointView {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.clone(),
            enabled: endpoint.enabled,
            event_types: endpoint
                .event_types
                .iter()
                .map(|kind| kind.as_str())
                .collect(),
            store: endpoint.store.map(|id| id.to_string()),
            secret: None,
            created_at: endpoint.created_at.to_string(),
        }
    }
}

/// Lists the endpoints.
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/v1/webhook_endpoints",
    operation_id = "list_webhook_endpoints",
    tag = "webhooks",
    responses((status = 200, description = "All of them", body = Listed<EndpointView>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(merchant): Caller,
) -> Result<Json<Listed<EndpointView>>, Problem> {
    let endpoints = app.engine.store().endpoints(merchant.id).await?;
    Ok(Json(Listed::all(&endpoints, EndpointView::from)))
}

/// An endpoint as it is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://shop.example.com/webhooks/tongbao"}))]
pub(crate) struct NewEndpointBody {
    /// An absolute http or https address.
    url: String,
    /// Only these types of events; all when left out or empty.
    #[serde(default)]
    #[schema(example = json!(["payment.paid"]))]
    event_types: Vec<String>,
    /// Only events of this store, `sto_…`.
    store: Option<String>,
}

/// Adds an endpoint.
///
/// Keep the `secret` of the answer: it signs every event, and is not shown again. Whoever lost the
/// answer sees it once more with the same request under the same `Idempotency-Key`, for ten minutes.
#[utoipa::path(
    post,
    path = "/v1/webhook_endpoints",
    operation_id = "create_webhook_endpoint",
    tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters")),
    request_body = NewEndpointBody,
    responses(
        (status = 201, description = "Added, by this request or by the same one before", body = EndpointView),
        (status = 422, description = "A field cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    Caller(merchant): Caller,
    Command { key, body }: Command<NewEndpointBody>,
) -> Result<Made<EndpointView>, Problem> {
    let new = NewEndpoint {
        event_types: event_types(&body.event_types)?,
        url: body.url,
        store: store_id(body.store.as_deref())?,
    };
    let replayed = Key::known(key.as_ref(), &app, merchant.id).await?;
    let key = key.map(Into::into);
    let (endpoint, secret) = app.engine.create_endpoint(merchant.id, new, key).await?;
    let view = EndpointView {
        secret: secret.map(|secret| secret.as_str().to_owned()),
        ..EndpointView::from(&endpoint)
    };
    Ok(Made::new(view, !replayed, replayed))
}

/// Reads an endpoint.
#[utoipa::path(
    get,
    path = "/v1/webhook_endpoints/{id}",
    operation_id = "read_webhook_endpoint",
    tag = "webhooks",
    params(("id" = String, Path, description = "`whe_…`")),
    responses(
        (status = 200, description = "As it stands", body = EndpointView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<EndpointId>,
) -> Result<Json<EndpointView>, Problem> {
    let endpoint = app.engine.endpoint_of(merchant.id, id).await?;
    Ok(Json((&endpoint).into()))
}

/// What is to be changed of an endpoint; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"enabled": false}))]
pub(crate) struct EndpointPatchBody {
    /// A new address.
    url: Option<String>,
    /// Whether anything is sent.
    enabled: Option<bool>,
    /// Only these types of events; all when empty.
    event_types: Option<Vec<String>>,
}

/// Changes an endpoint.
///
/// What is left out stays as it is. Of two changes at the same time the later one counts.
#[utoipa::path(
    patch,
    path = "/v1/webhook_endpoints/{id}",
    operation_id = "update_webhook_endpoint",
    tag = "webhooks",
    params(("id" = String, Path, description = "`whe_…`")),
    request_body = EndpointPatchBody,
    responses(
        (status = 200, description = "As it stands now", body = EndpointView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<EndpointId>,
    Command { body, .. }: Command<EndpointPatchBody>,
) -> Result<Json<EndpointView>, Problem> {
    let patch = EndpointPatch {
        url: body.url,
        enabled: body.enabled,
        event_types: body.event_types.as_deref().map(event_types).transpose()?,
    };
    let endpoint = app.engine.update_endpoint(merchant.id, id, patch).await?;
    Ok(Json((&endpoint).into()))
}

/// Removes an endpoint.
///
/// With the events that wait for it.
#[utoipa::path(
    delete,
    path = "/v1/webhook_endpoints/{id}",
    operation_id = "delete_webhook_endpoint",
    tag = "webhooks",
    params(("id" = String, Path, description = "`whe_…`")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<EndpointId>,
) -> Result<StatusCode, Problem> {
    app.engine.delete_endpoint(merchant.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which events to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}))]
pub(crate) struct Span {
    /// From here on, RFC 3339.
    from: String,
    /// Before this, RFC 3339.
    to: String,
}

/// How many deliveries were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Retold {
    /// They go out now, under the same ids as before.
    pub(crate) deliveries: usize,
}

impl Retold {
    pub(crate) fn done(retold: &Answered<usize>) -> Done<Self> {
        Done {
            status: StatusCode::ACCEPTED,
            view: Self {
                deliveries: retold.answer,
            },
            replayed: retold.replayed,
        }
    }
}

/// Replays events to an endpoint.
///
/// Every event of a span of time that it listens to, whether or not it had them before, under the
/// same ids: for an endpoint that was broken, or is new.
#[utoipa::path(
    post,
    path = "/v1/webhook_endpoints/{id}/replay",
    operation_id = "replay_events",
    tag = "webhooks",
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    request_body = Span,
    responses(
        (status = 202, description = "They go out now", body = Retold),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A time cannot be read, or `idempotency_key_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<EndpointId>,
    Command { key, body }: Command<Span>,
) -> Result<Done<Retold>, Problem> {
    let missing = |field| move || Invalid::new(field, "is missing");
    let from = timestamp("from", Some(&body.from))?.ok_or_else(missing("from"))?;
    let to = timestamp("to", Some(&body.to))?.ok_or_else(missing("to"))?;
    let key = key.map(Into::into);
    let retold = app.engine.replay(merchant.id, id, from, to, key).await?;
    Ok(Retold::done(&retold))
}
