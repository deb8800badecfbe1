//! `/_sim/merchants`: what merchants have, and what their people do with it.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tongbao_wire::wechat_v2::ApiKey;

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
    /// An empty one takes it away.
    refund_notify_url: Option<String>,
    /// 32 characters; signs from now on, in both directions.
    api_v2_key: Option<String>,
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
        accounts.flat_map(views).collect()
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
    if let Some(key) = &change.api_v2_key
        && ApiKey::new(key).is_err()
    {
        return Err(Problem::invalid("api_v2_key is not 32 visible characters"));
    }
    simulator.act(|platform, _| {
        if let Some(url) = change.refund_notify_url {
            let url = Some(url).filter(|url| !url.is_empty());
            platform.set_refund_notify_url(&mch_id, url);
        }
        if let Some(key) = &change.api_v2_key {
            platform.set_api_v2_key(&mch_id, key);
        }
    });
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
        let mut all = platform.truth().accounts.values().flat_map(views);
        all.find(|view| view.mch_id == mch_id)
    });
    found.map(Answer).ok_or_else(|| {
        Problem::not_found(format!(
            "there is no merchant {mch_id}; GET /_sim/merchants lists them"
        ))
    })
}

/// The account, and those it acts for.
fn views(account: &Account) -> Vec<MerchantView> {
    let view = |number: &str, name: &str, funds: &Funds| MerchantView {
        mch_id: number.to_owned(),
        name: name.to_owned(),
        unsettled: funds.unsettled_fen,
        recharge: funds.recharge_fen,
        bank: funds.bank_fen,
        refund_notify_url: account.refund_notify_url.clone(),
    };
    let mut views = vec![view(&account.mch_id, &account.name, &account.funds)];
    let subs = account.sub_merchants.iter();
    views.extend(subs.map(|sub| view(&sub.sub_mch_id, &sub.name, &sub.funds)));
    views
}
