//! Batches whose outcome is not plain: nobody was told whether they were written,
//! or an earlier one of that kind may have been found in the log before them.

use tongbao_core::inbox::InboxEntry;
use tongbao_core::job::JobKey;
use tongbao_core::{Case, Job, Payment, Timestamp};
use tongbao_simulation::coverage::Meeting;
use tongbao_simulation::invariants::{Verdict, ensure};
use tongbao_simulation::model_store::{Tables, Witness};
use tongbao_store::StoreError;

use super::desk::{Answer, Desk, lock};
use super::now::Now;
use super::shadow;
use crate::command::Command;
use crate::driven::FILE;
use crate::image::Snapshot;

/// What came together, and what each was told.
pub(super) struct Batch<'a> {
    /// The disk when the last batch had been answered.
    pub(super) before: &'a Snapshot,
    pub(super) commands: &'a [Command],
    pub(super) answers: &'a [Answer],
}

fn is_unknown(answer: &Answer) -> bool {
    matches!(answer, Err(StoreError::CommitUnknown(_)))
}

/// By a rule of the contract, which depends on what was there.
fn is_refused(answer: &Answer) -> bool {
    let by_rule = |error: &StoreError| {
        matches!(
            error,
            StoreError::Conflict | StoreError::Taken(_) | StoreError::Fenced
        )
    };
    answer.as_ref().is_err_and(by_rule)
}

/// Not carried out for any fault of its own.
fn is_lost(answer: &Answer) -> bool {
    answer.is_err() && !is_refused(answer)
}

impl Batch<'_> {
    /// `doubtful` when what is not known of earlier batches may have been decided
    /// by this one.
    pub(super) fn needs_settling(&self, doubtful: bool) -> bool {
        let any = |such: fn(&Answer) -> bool| self.answers.iter().any(such);
        // Refused beside what was lost: it was judged as if that were there.
        let beside = any(is_refused) && any(is_lost);
        any(is_unknown) || beside || doubtful && !self.is_lost()
    }

    /// Nobody was told anything.
    fn is_lost(&self) -> bool {
        self.answers.iter().all(is_lost)
    }

    /// What may be there after it, or not.
    fn unknown(&self) -> Vec<Command> {
        let pairs = self.commands.iter().zip(self.answers);
        let unknown = pairs.filter(|(_, answer)| is_unknown(answer));
        unknown.map(|(command, _)| command.clone()).collect()
    }

    /// Those who were told something were told the same.
    fn was_told(&self, answers: &[Answer]) -> Verdict {
        for (told, answer) in self.answers.iter().zip(answers) {
            ensure(is_lost(told) || told == answer, || {
                format!("{told:?} was answered, and on a sound disk {answer:?}")
            })?;
        }
        Ok(())
    }
}

/// One way in which it can have gone, played on a copy of the disk.
struct Retold {
    /// What was found in the log before the batch, and its answers.
    found: Vec<Command>,
    found_answers: Vec<Answer>,
    /// The batch's answers; none where nobody was told any.
    answers: Vec<Answer>,
    /// The batch is there.
    written: bool,
    /// Nothing was found, and nothing is there.
    unchanged: bool,
    /// A sound disk that holds the same.
    clean: Snapshot,
}

impl Desk {
    /// Looks at what is there, and how it can have come there: what was told is,
    /// what was refused is not, and the rest is there or not as a whole. Whoever
    /// was told something would have been told the same on a sound disk, and by
    /// the model.
    pub(super) fn settle(&self, batch: &Batch<'_>) -> Result<(), String> {
        let now = Now::of(self);
        let mut uncertain = std::mem::take(&mut *lock(&self.uncertain));
        lock(&self.clean).take();
        let Some(retold) = self.retell(batch, &uncertain, &now)? else {
            let (commands, answers) = (batch.commands, batch.answers);
            return Err(format!(
                "a batch of an unknown outcome is half there: {commands:?} was answered with \
                 {answers:?}"
            ));
        };
        if let Err(what) = batch.was_told(&retold.answers) {
            self.violate("D2", what);
        }
        self.take_over(&retold.found, &retold.found_answers);
        if retold.written {
            self.take_over(batch.commands, &retold.answers);
        } else {
            self.judge(batch.commands, &retold.answers);
        }
        // What changes nothing leaves the log as it is.
        if !retold.unchanged {
            uncertain.clear();
        }
        if !retold.written {
            uncertain.extend(Some(batch.unknown()).filter(|unknown| !unknown.is_empty()));
        }
        if !uncertain.is_empty() {
            *lock(&self.uncertain) = uncertain;
            *lock(&self.clean) = Some(retold.clean);
        }
        Ok(())
    }

