//! How a world begins.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use tongbao_core::Policy;
use tongbao_core::id::Id;
use tongbao_core::merchant::Merchant;
use tongbao_engine::{
    Addresses, AtOnce, Engine, EngineConfig, NewChannel, NewEndpoint, NoFaults, Seams,
};
use tongbao_simulator::{Account as PlatformAccount, Platform, Settings, Wallet, WalletPlatform};
use tongbao_store::Store;
use zeroize::Zeroizing;

use super::account::{self, Account};
use super::merchant::Order;
use super::operator::NEW_KEY;
use super::{CALM_AFTER, CommitWitness, MORNING, Node, SECOND_KEY, World, lock};
use crate::chance::Chance;
use crate::event::WorldEvent;
use crate::gateway::{Build, Caller, Counter, OPENING, Surroundings};
use crate::kernel::{Kernel, NodeId, Scheduler};
use crate::seams::{SimClock, SimMint, SimTransport};
use crate::seed::{Faults, Plan};
use crate::story::Story;
use crate::truth::Truth;

/// Where the platform is in this world.
pub(super) const PLATFORM_URL: &str = "http://platform.sim";

/// Where merchants are told.
const WEBHOOK_URL: &str = "https://shop.sim/webhook";

/// Where nobody listens.
const DEAD_URL: &str = "https://dead.sim/webhook";

/// As long as the real one waits.
const CHANNEL_TIMEOUT: Duration = Duration::from_secs(10);

/// What cannot wait in this world does not: the model answers setup at once.
fn at_once<T, E: Display>(step: impl Future<Output = Result<T, E>>) -> T {
    match step.now_or_never() {
        Some(Ok(done)) => done,
        Some(Err(error)) => panic!("the world cannot be set up: {error}"),
        None => panic!("setting up the world has to wait, and there is no time yet"),
    }
}

impl World {
    pub(super) fn set_up(plan: Plan, told: bool, build: Build<'_>) -> Self {
        let fork = |name| Chance::fork(plan.seed, name);
        let kernel = Kernel::new(MORNING);
        let record = Arc::new(Story::new(told));
        let platform = Arc::new(Mutex::new(platform(&plan)));
        let truth = Arc::new(Truth::default());
        let known_accounts = Arc::new(Mutex::new(Vec::new()));
        let witness = CommitWitness {
            kernel: kernel.clone(),
            platform: platform.clone(),
            story: record.clone(),
            accounts: known_accounts.clone(),
            truth: truth.clone(),
            accept_late: plan.accept_late,
            limits: plan.auto_refund,
            hurry: plan.hurried.then(|| Mutex::new(fork("hurry"))),
        };
        let gateway = build(Surroundings {
            plan: &plan,
            kernel: kernel.clone(),
            witness: Arc::new(witness),
            story: record.clone(),
        });
        let transport = Arc::new(SimTransport {
            kernel: kernel.clone(),
            waiting: Mutex::default(),
            chance: Mutex::new(fork("network")),
            faults: Mutex::new(Faults::NONE),
            bug: plan.bug,
        });
        let scheduler = Scheduler::new(kernel.clone(), fork("scheduler"), plan.order);
        let orders = Arc::new(Mutex::new(Order::draw_all(&plan)));
        let mut world = Self {
            chance: fork("world"),
            kernel,
            scheduler,
            platform,
            gateway,
            transport,
            story: record,
            nodes: Vec::new(),
            accounts: Vec::new(),
            accounts_there: Vec::new(),
            key_change: None,
            caller: Caller {
                merchant: Merchant {
                    id: Id::from_bits(1),
                    name: "茶铺".to_owned(),
                    policy: Policy {
                        accept_late: plan.accept_late,
                        auto_refund: plan.auto_refund,
                    },
                    created_at: MORNING,
                },
                api_key: String::new(),
                till: None,
            },
            tills: Vec::new(),
            webhook_secret: String::new(),
            orders,
            received: Vec::new(),
            overheard: Vec::new(),
            platform_turn_planned: None,
            acknowledged: 0,
            truth,
            secrets: Arc::default(),
            dead_endpoint: None,
            hash: 0,
            plan,
        };
        world.open_shop();
        lock(&known_accounts).clone_from(&world.accounts);
        world.begin();
        world
    }

    fn open_shop(&mut self) {
        let store = self.gateway.start(OPENING);
        let merchant = self.caller.merchant.clone();
        at_once(store.insert_merchant(merchant.clone()));
        let engine = at_once(Engine::open(
            self.seams(store, Duration::ZERO, "setup"),
            Zeroizing::new([7; 32]),
            config(),
        ));
        self.caller.api_key = at_once(engine.create_api_key(merchant.id));
        let platform = lock(&self.platform);
        let accounts: Vec<_> = platform.truth().accounts.values().cloned().collect();
        drop(platform);
        self.accounts_there = accounts.iter().map(|there| there.mch_id.clone()).collect();
        let all = accounts.iter().flat_map(|there| {
            let all = Account::all_of(there).into_iter();
            all.map(|account| (there.name.clone(), account))
        });
        for (name, account) in all {
            let new = NewChannel {
                kind: "wechat_v2".to_owned(),
                name,
                settings: account.settings(&self.plan),
                confirm: self.plan.confirm,
                enabled: true,
            };
            let channel = at_once(engine.create_channel(merchant.id, new, None)).id;
            self.accounts.push(Account { channel, ..account });
        }
        let endpoint = NewEndpoint {
            url: WEBHOOK_URL.to_owned(),
            event_types: Vec::new(),
            store: None,
        };
        let (_, secret) = at_once(engine.create_endpoint(merchant.id, endpoint, None));
        self.webhook_secret = secret.map(|secret| secret.to_string()).unwrap_or_default();
        if self.plan.dead_endpoint {
            let endpoint = NewEndpoint {
                url: DEAD_URL.to_owned(),
                event_types: Vec::new(),
                store: None,
            };
            let (endpoint, _) = at_once(engine.create_endpoint(merchant.id, endpoint, None));
            self.dead_endpoint = Some(endpoint.id);
        }
        for name in ["外滩", "城西"] {
            let shop = at_once(engine.create_store(merchant.id, name, None)).answer;
            let made = at_once(engine.create_till(merchant.id, shop.id, "1 号", None));
            self.tills.push(Counter {
                id: made.till.id,
                store: shop.id,
                key: made.key.map(|key| key.to_string()).unwrap_or_default(),
            });
        }
        self.secrets.are(self.secrets_of_the_shop());
        drop(engine);
        self.gateway.died(OPENING);
    }

