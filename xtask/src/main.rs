//! The project's own commands.
//!
//! `cargo xtask test` installs what the tests need and runs all of them;
//! `cargo xtask check` is what a change must pass besides; `cargo xtask fuzz` looks for inputs
//! that break a reader for as long as it is told.

mod check;
mod fuzz;
mod need;
mod run;
mod simulate;
mod test;
mod torture;

use clap::Parser;

/// The project's own commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Install what the tests need, and run all of them.
    Test(test::Test),
    /// Format, lints, documentation, and the dependencies' licences and sources.
    Check,
    Fuzz(fuzz::Fuzz),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Test(test) => test.run(),
        Command::Check => check::run_all(),
        Command::Fuzz(fuzz) => fuzz.run(),
    }
}
