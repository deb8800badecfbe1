//! `GET /_sim/requests`: the last hundred, the newest first.

use axum::extract::State;
use axum::routing::get;
use axum::{Json as Answer, Router};
use serde::Serialize;

use crate::server::Simulator;

pub(super) fn router() -> Router<Simulator> {
    Router::new().route("/requests", get(list))
}

#[derive(Serialize)]
struct RequestView {
    at: String,
    path: String,
    out_trade_no: Option<String>,
    outcome: String,
    hint: Option<String>,
    fault: Option<String>,
}

async fn list(State(simulator): State<Simulator>) -> Answer<Vec<RequestView>> {
    Answer(simulator.look(|platform, _| {
        let newest_first = platform.journal().rev();
        newest_first
            .map(|entry| RequestView {
                at: entry.at.to_string(),
                path: entry.path.clone(),
                out_trade_no: entry.out_trade_no.clone(),
                outcome: entry.outcome.clone(),
                hint: entry.hint.clone(),
                fault: entry.fault.clone(),
            })
            .collect()
    }))
}
