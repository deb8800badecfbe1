//! The real program under load, in a world that breaks: it is killed, stopped,
//! cut off, left without room on its disk, and its clock is set back. Then its
//! promises are held against the platform's books and against what the merchant
//! heard.
//!
//! `TONGBAO_KILL_SEED=…` draws the same moments and the same customers again;
//! what the operating system makes of them is its own affair.

#![expect(
    clippy::disallowed_methods,
    reason = "real processes live in real time"
)]

mod chance;
mod clock;
mod cuts;
mod disk;
mod endpoint;
mod gateway;
mod kills;
mod merchant;
mod platform;
mod promises;
mod stage;
mod stops;
mod wire;

use std::time::Duration;

use chance::Chance;
use tongbao_simulator::server::system_clock;

/// Four worlds at once: each waits most of the time.
#[test]
#[ignore = "takes minutes: a lease runs out, an hour is taken back"]
fn stopped_cut_off_out_of_room_and_set_back_it_keeps_its_promises() {
    let stories: [(&str, fn()); 4] = [
        (
            "stops",
            stops::a_program_that_was_stopped_goes_on_where_it_was,
        ),
        (
            "cuts",
            cuts::a_connection_that_is_cut_anywhere_loses_nothing,
        ),
        (
            "disk",
            disk::a_full_disk_refuses_and_goes_on_when_there_is_room,
        ),
        ("clock", clock::an_hour_that_is_taken_back_delays_nothing),
    ];
    // One of them alone, to look into it.
    let only = std::env::var("TONGBAO_STORY").ok();
    let told = stories
        .into_iter()
        .filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name))
        .map(|(name, story)| (name, std::thread::spawn(story)));
    let told: Vec<_> = told.collect();
    let ended = told.into_iter().map(|(name, story)| (name, story.join()));
    let failed: Vec<_> = ended.filter(|(_, ended)| ended.is_err()).collect();
    let failed: Vec<_> = failed.into_iter().map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// Runs a story, with chance from the seed.
fn tell<F: Future<Output = ()>>(story: impl FnOnce(Chance) -> F) {
    let seed = seed();
    eprintln!("TONGBAO_KILL_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(story(Chance::new(seed)));
}

fn seed() -> u64 {
    match std::env::var("TONGBAO_KILL_SEED") {
        Ok(text) => text.parse().expect("TONGBAO_KILL_SEED is a number"),
        Err(_) => u64::try_from(system_clock().as_millis()).expect("after 1970"),
    }
}

async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
