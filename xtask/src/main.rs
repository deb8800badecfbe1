//! The project's own commands.
//!
//! `cargo xtask test` installs what the tests need and runs all of them;
//! `cargo xtask check` is what a change must pass besides.

mod check;
mod need;
mod run;
mod simulate;
mod test;

use clap::Parser;

/// The project's own commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Install what the tests need, and run all of them.
    Test(test::Test),
    /// Format, lints, documentation, and the dependencies' licences and sources.
    Check,
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Test(test) => test.run(),
        Command::Check => check::run_all(),
    }
}
