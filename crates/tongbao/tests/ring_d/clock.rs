//! H1: the machine's clock was an hour ahead, and is set right while the program
//! works.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tongbao_simulator::{FaultKind, NewFault};

use crate::chance::Chance;
use crate::stage::{Stage, direct};
use crate::{pause, tell};

/// What is due in seconds may be late by a minute or two, and not by an hour:
/// half a minute until it is noticed, one until an order of unknown age is asked
/// about again. libfaketime is no clock for many threads: rarely one reading of it
/// is an hour off, and an order that seems an hour old is asked about every three
/// minutes.
const LATE: Duration = Duration::from_mins(5);

pub(crate) fn an_hour_that_is_taken_back_delays_nothing() {
    let Some(library) = library() else {
        eprintln!("SKIPPED: libfaketime is not there; apt-get install libfaketime");
        return;
    };
    tell(async |chance| story(chance, &library).await);
}

async fn story(chance: Chance, library: &Path) {
    let mut stage = Stage::open("clock", chance, direct, |_| ()).await;
    let time = stage.home.data().with_extension("time");
    fs::write(&time, "+1h").expect("the directory is ours");
    stage.home.environment = vec![
        ("LD_PRELOAD".into(), library.into()),
        ("FAKETIME_TIMESTAMP_FILE".into(), time.clone().into()),
        ("FAKETIME_NO_CACHE".into(), "1".into()),
        // Waits are on a clock that nobody sets.
        ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
        ("DONT_FAKE_MONOTONIC".into(), "1".into()),
        ("NO_FAKE_STAT".into(), "1".into()),
    ];
    let gateway = stage.home.start().await;
    stage.endpoint.subscribe().await;
    stage.endpoint.ignore_timestamps();
    // Nothing is told: whoever wants to know must ask, when it is due.
    let dropped = NewFault::of(FaultKind::DropNotification);
    stage
        .simulator
        .act(|platform, now| platform.add_fault(now, dropped));
    stage.open_the_shop(6);
    pause(Duration::from_secs(10)).await;

    fs::write(&time, "+0h").expect("the directory is ours");
    stage.merchant.close_the_shop();
    let since = Instant::now();
    loop {
        let unpaid = stage.paid_there_and_not_here().await;
        if unpaid.is_empty() {
            break;
        }
        assert!(since.elapsed() < LATE, "still not known: {unpaid:?}");
        pause(Duration::from_millis(500)).await;
    }
    eprintln!("an hour taken back cost {:?}", since.elapsed());
    stage.every_promise_was_kept(gateway).await;
}

/// Where Debian puts it.
fn library() -> Option<PathBuf> {
    let places = fs::read_dir("/usr/lib").ok()?.flatten();
    let mut found = places.map(|place| place.path().join("faketime/libfaketime.so.1"));
    found.find(|path| path.exists())
}
