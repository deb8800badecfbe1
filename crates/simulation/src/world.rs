//! The world: nodes, platform, merchants, payers, and what befalls them.

mod account;
mod attacker;
mod evidence;
mod merchant;
mod network;
mod operator;
mod people;
mod setup;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tongbao_core::AutoRefund;
use tongbao_core::channel::Confirm;
use tongbao_core::inbox::{InboxEntry, Verdict as Judged};
use tongbao_core::job::JobKey;
use tongbao_core::{CaseId, EndpointId, Job, Timestamp};
use tongbao_simulator::{Delivered, Platform, UnixMillis};

use crate::alarm::Watch;
use crate::chance::Chance;
use crate::coverage::{self, Meeting, Meetings};
use crate::event::{WorldEvent, WorldKernel};
use crate::gateway::direct::Direct;
use crate::gateway::{Build, Caller, Counter, Face, Gateway};
use crate::invariants::at_commit::{self, Commit};
use crate::invariants::at_rest::{self, Rest};
use crate::invariants::over_history::{self, Received};
use crate::kernel::{NodeId, Scheduler, Turn};
use crate::model_store::{Tables, Witness};
use crate::seams::SimTransport;
use crate::secrets::{Ear, Secrets};
use crate::seed::{DefenceOff, Faults, Plan};
use crate::story::{Story, Violation};
use crate::truth::Truth;
use account::Account;
use merchant::Order;
use operator::KeyChange;

/// The key of the second account.
pub(crate) const SECOND_KEY: &str = "TongbaoSimulationTestKey00000002";

/// Every world begins on this morning.
const MORNING: Timestamp = Timestamp::from_secs(1_790_000_000);

/// A gateway process.
struct Node {
    id: NodeId,
    /// None while it is dead.
    face: Option<Arc<dyn Face>>,
    /// Its clock is so much ahead.
    ahead: Duration,
}

/// What one run came to.
pub struct Outcome {
    /// What was broken; empty when all held.
    pub violations: Vec<Violation>,
    /// What the rows say of the payments that a violation names.
    pub evidence: Vec<String>,
    /// What happened, when it was to be told.
    pub lines: Vec<String>,
    /// Equal for equal seeds.
    pub hash: u64,
    /// Steps of the scheduler.
    pub turns: u64,
    /// How long the days were.
    pub lasted: Duration,
    /// How often something went wrong on purpose.
    pub faults: u64,
    /// Orders, and how many of them ended paid.
    pub payments: (usize, usize),
    /// Cases that were opened.
    pub cases: usize,
    /// Notifications that were answered.
    pub acknowledged: u64,
    /// Which reports met attempts in which states.
    pub meetings: Meetings,
}

/// One run of the world.
pub struct World {
    plan: Plan,
    kernel: WorldKernel,
    scheduler: Scheduler<WorldEvent>,
    chance: Chance,
    platform: Arc<Mutex<Platform>>,
    gateway: Arc<dyn Gateway>,
    transport: Arc<SimTransport>,
    story: Arc<Story>,
    nodes: Vec<Node>,
    accounts: Vec<Account>,
    /// The merchant numbers of the accounts at the platform.
    accounts_there: Vec<String>,
    key_change: Option<KeyChange>,
    caller: Caller,
    /// One in each of the merchant's shops.
    tills: Vec<Counter>,
    webhook_secret: String,
    orders: Arc<Mutex<Vec<Order>>>,
    received: Vec<Received>,
    /// Messages of the platform that an attacker may send again.
    overheard: Vec<Request<Bytes>>,
    platform_turn_planned: Option<UnixMillis>,
    acknowledged: u64,
    truth: Arc<Truth>,
    secrets: Arc<Secrets>,
    dead_endpoint: Option<EndpointId>,
    hash: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Runs a plan to its rest, with the engine on a model of the database.
    pub fn run(plan: Plan, told: bool) -> Outcome {
        let _watch = Watch::begin();
        Self::run_with(plan, told, &Direct::build)
    }

