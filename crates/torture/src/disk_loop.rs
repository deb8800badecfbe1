//! Every disk operation of a day fails in turn, in every way that it can.
//!
//! The day is played once without fault, and the disk is kept as it was before
//! each operation. Then for each operation the power fails there, with several
//! fates for what was not synced; and the step that it belongs to is carried out
//! again on a disk that fails there, once or for good. Each time the database is
//! opened again as the program opens it, and must hold every commit that was
//! acknowledged, and nothing of one that was not, or all of it.

use std::cell::Cell;
use std::fmt;

use tongbao_simulation::chance::Chance;
use tongbao_store::StoreError;

use crate::command::Done;
use crate::driven::{Driven, FILE};
use crate::machine::{Lie, Machine, Plan, Trouble};
use crate::medium::Medium;
use crate::script::{self, Stage, Step};
use crate::state::{Looker, State, read, state};
use crate::vfs::Disk;

/// A mistake that is made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// `synchronous=NORMAL`.
    CommitsAreNotSynced,
    /// `synchronous=OFF`.
    NothingIsSynced,
    /// The caller is answered when the command is queued.
    AcknowledgeBeforeCommit,
    /// After a failed sync, what the system has in memory is taken for what is
    /// on the disk.
    FailedSyncForgotten,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::CommitsAreNotSynced,
        Self::NothingIsSynced,
        Self::AcknowledgeBeforeCommit,
        Self::FailedSyncForgotten,
    ];

    fn lie(self) -> Option<Lie> {
        match self {
            Self::CommitsAreNotSynced => Some(Lie::CommitsAreNotSynced),
            Self::NothingIsSynced => Some(Lie::NothingIsSynced),
            Self::FailedSyncForgotten => Some(Lie::NothingIsRewritten),
            Self::AcknowledgeBeforeCommit => None,
        }
    }
}

/// The database is made in the same way every day: what fails then is tried on
/// one day of so many.
const OPENS_EVERY: u64 = 4;

/// What is to be tried.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// Decides the day, and every fate.
    pub seed: u64,
    /// Power cuts at each operation.
    pub cuts: u64,
    /// This step and operation alone.
    pub only: Option<(usize, u64)>,
    /// A mistake that is made on purpose.
    pub bug: Option<Bug>,
}

/// What was tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Disk operations of the days.
    pub operations: u64,
    /// Crashes that were recovered from and verified.
    pub runs: u64,
}

/// What should not have been.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The day.
    pub seed: u64,
    /// In this step of it.
    pub step: usize,
    /// At this operation of the step.
    pub operation: u64,
    /// What went wrong there.
    pub trouble: String,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {} step {} operation {}, {}: {}",
            self.seed, self.step, self.operation, self.trouble, self.what
        )
    }
}

/// What the program does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Opens,
    Writes,
    Closes,
}

/// A step as it went without fault.
struct Played {
    act: Act,
    step: Step,
    answers: Vec<Result<Done, StoreError>>,
    /// The disk when it began.
    before: Medium,
    /// And before each of its operations.
    history: Vec<Medium>,
    /// So many of them had been made when the last answer was given.
    answered_at: u64,
    /// What the database held before, between its transactions, and after.
    states: Vec<State>,
}

impl Played {
    fn first(&self) -> State {
        self.states[0]
    }

    fn last(&self) -> State {
        self.states[self.states.len() - 1]
    }
}

/// How a page count is drawn: few, so that every day has its checkpoints.
fn checkpoint_pages(seed: u64) -> i64 {
    [12, 40, 80, 20, 160, 30, 60, 100_000][usize::try_from(seed % 8).unwrap_or_default()]
}

/// Plays the day and lets every operation of it fail.
pub fn run(day: Day, sums: &mut Sums) -> Result<(), Failure> {
    let steps = record(day)?;
    let torture = Torture {
        disk: Disk::new(Machine::new(
            Medium::default(),
            Chance::fork(day.seed, "disk"),
        )),
        day,
        pages: checkpoint_pages(day.seed),
        recovered: Cell::new(0),
    };
    torture.disk.machine().lie(day.bug.and_then(Bug::lie));
    for (number, played) in steps.iter().enumerate() {
        if day.only.is_some_and(|(only, _)| only != number) {
            continue;
        }
        sums.operations += played.history.len() as u64;
        let tried = torture.power_cuts(number, played).and_then(|()| {
            let errors = day.bug.is_none_or(|bug| bug == Bug::FailedSyncForgotten)
                && (played.act != Act::Opens || day.seed.is_multiple_of(OPENS_EVERY));
            if errors {
                torture.errors(number, &steps)
            } else {
                Ok(())
            }
        });
        sums.runs += torture.recovered.take();
        tried?;
    }
    Ok(())
}

