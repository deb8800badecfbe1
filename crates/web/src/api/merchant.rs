//! `/v1/merchant`

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tongbao_core::merchant::{Merchant, PolicyPatch};
use utoipa::ToSchema;

use crate::app::App;
use crate::extract::{Caller, Command};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/merchant", get(read).patch(update))
}

/// You, and what you decided once for all payments.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MerchantView {
    /// Ours.
    #[schema(example = "mer_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    id: String,
    /// What payers read on the checkout page.
    name: String,
    /// A payment that comes after the close is kept, and paid, instead of sent back.
    accept_late: bool,
    /// Money of cases that goes back without a person.
    auto_refund: AutoRefundView,
}

/// Money of cases that goes back without a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AutoRefundView {
    /// The switch. Off, a person decides on every case.
    enabled: bool,
    /// At most so much of one case, in fen.
    #[schema(example = 50000)]
    per_case: i64,
    /// At most so much in one day of China, in fen. Every automatic refund of the
    /// day counts, whatever became of it.
    #[schema(example = 500_000)]
    per_day: i64,
}

/// What is to change; the rest stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"auto_refund": {"enabled": true, "per_case": 20000}}))]
pub(crate) struct MerchantPatchBody {
    /// Whether a payment that comes after the close is kept, and paid.
    accept_late: Option<bool>,
    /// Money of cases that goes back without a person.
    auto_refund: Option<AutoRefundPatchBody>,
}

/// What is to change of automatic refunds; the rest stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutoRefundPatchBody {
    /// The switch.
    enabled: Option<bool>,
    /// At most so much of one case, in fen.
    per_case: Option<i64>,
    /// At most so much in one day of China, in fen.
    per_day: Option<i64>,
}

/// Reads your settings.
#[utoipa::path(
    get,
    path = "/v1/merchant",
    operation_id = "read_merchant",
    tag = "merchant",
    responses((status = 200, description = "As they stand", body = MerchantView))
)]
pub(crate) async fn read(Caller(merchant): Caller) -> Json<MerchantView> {
    Json(MerchantView::from(&merchant))
}

/// Changes your settings.
///
/// They hold from the next decision on. What is set in the gateway's configuration
/// comes back with its next start.
#[utoipa::path(
    patch,
    path = "/v1/merchant",
    operation_id = "update_merchant",
    tag = "merchant",
    request_body = MerchantPatchBody,
    responses(
        (status = 200, description = "As they stand now", body = MerchantView),
        (status = 422, description = "A field cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(
    State(app): State<App>,
    Caller(merchant): Caller,
    Command { body, .. }: Command<MerchantPatchBody>,
) -> Result<Json<MerchantView>, Problem> {
    let limits = body.auto_refund.unwrap_or_default();
    let patch = PolicyPatch {
        accept_late: body.accept_late,
        auto_refund: limits.enabled,
        refund_per_case_fen: limits.per_case,
        refund_per_day_fen: limits.per_day,
    };
    let merchant = app.engine.update_policy(&merchant, patch).await?;
    Ok(Json(MerchantView::from(&merchant)))
}

impl From<&Merchant> for MerchantView {
    fn from(merchant: &Merchant) -> Self {
        let policy = merchant.policy;
        Self {
            id: merchant.id.to_string(),
            name: merchant.name.clone(),
            accept_late: policy.accept_late,
            auto_refund: AutoRefundView {
                enabled: policy.auto_refund.enabled,
                per_case: policy.auto_refund.per_case_fen,
                per_day: policy.auto_refund.per_day_fen,
            },
        }
    }
}
