//! A taste of the disk loop: the whole is `cargo run --release --bin disk`.

use tongbao_torture::disk_loop::{Bug, Day, Sums, run};

fn operation(step: usize, operation: u64) -> Day {
    Day {
        seed: 1,
        cuts: 4,
        only: Some((step, operation)),
        bug: None,
    }
}

#[test]
fn what_was_answered_outlasts_whatever_the_disk_does() {
    let mut sums = Sums::default();
    for step in [1, 8, 20] {
        let tried = run(operation(step, 3), &mut sums).map_err(|failure| failure.to_string());
        assert_eq!(tried, Ok(()));
    }
    assert!(sums.runs > 30, "{sums:?}");
}

#[test]
fn every_planted_mistake_is_found() {
    for bug in Bug::ALL {
        let day = Day {
            seed: 1,
            cuts: 4,
            only: None,
            bug: Some(bug),
        };
        let found = run(day, &mut Sums::default());
        assert!(found.is_err(), "{bug:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_day() {
    let crashes = || {
        let mut sums = Sums::default();
        run(operation(5, 2), &mut sums).map_err(|failure| failure.to_string())?;
        Ok::<_, String>((sums.operations, sums.runs))
    };
    assert_eq!(crashes(), crashes());
}
