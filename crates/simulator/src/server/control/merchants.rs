//! `/_sim/merchants`: what merchants have, and what their people do with it.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::server::Simulator;
use crate::server::problem::{InPath, Json, Problem};
use crate::{Account, Funds};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/merchants", get(list))
        .route("/merchants/{mch_id}", get(read).patch(change))
        .route("/merchants/{mch_id}/settle", post(settle))
        .route("/merchants/{mch_id}/recharge", post(recharge))
}

/// Money in fen.
#[derive(Serialize)]
struct MerchantView {
    mch_id: String,
    name: String,
    /// Received, and where refunds come from.
    unsettled: u64,
    /// Put in, for refunds that name it.
    recharge: u64,
    bank: u64,
    /// Where refunds are told of that do not say so themselves.
    refund_notify_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    refund_notify_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    /// Fen; for a settlement all of it when absent.
    amount: Option<u64>,
}

async fn list(State(simulator): State<Simulator>) -> Answer<Vec<MerchantView>> {
    Answer(simulator.look(|platform, _| {
        let accounts = platform.truth().accounts.values();
        accounts.map(MerchantView::from).collect()
    }))
}

async fn read(
    State(simulator): State<Simulator>,
    InPath(mch_id): InPath<String>,
) -> Result<Answer<MerchantView>, Problem> {
    view(&simulator, &mch_id)
}

async fn change(
    State(simulator): State<Simulator>,
    InPath(mch_id): InPath<String>,
    Json(change): Json<Change>,
) -> Result<Answer<MerchantView>, Problem> {
    simulator.act(|p, _| p.set_refund_notify_url(&mch_id, change.refund_notify_url));
    view(&simulator, &mch_id)
}

/// The platform pays out to the bank.
async fn settle(
    State(simulator): State<Simulator>,
    InPath(mch_id): InPath<String>,
    Json(asked): Json<Move>,
) -> Result<Answer<MerchantView>, Problem> {
    let settle = |funds: &mut Funds| funds.settle(asked.amount.unwrap_or(funds.unsettled_fen));
    moved(&simulator, &mch_id, settle)
}

/// The merchant puts money in.
async fn recharge(
    State(simulator): State<Simulator>,
    InPath(mch_id): InPath<String>,
    Json(asked): Json<Move>,
) -> Result<Answer<MerchantView>, Problem> {
    let amount = asked
        .amount
        .ok_or_else(|| Problem::invalid("amount is missing: fen to put in"))?;
    moved(&simulator, &mch_id, |funds| funds.recharge(amount))
}

fn moved(
    simulator: &Simulator,
    mch_id: &str,
    change: impl FnOnce(&mut Funds) -> bool,
) -> Result<Answer<MerchantView>, Problem> {
    let moved = simulator.act(|platform, _| platform.move_funds(mch_id, change));
    let view = view(simulator, mch_id)?;
    if moved {
        return Ok(view);
    }
    let detail = "the merchant has less than that; GET /_sim/merchants says what there is";
    Err(Problem::new(StatusCode::CONFLICT, "not_enough", detail))
}

fn view(simulator: &Simulator, mch_id: &str) -> Result<Answer<MerchantView>, Problem> {
    let found = simulator.look(|platform, _| {
        let account = platform.truth().accounts.get(mch_id);
        account.map(MerchantView::from)
    });
    found.map(Answer).ok_or_else(|| {
        Problem::not_found(format!(
            "there is no merchant {mch_id}; GET /_sim/merchants lists them"
        ))
    })
}

impl From<&Account> for MerchantView {
    fn from(account: &Account) -> Self {
        Self {
            mch_id: account.mch_id.clone(),
            name: account.name.clone(),
            unsettled: account.funds.unsettled_fen,
            recharge: account.funds.recharge_fen,
            bank: account.funds.bank_fen,
            refund_notify_url: account.refund_notify_url.clone(),
        }
    }
}