    fn secrets_of_the_shop(&self) -> Vec<(&'static str, String)> {
        let accounts = self.accounts.iter();
        let tills = self.tills.iter();
        // A provider's are the same for all that it acts for.
        let apps: BTreeSet<_> = accounts.clone().map(|one| &one.app_secret).collect();
        let keys: BTreeSet<_> = accounts.map(|one| &one.key).collect();
        let apps = apps.into_iter().map(|it| ("an app's secret", it.clone()));
        let keys = keys.into_iter().map(|it| ("a channel's key", it.clone()));
        apps.chain(keys)
            .chain(tills.map(|till| ("a till's key", till.key.clone())))
            .chain(
                self.plan
                    .key_change
                    .map(|_| ("a channel's new key", NEW_KEY.to_owned())),
            )
            .chain([
                ("a webhook's secret", self.webhook_secret.clone()),
                ("an API key", self.caller.api_key.clone()),
            ])
            .collect()
    }

    fn begin(&mut self) {
        *lock(&self.transport.faults) = self.plan.faults;
        for id in 0..self.plan.nodes {
            let ahead = self.chance.millis(0, 1_500);
            self.nodes.push(Node {
                id,
                face: None,
                ahead,
            });
            self.start(id);
            self.plan_death(id);
        }
        let sold_at = lock(&self.orders)
            .iter()
            .map(|order| self.place_of(order))
            .collect();
        self.truth.known().sold_at = sold_at;
        for order in 0..self.plan.orders {
            let mut wait = self.chance.millis(0, 900_000);
            // Some cashiers are held to what they are promised in a sound world.
            if lock(&self.orders)[order].is_at_a_till() && self.chance.percent(25) {
                wait += self.plan.heals_after + CALM_AFTER;
            }
            self.kernel.after(wait, WorldEvent::Merchant(order));
        }
        for _ in 0..self.plan.attacks {
            let wait = self.chance.millis(0, 3_600_000);
            self.kernel.after(wait, WorldEvent::Attacker);
        }
        self.plan_people();
        self.plan_key_change();
        self.kernel.after(self.plan.heals_after, WorldEvent::Heals);
    }

    /// A node starts: whatever it must know is in the database.
    pub(super) fn start(&mut self, id: NodeId) {
        let Some(place) = self.nodes.iter().position(|node| node.id == id) else {
            return;
        };
        if self.nodes[place].face.is_some() {
            return;
        }
        let now = self.kernel.now();
        let name = format!("node {id} {}", now.as_millis());
        let seams = self.seams(self.gateway.start(id), self.nodes[place].ahead, &name);
        let engine = at_once(Engine::open(seams, Zeroizing::new([7; 32]), config()));
        let engine = Arc::new(engine.with_nap(self.plan.nap));
        self.story.tell(now, "nemesis", &format!("node {id}"), || {
            "starts".to_owned()
        });
        let worker = engine.clone();
        self.kernel
            .spawn(id, async move { worker.run(std::future::pending()).await });
        self.nodes[place].face = Some(self.gateway.face(engine));
    }

    fn seams(&self, store: Arc<dyn Store>, ahead: Duration, name: &str) -> Seams {
        Seams {
            clock: Arc::new(SimClock {
                kernel: self.kernel.clone(),
                ahead,
            }),
            mint: Arc::new(SimMint(Mutex::new(Chance::fork(self.plan.seed, name)))),
            transport: self.transport.clone(),
            store,
            faults: Arc::new(NoFaults),
            labour: Arc::new(AtOnce),
        }
    }
}

fn config() -> EngineConfig {
    EngineConfig {
        public_url: "https://pay.sim".to_owned(),
        platforms: Addresses::new(
            ["wechat_pay", "wechat_api", "wechat_open"]
                .map(|site| (site.to_owned(), PLATFORM_URL.to_owned()))
                .into(),
        ),
        channel_timeout: CHANNEL_TIMEOUT,
        patience: tongbao_core::Patience::default(),
    }
}

fn platform(plan: &Plan) -> Platform {
    let mut platform = Platform::new(plan.seed);
    platform.set_settings(Settings {
        notify_schedule: plan.notify_schedule,
        notify_sign_type: plan.notify_sign_type,
        early_close: plan.early_close,
        ..Settings::default()
    });
    platform.add_account(PlatformAccount::new(
        "1900000002",
        "wx7e57000000000002",
        "7e570000000000000000000000000002",
        SECOND_KEY,
        "第二家",
    ));
    if plan.provider {
        platform.add_account(account::provider());
    }
    let rich = Wallet::new(
        "carol",
        WalletPlatform::Wechat,
        "oTongbaoSimulationCarol0001",
        1 << 50,
        "123456",
    );
    match rich.map(|wallet| platform.add_wallet(wallet).is_ok()) {
        Ok(true) => platform,
        _ => panic!("a rich person keeps the platform's rules"),
    }
}
