//! The program as it is used: a process, its output, its exit code.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attack;
mod audit;
mod certificate;
mod check;
mod life;
mod pay;
mod program;
mod settings;
mod usage;
mod watch;
