//! Around every request: its id, its span, its measure, and a floor under
//! panics.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument;

use crate::app::App;
use crate::problem::Problem;

/// Finds a request in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request its id, on the answer and on every line of the log, and
/// counts it.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(|| app.engine.request_id());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let started = app.stopwatch();
    let span = tracing::info_span!(
        "request",
        id,
        method = method.as_str(),
        route = route.as_ref().map_or("unknown", MatchedPath::as_str),
    );
    let mut response = answer(request, next, &id).instrument(span).await;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let labels = [
        ("method", known_method(&method).to_owned()),
        (
            "route",
            route.map_or_else(|| "unknown".to_owned(), |route| route.as_str().to_owned()),
        ),
    ];
    if let (Some(started), Some(ended)) = (started, app.stopwatch()) {
        let took = ended.saturating_sub(started);
        metrics::histogram!("tongbao_http_request_seconds", &labels).record(took);
    }
    let status = response.status().as_u16().to_string();
    let [method, route] = labels;
    let labels = [method, route, ("status", status)];
    metrics::counter!("tongbao_http_requests_total", &labels).increment(1);
    response
}

async fn answer(request: Request, next: Next, id: &str) -> Response {
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match run.await {
        Ok(response) => response,
        // The panic hook has written what and where.
        Err(_) => Problem::internal(&"a handler panicked").into_response(),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        tracing::debug!(
            status = problem.status().as_u16(),
            code = problem.code(),
            "refused"
        );
        problem.fill(&mut response, id);
    }
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A caller may name its request, in words that are safe in a log.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    ((8..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

/// Anybody may invent methods; a metric's label is of a small set.
fn known_method(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(text))]);
        given_id(&headers)
    }

    #[test]
    fn a_callers_request_id_is_taken_when_it_is_plain() {
        assert_eq!(
            given("order-2026.11_21").as_deref(),
            Some("order-2026.11_21")
        );
        for text in ["", "short", "two words", "<script>alert(1)", "id=12345678"] {
            assert_eq!(given(text), None, "{text}");
        }
    }
}
