//! Threads that nobody waits for.

use futures::future::BoxFuture;
use tongbao_engine::Labour;

/// The runtime's threads for work that blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnThreads;

impl Labour for OwnThreads {
    fn carry_out(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        #[expect(clippy::disallowed_methods, reason = "this is the Labour seam")]
        let done = tokio::task::spawn_blocking(work);
        Box::pin(async move {
            // Whoever waits for the result sees that there is none.
            let _ = done.await;
        })
    }
}
