//! `/_sim/refunds` and what a merchant's people do on the platform's pages.

use axum::extract::State;
use axum::routing::post;
use axum::{Json as Answer, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::server::Simulator;
use crate::server::problem::{InPath, Json, Problem};
use crate::{Refund, RefundAskedBy, RefundDecision, RefundRefusal, RefundSource};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/trades/{out_trade_no}/refunds", post(create))
        .route("/refunds/{refund_id}/decide", post(decide))
}

/// Times are by the clock outside; `state` is in the platform's words.
#[derive(Serialize)]
pub(super) struct RefundView {
    refund_id: String,
    out_refund_no: String,
    state: &'static str,
    amount: u64,
    reason: Option<String>,
    source: RefundSource,
    asked_by: RefundAskedBy,
    notify_url: Option<String>,
    created_at: String,
    ended_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnPages {
    /// Fen.
    amount: u64,
    mch_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    outcome: RefundDecision,
}

async fn create(
    State(simulator): State<Simulator>,
    InPath(number): InPath<String>,
    Json(new): Json<OnPages>,
) -> Result<(StatusCode, Answer<RefundView>), Problem> {
    if new.amount == 0 {
        return Err(Problem::invalid("amount is at least 1 fen"));
    }
    let refund = simulator.act(|platform, now| {
        let books = platform.truth();
        let mut merchants = books.accounts.keys();
        let mch_id = match new.mch_id {
            Some(mch_id) => Some(mch_id),
            None => merchants
                .find(|mch_id| books.trade(mch_id, &number).is_some())
                .cloned(),
        };
        let mch_id = mch_id.ok_or(RefundRefusal::Unknown)?;
        platform.refund_on_pages(now, &mch_id, &number, new.amount)
    })?;
    Ok((StatusCode::CREATED, Answer(RefundView::from(&refund))))
}

async fn decide(
    State(simulator): State<Simulator>,
    InPath(refund_id): InPath<String>,
    Json(decision): Json<Decision>,
) -> Result<StatusCode, Problem> {
    simulator.act(|platform, now| platform.decide_refund(now, &refund_id, decision.outcome))?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<&Refund> for RefundView {
    fn from(refund: &Refund) -> Self {
        Self {
            refund_id: refund.refund_id.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            state: refund.state.word(),
            amount: refund.fen,
            reason: refund.reason.clone(),
            source: refund.source,
            asked_by: refund.asked_by,
            notify_url: refund.notify_url.clone(),
            created_at: refund.created.wall.to_string(),
            ended_at: refund.state.ended().map(|at| at.wall.to_string()),
        }
    }
}
