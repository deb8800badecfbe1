//! What is told of the running program: lines to standard error, and numbers.

use std::backtrace::Backtrace;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tongbao_engine::Clock;
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};
use crate::seams::SystemClock;

/// Upper ends of the buckets for times, in seconds: from a request that only
/// reads to a platform that does not answer.
const SECONDS: [f64; 11] = [
    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// Samples that nobody has read are summed up so often.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Sends the program's log to standard error, panics included. Only the first
/// call of a process has an effect.
pub fn start(log: &Log) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(log.level.as_str()))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        // One object a line: what a platform sends cannot begin a line of its own.
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(panicked));
    }
}

/// The process's numbers, counted from the first call on.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let start = || {
        // Without any buckets there would be an error; there are some.
        let builder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .unwrap_or_default();
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("the process counts elsewhere already; metrics stay empty");
        }
        handle
    };
    HANDLE.get_or_init(start).clone()
}

/// Keeps the numbers small until `stop`.
pub(crate) async fn keep_metrics(stop: &CancellationToken) {
    let handle = metrics();
    while stop
        .run_until_cancelled(SystemClock.sleep(UPKEEP_EVERY))
        .await
        .is_some()
    {
        handle.run_upkeep();
    }
}

fn panicked(info: &PanicHookInfo<'_>) {
    metrics::counter!("tongbao_panics_total").increment(1);
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    // The text of a panic is ours, but what it formats may not be.
    let what = info
        .payload_as_str()
        .unwrap_or("something that is not text");
    tracing::error!(place, what, backtrace = %Backtrace::capture(), "a bug: the program panicked");
}
