//! The disk fails, and the program goes on, or is killed and starts again.

use std::fmt;

use tongbao_store::StoreError;

use super::Failure;
use super::day::{Act, Played};
use super::recovery::Torture;
use crate::command::Done;
use crate::driven::Driven;
use crate::machine::{Plan, Trouble};
use crate::state::State;

impl Torture {
    /// Each operation of the step fails, in each way that it can.
    pub(super) fn errors(&self, step: usize, steps: &[Played]) -> Result<(), Failure> {
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
