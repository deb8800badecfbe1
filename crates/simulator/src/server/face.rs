//! The platforms' own paths.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use tokio::time::timeout;

use super::Simulator;
use super::clock::wait;
use crate::WireResponse;
use crate::platform::response::front_page;

/// Larger bodies are not read to the end; the largest documented one is below 64 KiB.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// For a body to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// A response with this extension stands for none: the connection is to be closed without a
/// byte. [`serve`](super::serve) does so. Another server sends the head and breaks off in the
/// body, which is as close as it can come.
#[derive(Clone, Copy, Debug)]
pub struct HangUp;

pub(super) async fn platform(State(simulator): State<Simulator>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match timeout(BODY_WITHIN, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return front(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return front(StatusCode::REQUEST_TIMEOUT),
    };
    let request = http::Request::from_parts(parts, body);
    match simulator.act(|platform, now| platform.handle(now, &request)) {
        WireResponse::Answer { response, delay } => {
            wait(delay).await;
            response.map(Body::from)
        }
        WireResponse::Dropped { delay } => {
            wait(delay).await;
            hang_up()
        }
        WireResponse::Refused => hang_up(),
    }
}

fn front(status: StatusCode) -> Response {
    front_page(status).map(Body::from)
}

fn hang_up() -> Response {
    let broken = stream::iter([Err::<Bytes, _>(std::io::Error::from(
        std::io::ErrorKind::ConnectionAborted,
    ))]);
    let mut response = Response::new(Body::from_stream(broken));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.extensions_mut().insert(HangUp);
    response
}
