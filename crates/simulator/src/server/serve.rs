//! Our own accept loop: it can close a connection without answering, and has deadlines.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use futures::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::clock::wait;
use super::{HangUp, Simulator, router};

/// For the head of a request to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// For requests under way when the server is told to stop.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// After a failed accept: usually too many open files.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Serves until `stop` completes, then finishes what is under way and writes the snapshot.
pub async fn serve(
    listener: TcpListener,
    simulator: Simulator,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = router(simulator.clone());
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    {
        let accepting = accept(&listener, &router, &graceful, &mut connections);
        let (mut stop, mut accepting) = (pin!(stop.fuse()), pin!(accepting.fuse()));
        let mut driving = pin!(simulator.drive().fuse());
        futures::select_biased! {
            () = stop => {}
            () = driving => {}
            () = accepting => {}
        }
    }
    simulator.shared.closing.send_replace(true);
    let _ = tokio::time::timeout(FINISH_WITHIN, graceful.shutdown()).await;
    simulator.save().await;
    Ok(())
}

/// For ever.
async fn accept(
    listener: &TcpListener,
    router: &Router,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                let connection = graceful.watch(connection(stream, router.clone()));
                connections.spawn(async move {
                    // A client that goes away, or one that we hang up on, is no event.
                    let _ = connection.await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                wait(AFTER_FAILURE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// A service error makes hyper close the connection without a byte of an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up on purpose")]
struct HungUp;

fn connection(
    stream: TcpStream,
    router: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let response = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never as Infallible {},
            };
            if response.extensions().get::<HangUp>().is_some() {
                Err(HungUp)
            } else {
                Ok(response)
            }
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service)
}
