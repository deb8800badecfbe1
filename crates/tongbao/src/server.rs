//! Our own accept loop: deadlines, caps, and an end that loses nothing.
//!
//! Axum's `serve` has none of these. A client that says nothing, says it slowly,
//! or never reads the answer must cost us a bounded time and one connection.

mod body;
mod crowd;
mod stream;

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures::FutureExt;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tongbao_web::Peer;
use tower::Service;

use self::body::{Answer, Deadline};
use self::crowd::Crowd;
use self::stream::{Phase, Stream};
use crate::config::Limits;

/// For a request's body, however long: none may be longer than a few hundred KiB.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// For what is under way when the server is told to stop.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

/// After an accept that failed: too many open files, most likely.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest head of a request. Browsers with many cookies stay below 16 KiB.
const HEAD_MAX: usize = 32 * 1024;

/// Serves `router` until `stop`; then takes no more connections, and gives
/// requests under way ten seconds. An answer that has no end of its own must be
/// ended by whoever makes it.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.connections.get() as usize));
    let crowd = Crowd::new(limits.connections_per_address.get());
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    while let Some((place, accepted)) = stop
        .run_until_cancelled(async {
            // Those who wait for a place do so in the system's backlog.
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        })
        .await
    {
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                pause().await;
                continue;
            }
        };
        let Some(visit) = crowd.enter(peer.ip()) else {
            metrics::counter!("tongbao_connections_refused_total").increment(1);
            continue;
        };
        // Small answers must not wait for more.
        let _ = stream.set_nodelay(true);
        let connection = graceful.watch(connection(stream, peer.ip(), router.clone()));
        connections.spawn(async move {
            // A client that goes away or breaks the protocol is no event.
            let _ = connection.await;
            drop((place, visit));
        });
    }
    drop(listener);
    if tokio::time::timeout(FINISH_WITHIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            open = connections.len(),
            "some requests did not end in time; cut off"
        );
    }
    connections.shutdown().await;
}

fn connection(
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let phase = Arc::new(Phase::default());
    let stream = Stream::new(stream, phase.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        phase.busy();
        // From here on the connection is busy until the answer's body is dropped.
        let leaving = phase.clone().leaving();
        let mut request = request.map(|body| Body::new(Deadline::new(body, BODY_WITHIN)));
        request.extensions_mut().insert(Peer(peer));
        let mut router = router.clone();
        async move {
            let answer = AssertUnwindSafe(router.call(request)).catch_unwind().await;
            let response = match answer {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(_) => after_panic(),
            };
            Ok::<_, Infallible>(response.map(|body| Answer::new(body, leaving)))
        }
    });
    http1::Builder::new()
        // The stream has both deadlines: for a head that has begun, and for the
        // pause between requests, which hyper does not tell apart.
        .header_read_timeout(None)
        .max_header_size(HEAD_MAX)
        .serve_connection(stream, service)
}

/// The hook has logged the panic; whoever asked learns that it was not their fault.
fn after_panic() -> Response<Body> {
    let text = r#"{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal","detail":"the gateway failed in the middle of this request; ask for its state before repeating it"}"#;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let head = response.headers_mut();
    head.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    head.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn pause() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the accept loop runs on real time"
    )]
    tokio::time::sleep(PAUSE).await;
}
