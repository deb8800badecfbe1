//! `/v1/cases`

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use tongbao_core::order::Invalid;
use tongbao_core::{CaseAction, CaseId, CaseState, PaymentId};
use tongbao_engine::{CaseView, NewDecision};
use tongbao_store::CaseFilter;
use utoipa::{IntoParams, ToSchema};

use super::listed::{self, Listed};
use super::made::Done;
use crate::app::App;
use crate::extract::{Asked, Caller, Command, Id, Signer, limit};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/cases", get(list))
        .route("/v1/cases/{id}", get(read))
        .route("/v1/cases/{id}/resolve", post(resolve))
}

/// Which cases a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CasesAsked {
    /// `open`, `refunding`, `needs_person` or `resolved`; `unresolved` for all but
    /// the last.
    state: Option<String>,
    /// Of this payment, `pay_…`.
    payment: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows on a page, at most 100; 50 when left out.
    limit: Option<u16>,
}

/// Lists cases.
///
/// Money that came and should not be there, newest first.
#[utoipa::path(
    get,
    path = "/v1/cases",
    operation_id = "list_cases",
    tag = "cases",
    params(CasesAsked),
    responses(
        (status = 200, description = "One page", body = Listed<CaseView>),
        (status = 422, description = "A parameter cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(merchant): Caller,
    Asked(asked): Asked<CasesAsked>,
) -> Result<Json<Listed<CaseView>>, Problem> {
    let unresolved = asked.state.as_deref() == Some("unresolved");
    let state = asked.state.as_deref().filter(|_| !unresolved);
    let filter = CaseFilter {
        merchant: merchant.id,
        state: state.map(case_state).transpose()?,
        unresolved,
        payment: listed::id_filter::<PaymentId>("payment", asked.payment.as_deref())?,
        cursor: listed::cursor::<CaseId>(asked.cursor)?,
        limit: limit(asked.limit)?,
    };
    let page = app.engine.store().cases(filter).await?;
    Ok(Json(Listed::page(&page, CaseView::from)))
}

fn case_state(word: &str) -> Result<CaseState, Invalid> {
    CaseState::parse(word).ok_or_else(|| {
        let detail =
            format!("{word} is none of open, refunding, needs_person, resolved, unresolved");
        Invalid::new("state", detail)
    })
}

/// Reads a case.
#[utoipa::path(
    get,
    path = "/v1/cases/{id}",
    operation_id = "read_case",
    tag = "cases",
    params(("id" = String, Path, description = "`case_…`")),
    responses(
        (status = 200, description = "As it stands", body = CaseView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<CaseId>,
) -> Result<Json<CaseView>, Problem> {
    let case = app.engine.case(merchant.id, id).await?;
    Ok(Json(CaseView::from(&case)))
}

/// What is to be done about a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"action": "refund", "reason": "顾客付了两次"}))]
pub(crate) struct Resolve {
    /// `refund` (the money goes back, whatever the limits), `accept` (you keep it; a
    /// closed payment of that amount is paid by it) or `dismiss` (it is settled
    /// elsewhere).
    #[schema(value_type = String)]
    action: CaseAction,
    /// Why, for your own people; 1 to 512 bytes of UTF-8.
    reason: String,
}

/// Decides about a case.
///
/// For people. Who decided what and why is kept with the case and in the
/// payment's timeline. `refund` answers when the platform has been asked: the case
/// is `refunding` until a query says that the payer has the money, and the webhook
/// `case.resolved` tells of it. The same money never goes back twice, whoever
/// decides.
#[utoipa::path(
    post,
    path = "/v1/cases/{id}/resolve",
    operation_id = "resolve_case",
    tag = "cases",
    params(
        ("id" = String, Path, description = "`case_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    request_body = Resolve,
    responses(
        (status = 200, description = "As it stands now", body = CaseView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 409, description = "`case_resolved`, `case_refunding`, `case_refund_may_revive`, `case_unconfirmed`, `case_not_refundable`, `case_not_acceptable`, or the channel has no certificate for it", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn resolve(
    State(app): State<App>,
    Caller(merchant): Caller,
    Signer(by): Signer,
    Id(id): Id<CaseId>,
    Command { key, body }: Command<Resolve>,
) -> Result<Done<CaseView>, Problem> {
    let decision = NewDecision {
        action: body.action,
        by: by.to_string(),
        reason: body.reason,
    };
    let key = key.map(Into::into);
    let decided = app.engine.resolve_case(&merchant, id, decision, key);
    let decided = decided.await?;
    Ok(Done {
        status: StatusCode::OK,
        view: CaseView::from(&decided.answer),
        replayed: decided.replayed,
    })
}
