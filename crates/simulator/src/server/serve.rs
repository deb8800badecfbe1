//! Our own accept loop: it can close a connection without answering, and has deadlines.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::clock::wait;
use super::tls::Certificates;
use super::{HangUp, Simulator, router};
use crate::Secured;

/// For the head of a request, or of a TLS session, to arrive.
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
    serve_with_tls(listener, None, simulator, stop).await
}

/// The same on a second listener as well, with TLS. `/_sim/credentials` hands out what a client
/// needs for it.
pub async fn serve_with_tls(
    listener: TcpListener,
    tls: Option<(TcpListener, Certificates)>,
    simulator: Simulator,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    // Before anybody is served: whoever asks first is told of them as well.
    let tls = tls.map(|(listener, certificates)| {
        let certificates = Arc::new(certificates);
        simulator.know_certificates(Arc::clone(&certificates));
        (listener, certificates)
    });
    let router = router(simulator.clone());
    let graceful = GracefulShutdown::new();
    let (mut connections, mut sessions) = (JoinSet::new(), JoinSet::new());
    {
        let plain = accept(&listener, &router, &graceful, None, &mut connections);
        let secured = async {
            let Some((listener, certificates)) = tls else {
                return pending().await;
            };
            let certificates = Some(certificates);
            accept(&listener, &router, &graceful, certificates, &mut sessions).await;
        };
        let (mut stop, mut plain) = (pin!(stop.fuse()), pin!(plain.fuse()));
        let mut secured = pin!(secured.fuse());
        let mut driving = pin!(simulator.drive().fuse());
        futures::select_biased! {
            () = stop => {}
            () = driving => {}
            () = plain => {}
            () = secured => {}
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
    tls: Option<Arc<Certificates>>,
    connections: &mut JoinSet<()>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                let (router, watcher) = (router.clone(), graceful.watcher());
                match tls.clone() {
                    None => connections.spawn(connection(stream, router, None, watcher)),
                    Some(tls) => connections.spawn(session(stream, router, tls, watcher)),
                };
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                wait(AFTER_FAILURE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// A connection under TLS. Whose certificate the client has shown goes along with each request.
async fn session(stream: TcpStream, router: Router, tls: Arc<Certificates>, watcher: Watcher) {
    let handshake = TlsAcceptor::from(tls.config()).accept(stream);
    let Ok(Ok(stream)) = tokio::time::timeout(HEAD_WITHIN, handshake).await else {
        // A client that does not trust us, or that nobody knows, is no event.
        return;
    };
    let (_, client) = stream.get_ref();
    let shown = client.peer_certificates().and_then(|chain| chain.first());
    let secured = Secured {
        certificate_of: shown.and_then(|shown| tls.whose(shown)).map(str::to_owned),
    };
    connection(stream, router, Some(secured), watcher).await;
}

/// A service error makes hyper close the connection without a byte of an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up on purpose")]
struct HungUp;

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    router: Router,
    secured: Option<Secured>,
    watcher: Watcher,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let router = router.clone();
        if let Some(secured) = &secured {
            request.extensions_mut().insert(secured.clone());
        }
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
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away, or one that we hang up on, is no event.
    let _ = watcher.watch(serving).await;
}
