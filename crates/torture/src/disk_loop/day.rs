//! The day without fault, and the disk before each of its operations.

use tongbao_simulation::chance::Chance;
use tongbao_store::StoreError;

use super::{Bug, Day, Failure};
use crate::command::Done;
use crate::driven::{Driven, FILE};
use crate::machine::{Machine, Plan};
use crate::medium::Medium;
use crate::script::{self, Stage, Step};
use crate::state::{Looker, State, state};
use crate::vfs::Disk;

/// What the program does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Opens,
    Writes,
    Closes,
}

/// A step as it went without fault.
pub(super) struct Played {
    pub(super) act: Act,
    pub(super) step: Step,
    pub(super) answers: Vec<Result<Done, StoreError>>,
    /// The disk when it began.
    pub(super) before: Medium,
    /// And before each of its operations.
    pub(super) history: Vec<Medium>,
    /// So many of them had been made when the last answer was given.
    pub(super) answered_at: u64,
    /// What the database held before, between its transactions, and after.
    pub(super) states: Vec<State>,
}

impl Played {
    pub(super) fn first(&self) -> State {
        self.states[0]
    }

    pub(super) fn last(&self) -> State {
        self.states[self.states.len() - 1]
    }
}

/// How a page count is drawn: few, so that every day has its checkpoints.
pub(super) fn checkpoint_pages(seed: u64) -> i64 {
    [12, 40, 80, 20, 160, 30, 60, 100_000][usize::try_from(seed % 8).unwrap_or_default()]
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
pub(super) fn record(day: Day) -> Result<Vec<Played>, Failure> {
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
