//! Many commands in one transaction.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure;
use crate::StoreError;

/// A command on its way through the writer.
pub(super) trait Work: Send {
    /// Carries it out, anew if it was before.
    fn run(&mut self, db: &Connection) -> Result<(), StoreError>;
    /// What it wrote is gone, or may be.
    fn lost(&mut self, error: &StoreError);
    /// Tells whoever waits.
    fn answer(self: Box<Self>);
}

/// What a caller gets back: the answer, and his command to be thrown away, which
/// would be the writer's time as well.
pub(super) type Answer<F, T> = (Result<T, StoreError>, F);

/// A command with its answer.
pub(super) struct Command<F, T> {
    run: F,
    outcome: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Answer<F, T>>,
}

impl<F, T> Command<F, T> {
    pub(super) fn new(run: F, answer: oneshot::Sender<Answer<F, T>>) -> Self {
        Self {
            run,
            outcome: None,
            answer,
        }
    }
}

impl<F, T> Work for Command<F, T>
where
    F: FnMut(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, db: &Connection) -> Result<(), StoreError> {
        let outcome = (self.run)(db);
        let error = outcome.as_ref().err().cloned();
        self.outcome = Some(outcome);
        error.map_or(Ok(()), Err)
    }

    fn lost(&mut self, error: &StoreError) {
        // What it refused by itself stays refused.
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(error.clone()));
        }
    }

    fn answer(self: Box<Self>) {
        let outcome = self
            .outcome
            .unwrap_or_else(|| Err(StoreError::Failed("the command was not run".to_owned())));
        // Nobody waiting is no error.
        let _ = self.answer.send((outcome, self.run));
    }
}

/// Carries out a batch. An error is one of the transaction: nothing of the
/// batch was written, or with `CommitUnknown` perhaps all of it, and the
/// connection is not to be used again.
pub(super) fn run_batch(db: &Connection, batch: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    begin(db)?;
    if !run_all(db, batch)? {
        sql(db, "ROLLBACK")?;
        begin(db)?;
        run_each_apart(db, batch)?;
    }
    db.prepare_cached("COMMIT")?
        .execute([])
        .map_err(|error| failure::in_commit(&error))?;
    Ok(())
}

/// Without savepoints, which cost a copy of every page that a command touches.
/// Answers false when a command failed after it had written something.
fn run_all(db: &Connection, batch: &mut [Box<dyn Work>]) -> Result<bool, StoreError> {
    for work in batch {
        let before = db.total_changes();
        let Err(error) = work.run(db) else {
            continue;
        };
        still_whole(db, &error)?;
        if db.total_changes() != before {
            return Ok(false);
        }
    }
    Ok(true)
}

fn run_each_apart(db: &Connection, batch: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
    for work in batch {
        sql(db, "SAVEPOINT command")?;
        if let Err(error) = work.run(db) {
            still_whole(db, &error)?;
            sql(db, "ROLLBACK TO command")?;
        }
        sql(db, "RELEASE command")?;
    }
    Ok(())
}

/// Some errors end the whole transaction, and others had better: a disk that
/// failed once is not written to again through the same connection.
fn still_whole(db: &Connection, error: &StoreError) -> Result<(), StoreError> {
    if db.is_autocommit() || matches!(error, StoreError::Full(_) | StoreError::Corrupt(_)) {
        return Err(error.clone());
    }
    Ok(())
}

/// IMMEDIATE: the lock first, so that no statement meets a busy database.
fn begin(db: &Connection) -> Result<(), StoreError> {
    sql(db, "BEGIN IMMEDIATE")
}

fn sql(db: &Connection, text: &str) -> Result<(), StoreError> {
    db.prepare_cached(text)?.execute([])?;
    Ok(())
}
