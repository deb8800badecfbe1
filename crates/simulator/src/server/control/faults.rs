//! `/_sim/faults`: what goes wrong.

use axum::extract::State;
use axum::routing::{delete, get};
use axum::{Json as Answer, Router};
use http::StatusCode;
use serde::Serialize;

use crate::server::Simulator;
use crate::server::problem::{InPath, Json, Problem};
use crate::{Fault, FaultId, NewFault, Platform, UnixMillis};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/faults", get(list).post(create).delete(clear))
        .route("/faults/{id}", delete(remove))
}

#[derive(Serialize)]
struct FaultView {
    id: FaultId,
    #[serde(flatten)]
    asked: NewFault,
    /// How often it has happened.
    hits: u32,
    /// Whether it can still happen.
    on: bool,
}

async fn list(State(simulator): State<Simulator>) -> Answer<Vec<FaultView>> {
    let views = |platform: &Platform, now| {
        platform
            .faults()
            .map(|fault| view(platform, now, fault))
            .collect()
    };
    Answer(simulator.look(views))
}

async fn create(
    State(simulator): State<Simulator>,
    Json(asked): Json<NewFault>,
) -> Result<(StatusCode, Answer<FaultView>), Problem> {
    if asked.times == Some(0) {
        return Err(Problem::invalid(
            "times is at least 1; leave it out for a fault that stays on",
        ));
    }
    let created = simulator.act(|platform, now| {
        let id = platform.add_fault(now, asked);
        platform.fault(id).map(|fault| view(platform, now, fault))
    });
    let view = created.ok_or_else(|| Problem::not_found("the fault was removed meanwhile"))?;
    Ok((StatusCode::CREATED, Answer(view)))
}

async fn clear(State(simulator): State<Simulator>) -> StatusCode {
    simulator.act(|platform, _| platform.clear_faults());
    StatusCode::NO_CONTENT
}

async fn remove(
    State(simulator): State<Simulator>,
    InPath(id): InPath<u64>,
) -> Result<StatusCode, Problem> {
    if simulator.act(|platform, _| platform.remove_fault(FaultId(id))) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(format!(
            "there is no fault {id}; GET /_sim/faults lists them"
        )))
    }
}

fn view(platform: &Platform, now: UnixMillis, fault: &Fault) -> FaultView {
    FaultView {
        id: fault.id,
        asked: fault.asked.clone(),
        hits: fault.hits,
        on: fault.is_on(platform.moment(now)),
    }
}
