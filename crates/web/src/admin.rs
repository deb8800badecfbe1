//! Health and metrics, for the operator's own machines.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::app::App;
use crate::problem::{Problem, UNAVAILABLE, UNKNOWN_ROUTE};

pub(crate) fn health_router() -> Router<App> {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
}

pub(crate) fn metrics_router() -> Router<App> {
    Router::new().route("/metrics", get(metrics))
}

/// The process answers.
async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// The database answers too, and takes what it is given: requests may come.
async fn ready(State(app): State<App>) -> Result<Json<Value>, Problem> {
    match app.engine.store().ready().await {
        Ok(()) => Ok(Json(json!({"status": "ok"}))),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err(Problem::new(
                UNAVAILABLE,
                "the database cannot be used: make room on its disk, or look into the log",
            ))
        }
    }
}

/// The Prometheus text format. What is counted in the database is read now.
async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let Some(handle) = app.metrics() else {
        return Err(Problem::new(
            UNKNOWN_ROUTE,
            "metrics are turned off in the configuration",
        ));
    };
    let pulse = app.engine.store().pulse(app.engine.now()).await?;
    for (name, count) in [
        ("tongbao_jobs_due", pulse.jobs_due),
        ("tongbao_jobs_laid_aside", pulse.jobs_laid_aside),
        ("tongbao_deliveries_due", pulse.deliveries_due),
        ("tongbao_deliveries_exhausted", pulse.deliveries_exhausted),
        ("tongbao_cases_open", pulse.cases_open),
        ("tongbao_cases_waiting", pulse.cases_waiting),
    ] {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        metrics::gauge!(name).set(count);
    }
    metrics::gauge!("tongbao_live_pages").set(app.seats.taken());
    let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, handle.render()))
}
