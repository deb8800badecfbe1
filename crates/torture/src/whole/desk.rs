//! The disk, what is known to be on it, and what it is held against.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tongbao_core::{ChannelId, PaymentId};
use tongbao_simulation::chance::Chance;
use tongbao_simulation::event::WorldKernel;
use tongbao_simulation::gateway::Surroundings;
use tongbao_simulation::invariants::Verdict;
use tongbao_simulation::model_store::{Tables, Witness};
use tongbao_simulation::seed::Faults;
use tongbao_simulation::story::Story;
use tongbao_store::{InboxFilter, Store, StoreError};

use super::now::Now;
use super::settle::Batch;
use super::{Bug, fork, shadow};
use crate::command::{Command, Done};
use crate::driven::{Driven, FILE};
use crate::image::Snapshot;
use crate::machine::{Machine, Plan};
use crate::medium::Medium;
use crate::state::Looker;
use crate::vfs::Disk;

/// Few, so that every day has its checkpoints.
const CHECKPOINT_PAGES: i64 = 60;

/// One acknowledgement in so many is checked by cutting the power.
const CUT_ONE_IN: u64 = 12;

/// One restart in so many after a mere kill is held against what was there.
const LOOK_ONE_IN: u64 = 4;

/// What the database must hold after a crash.
struct Expected {
    /// What had been answered.
    answered: Snapshot,
    /// What had not: one of these is wholly there, or none. What was found in the
    /// log may have been written behind.
    open: Vec<Vec<Command>>,
    /// It is worth a look.
    looked_at: bool,
}

/// See the module.
pub(super) struct Desk {
    pub(super) disk: Disk,
    pub(super) kernel: WorldKernel,
    pub(super) bug: Option<Bug>,
    /// Copies of the disk are looked at here.
    pub(super) copy: Disk,
    pub(super) rates: Mutex<Plan>,
    chance: Mutex<Chance>,
    story: Arc<Story>,
    pub(super) witness: Arc<dyn Witness>,
    tables: Mutex<Tables>,
    /// Before the batch that the power did not outlast, and that batch.
    interrupted: Mutex<Option<(Snapshot, Vec<Command>)>>,
    /// Batches whose outcome was not known, that were not there, and one of which
    /// may still be found in the log by the next connection or process.
    pub(super) uncertain: Mutex<Vec<Vec<Command>>>,
    /// The disk before them, while nothing has been written over them.
    pub(super) clean: Mutex<Option<Snapshot>>,
    expected: Mutex<Option<Expected>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) type Answer = Result<Done, StoreError>;

