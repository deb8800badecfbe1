//! `/v1/events`

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tongbao_core::order::Invalid;
use tongbao_core::webhook::{DeliveryState, EventType, WebhookEvent};
use tongbao_core::{EventId, PaymentId};
use tongbao_engine::EngineError;
use tongbao_store::{Delivery, DeliveryTry, EventFilter};
use utoipa::{IntoParams, ToSchema};

use super::listed::{self, Listed};
use super::made::Done;
use super::webhook_endpoints::Retold;
use crate::app::App;
use crate::extract::{Asked, Bare, Caller, Id, limit};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/events", get(list))
        .route("/v1/events/{id}", get(read))
        .route("/v1/events/{id}/redeliver", post(redeliver))
}

/// Something that you are told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Goes out as `webhook-id`, the same in every try.
    #[schema(example = "evt_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    id: String,
    /// `payment.paid`, `payment.closed`, `refund.succeeded`, `refund.failed`,
    /// `case.opened`, `case.needs_person` or `case.resolved`.
    r#type: &'static str,
    /// Of which payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    /// Rises with every change of the payment.
    sequence: i64,
    /// When it became true, RFC 3339.
    created_at: String,
}

impl From<&WebhookEvent> for EventView {
    fn from(event: &WebhookEvent) -> Self {
        Self {
            id: event.id.to_string(),
            r#type: event.kind.as_str(),
            payment: event.payment.map(|id| id.to_string()),
            sequence: event.sequence,
            created_at: event.created_at.to_string(),
        }
    }
}

/// Which events a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsAsked {
    /// Of this type.
    r#type: Option<String>,
    /// Of this payment, `pay_…`.
    payment: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows on a page, at most 100; 50 when left out.
    limit: Option<u16>,
}

/// Lists events.
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "list_events",
    tag = "webhooks",
    params(EventsAsked),
    responses(
        (status = 200, description = "One page", body = Listed<EventView>),
        (status = 422, description = "A parameter cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(merchant): Caller,
    Asked(asked): Asked<EventsAsked>,
) -> Result<Json<Listed<EventView>>, Problem> {
    let kind = asked.r#type.as_deref().map(event_type).transpose()?;
    let filter = EventFilter {
        merchant: merchant.id,
        kind,
        payment: listed::id_filter::<PaymentId>("payment", asked.payment.as_deref())?,
        cursor: listed::cursor::<EventId>(asked.cursor)?,
        limit: limit(asked.limit)?,
    };
    let page = app.engine.store().events(filter).await?;
    Ok(Json(Listed::page(&page, EventView::from)))
}

fn event_type(name: &str) -> Result<EventType, Invalid> {
    EventType::parse(name).ok_or_else(|| {
        let known = EventType::ALL.map(EventType::as_str).join(", ");
        Invalid::new("type", format!("{name} is not one; there are: {known}"))
    })
}

/// An event with what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventDetail {
    #[serde(flatten)]
    event: EventView,
    /// The body that is signed and sent.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
    /// How it fared at each endpoint.
    deliveries: Vec<DeliveryView>,
}

/// How an event fares at one endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Where.
    endpoint: String,
    /// `pending`, `delivered` or `exhausted`.
    state: &'static str,
    /// When it is tried next, while it is pending, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_try_at: Option<String>,
    /// Every try, oldest first.
    tries: Vec<TryView>,
}

/// One try.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TryView {
    /// When it was sent, RFC 3339.
    at: String,
    /// The headers that were sent, one a line.
    request_headers: String,
    /// The HTTP status of the answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The beginning of the answer, or what went wrong.
    answer: String,
    /// How long it took, in milliseconds.
    took_millis: i64,
}

impl From<&Delivery> for DeliveryView {
    fn from(delivery: &Delivery) -> Self {
        let pending = delivery.state == DeliveryState::Pending;
        Self {
            endpoint: delivery.endpoint.to_string(),
            state: delivery.state.as_str(),
            next_try_at: pending.then(|| delivery.due.to_string()),
            tries: delivery.tries.iter().map(TryView::from).collect(),
        }
    }
}

impl From<&DeliveryTry> for TryView {
    fn from(one: &DeliveryTry) -> Self {
        Self {
            at: one.at.to_string(),
            request_headers: one.request_headers.clone(),
            status: one.status,
            answer: one.answer.clone(),
            took_millis: one.took_millis,
        }
    }
}

/// Reads an event.
///
/// With every try at every endpoint.
#[utoipa::path(
    get,
    path = "/v1/events/{id}",
    operation_id = "read_event",
    tag = "webhooks",
    params(("id" = String, Path, description = "`evt_…`")),
    responses(
        (status = 200, description = "As it stands", body = EventDetail),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<EventId>,
) -> Result<Json<EventDetail>, Problem> {
    let store = app.engine.store();
    let event = store.event(merchant.id, id).await?;
    let event = event.ok_or(EngineError::NotFound("event"))?;
    let deliveries = store.deliveries(merchant.id, id).await?;
    Ok(Json(EventDetail {
        event: (&event).into(),
        body: RawValue::from_string(event.body).map_err(|error| Problem::internal(&error))?,
        deliveries: deliveries.iter().map(DeliveryView::from).collect(),
    }))
}

/// Sends an event again.
///
/// Now, to every endpoint that it was meant for, under the same id and in the
/// same bytes.
#[utoipa::path(
    post,
    path = "/v1/events/{id}/redeliver",
    operation_id = "redeliver_event",
    tag = "webhooks",
    params(
        ("id" = String, Path, description = "`evt_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 202, description = "It goes out now", body = Retold),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn redeliver(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<EventId>,
    Bare { key }: Bare,
) -> Result<Done<Retold>, Problem> {
    let key = key.map(Into::into);
    let retold = app.engine.redeliver(merchant.id, id, key).await?;
    Ok(Retold::done(&retold))
}