    /// Runs a plan to its rest, with a gateway of the caller's.
    pub fn run_with(plan: Plan, told: bool, build: Build<'_>) -> Outcome {
        let mut world = Self::set_up(plan, told, build);
        let ear = Ear {
            secrets: world.secrets.clone(),
            kernel: world.kernel.clone(),
            story: world.story.clone(),
        };
        let turns = tracing::subscriber::with_default(ear, || world.live());
        if !world.story.is_broken() {
            world.look_at_rest();
        }
        let tables = world.gateway.tables();
        let mut meetings = std::mem::take(&mut world.truth.known().meetings);
        coverage::collect(&tables, &mut meetings);
        let paid = |payment: &&tongbao_core::Payment| payment.public_state() == "paid";
        Outcome {
            violations: world.story.violations(),
            evidence: evidence::about(&tables, &world.story.violations()),
            lines: world.story.lines(),
            hash: world.hash,
            turns,
            lasted: world.kernel.now().since(MORNING),
            faults: world.kernel.faults(),
            payments: (
                tables.payments.len(),
                tables.payments.values().filter(paid).count(),
            ),
            cases: tables.cases.len(),
            acknowledged: world.acknowledged,
            meetings,
        }
    }

    fn live(&mut self) -> u64 {
        let end = MORNING + self.plan.heals_after + self.plan.rests_after;
        let mut turns = 0_u64;
        loop {
            match self.scheduler.turn(end) {
                Turn::Idle => return turns,
                Turn::Polled(node) => {
                    self.stamp(u64::from(node));
                    let faults = self.transport.faults();
                    if self.chance.between(0, 10_000) < u64::from(faults.crash_at_await) {
                        self.kill(node);
                    }
                    if let Some(node) = self.gateway.fallen() {
                        self.kill(node);
                    }
                }
                Turn::Event(event) => {
                    self.stamp(1_000 + event.kind());
                    self.happen(event);
                }
            }
            turns += 1;
            if self.story.is_broken() {
                return turns;
            }
            if turns > 2_000_000 {
                let what = "the world does not come to rest".to_owned();
                self.story.violate(self.kernel.now(), "L8", what);
                return turns;
            }
        }
    }

    /// Goes into the hash of the run: equal seeds must give equal hashes.
    fn stamp(&mut self, what: u64) {
        for part in [self.kernel.now().as_millis().unsigned_abs(), what] {
            self.hash = (self.hash ^ part)
                .wrapping_mul(0x0000_0100_0000_01b3)
                .rotate_left(7);
        }
    }

    fn happen(&mut self, event: WorldEvent) {
        match event {
            WorldEvent::Arrives {
                exchange,
                target,
                request,
            } => {
                self.arrives(exchange, target, &request);
            }
            WorldEvent::Answers { exchange, response } => {
                self.transport.answer(exchange, response);
            }
            WorldEvent::PlatformTurns(planned) => self.platform_turns(planned),
            WorldEvent::Notifies { outgoing, copy } => self.notifies(*outgoing, copy),
            WorldEvent::PlatformHears { id, delivered } => {
                let now = self.platform_now();
                self.acknowledged += u64::from(matches!(delivered, Delivered::Http { .. }));
                lock(&self.platform).answered(now, id, delivered);
                self.plan_platform();
            }
            WorldEvent::Merchant(order) => self.merchant_acts(order),
            WorldEvent::Payer(order) => self.payer_acts(order),
            WorldEvent::Attacker => self.attacker_acts(),
            WorldEvent::Person => self.person_decides(),
            WorldEvent::Hurries(case) => self.decides_about(case),
            WorldEvent::PlatformChangesKey => self.platform_changes_key(),
            WorldEvent::Operator(place) => self.operator_acts(place),
            WorldEvent::OldKey => self.old_key_is_tried(),
            // One that was planned before the faults stopped is one of them.
            WorldEvent::Dies(_) if self.truth.known().healed_at.is_some() => {}
            WorldEvent::Dies(node) => {
                self.kill(node);
                self.plan_death(node);
            }
            WorldEvent::Starts(node) => self.start(node),
            WorldEvent::Heals => {
                if let Some(stray) = self.plan.stray {
                    stray.happen();
                }
                self.heal();
            }
        }
    }

