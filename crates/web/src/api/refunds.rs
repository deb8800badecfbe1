//! `/v1/payments/{id}/refunds`, `/v1/refunds`

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tongbao_core::order::Invalid;
use tongbao_core::{Money, PaymentId, RefundId, RefundState};
use tongbao_engine::{EngineError, RefundView};
use tongbao_store::RefundFilter;
use utoipa::{IntoParams, ToSchema};

use super::listed::{self, Listed};
use super::made::Made;
use super::stores::store_id;
use crate::app::App;
use crate::extract::{Asked, Command, Id, Seller, limit};
use crate::problem::{Problem, ProblemView, REFUND_NO_CONFLICT};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/payments/{id}/refunds", post(create))
        .route("/v1/refunds", get(list))
        .route("/v1/refunds/{id}", get(read))
}

/// What is to go back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"merchant_refund_no": "R-1001", "amount": 234, "reason": "少了一杯"}))]
pub(crate) struct NewRefund {
    /// Your own number of the refund: 1 to 64 of A-Z a-z 0-9 _ - | *, unique for
    /// ever. The same number never pays back twice.
    #[schema(example = "R-1001")]
    merchant_refund_no: String,
    /// In fen; with the refunds before it at most what was paid.
    #[schema(example = 234)]
    amount: i64,
    /// What the payer reads; at most 80 bytes of UTF-8.
    reason: Option<String>,
}

/// Refunds a payment.
///
/// Gives back all of it or a part, as often as something is left. The platform taking the request is not the
/// payer having the money: the answer is mostly `processing`, and a webhook tells
/// of the end, `refund.succeeded` or `refund.failed`. `unknown` is a question
/// that we keep asking, under the same number. The same `merchant_refund_no` with
/// the same content gives the same refund, and with other content is refused with
/// `refund_no_conflict`. Platforms want a minute between two refunds of one
/// payment: the second one waits for it.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/refunds",
    operation_id = "create_refund",
    tag = "refunds",
    params(
        ("id" = String, Path, description = "`pay_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    request_body = NewRefund,
    responses(
        (status = 201, description = "Made, by this request or by the same one before", body = RefundView),
        (status = 200, description = "Another request made the same refund before", body = RefundView),
        (status = 404, description = "There is no such payment, or it is another merchant's, or, for a till, another store's", body = ProblemView, content_type = "application/problem+json"),
        (status = 409, description = "The payment is not paid, less than that is left of it, it has too many refunds, the number belongs to another refund, or the channel has no certificate for it", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    seller: Seller,
    Id(payment): Id<PaymentId>,
    Command { key, body }: Command<NewRefund>,
) -> Result<Made<RefundView>, Problem> {
    let new = tongbao_engine::NewRefund {
        merchant_refund_no: body.merchant_refund_no,
        amount: Money::fen(body.amount),
        reason: body.reason,
        till: seller.till_id(),
    };
    let key = seller.key(key);
    let merchant = seller.clone().for_payment(&app, payment).await?;
    let made = match app.engine.refund(&merchant, payment, new, key).await {
        Err(EngineError::RefundDiffers { refund, .. })
            if !seller.may_see(&app.engine.payment_of_refund(merchant.id, refund).await?) =>
        {
            return Err(Problem::field(
                REFUND_NO_CONFLICT,
                "merchant_refund_no",
                "belongs to a refund of another store; use a new number",
            ));
        }
        made => made?,
    };
    let refund = made
        .payment
        .refund(made.refund)
        .ok_or(EngineError::NotFound("refund"))?;
    let view = RefundView::new(made.payment.id, refund);
    Ok(Made::new(view, made.fresh, made.replayed))
}

/// Whether to ask the channel first.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadAsked {
    /// Ask the channel about a refund that has no end yet before answering.
    refresh: Option<bool>,
}

/// Reads a refund.
///
/// With `refresh=true` the channel is asked first what has become of a refund that
/// has no end yet, and the answer waits for it no longer than the channel's timeout.
/// One that still waits for its turn is not asked about.
#[utoipa::path(
    get,
    path = "/v1/refunds/{id}",
    operation_id = "read_refund",
    tag = "refunds",
    params(("id" = String, Path, description = "`rfd_…`"), ReadAsked),
    responses(
        (status = 200, description = "As it stands", body = RefundView),
        (status = 404, description = "There is none, or it is another merchant's, or, for a till, another store's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    seller: Seller,
    Id(id): Id<RefundId>,
    Asked(asked): Asked<ReadAsked>,
) -> Result<Json<RefundView>, Problem> {
    let mut payment = app.engine.payment_of_refund(seller.merchant.id, id).await?;
    if !seller.may_see(&payment) {
        return Err(EngineError::NotFound("refund").into());
    }
    if asked.refresh == Some(true) {
        payment = app.engine.refresh_refund(payment, id).await?;
    }
    let refund = payment.refund(id).ok_or(EngineError::NotFound("refund"))?;
    Ok(Json(RefundView::new(payment.id, refund)))
}

/// Which refunds a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RefundsAsked {
    /// Of this store, `sto_…`; a till sees its own store's alone.
    store: Option<String>,
    /// `unknown`, `processing`, `abnormal`, `succeeded` or `closed`.
    state: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows on a page, at most 100; 50 when left out.
    limit: Option<u16>,
}

/// Lists refunds.
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/refunds",
    operation_id = "list_refunds",
    tag = "refunds",
    params(RefundsAsked),
    responses(
        (status = 200, description = "One page", body = Listed<RefundView>),
        (status = 422, description = "A parameter cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    seller: Seller,
    Asked(asked): Asked<RefundsAsked>,
) -> Result<Json<Listed<RefundView>>, Problem> {
    let filter = RefundFilter {
        merchant: seller.merchant.id,
        store: seller.store(store_id(asked.store.as_deref())?)?,
        state: asked.state.as_deref().map(refund_state).transpose()?,
        cursor: listed::cursor::<RefundId>(asked.cursor)?,
        limit: limit(asked.limit)?,
    };
    let page = app.engine.store().refunds(filter).await?;
    Ok(Json(Listed::page(&page, |row| {
        RefundView::new(row.payment, &row.refund)
    })))
}

fn refund_state(word: &str) -> Result<RefundState, Invalid> {
    RefundState::parse(word).ok_or_else(|| {
        let detail = format!("{word} is none of unknown, processing, abnormal, succeeded, closed");
        Invalid::new("state", detail)
    })
}
