//! A gateway's whole world: the platform, the merchant, the customers.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tongbao_simulator::server::{Simulator, serve, system_clock};
use tongbao_simulator::{NotificationId, Platform, TradeState};

use crate::chance::Chance;
use crate::endpoint::Endpoint;
use crate::gateway::{Gateway, Home};
use crate::merchant::Merchant;
use crate::platform;
use crate::promises::{End, acknowledged_messages_had_their_effect};

/// Everything but the gateway's process. Ends with the test.
pub(crate) struct Stage {
    pub(crate) home: Home,
    pub(crate) simulator: Simulator,
    pub(crate) merchant: Arc<Merchant>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) chance: Chance,
    world: JoinSet<()>,
    counters: JoinSet<()>,
    storm: Option<AbortHandle>,
    began: Instant,
    seen: BTreeSet<NotificationId>,
    acknowledged: usize,
}

/// How somebody reaches somebody else: as the address is, or through something.
pub(crate) struct Ways {
    /// The gateway its platform.
    pub(crate) platform: SocketAddr,
    /// Everybody else the gateway.
    pub(crate) gateway: SocketAddr,
}

impl Stage {
    /// `ways` may put something between those who speak to each other;
    /// `configure` says what else is different about the gateway.
    pub(crate) async fn open(
        name: &str,
        mut chance: Chance,
        ways: impl AsyncFnOnce(Ways) -> Ways,
        configure: impl FnOnce(&mut Value),
    ) -> Self {
        let simulator = Simulator::new(Platform::new(chance.below(u64::MAX)), system_clock);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let gateway = crate::gateway::free_address();
        let ways = ways(Ways {
            platform: listener.local_addr().expect("it is bound"),
            gateway,
        })
        .await;
        let mut config = platform::gateway_config(ways.platform);
        config["public_url"] = format!("http://{}", ways.gateway).into();
        configure(&mut config);
        let home = Home::at(gateway, name, config);
        let merchant = Arc::new(Merchant::new(ways.gateway, simulator.clone()));
        let endpoint = Arc::new(Endpoint::bind(merchant.clone(), chance.fork()).await);
        let mut world = JoinSet::new();
        let served = serve(listener, simulator.clone(), std::future::pending());
        world.spawn(async { served.await.expect("the platform stays up") });
        world.spawn(endpoint.clone().listen());
        Self {
            home,
            simulator,
            merchant,
            endpoint,
            chance,
            world,
            counters: JoinSet::new(),
            storm: None,
            began: Instant::now(),
            seen: BTreeSet::new(),
            acknowledged: 0,
        }
    }

    /// Things go wrong at the platform all the time.
    pub(crate) fn weather(&mut self) {
        let weather = platform::weather(self.simulator.clone(), self.chance.fork());
        self.storm = Some(self.world.spawn(weather));
    }

    /// So many customers at once, one after the other at each counter.
    pub(crate) fn open_the_shop(&mut self, counters: u64) {
        for counter in 0..counters {
            let chance = self.chance.fork();
            self.counters
                .spawn(self.merchant.clone().serve(counter, chance));
        }
    }

    /// Fails when somebody has seen a promise broken.
    pub(crate) fn nobody_complains(&mut self) {
        while let Some(ended) = self
            .world
            .try_join_next()
            .or_else(|| self.counters.try_join_next())
        {
            match ended {
                Err(error) if error.is_cancelled() => {}
                ended => ended.expect("nothing broke a promise"),
            }
        }
    }

    /// What the platform was told "received" about is there.
    pub(crate) async fn what_was_acknowledged_is_kept(&mut self) {
        self.acknowledged +=
            acknowledged_messages_had_their_effect(&self.merchant, &self.simulator, &mut self.seen)
                .await;
    }

    /// Orders that are paid in the platform's books, and here neither paid nor a
    /// case.
    pub(crate) async fn paid_there_and_not_here(&self) -> Vec<String> {
        let paid: Vec<_> = self.simulator.look(|platform, _| {
            let trades = platform.truth().trades();
            let paid = trades.filter(|trade| matches!(trade.state, TradeState::Success(_)));
            paid.map(|trade| trade.out_trade_no.clone()).collect()
        });
        let mut known = BTreeSet::new();
        for payment in self.merchant.list("/v1/payments?state=paid").await {
            for attempt in payment["attempts"].as_array().into_iter().flatten() {
                known.extend(attempt["out_trade_no"].as_str().map(str::to_owned));
            }
        }
        for case in self.merchant.list("/v1/cases").await {
            known.extend(case["out_trade_no"].as_str().map(str::to_owned));
        }
        let unknown = |number: &String| !known.contains(number);
        paid.into_iter().filter(unknown).collect()
    }

    /// The weather clears, the shop closes, and everything comes to its end.
    pub(crate) async fn every_promise_was_kept(mut self, gateway: Gateway) {
        if let Some(storm) = &self.storm {
            storm.abort();
        }
        self.simulator.act(|platform, _| platform.clear_faults());
        self.merchant.close_the_shop();
        while let Some(ended) = self.counters.join_next().await {
            ended.expect("nothing broke a promise");
        }
        self.what_was_acknowledged_is_kept().await;
        let end = End::come(&self.merchant, &self.endpoint).await;
        eprintln!(
            "the end after {:?}: {}",
            self.began.elapsed(),
            end.counted()
        );
        eprintln!(
            "{} acknowledged messages looked for, {} webhooks asked back, slowest start {:?}, {} KiB of \
             memory, {:?} of processor time in the last life",
            self.acknowledged,
            self.endpoint.asked_back.lock().expect("nobody panicked"),
            self.home.slowest,
            gateway.memory_kib(),
            gateway.cpu()
        );
        end.every_order_is_kept(&self.merchant).await;
        end.the_books_agree(&self.simulator);
        end.every_end_is_told_once();
        self.nobody_complains();
        gateway.kill();
    }
}

/// Everybody reaches everybody as they are.
pub(crate) async fn direct(ways: Ways) -> Ways {
    ways
}