    fn heal(&mut self) {
        self.story.tell(self.kernel.now(), "nemesis", "world", || {
            "all faults stop".to_owned()
        });
        self.truth.known().healed_at = Some(self.kernel.now());
        let mut faults = lock(&self.transport.faults);
        *faults = Faults::NONE;
        drop(faults);
        self.gateway.heal();
        lock(&self.platform).clear_faults();
    }

    fn kill(&mut self, node: NodeId) {
        let Some(place) = self.nodes.iter().position(|known| known.id == node) else {
            return;
        };
        if self.nodes[place].face.take().is_none() {
            return;
        }
        self.story.tell(
            self.kernel.now(),
            "nemesis",
            &format!("node {node}"),
            || "kill -9".to_owned(),
        );
        self.kernel.count(true);
        self.scheduler.kill(node);
        self.gateway.died(node);
        let wait = self.chance.millis(50, 20_000);
        self.kernel.after(wait, WorldEvent::Starts(node));
    }

    fn alive(&self) -> Vec<(NodeId, Arc<dyn Face>)> {
        let face = |node: &Node| Some((node.id, node.face.clone()?));
        self.nodes.iter().filter_map(face).collect()
    }

    fn plan_death(&mut self, node: NodeId) {
        let every = self.transport.faults().crash_every_secs;
        if every > 0 {
            let wait = Duration::from_secs(self.chance.between(1, every * 2));
            self.kernel.after(wait, WorldEvent::Dies(node));
        }
    }

    fn look_at_rest(&mut self) {
        let now = self.kernel.now();
        let platform = lock(&self.platform);
        let books = platform.truth();
        let tables = self.gateway.tables();
        let accounts = &self.accounts;
        let rest = Rest {
            tables: &tables,
            books: &books,
            channel: &|trade| {
                let mut accounts = accounts.iter();
                let account = accounts.find(|account| account.has(trade));
                account.map(|account| account.channel)
            },
            gained: &|channel| {
                let mut accounts = accounts.iter();
                accounts
                    .find(|account| account.channel == channel)?
                    .gained(&books)
            },
            amounts_are_true: self.plan.faults.wrong_amount == 0
                || self.plan.confirm == Confirm::Query,
            queries_off: self.plan.off == DefenceOff::Queries,
            was_quiet: &|from, to| self.kernel.was_quiet(from, to),
            limits: self.plan.auto_refund,
            now,
            known: &self.truth.known(),
            dead_endpoint: self.dead_endpoint,
            secrets: &self.secrets,
        };
        for (id, check) in at_rest::ALL {
            if let Err(what) = check(&rest) {
                self.story.violate(now, id, what);
            }
        }
        let history = [
            ("S6", over_history::s6_state_is_a_fold(&tables)),
            (
                "W2",
                over_history::w2_w3_one_id_one_fact_one_text(&self.received),
            ),
            (
                "W4",
                over_history::w4_merchants_end_in_the_truth(&tables, &self.received),
            ),
        ];
        for (id, verdict) in history {
            if let Err(what) = verdict {
                self.story.violate(now, id, what);
            }
        }
    }

    fn platform_now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.kernel.now().as_millis())
    }
}

/// Looks at every commit with the invariants of [`at_commit`].
struct CommitWitness {
    kernel: WorldKernel,
    platform: Arc<Mutex<Platform>>,
    story: Arc<Story>,
    accounts: Arc<Mutex<Vec<Account>>>,
    truth: Arc<Truth>,
    accept_late: bool,
    limits: AutoRefund,
    /// There is somebody who looks all the time.
    hurry: Option<Mutex<Chance>>,
}

