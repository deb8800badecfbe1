//! `/v1/stores/{id}/takings`

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tongbao_core::order::Invalid;
use tongbao_core::shop::Till;
use tongbao_core::{StoreId, Timestamp};
use tongbao_engine::DayTakings;
use tongbao_store::Takings;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::extract::{Asked, Caller, Id, timestamp};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/stores/{id}/takings", get(read))
}

/// What was taken on a day, and given back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TakingsView {
    /// How many payments were paid.
    payments: i64,
    /// Their sum in fen, before refunds.
    amount: i64,
    /// How many refunds reached their payers, also of payments of days before.
    refunds: i64,
    /// Their sum in fen.
    amount_refunded: i64,
}

impl From<Takings> for TakingsView {
    fn from(takings: Takings) -> Self {
        Self {
            payments: takings.payments,
            amount: takings.amount,
            refunds: takings.refunds,
            amount_refunded: takings.amount_refunded,
        }
    }
}

/// A store's day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoreTakings {
    /// Of which store, `sto_…`.
    store: String,
    /// When the day began: midnight in China, RFC 3339.
    since: String,
    /// All of it.
    #[serde(flatten)]
    whole: TakingsView,
    /// What each till had of it. What your server and payers themselves started is in the sums
    /// above alone.
    tills: Vec<TillTakings>,
}

/// A till's day.
#[derive(Debug, Serialize, ToSchema)]
struct TillTakings {
    /// Ours, `til_…`.
    id: String,
    /// What people call it.
    name: String,
    /// What it took.
    #[serde(flatten)]
    takings: TakingsView,
}

impl TillTakings {
    fn new(till: &Till, day: &DayTakings) -> Self {
        Self {
            id: till.id.to_string(),
            name: till.name.clone(),
            takings: day.of_till(till.id).into(),
        }
    }
}

/// Which day.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DayAsked {
    /// A day in China, `2026-11-21`; today when left out.
    date: Option<String>,
}

/// Reads what a store took on a day.
///
/// From midnight to midnight in China: what was paid, and what went back to payers, in all and till
/// by till.
#[utoipa::path(
    get,
    path = "/v1/stores/{id}/takings",
    operation_id = "read_takings",
    tag = "stores",
    params(("id" = String, Path, description = "`sto_…`"), DayAsked),
    responses(
        (status = 200, description = "As it stands", body = StoreTakings),
        (status = 404, description = "There is no such store, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A parameter cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<StoreId>,
    Asked(asked): Asked<DayAsked>,
) -> Result<Json<StoreTakings>, Problem> {
    let shop = app.engine.store_of(merchant.id, id).await?;
    let date = asked.date.as_deref().map(midnight).transpose()?;
    let tills = app.engine.store().tills(merchant.id, shop.id).await?;
    let day = app.engine.takings(merchant.id, shop.id, date).await?;
    Ok(Json(StoreTakings {
        store: shop.id.to_string(),
        since: day.midnight.to_string(),
        whole: day.of_shop().into(),
        tills: tills
            .iter()
            .map(|till| TillTakings::new(till, &day))
            .collect(),
    }))
}

/// When the day begins in China.
fn midnight(date: &str) -> Result<Timestamp, Invalid> {
    let refused = || Invalid::new("date", "is not a day; send it as 2026-11-21");
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    if date.len() != 10 || !date.bytes().all(plain) {
        return Err(refused());
    }
    let begins = timestamp("date", Some(&format!("{date}T00:00:00+08:00")));
    begins.ok().flatten().ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_ten_characters_of_a_calendar() {
        let midnight_of = Timestamp::from_secs(1_795_190_400);
        assert_eq!(midnight("2026-11-21"), Ok(midnight_of));
        for text in [
            "",
            "today",
            "2026-13-01",
            "2026-02-29",
            "2026-1-1",
            "20261121",
            "2026-11-21Z",
        ] {
            assert!(midnight(text).is_err(), "{text}");
        }
    }
}