impl Desk {
    pub(super) fn new(around: Surroundings<'_>, bug: Option<Bug>) -> Self {
        let machine = |name| Machine::new(Medium::with_file(FILE), fork(around.plan, name));
        let disk = Disk::new(machine("disk"));
        disk.machine().lie(bug.and_then(Bug::lie));
        Self {
            disk,
            copy: Disk::new(machine("copy")),
            kernel: around.kernel,
            bug,
            rates: Mutex::new(rates(&around.plan.faults)),
            chance: Mutex::new(fork(around.plan, "desk")),
            story: around.story,
            witness: around.witness,
            tables: Mutex::default(),
            interrupted: Mutex::default(),
            uncertain: Mutex::default(),
            clean: Mutex::default(),
            expected: Mutex::default(),
        }
    }

    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        lock(&self.tables)
    }

    pub(super) fn chance(&self) -> MutexGuard<'_, Chance> {
        lock(&self.chance)
    }

    pub(super) fn violate(&self, invariant: &'static str, what: String) {
        self.story.violate(self.kernel.now(), invariant, what);
    }

    /// The shop is open; from now on things go wrong.
    pub(super) fn opened(&self) {
        lock(&self.expected).take();
    }

    pub(super) fn heal(&self) {
        *lock(&self.rates) = Plan::Fine;
        self.disk.machine().plan(Plan::Fine);
    }

    /// The process is gone, and sometimes the power as well.
    pub(super) fn died(&self) {
        let interrupted = lock(&self.interrupted).take();
        let power_fails = interrupted.is_some() || self.chance().percent(50);
        let looked_at = power_fails || self.chance().between(0, LOOK_ONE_IN) == 0;
        let (answered, batch) = interrupted.unwrap_or_else(|| (self.answered(), Vec::new()));
        let mut open = std::mem::take(&mut *lock(&self.uncertain));
        if !batch.is_empty() {
            // Written over what was uncertain, or behind it.
            let behind = open.iter().map(|found| [&found[..], &batch].concat());
            let behind: Vec<_> = behind.collect();
            open.push(batch);
            open.extend(behind);
        }
        lock(&self.clean).take();
        let mut machine = self.disk.machine();
        if power_fails && self.chance().percent(80) {
            machine.cut_power();
        } else {
            machine.kill();
        }
        drop(machine);
        *lock(&self.expected) = Some(Expected {
            answered,
            open,
            looked_at,
        });
    }

    /// Opens the database and holds it against what was acknowledged.
    pub(super) fn open(&self) -> Driven {
        self.disk.machine().plan(Plan::Fine);
        let expected = lock(&self.expected).take();
        let driven = Driven::open(&self.disk, CHECKPOINT_PAGES);
        let driven = driven.unwrap_or_else(|error| {
            self.violate("D1", format!("the database cannot be opened: {error}"));
            self.start_over()
        });
        if let Some(expected) = expected
            && let Err(what) = self.compare(expected)
        {
            self.violate("D1", what);
        }
        driven
    }

    /// So that the world can end: on an empty disk.
    fn start_over(&self) -> Driven {
        let chance = self.chance().clone();
        self.disk.machine().restore(Medium::with_file(FILE), chance);
        match Driven::open(&self.disk, CHECKPOINT_PAGES) {
            Ok(driven) => driven,
            Err(error) => panic!("an empty disk cannot be used: {error}"),
        }
    }

    /// From now on the disk fails as the seed says.
    pub(super) fn let_it_fail(&self) {
        let rates = *lock(&self.rates);
        self.disk.machine().plan(rates);
    }

    /// The rows that are there now, looked at without faults.
    pub(super) fn rows(&self) -> Result<u64, String> {
        let rates = *lock(&self.rates);
        self.disk.machine().plan(Plan::Fine);
        let rows = Looker::open(&self.disk)?.rows();
        self.disk.machine().plan(rates);
        rows
    }

    fn compare(&self, expected: Expected) -> Result<(), String> {
        if !expected.looked_at && expected.open.is_empty() {
            return Ok(());
        }
        Looker::open(&self.disk)?.is_whole()?;
        let now = Now::of(self);
        if now.is(&expected.answered)? {
            return Ok(());
        }
        for batch in expected.open {
            let mut driven = self.copy_of(&expected.answered)?;
            let ran = driven.run(&self.copy, &batch, &mut || {});
            if now.is_copied()? {
                self.take_over(&batch, &ran.answers);
                return Ok(());
            }
        }
        Err("what was acknowledged is not there, or something half written is".to_owned())
    }

    /// The store on a copy of that disk, as every process sees it.
    pub(super) fn copy_of(&self, then: &Snapshot) -> Result<Driven, String> {
        self.copy(then.medium.clone());
        self.open_copy()
    }

    /// Copies that disk.
    pub(super) fn copy(&self, medium: Medium) {
        let chance = self.chance().clone();
        self.copy.machine().restore(medium, chance);
    }

    fn open_copy(&self) -> Result<Driven, String> {
        Driven::open(&self.copy, CHECKPOINT_PAGES)
            .map_err(|error| format!("a copy of the disk cannot be opened: {error}"))
    }

    /// Carries out what came together; `None` when the power did not last.
    pub(super) fn carry_out(
        &self,
        driven: &mut Driven,
        commands: &[Command],
    ) -> Option<Vec<Answer>> {
        let before = self.answered();
        let (operations, _) = self.disk.machine().operations();
        let mut answers = driven.run(&self.disk, commands, &mut || {}).answers;
        if !self.disk.machine().is_on() {
            *lock(&self.interrupted) = Some((before, commands.to_vec()));
            return None;
        }
        if self.bug == Some(Bug::LossToldAsConflict) {
            self.tell_loss_as_conflict(&before, &mut answers);
        }
        let wrote = self.disk.machine().operations().0 > operations;
        let batch = Batch {
            before: &before,
            commands,
            answers: &answers,
        };
        let doubtful = wrote && !lock(&self.uncertain).is_empty();
        if !batch.needs_settling(doubtful) {
            self.take_over(commands, &answers);
        } else if let Err(what) = self.settle(&batch) {
            self.violate("D1", what);
        }
        Some(answers)
    }

    /// The disk as it was when the last command was answered.
    fn answered(&self) -> Snapshot {
        let clean = lock(&self.clean).clone();
        clean.unwrap_or_else(|| self.disk.machine().snapshot(FILE))
    }

    /// What the database has done is done to the model as well, which must agree.
    pub(super) fn take_over(&self, commands: &[Command], answers: &[Answer]) {
        let mut tables = self.tables();
        for (command, answer) in commands.iter().zip(answers) {
            let taken = shadow::follow(&mut tables, command, answer, &*self.witness);
            if let Err(what) = taken {
                self.violate("D2", what);
            }
        }
    }

    /// A copy of the disk from which the power was cut now, in one case of some.
    fn after_power_cut(&self) -> Option<Result<Driven, String>> {
        let one = self.chance().between(0, CUT_ONE_IN) == 0;
        if !one || !self.disk.machine().is_on() {
            return None;
        }
        let mut medium = self.disk.machine().medium().clone();
        medium.cut_power(&mut self.chance());
        self.copy(medium);
        Some(self.open_copy())
    }

    pub(super) fn holds_payment(&self, id: PaymentId) -> Verdict {
        let Some(merchant) = self.tables().payments.get(&id).map(|row| row.merchant) else {
            return Err(format!("{id} is not written down"));
        };
        let Some(driven) = self.after_power_cut() else {
            return Ok(());
        };
        let driven = driven?;
        match at_once(driven.store().payment(merchant, id))? {
            Some(_) => Ok(()),
            None => Err(format!("{id} was told of and does not outlast a power cut")),
        }
    }

    pub(super) fn holds_message(&self, channel: ChannelId, body_hash: [u8; 32]) -> Verdict {
        let Some(driven) = self.after_power_cut() else {
            return Ok(());
        };
        let driven = driven?;
        let Some(account) = at_once(driven.store().channel(channel))? else {
            return Err(format!("{channel} does not outlast a power cut"));
        };
        let filter = InboxFilter {
            merchant: account.merchant,
            channel: Some(channel),
            payment: None,
            cursor: None,
            limit: 10_000,
        };
        let page = at_once(driven.store().inbox(filter))?;
        let mut rows = page.rows.iter();
        if rows.any(|row| row.entry.body_hash == body_hash) {
            return Ok(());
        }
        Err("an acknowledged notification does not outlast a power cut".to_owned())
    }
}

fn at_once<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    use futures::FutureExt;
    let read = read.now_or_never().ok_or("a reader waits")?;
    read.map_err(|error| format!("after a power cut: {error}"))
}

/// The plan speaks of commits; one is about ten writes and a sync.
fn rates(faults: &Faults) -> Plan {
    Plan::Rates {
        power_cut: faults.crash_at_await * 5,
        error: faults.store.unknown_before * 100,
        sync_error: faults.store.unknown_after * 1_000,
        full: faults.store.full * 100,
    }
}