impl CommitWitness {
    fn violate(&self, invariant: &'static str, what: String) {
        self.story.violate(self.kernel.now(), invariant, what);
    }

    /// Whoever sees a case at once decides beside the gateway.
    fn somebody_hurries(&self, case: CaseId) {
        let early = self.kernel.now() < MORNING + people::UNTIL;
        let Some(chance) = self.hurry.as_ref().filter(|_| early) else {
            return;
        };
        let mut chance = lock(chance);
        if chance.percent(people::HURRIED) {
            let wait = chance.millis(0, 60);
            self.kernel.after(wait, WorldEvent::Hurries(case));
        }
    }
}

/// So long after the faults have stopped what they left behind is done.
const CALM_AFTER: Duration = Duration::from_mins(3);

impl Witness for CommitWitness {
    fn committed(
        &self,
        before: Option<&tongbao_core::Payment>,
        after: &tongbao_core::Payment,
        tables: &Tables,
    ) {
        let platform = lock(&self.platform);
        let accounts = lock(&self.accounts);
        let now = self.kernel.now();
        self.story.tell(now, "gateway", "database", || {
            let attempts: Vec<_> = after
                .attempts
                .iter()
                .map(|attempt| attempt.state.as_str())
                .collect();
            format!(
                "{} v{} {} {attempts:?}",
                after.order.merchant_order_no,
                after.version,
                after.public_state()
            )
        });
        self.truth.known().ended_at_the_till(after, now);
        let books = platform.truth();
        let commit = Commit {
            before,
            after,
            tables,
            accept_late: self.accept_late,
            limits: self.limits,
            ended: &|number| self.truth.known().ended.contains(number),
            trade: &|channel, number| {
                let mut accounts = accounts.iter();
                let account = accounts.find(|account| account.channel == channel)?;
                let trade = books.trade(&account.mch_id, number);
                trade.filter(|trade| account.has(trade))
            },
        };
        for (id, check) in at_commit::ALL {
            if let Err(what) = check(&commit) {
                self.story.violate(now, id, what);
            }
        }
    }

    fn opened(&self, cases: &[tongbao_core::Case]) {
        if let Some(case) = cases.last() {
            self.somebody_hurries(case.id);
        }
        if let Err(what) = at_commit::s4_one_receipt_is_one_case(cases) {
            self.violate("S4", what);
        }
    }

    fn received(&self, message: &InboxEntry, alone: bool) {
        let known = (message.channel, message.body_hash);
        let forged = self.truth.known().forged.contains(&known);
        if forged && !(alone && message.verdict == Judged::Refused) {
            let what = format!("a forged message is {:?}, alone: {alone}", message.verdict);
            self.violate("X2", what);
        }
        let due = self.truth.known().to_be_taken.contains(&known);
        if due && message.verdict == Judged::Refused {
            let what = format!("a good key's message is refused: {:?}", message.reason);
            self.violate("X7", what);
        }
    }

    fn claimed(&self, jobs: &[Job]) {
        let mut known = self.truth.known();
        for job in jobs {
            known.fences.insert(job.key, job.fence);
        }
    }

    fn met(&self, meeting: Meeting) {
        self.truth.known().met(meeting);
    }

    fn finished(&self, job: &Job) {
        let last = self.truth.known().fences.get(&job.key).copied();
        if last.is_some_and(|last| last > job.fence) {
            let what = format!("{job:?} is finished, and another holds it under {last:?}");
            self.violate("E9", what);
        }
    }

    fn overdue(&self, job: JobKey, since: Timestamp) {
        let calm = self.truth.known().healed_at.map(|at| at + CALM_AFTER);
        if calm.is_some_and(|calm| since > calm) {
            let what = format!("{job:?} is looked for now, and was due at {since}");
            self.violate("L4", what);
        }
    }
}
