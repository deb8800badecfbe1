//! The one thread that writes: durable per command, paid per batch.
//!
//! It takes all commands that wait into one transaction, commits, and only then
//! answers. A command that fails takes back what it wrote and harms no other.

use std::path::PathBuf;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::batch::{Command, Work, run_batch};
use super::connection;
use crate::StoreError;

/// Commands in one transaction: what the first of them waits for.
const BATCH: usize = 512;

/// Commands that wait. Whoever comes then waits before he is in the queue.
const QUEUE: usize = 4 * BATCH;

/// Pages in the write-ahead log before they are carried over into the database.
/// The log is twice as long at most while readers come and go.
const CHECKPOINT_PAGES: i64 = 8 * 1024;

enum Message {
    Work(Box<dyn Work>),
    Close(oneshot::Sender<()>),
}

/// Dropping it lets the queue go and waits for the thread, in this order: the
/// database is closed when it is gone.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    _thread: Joined,
}

/// A thread that is waited for.
struct Joined(Option<JoinHandle<()>>);

impl Drop for Joined {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

impl Writer {
    /// Starts the thread, which owns `db` from now on and opens `path` again
    /// when it can no longer be trusted.
    pub(super) fn start(path: PathBuf, db: Connection) -> Result<Self, StoreError> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let owner = Writing { path, db: Some(db) };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || owner.work(waiting))
            .map_err(|error| StoreError::Failed(format!("no thread to write with: {error}")))?;
        Ok(Self {
            queue,
            _thread: Joined(Some(thread)),
        })
    }

    /// Runs `command` in a transaction and answers when it is on the disk. It
    /// may be run twice, the first time without effect. Once queued it is
    /// carried out, whether or not anybody still waits for the answer.
    pub(super) async fn write<T, F>(&self, command: F) -> Result<T, StoreError>
    where
        F: FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work = Message::Work(Box::new(Command::new(command, answer)));
        self.queue
            .send(work)
            .await
            .map_err(|_| StoreError::Closed)?;
        let lost = || StoreError::CommitUnknown("the writer stopped".to_owned());
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Finishes what waits, carries the log over into the database and closes
    /// it. Whoever comes later is told so.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            // An error means that the thread is gone: closed as well.
            let _ = closed.await;
        }
    }
}

/// What the thread owns.
struct Writing {
    path: PathBuf,
    /// `None` after an error that leaves a connection in doubt.
    db: Option<Connection>,
}

impl Writing {
    fn work(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(BATCH);
        let mut batch = Vec::with_capacity(BATCH);
        let mut closing = Vec::new();
        while waiting.blocking_recv_many(&mut messages, BATCH) > 0 {
            for message in messages.drain(..) {
                match message {
                    Message::Work(work) => batch.push(work),
                    Message::Close(done) => {
                        waiting.close();
                        closing.push(done);
                    }
                }
            }
            self.write(&mut batch);
            for work in batch.drain(..) {
                work.answer();
            }
            self.checkpoint_if_long();
        }
        self.finish();
        for done in closing {
            // Nobody waiting is no error.
            let _ = done.send(());
        }
    }

    fn write(&mut self, batch: &mut [Box<dyn Work>]) {
        let outcome = self.connection().and_then(|db| run_batch(db, batch));
        let Err(error) = outcome else {
            return;
        };
        tracing::error!(%error, commands = batch.len(), "a transaction failed");
        self.db = None;
        for work in batch {
            work.lost(&error);
        }
    }

    fn connection(&mut self) -> Result<&Connection, StoreError> {
        let db = match self.db.take() {
            Some(db) => db,
            None => connection::writer(&self.path)?,
        };
        Ok(self.db.insert(db))
    }

    /// Answers have been given by now, so only the next batch waits for it.
    fn checkpoint_if_long(&mut self) {
        let Some(db) = &self.db else {
            return;
        };
        match log_pages(db) {
            Ok(pages) if pages < CHECKPOINT_PAGES => {}
            Ok(_) => checkpoint(db, "passive"),
            Err(error) => tracing::warn!(%error, "the length of the log is not known"),
        }
    }

    fn finish(self) {
        if let Some(db) = self.db {
            checkpoint(&db, "truncate");
            if let Err((_, error)) = db.close() {
                tracing::warn!(%error, "the database did not close cleanly");
            }
        }
    }
}

/// Pages in the log that are not in the database yet.
fn log_pages(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("PRAGMA wal_checkpoint(noop)")?
        .query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
}

/// What cannot be carried over stays in the log, where it is as safe.
fn checkpoint(db: &Connection, mode: &'static str) {
    let done = db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
    if let Err(error) = done {
        tracing::warn!(%error, "the log stays longer than it should");
    }
}