    /// The way that leads to what is there now; among several the one in which everybody
    /// was told what is right.
    fn retell(
        &self,
        batch: &Batch<'_>,
        uncertain: &[Vec<Command>],
        now: &Now<'_>,
    ) -> Result<Option<Retold>, String> {
        if batch.is_lost() && now.is(batch.before)? {
            return Ok(Some(Retold {
                found: Vec::new(),
                found_answers: Vec::new(),
                answers: Vec::new(),
                written: false,
                unchanged: true,
                clean: batch.before.clone(),
            }));
        }
        let mut wrongly_told = None;
        for found in std::iter::once(&[][..]).chain(uncertain.iter().map(Vec::as_slice)) {
            let retold = self.after(found, batch, now)?;
            match retold {
                Some(retold) if batch.was_told(&retold.answers).is_ok() => {
                    return Ok(Some(retold));
                }
                other => wrongly_told = wrongly_told.or(other),
            }
        }
        Ok(wrongly_told)
    }

    /// The batch after what was found in the log, if that leads there.
    fn after(
        &self,
        found: &[Command],
        batch: &Batch<'_>,
        now: &Now<'_>,
    ) -> Result<Option<Retold>, String> {
        let mut driven = self.copy_of(batch.before)?;
        let copied = || self.copy.machine().snapshot(FILE);
        let found_answers = driven.run(&self.copy, found, &mut || {}).answers;
        let (without, not_there) = (copied(), now.is_copied()?);
        let answers = driven.run(&self.copy, batch.commands, &mut || {}).answers;
        let any = |such: fn(&Answer) -> bool| batch.answers.iter().any(such);
        let may_be_there = any(is_unknown) || !any(is_lost);
        let written = if any(is_lost) && not_there {
            false
        } else if may_be_there && now.is_copied()? {
            true
        } else {
            return Ok(None);
        };
        Ok(Some(Retold {
            found: found.to_vec(),
            found_answers,
            answers,
            written,
            unchanged: found.is_empty() && not_there,
            clean: if written { copied() } else { without },
        }))
    }

    /// What is not there was refused and claimed as the model would have: a model
    /// of its own, for nothing came of it.
    fn judge(&self, commands: &[Command], answers: &[Answer]) {
        if answers.is_empty() {
            return;
        }
        let mut tables = self.tables().clone();
        for (command, answer) in commands.iter().zip(answers) {
            if let Err(what) = shadow::follow(&mut tables, command, answer, &Nobody) {
                self.violate("D2", what);
            }
        }
    }

    /// The mistake: of a batch that is nowhere, not in the log either, the last
    /// one is told that it was refused.
    pub(super) fn tell_loss_as_conflict(&self, before: &Snapshot, answers: &mut [Answer]) {
        let killed = self.disk.machine().snapshot(FILE);
        let mut lost = answers.iter_mut().filter(|answer| is_unknown(answer));
        if let (Some(_), Some(last)) = (lost.next(), lost.next_back())
            && Now::of(self).is(before) == Ok(true)
            && Now::of(self).is(&Snapshot {
                log: None,
                ..killed
            }) == Ok(true)
        {
            *last = Err(StoreError::Conflict);
        }
    }
}

/// Whom a batch that is not there concerns.
struct Nobody;

impl Witness for Nobody {
    fn committed(&self, _: Option<&Payment>, _: &Payment, _: &Tables) {}
    fn opened(&self, _: &[Case]) {}
    fn received(&self, _: &InboxEntry, _: bool) {}
    fn claimed(&self, _: &[Job]) {}
    fn finished(&self, _: &Job) {}
    fn met(&self, _: Meeting) {}
    fn overdue(&self, _: JobKey, _: Timestamp) {}
}
