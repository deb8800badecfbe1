//! I3: stopped in the middle of anything, and continued later, as a machine is
//! that is suspended or moved. All that it held has run out meanwhile.

use std::time::Duration;

use rustix::process::Signal;

use crate::chance::Chance;
use crate::stage::{Stage, direct};
use crate::{pause, tell};

pub(crate) fn a_program_that_was_stopped_goes_on_where_it_was() {
    tell(story);
}

async fn story(chance: Chance) {
    let mut stage = Stage::open("stop", chance, direct, |_| ()).await;
    let gateway = stage.home.start().await;
    stage.endpoint.subscribe().await;
    stage.weather();
    stage.open_the_shop(8);
    for _ in 0..12 {
        pause(stage.chance.millis(1_500)).await;
        gateway.signal(Signal::STOP);
        pause(stage.chance.millis(2_500)).await;
        gateway.signal(Signal::CONT);
        stage.nobody_complains();
    }
    // Longer than any lease: whatever is answered afterwards comes too late.
    gateway.signal(Signal::STOP);
    pause(Duration::from_secs(63)).await;
    gateway.signal(Signal::CONT);
    pause(Duration::from_secs(3)).await;
    stage.every_promise_was_kept(gateway).await;
}
