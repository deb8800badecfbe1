//! `/_sim/settings`: the platform's habits.

use axum::extract::State;
use axum::routing::get;
use axum::{Json as Answer, Router};
use serde_json::{Map, Value};

use crate::Settings;
use crate::server::Simulator;
use crate::server::problem::{Json, Problem};

pub(super) fn router() -> Router<Simulator> {
    Router::new().route("/settings", get(read).patch(change))
}

async fn read(State(simulator): State<Simulator>) -> Answer<Settings> {
    Answer(simulator.look(|platform, _| platform.settings().clone()))
}

/// What is named changes, the rest stays.
async fn change(
    State(simulator): State<Simulator>,
    Json(changes): Json<Map<String, Value>>,
) -> Result<Answer<Settings>, Problem> {
    simulator.act(|platform, _| {
        let invalid = |error: serde_json::Error| Problem::invalid(error.to_string());
        let mut settings = serde_json::to_value(platform.settings()).map_err(invalid)?;
        if let Some(all) = settings.as_object_mut() {
            all.extend(changes);
        }
        let settings: Settings = serde_json::from_value(settings).map_err(invalid)?;
        platform.set_settings(settings.clone());
        Ok(Answer(settings))
    })
}
