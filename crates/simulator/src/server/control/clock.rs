//! `/_sim/clock`: the platform's time.

use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json as Answer, Router};
use serde::{Deserialize, Serialize};

use crate::server::Simulator;
use crate::server::problem::{Json, Problem};
use crate::{Platform, UnixMillis};

/// Ten years; beyond that dates end.
const MOST_SECONDS: u64 = 10 * 366 * 24 * 3600;
/// A day in a second.
const FASTEST: u32 = 86_400;

pub(super) fn router() -> Router<Simulator> {
    Router::new().route("/clock", get(read).post(change))
}

#[derive(Serialize)]
struct ClockView {
    /// The platform's own time.
    now: String,
    /// How far it is ahead of the clock outside.
    ahead_seconds: i64,
    /// Seconds in one second outside.
    speed: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    advance_seconds: u64,
    speed: Option<u32>,
}

async fn read(State(simulator): State<Simulator>) -> Answer<ClockView> {
    Answer(simulator.look(view))
}

async fn change(
    State(simulator): State<Simulator>,
    Json(change): Json<Change>,
) -> Result<Answer<ClockView>, Problem> {
    if change.advance_seconds > MOST_SECONDS {
        return Err(Problem::invalid(format!(
            "advance_seconds is at most {MOST_SECONDS}: ten years"
        )));
    }
    if change.speed.is_some_and(|speed| speed > FASTEST) {
        return Err(Problem::invalid(format!(
            "speed is at most {FASTEST}; 1 is real time, 0 stands still"
        )));
    }
    Ok(Answer(simulator.act(|platform, now| {
        if let Some(speed) = change.speed {
            platform.set_speed(now, speed);
        }
        platform.advance(Duration::from_secs(change.advance_seconds));
        view(platform, now)
    })))
}

fn view(platform: &Platform, now: UnixMillis) -> ClockView {
    let at = platform.moment(now);
    let ahead = at.inside.as_millis().saturating_sub(at.wall.as_millis());
    ClockView {
        now: at.inside.to_string(),
        ahead_seconds: ahead.div_euclid(1000),
        speed: platform.speed(),
    }
}
