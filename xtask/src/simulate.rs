//! Days of payments from seeds, with everything failing.

use anyhow::Result;

use crate::run::run;

/// So many seeds are enough for every change, and take about five minutes on two
/// cores; a longer run is started by hand.
const SEEDS: &str = "0..80000";

/// Every planted mistake is found within so many seeds.
const PLANTED: &str = "0..200";

const PROGRAM: [&str; 6] = [
    "run",
    "--release",
    "--quiet",
    "--package",
    "tongbao-simulation",
    "--",
];

/// Past failures first, then the planted mistakes, then new ground.
pub(crate) fn run_all() -> Result<()> {
    let with = |args: &[&str]| run("cargo", &[&PROGRAM[..], args].concat());
    with(&["--past"])?;
    with(&["--planted", "--seeds", PLANTED])?;
    with(&["--seeds", SEEDS])
}
