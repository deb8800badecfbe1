//! The real program is killed at random moments, under load, a hundred times
//! and more, on one data directory. Then its promises are held against the
//! platform's books and against what the merchant heard.
//!
//! `TONGBAO_KILL_SEED=… ` draws the same moments and the same customers again;
//! what the operating system makes of them is its own affair.

#![expect(
    clippy::disallowed_methods,
    reason = "real processes live in real time"
)]

mod chance;
mod endpoint;
mod gateway;
mod merchant;
mod platform;
mod promises;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tongbao_simulator::Platform;
use tongbao_simulator::server::{Simulator, serve, system_clock};

use chance::Chance;
use endpoint::Endpoint;
use gateway::Home;
use merchant::Merchant;
use promises::{End, acknowledged_messages_had_their_effect};

const KILLS: usize = 120;

/// Customers at once.
const COUNTERS: u64 = 12;

#[test]
#[ignore = "takes minutes: the real program, killed more than a hundred times"]
fn a_hundred_kills_lose_nothing_and_tell_nothing_twice() {
    let seed = seed();
    eprintln!("TONGBAO_KILL_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(story(Chance::new(seed)));
}

async fn story(mut chance: Chance) {
    let simulator = Simulator::new(Platform::new(chance.below(u64::MAX)), system_clock);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let mut home = Home::new("kill", platform::gateway_config(address));
    let merchant = Arc::new(Merchant::new(home.address, simulator.clone()));
    let endpoint = Arc::new(Endpoint::bind(merchant.clone(), chance.fork()).await);

    // All of these end with the test.
    let mut world = JoinSet::new();
    let platform = serve(listener, simulator.clone(), std::future::pending());
    world.spawn(async { platform.await.expect("the platform stays up") });
    world.spawn(endpoint.clone().listen());

    let gateway = home.start().await;
    endpoint.subscribe().await;
    gateway.kill();

    let storm = world.spawn(platform::weather(simulator.clone(), chance.fork()));
    let mut counters = JoinSet::new();
    for counter in 0..COUNTERS {
        counters.spawn(merchant.clone().serve(counter, chance.fork()));
    }
    let began = Instant::now();
    let mut seen = BTreeSet::new();
    let mut acknowledged = 0;
    for _ in 0..KILLS {
        if chance.one_in(10) {
            // Not even a start is a safe moment.
            let gateway = home.spawn();
            pause(chance.millis(100)).await;
            gateway.kill();
            continue;
        }
        let gateway = home.start().await;
        acknowledged +=
            acknowledged_messages_had_their_effect(&merchant, &simulator, &mut seen).await;
        pause(chance.millis(900)).await;
        gateway.kill();
        while let Some(ended) = world.try_join_next().or_else(|| counters.try_join_next()) {
            ended.expect("nothing broke a promise");
        }
    }
    eprintln!("{KILLS} kills in {:?}", began.elapsed());

    let gateway = home.start().await;
    storm.abort();
    simulator.act(|platform, _| platform.clear_faults());
    merchant.close_the_shop();
    while let Some(ended) = counters.join_next().await {
        ended.expect("nothing broke a promise");
    }
    acknowledged += acknowledged_messages_had_their_effect(&merchant, &simulator, &mut seen).await;
    let end = End::come(&merchant, &endpoint).await;
    eprintln!("the end after {:?}: {}", began.elapsed(), end.counted());
    eprintln!(
        "{acknowledged} acknowledged messages looked for, {} webhooks asked back, slowest start {:?}",
        endpoint.asked_back.lock().expect("nobody panicked"),
        home.slowest
    );
    eprintln!("{} KiB of memory", gateway.memory_kib());
    end.every_order_is_kept(&merchant).await;
    end.the_books_agree(&simulator);
    end.every_end_is_told_once();
    gateway.kill();
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
