//! Killed at random moments, a hundred times and more, on one data directory.

use std::time::Instant;

use crate::chance::Chance;
use crate::stage::{Stage, direct};
use crate::{pause, tell};

const KILLS: usize = 120;

#[test]
#[ignore = "takes minutes: the real program, killed more than a hundred times"]
fn a_hundred_kills_lose_nothing_and_tell_nothing_twice() {
    tell(story);
}

async fn story(chance: Chance) {
    let mut stage = Stage::open("kill", chance, direct, |_| ()).await;
    let gateway = stage.home.start().await;
    stage.endpoint.subscribe().await;
    gateway.kill();
    stage.weather();
    stage.open_the_shop(12);
    let began = Instant::now();
    for _ in 0..KILLS {
        if stage.chance.one_in(10) {
            // Not even a start is a safe moment.
            let gateway = stage.home.spawn();
            pause(stage.chance.millis(100)).await;
            gateway.kill();
            continue;
        }
        let gateway = stage.home.start().await;
        stage.what_was_acknowledged_is_kept().await;
        pause(stage.chance.millis(900)).await;
        gateway.kill();
        stage.nobody_complains();
    }
    eprintln!("{KILLS} kills in {:?}", began.elapsed());
    let gateway = stage.home.start().await;
    stage.every_promise_was_kept(gateway).await;
}
