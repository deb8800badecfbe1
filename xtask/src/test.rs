//! All tests.

use anyhow::Result;
use clap::Args;

use crate::run::run;
use crate::{need, simulate, torture};

/// Install what the tests need, and run all of them.
#[derive(Args)]
pub(crate) struct Test {
    /// Only the tests that need nothing but Rust.
    #[arg(long)]
    quick: bool,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        if self.quick {
            return run("cargo", &["test", "--workspace"]);
        }
        need::packages()?;
        need::foreign_clients()?;
        // Tests that need a browser, foreign clients or minutes are marked
        // `ignore`; here they run as well.
        simulate::run_all()?;
        torture::run_all()?;
        run("cargo", &["test", "--workspace", "--", "--include-ignored"])
    }
}
