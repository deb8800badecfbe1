//! Days of the whole program on a disk that loses power.
//!
//! `cargo run --release -p tongbao-torture --bin whole -- --seed 7` tells one
//! day as a story; `--seeds 0..6000` runs many, on all cores.

use std::process::ExitCode;

use anyhow::Result;
use tongbao_simulation::coverage::{Meeting, PERSON_AND_JOB};
use tongbao_simulation::harness::{Harness, Planted};
use tongbao_torture::whole::{Bug, run};

/// What befalls one payment of more than ten thousand: six thousand of these days
/// have eighteen thousand, too few to be sure of it. The large days of
/// `tongbao-simulation` meet it, and the database makes no difference to it.
///
/// An order that reaches the platform when its time is nearly over, for every try
/// of the minutes before was lost; and one whose answer was lost and that nobody
/// heard of until it was closed. Of a person and a job at the same instant only the
/// model counts how often one had to look again.
const RARE: [Meeting; 3] = [
    PERSON_AND_JOB,
    ("unknown", "refused", "answer"),
    ("unknown", "closed", "query"),
];

fn main() -> Result<ExitCode> {
    let planted = |bug: &Bug| {
        let bug = *bug;
        Planted {
            name: format!("{bug:?}"),
            what: bug.what(),
            run: Box::new(move |plan| run(plan, Some(bug), false)),
        }
    };
    Harness {
        package: "tongbao-torture --bin whole",
        past: include_str!("../../seeds.txt"),
        run: &|plan, told| run(plan, None, told),
        planted: Bug::ALL.iter().map(planted).collect(),
        orders: 5,
        spared: &RARE,
    }
    .main()
}
