//! What is told of the running program: lines to standard error, and numbers.

use std::backtrace::Backtrace;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

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

fn panicked(info: &PanicHookInfo<'_>) {
    metrics::counter!("tongbao_panics_total").increment(1);
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    // The text of a panic is ours, but what it formats may not be.
    let what = info
        .payload_as_str()
        .unwrap_or("something that is not text");
    tracing::error!(place, what, backtrace = %Backtrace::capture(), "a bug: the program panicked");
}
