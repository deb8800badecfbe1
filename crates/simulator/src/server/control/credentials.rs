//! `GET /_sim/credentials`: the ready-made accounts, keys included.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::TestKey;
use crate::server::Simulator;
use crate::server::problem::Problem;

pub(super) fn router() -> Router<Simulator> {
    Router::new().route("/credentials", get(read))
}

/// One section a platform. A section appears when the platform is played, and a key in it when
/// the platform uses it.
#[derive(Serialize)]
struct Credentials {
    wechat: Wechat,
}

#[derive(Serialize)]
struct Wechat {
    app_id: String,
    app_secret: TestKey,
    mch_id: String,
    api_v2_key: TestKey,
}

async fn read(State(simulator): State<Simulator>) -> Result<Json<Credentials>, Problem> {
    let account = simulator.look(|platform, _| {
        let ready_made = crate::Account::ready_made().mch_id;
        platform.truth().accounts.get(&ready_made).cloned()
    });
    let account = account.ok_or_else(|| Problem::not_found("the ready-made account is gone"))?;
    Ok(Json(Credentials {
        wechat: Wechat {
            app_id: account.app_id,
            app_secret: account.app_secret,
            mch_id: account.mch_id,
            api_v2_key: account.api_v2_key,
        },
    }))
}
