//! What every handler is given.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tongbao_engine::Engine;

use crate::pages::Seats;

/// What the program decides about the web side.
#[derive(Clone)]
pub struct Options {
    /// Renders the metrics; without it `/metrics` answers 404.
    pub metrics: Option<PrometheusHandle>,
    /// `/metrics` also on the public router, for those who have one listener.
    pub public_metrics: bool,
    /// A clock that only goes forward, for measuring how long requests take.
    /// Nothing is decided by it. Without it no times are measured.
    pub stopwatch: Option<fn() -> Duration>,
    /// Checkout pages that are kept up to date over an open connection. The
    /// others ask by themselves every few seconds.
    pub live_pages: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            metrics: None,
            public_metrics: true,
            stopwatch: None,
            live_pages: 1_024,
        }
    }
}

/// The engine, and what the web side keeps beside it.
#[derive(Clone)]
pub struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) seats: Arc<Seats>,
    options: Arc<Options>,
}

impl App {
    /// One for all listeners.
    pub fn new(engine: Arc<Engine>, options: Options) -> Self {
        Self {
            engine,
            seats: Arc::new(Seats::new(options.live_pages)),
            options: Arc::new(options),
        }
    }

    /// Ends the open connections of live pages, and takes no new ones, so that
    /// the server can be shut down. The pages come back to whoever listens next.
    pub fn end_live_pages(&self) {
        self.seats.close();
    }

    pub(crate) fn public_metrics(&self) -> bool {
        self.options.public_metrics
    }

    pub(crate) fn metrics(&self) -> Option<&PrometheusHandle> {
        self.options.metrics.as_ref()
    }

    /// Reads the stopwatch.
    pub(crate) fn stopwatch(&self) -> Option<Duration> {
        self.options.stopwatch.map(|read| read())
    }
}