struct Recorder {
    disk: Disk,
    driven: Driven,
    looker: Looker,
    steps: Vec<Played>,
    state: State,
    bug: Option<Bug>,
    failure: Option<String>,
}

/// The day without fault.
fn record(day: Day) -> Result<Vec<Played>, Failure> {
    let fail = |what: String| Failure {
        seed: day.seed,
        step: 0,
        operation: 0,
        trouble: "no fault".to_owned(),
        what,
    };
    let disk = Disk::new(Machine::new(
        Medium::with_file(FILE),
        Chance::fork(day.seed, "disk"),
    ));
    disk.machine().lie(day.bug.and_then(Bug::lie));
    disk.machine().keep_history();
    let before = disk.machine().medium().clone();
    let pages = checkpoint_pages(day.seed);
    let driven = Driven::open(&disk, pages).map_err(|error| fail(error.to_string()))?;
    let history = disk.machine().history();
    let looker = Looker::open(&disk).map_err(fail)?;
    let state = state(&looker, &**driven.store(), script::merchant()).map_err(fail)?;
    let opened = Played {
        act: Act::Opens,
        step: Vec::new(),
        answers: Vec::new(),
        before,
        history,
        answered_at: 0,
        states: vec![state],
    };
    let mut recorder = Recorder {
        disk,
        driven,
        looker,
        steps: vec![opened],
        state,
        bug: day.bug,
        failure: None,
    };
    script::play(day.seed, &mut recorder);
    if let Some(what) = recorder.failure {
        return Err(fail(what));
    }
    Ok(recorder.close())
}

impl Recorder {
    /// The program ends.
    fn close(self) -> Vec<Played> {
        let Self {
            disk,
            driven,
            looker,
            mut steps,
            state,
            ..
        } = self;
        drop(looker);
        let before = disk.machine().medium().clone();
        driven.close();
        steps.push(Played {
            act: Act::Closes,
            step: Vec::new(),
            answers: Vec::new(),
            before,
            history: disk.machine().history(),
            answered_at: 0,
            states: vec![state],
        });
        steps
    }
}

impl Stage for Recorder {
    fn play(&mut self, step: Step) -> Vec<Option<Done>> {
        let before = self.disk.machine().medium().clone();
        self.disk.machine().plan(Plan::Fine);
        let mut states = vec![self.state];
        let (store, looker) = (self.driven.store().clone(), &self.looker);
        let failure = &mut self.failure;
        let mut look = || match state(looker, &*store, script::merchant()) {
            Ok(now) if states.last() != Some(&now) => states.push(now),
            Ok(_) => {}
            Err(what) => *failure = Some(what),
        };
        let ran = self.driven.run(&self.disk, &step, &mut look);
        let answers = ran.answers;
        if let Some(last) = states.last() {
            self.state = *last;
        }
        let done = answers.iter().map(|answer| answer.clone().ok()).collect();
        self.steps.push(Played {
            act: Act::Writes,
            step,
            answers,
            before,
            history: self.disk.machine().history(),
            answered_at: match self.bug {
                Some(Bug::AcknowledgeBeforeCommit) => 0,
                _ => ran.answered_at,
            },
            states,
        });
        done
    }
}

struct Torture {
    disk: Disk,
    day: Day,
    pages: i64,
    recovered: Cell<u64>,
}

/// The rows are looked at each time; what the store's readers say of them, once
/// in so many times.
const READERS_LOOK_EVERY: u64 = 8;

impl Torture {
    fn chance(&self, step: usize, operation: u64, fate: u64) -> Chance {
        let seed = [step as u64, operation, fate]
            .into_iter()
            .fold(self.day.seed, |seed, part| {
                seed.wrapping_mul(1_000_003) ^ part
            });
        Chance::fork(seed, "fate")
    }

    fn failure(&self, step: usize, operation: u64, trouble: String, what: String) -> Failure {
        Failure {
            seed: self.day.seed,
            step,
            operation,
            trouble,
            what,
        }
    }

