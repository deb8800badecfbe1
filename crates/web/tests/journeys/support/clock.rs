//! A clock that stands still until it is moved.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tongbao_core::Timestamp;
use tongbao_engine::Clock;

pub(crate) struct ManualClock(watch::Sender<Timestamp>);

impl ManualClock {
    pub(crate) fn at(time: Timestamp) -> Self {
        Self(watch::Sender::new(time))
    }

    pub(crate) fn set(&self, time: Timestamp) {
        self.0.send_replace(time);
    }

    pub(crate) fn time(&self) -> Timestamp {
        *self.0.borrow()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.time()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let until = self.time() + duration;
        let mut time = self.0.subscribe();
        async move {
            let _ = time.wait_for(|now| *now >= until).await;
        }
        .boxed()
    }
}
