//! `cargo run --release -p tongbao-simulation -- --seed 7` tells one day as a
//! story; `--seeds 0..10000` runs many, on all cores.

use std::process::ExitCode;

use anyhow::Result;
use tongbao_simulation::harness::{Harness, Planted};
use tongbao_simulation::saboteur::Bug;
use tongbao_simulation::seed::Plan;
use tongbao_simulation::world::World;

fn main() -> Result<ExitCode> {
    let planted = |bug: &Bug| {
        let bug = *bug;
        let with_bug = move |plan| Plan {
            bug: Some(bug),
            ..plan
        };
        Planted {
            name: format!("{bug:?}"),
            what: bug.what(),
            run: Box::new(move |plan| World::run(with_bug(plan), false)),
        }
    };
    Harness {
        package: "tongbao-simulation",
        past: include_str!("../seeds.txt"),
        run: &World::run,
        planted: Bug::ALL.iter().map(planted).collect(),
        orders: 20,
        spared: &[],
    }
    .main()
}
