//! What a change must pass besides the tests.

use anyhow::Result;

use crate::run::{run, succeeds};

pub(crate) fn run_all() -> Result<()> {
    run("cargo", &["fmt", "--all", "--check"])?;
    run(
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    run("cargo", &["doc", "--workspace", "--no-deps", "--quiet"])?;
    if !succeeds("cargo", &["deny", "--version"]) {
        run("cargo", &["install", "cargo-deny", "--locked", "--quiet"])?;
    }
    // The advisories' database is fetched from the network: where there is one,
    // run `cargo deny check advisories` as well.
    run("cargo", &["deny", "check", "licenses", "bans", "sources"])
}
