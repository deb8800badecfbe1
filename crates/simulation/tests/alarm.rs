#![cfg(target_os = "linux")]
//! A run that reads a clock or draws a random number of its own is stopped.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot start itself again fails"
)]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use tongbao_simulation::alarm::Stray;
use tongbao_simulation::seed::Plan;
use tongbao_simulation::world::World;

/// Which mistake the child makes.
const STRAY: &str = "TONGBAO_STRAY";

/// Starts this test program again for one run with this mistake in it, since the
/// alarm ends the whole process.
fn run_with(stray: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--nocapture",
            "--exact",
            "one_run_in_a_process_of_its_own",
        ])
        .env(STRAY, stray)
        .output()
        .unwrap()
}

#[test]
#[ignore = "the part of the other tests that runs in a child"]
#[expect(clippy::disallowed_methods, reason = "how a parent tells its child")]
fn one_run_in_a_process_of_its_own() {
    let wanted = std::env::var(STRAY).unwrap_or_default();
    let plan = Plan {
        stray: Stray::ALL
            .iter()
            .copied()
            .find(|stray| format!("{stray:?}") == wanted),
        ..Plan::draw(1, 5)
    };
    assert_eq!(World::run(plan, false).violations, []);
}

#[test]
fn a_stray_call_ends_the_run_with_a_backtrace() {
    for stray in Stray::ALL {
        let output = run_with(&format!("{stray:?}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(6), "{stray:?}: {said}");
        assert!(said.contains("the run called "), "{stray:?}: {said}");
        assert!(said.contains("Stray::happen"), "{stray:?}: {said}");
    }
}

#[test]
fn a_run_without_one_ends_well() {
    let output = run_with("None");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
