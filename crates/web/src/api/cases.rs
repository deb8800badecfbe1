//! `/v1/cases`

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use tongbao_core::order::Invalid;
use tongbao_core::{CaseId, CaseState, PaymentId};
use tongbao_engine::CaseView;
use tongbao_store::CaseFilter;
use utoipa::IntoParams;

use super::listed::{self, Listed};
use crate::app::App;
use crate::extract::{Asked, Caller, limit};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/cases", get(list))
}

/// Which cases a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CasesAsked {
    /// `open` or `resolved`.
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
    let filter = CaseFilter {
        merchant: merchant.id,
        state: asked.state.as_deref().map(case_state).transpose()?,
        payment: listed::id_filter::<PaymentId>("payment", asked.payment.as_deref())?,
        cursor: listed::cursor::<CaseId>(asked.cursor)?,
        limit: limit(asked.limit)?,
    };
    let page = app.engine.store().cases(filter).await?;
    Ok(Json(Listed::page(&page, CaseView::from)))
}

fn case_state(word: &str) -> Result<CaseState, Invalid> {
    CaseState::parse(word)
        .ok_or_else(|| Invalid::new("state", format!("{word} is neither open nor resolved")))
}
