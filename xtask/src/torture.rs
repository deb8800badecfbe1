//! The real database on a disk that fails and loses power.

use anyhow::Result;

use crate::run::run;

/// So many days are more than a hundred thousand crashes.
const DAYS: &str = "0..8";

/// The planted mistakes first, then every operation in every way.
pub(crate) fn run_all() -> Result<()> {
    torture("disk", &["--planted"])?;
    torture("disk", &["--seeds", DAYS])
}

fn torture(program: &str, args: &[&str]) -> Result<()> {
    let run_it = [
        "run",
        "--release",
        "--quiet",
        "--package",
        "tongbao-torture",
    ];
    run(
        "cargo",
        &[&run_it[..], &["--bin", program, "--"], args].concat(),
    )
}
