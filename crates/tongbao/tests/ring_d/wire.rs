//! A wire that is cut after any byte, in either direction.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::pause;

/// Between anybody and `target`.
pub(crate) struct Wire {
    target: SocketAddr,
    listener: TcpListener,
    chance: Chance,
    switch: Arc<Switch>,
}

/// Shared by all wires of a test.
#[derive(Default)]
pub(crate) struct Switch {
    whole: AtomicBool,
    pub(crate) cuts: AtomicUsize,
}

impl Switch {
    /// No wire is cut any more.
    pub(crate) fn mend(&self) {
        self.whole.store(true, Ordering::Relaxed);
    }
}

impl Wire {
    pub(crate) async fn to(target: SocketAddr, chance: Chance, switch: Arc<Switch>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        Self {
            target,
            listener: listener.expect("a free port"),
            chance,
            switch,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it is bound")
    }

    /// Until the test ends.
    pub(crate) async fn carry(mut self) {
        let mut calls = JoinSet::new();
        loop {
            let (near, _) = self.listener.accept().await.expect("accept");
            let chance = self.chance.fork();
            calls.spawn(call(near, self.target, chance, self.switch.clone()));
            while calls.try_join_next().is_some() {}
        }
    }
}

async fn call(near: TcpStream, target: SocketAddr, mut chance: Chance, switch: Arc<Switch>) {
    // Whoever is called may be away: the caller is hung up on.
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let whole = switch.whole.load(Ordering::Relaxed) || chance.one_in(8);
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    // Some are cut in their first words, others after a while.
    let scale = chance.choose(&[64, 512, 4_096, 65_536]);
    let mut lengths = [chance.below(scale), chance.below(scale)];
    if whole {
        lengths = [u64::MAX; 2];
    }
    let slow = chance.one_in(4).then(|| chance.millis(200));
    let there = carry(near_in, far_out, lengths[0], slow);
    let back = carry(far_in, near_out, lengths[1], slow);
    // Cut in one direction is cut in both.
    let both = futures::future::select(Box::pin(there), Box::pin(back));
    if both.await.factor_first().0 == Ended::Cut {
        switch.cuts.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(PartialEq, Eq)]
enum Ended {
    Cut,
    HungUp,
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut left: u64,
    slow: Option<Duration>,
) -> Ended {
    let mut piece = [0; 4_096];
    loop {
        let Ok(length) = from.read(&mut piece).await else {
            return Ended::HungUp;
        };
        if length == 0 {
            return Ended::HungUp;
        }
        if let Some(wait) = slow {
            pause(wait).await;
        }
        let carried = usize::try_from(left).map_or(length, |left| length.min(left));
        if to.write_all(&piece[..carried]).await.is_err() {
            return Ended::HungUp;
        }
        left -= carried as u64;
        if carried < length || left == 0 {
            return Ended::Cut;
        }
    }
}
