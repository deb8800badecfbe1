//! The real database on a disk that fails and loses power.

use anyhow::Result;

use crate::run::run;

/// So many days are more than a hundred thousand crashes.
const DAYS: &str = "0..9";

/// Days of the whole program take about four minutes on two cores; a longer run is
/// started by hand.
const SEEDS: &str = "0..6000";

/// Every planted mistake is found within so many seeds.
const PLANTED: &str = "0..200";

/// The planted mistakes first, then every operation in every way, and days of
/// the whole.
pub(crate) fn run_all() -> Result<()> {
    torture("disk", &["--planted"])?;
    torture("disk", &["--seeds", DAYS])?;
    torture("whole", &["--past"])?;
    torture("whole", &["--planted", "--seeds", PLANTED])?;
    torture("whole", &["--seeds", SEEDS])
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
