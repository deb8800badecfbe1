//! Where the world comes in: six seams, real in the program, simulated in
//! tests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use http::{Request, Response};
use tongbao_core::Timestamp;
use tongbao_store::Store;

/// What time it is, and waiting.
pub trait Clock: Send + Sync {
    /// The wall clock. It may jump, so nothing about money depends on its going
    /// forward.
    fn now(&self) -> Timestamp;
    /// Waits on a clock that does not jump.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Chance.
pub trait Mint: Send + Sync {
    /// Fills `out` with bytes that nobody can guess.
    fn fill(&self, out: &mut [u8]);
}

/// Who is being spoken to: platforms are few and trusted, merchants' addresses
/// are neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A platform's own address, from the configuration.
    Platform,
    /// A merchant's webhook endpoint.
    Webhook,
}

/// No answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No byte of the request can have left: the name did not resolve, the
    /// connection was refused, TLS failed, our own filter said no.
    #[error("not sent: {0}")]
    NotSent(String),
    /// Everything else. It may have been done.
    #[error("no answer: {0}")]
    Unknown(String),
}

/// One HTTP exchange.
pub trait Transport: Send + Sync {
    /// Sends `request` and reads the whole answer, within `timeout` and within a
    /// bound on its size. Follows no redirect.
    fn send(
        &self,
        target: Target,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>>;
}

/// Named points at which a test may kill the process.
pub trait Faults: Send + Sync {
    /// Reached `name`.
    fn point(&self, name: &'static str);
}

/// Nothing happens at any point.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn point(&self, _name: &'static str) {}
}

/// Work that takes a processor for so long that others would wait.
pub trait Labour: Send + Sync {
    /// Does it where nobody waits for the thread. What has begun is finished, also
    /// when nobody waits for it any more.
    fn carry_out(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;
}

impl dyn Labour {
    /// What comes of the work; `None` when it panicked.
    pub(crate) async fn result_of<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, hear) = oneshot::channel();
        let work = Box::new(move || drop(tell.send(work())));
        self.carry_out(work).await;
        hear.await.ok()
    }
}

/// It is done at once, by the thread that asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtOnce;

impl Labour for AtOnce {
    fn carry_out(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        work();
        Box::pin(std::future::ready(()))
    }
}

/// All six.
#[derive(Clone)]
pub struct Seams {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub mint: Arc<dyn Mint>,
    /// The network.
    pub transport: Arc<dyn Transport>,
    /// The database.
    pub store: Arc<dyn Store>,
    /// Points at which a test may kill.
    pub faults: Arc<dyn Faults>,
    /// Work that would keep others waiting.
    pub labour: Arc<dyn Labour>,
}