    /// The power fails before each operation, with several fates for what was
    /// not synced.
    fn power_cuts(&self, step: usize, played: &Played) -> Result<(), Failure> {
        for (operation, medium) in (0..).zip(&played.history) {
            if self.day.only.is_some_and(|(_, only)| only != operation) {
                continue;
            }
            let acknowledged = operation >= played.answered_at;
            let last = [played.last()];
            let allowed = if acknowledged {
                &last[..]
            } else {
                &played.states[..]
            };
            // Where nothing waits to be synced there is one fate.
            let fates = if medium.is_synced() { 1 } else { self.day.cuts };
            for fate in 0..fates {
                let chance = self.chance(step, operation, fate);
                self.disk.machine().restore(medium.clone(), chance);
                self.disk.machine().cut_power();
                self.recovered(allowed).map_err(|what| {
                    self.failure(step, operation, format!("power cut {fate}"), what)
                })?;
            }
        }
        Ok(())
    }

    /// Opens the database as the program does, and looks.
    fn recovered(&self, allowed: &[State]) -> Result<State, String> {
        let driven = self.open()?;
        self.recovered.set(self.recovered.get() + 1);
        self.holds(&driven, allowed)
    }

    fn holds(&self, driven: &Driven, allowed: &[State]) -> Result<State, String> {
        let looker = Looker::open(&self.disk)?;
        looker.is_whole()?;
        let rows = looker.rows()?;
        if let Some(state) = allowed.iter().find(|state| state.rows == rows) {
            let readers = self.recovered.get().is_multiple_of(READERS_LOOK_EVERY);
            if readers && read(&**driven.store(), script::merchant())? != state.read {
                return Err("the store's readers do not say what its rows are".to_owned());
            }
            return Ok(*state);
        }
        let mut what = format!("the database holds {rows:016x}, which is none of {allowed:x?}");
        if self.day.only.is_some() {
            what.push('\n');
            what.push_str(&looker.print());
        }
        Err(what)
    }

    /// Each operation of the step fails, in each way that it can.
    fn errors(&self, step: usize, steps: &[Played]) -> Result<(), Failure> {
        let played = &steps[step];
        for (trouble, lasting) in WAYS {
            let mut operation = 0;
            loop {
                let skipped = self.day.only.is_some_and(|(_, only)| only != operation);
                let way = Way {
                    trouble,
                    lasting,
                    operation,
                };
                let reached = if skipped {
                    operation < played.history.len() as u64
                } else {
                    let chance = self.chance(step, operation, 1_000 + trouble as u64);
                    self.disk.machine().restore(played.before.clone(), chance);
                    let reached = self.error(way, played, steps.get(step + 1));
                    reached.map_err(|what| self.failure(step, operation, way.to_string(), what))?
                };
                if !reached {
                    break;
                }
                operation += 1;
            }
        }
        Ok(())
    }

    /// Carries the step out on a disk that fails. Answers false when the
    /// operation was never reached.
    fn error(&self, way: Way, played: &Played, next: Option<&Played>) -> Result<bool, String> {
        let plan = Plan::At {
            trouble: way.trouble,
            operation: way.operation,
            lasting: way.lasting,
        };
        if played.act != Act::Writes {
            return self.error_around(way, plan, played);
        }
        let mut driven = self.open()?;
        self.disk.machine().plan(plan);
        let answers = driven.run(&self.disk, &played.step, &mut || {}).answers;
        let (changes, reads) = self.disk.machine().operations();
        let made = if way.trouble == Trouble::ReadError {
            reads
        } else {
            changes
        };
        self.disk.machine().plan(Plan::Fine);
        if made <= way.operation {
            return Ok(false);
        }
        let allowed = allowed(played, &answers)?;
        // What failed may have been kept by the system all the same: the process
        // that comes next must not build on what is not on the disk.
        if way.operation % 2 == 1 {
            self.disk.machine().kill();
            drop(driven);
            driven = self.open()?;
            self.recovered.set(self.recovered.get() + 1);
        }
        let now = self
            .holds(&driven, &allowed)
            .map_err(|what| format!("after {answers:?} {what}"))?;
        let Some(next) = next.filter(|_| !in_between(played, now)) else {
            drop(driven);
            self.disk.machine().cut_power();
            // Of the step whose outcome is not known, the power cut decides.
            let mut later = played.states.iter();
            later.by_ref().find(|state| **state == now);
            let allowed: Vec<_> = std::iter::once(now).chain(later.copied()).collect();
            return self.recovered(&allowed).map(|_| true);
        };
        // It is asked for again, and the day goes on.
        if now != played.last() {
            self.again(&mut driven, played, &answers)?;
        }
        let ran = driven.run(&self.disk, &next.step, &mut || {});
        if ran.answers != next.answers {
            return Err(format!("{:?} instead of {:?}", ran.answers, next.answers));
        }
        self.holds(&driven, &[next.last()])
            .map_err(|what| format!("a step later {what}"))?;
        drop(driven);
        self.disk.machine().cut_power();
        self.recovered(&[next.last()])
            .map(|_| true)
            .map_err(|what| format!("a step later, and after a power cut, {what}"))
    }

