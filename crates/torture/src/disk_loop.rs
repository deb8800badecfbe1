//! Every disk operation of a day fails in turn, in every way that it can.
//!
//! The day is played once without fault, and the disk is kept as it was before
//! each operation. Then for each operation the power fails there, with several
//! fates for what was not synced; and the step that it belongs to is carried out
//! again on a disk that fails there, once or for good. Each time the database is
//! opened again as the program opens it, and must hold every commit that was
//! acknowledged, and nothing of one that was not, or all of it.

mod day;
mod errors;
mod power;
mod recovery;

use std::fmt;

use crate::machine::Lie;
use day::Act;
use recovery::Torture;

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

/// Plays the day and lets every operation of it fail.
pub fn run(day: Day, sums: &mut Sums) -> Result<(), Failure> {
    let steps = day::record(day)?;
    let torture = Torture::new(day);
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
