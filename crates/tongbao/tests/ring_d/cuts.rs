//! F1, D16: every connection may be cut after any byte: to the platform, from the
//! platform, and from the merchant.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::stage::{Stage, Ways};
use crate::wire::{Switch, Wire};
use crate::{pause, tell};

pub(crate) fn a_connection_that_is_cut_anywhere_loses_nothing() {
    tell(story);
}

async fn story(mut chance: Chance) {
    let switch = Arc::new(Switch::default());
    let mut wires = JoinSet::new();
    let forks = [chance.fork(), chance.fork()];
    let between = async |ways: Ways| {
        let [to_platform, to_gateway] = forks;
        let platform = Wire::to(ways.platform, to_platform, switch.clone()).await;
        let gateway = Wire::to(ways.gateway, to_gateway, switch.clone()).await;
        let through = Ways {
            platform: platform.address(),
            gateway: gateway.address(),
        };
        wires.spawn(platform.carry());
        wires.spawn(gateway.carry());
        through
    };
    let mut stage = Stage::open("cut", chance, between, |_| ()).await;
    let gateway = stage.home.start().await;
    stage.endpoint.subscribe().await;
    stage.open_the_shop(8);
    for _ in 0..20 {
        pause(Duration::from_secs(1)).await;
        stage.nobody_complains();
    }
    switch.mend();
    let cuts = switch.cuts.load(Ordering::Relaxed);
    eprintln!("{cuts} connections were cut");
    assert!(cuts > 20, "{cuts} connections were cut");
    stage.every_promise_was_kept(gateway).await;
}
