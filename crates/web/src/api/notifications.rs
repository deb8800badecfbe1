//! `/v1/notifications`

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tongbao_core::{ChannelId, NotificationId, PaymentId};
use tongbao_store::{InboxFilter, InboxRow};
use utoipa::{IntoParams, ToSchema};

use super::listed::{self, Listed};
use crate::app::App;
use crate::extract::{Asked, Caller, limit};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/notifications", get(list))
}

/// Something that came in from a platform, or from somebody who says to be one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationView {
    /// Ours.
    #[schema(example = "ntf_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    id: String,
    /// The account that it came to.
    channel: String,
    /// `applied`, `repeated`, `hint` (a query was asked), `case` or `refused`
    /// (nothing was changed).
    verdict: &'static str,
    /// Why it was refused: a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The payment that it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    /// How often the same message came.
    copies: i64,
    /// When it came first, RFC 3339.
    received_at: String,
    /// When it came last, RFC 3339.
    last_received_at: String,
    /// What came, or its beginning.
    body: String,
}

impl From<&InboxRow> for NotificationView {
    fn from(row: &InboxRow) -> Self {
        let entry = &row.entry;
        Self {
            id: entry.id.to_string(),
            channel: entry.channel.to_string(),
            verdict: entry.verdict.as_str(),
            reason: entry.reason.clone(),
            payment: entry.payment.map(|id| id.to_string()),
            copies: row.copies,
            received_at: entry.received_at.to_string(),
            last_received_at: row.last_at.to_string(),
            body: String::from_utf8_lossy(&entry.body).into_owned(),
        }
    }
}

/// Which notifications a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NotificationsAsked {
    /// To this account, `chn_…`.
    channel: Option<String>,
    /// Of this payment, `pay_…`.
    payment: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows on a page, at most 100; 50 when left out.
    limit: Option<u16>,
}

/// Lists notifications.
///
/// What came in from platforms, newest first, with the verdict on each. Of a flood of refused messages a sample is kept.
#[utoipa::path(
    get,
    path = "/v1/notifications",
    operation_id = "list_notifications",
    tag = "channels",
    params(NotificationsAsked),
    responses(
        (status = 200, description = "One page", body = Listed<NotificationView>),
        (status = 422, description = "A parameter cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(merchant): Caller,
    Asked(asked): Asked<NotificationsAsked>,
) -> Result<Json<Listed<NotificationView>>, Problem> {
    let filter = InboxFilter {
        merchant: merchant.id,
        channel: listed::id_filter::<ChannelId>("channel", asked.channel.as_deref())?,
        payment: listed::id_filter::<PaymentId>("payment", asked.payment.as_deref())?,
        cursor: listed::cursor::<NotificationId>(asked.cursor)?,
        limit: limit(asked.limit)?,
    };
    let page = app.engine.store().inbox(filter).await?;
    Ok(Json(Listed::page(&page, NotificationView::from)))
}