    /// The program starts or ends on a disk that fails.
    fn error_around(&self, way: Way, plan: Plan, played: &Played) -> Result<bool, String> {
        if played.act == Act::Opens {
            self.disk.machine().plan(plan);
            // It may refuse to start.
            drop(Driven::open(&self.disk, self.pages));
        } else {
            let driven = self.open()?;
            self.disk.machine().plan(plan);
            driven.close();
        }
        if !self.made(way) {
            return Ok(false);
        }
        if way.operation % 2 == 1 {
            self.disk.machine().cut_power();
        } else {
            self.disk.machine().kill();
        }
        match self.recovered(&[played.last()]) {
            // A disk that refuses its first syncs may keep half a first page.
            // Nobody was promised anything yet.
            Err(_) if played.act == Act::Opens && way.trouble == Trouble::SyncError => Ok(true),
            other => other.map(|_| true),
        }
    }

    /// Whether it came so far. From now on the disk is sound again.
    fn made(&self, way: Way) -> bool {
        let mut machine = self.disk.machine();
        let (changes, reads) = machine.operations();
        machine.plan(Plan::Fine);
        let reads_fail = way.trouble == Trouble::ReadError;
        way.operation < if reads_fail { reads } else { changes }
    }

    fn open(&self) -> Result<Driven, String> {
        Driven::open(&self.disk, self.pages)
            .map_err(|error| format!("the database cannot be opened: {error}"))
    }

    /// What was not answered is asked for again, as callers do.
    fn again(
        &self,
        driven: &mut Driven,
        played: &Played,
        answers: &[Result<Done, StoreError>],
    ) -> Result<(), String> {
        let failed = played.step.iter().zip(answers).zip(&played.answers);
        let failed = failed.filter(|((_, answer), expected)| answer != expected);
        let (commands, expected): (Vec<_>, Vec<_>) = failed
            .map(|((command, _), expected)| (command.clone(), expected.clone()))
            .unzip();
        let answers = driven.run(&self.disk, &commands, &mut || {}).answers;
        if answers != expected {
            return Err(format!("asked again: {answers:?} instead of {expected:?}"));
        }
        self.holds(driven, &[played.last()]).map(|_| ())
    }
}

const WAYS: [(Trouble, bool); 7] = [
    (Trouble::Error, false),
    (Trouble::Error, true),
    (Trouble::SyncError, false),
    (Trouble::SyncError, true),
    (Trouble::Full, false),
    (Trouble::Full, true),
    (Trouble::ReadError, false),
];

#[derive(Clone, Copy)]
struct Way {
    trouble: Trouble,
    lasting: bool,
    operation: u64,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how_long = if self.lasting { "for ever" } else { "once" };
        write!(f, "{:?} {how_long}", self.trouble)
    }
}

/// What the database may hold after these answers.
fn allowed(played: &Played, answers: &[Result<Done, StoreError>]) -> Result<Vec<State>, String> {
    let as_expected = answers == played.answers;
    if as_expected {
        return Ok(vec![played.last()]);
    }
    let mut unknown = played
        .step
        .iter()
        .any(crate::command::Command::goes_in_steps);
    for (answer, expected) in answers.iter().zip(&played.answers) {
        if answer == expected {
            continue;
        }
        match answer {
            Err(StoreError::CommitUnknown(_)) => unknown = true,
            Err(StoreError::Full(_) | StoreError::Failed(_)) => {}
            // Written, and could not be read afterwards: claims that run out.
            other => return Err(format!("{other:?} instead of {expected:?}")),
        }
    }
    if unknown {
        Ok(played.states.clone())
    } else {
        Ok(vec![played.first()])
    }
}

/// Some of a command that goes in steps is there.
fn in_between(played: &Played, now: State) -> bool {
    now != played.first() && now != played.last()
}
