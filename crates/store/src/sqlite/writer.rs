//! The one thread that writes: durable per command, paid per batch.
//!
//! It takes all commands that wait into one transaction, commits, and only then
//! answers. A command that fails takes back what it wrote and harms no other.

use std::thread::JoinHandle;

use futures::executor::block_on;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Command, Work, run_batch};
use super::connection;
use super::place::Place;
use crate::StoreError;

/// Commands in one transaction: what the first of them waits for.
const BATCH: usize = 512;

/// Commands that wait. Whoever comes then waits before he is in the queue.
const QUEUE: usize = 4 * BATCH;

enum Message {
    Work(Box<dyn Work>),
    Close(oneshot::Sender<()>),
}

/// Dropping it lets the queue go and waits for the thread, in this order: the
/// database is closed when it is gone.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    /// Whether the work has come to its end; closed without, it was broken off.
    ended: watch::Receiver<bool>,
    _thread: Option<Joined>,
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
    /// Starts the thread, which owns `db` from now on and opens `place` again
    /// when it can no longer be trusted.
    pub(super) fn start(place: Place, db: Connection) -> Result<Self, StoreError> {
        let (writer, work) = Self::apart(place, db);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || block_on(work))
            .map_err(|error| StoreError::Failed(format!("no thread to write with: {error}")))?;
        Ok(Self {
            _thread: Some(Joined(Some(thread))),
            ..writer
        })
    }

    /// What the thread does, for somebody else to do. It ends when the writer is
    /// closed or dropped.
    pub(super) fn apart(place: Place, db: Connection) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (end, ended) = watch::channel(false);
        let owner = Writing {
            place,
            db: Some(db),
            doubtful: None,
            commands: 0,
            end,
        };
        let writer = Self {
            queue,
            ended,
            _thread: None,
        };
        (writer, owner.work(waiting))
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
        match answered.await {
            Ok((outcome, _)) => outcome,
            Err(_) => Err(StoreError::CommitUnknown("the writer stopped".to_owned())),
        }
    }

    /// Ends when a bug has broken off the work: whoever waited has been told that
    /// nothing is known, and nobody will be served again.
    pub(super) async fn died(&self) {
        if self.ended.clone().wait_for(|ended| *ended).await.is_ok() {
            std::future::pending::<()>().await;
        }
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
    place: Place,
    /// `None` after an error that leaves a connection in doubt.
    db: Option<Connection>,
    /// That one, which is not used again. It stays open until the next one is:
    /// were it the last, whoever came next would find in the log what nobody was
    /// told of, and what may not be on the disk.
    doubtful: Option<Connection>,
    /// Since the log's length was last asked for.
    commands: usize,
    end: watch::Sender<bool>,
}

/// A command writes fewer: the log need not be asked how long it is before it
/// can be long.
const PAGES_A_COMMAND: i64 = 16;

impl Writing {
    async fn work(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(BATCH);
        let mut batch = Vec::with_capacity(BATCH);
        let mut closing = Vec::new();
        while waiting.recv_many(&mut messages, BATCH).await > 0 {
            for message in messages.drain(..) {
                match message {
                    Message::Work(work) => batch.push(work),
                    Message::Close(done) => {
                        waiting.close();
                        closing.push(done);
                    }
                }
            }
            let commands = batch.len();
            self.write(&mut batch);
            for work in batch.drain(..) {
                work.answer();
            }
            self.checkpoint_if_long(commands);
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
        self.doubt();
        for work in batch {
            work.lost(&error);
        }
    }

    fn connection(&mut self) -> Result<&Connection, StoreError> {
        let db = match self.db.take() {
            Some(db) => db,
            None => connection::writer(&self.place)?,
        };
        self.doubtful = None;
        Ok(self.db.insert(db))
    }

    /// The connection is not to be used again.
    fn doubt(&mut self) {
        let Some(db) = self.db.take() else {
            return;
        };
        // Most errors have ended the transaction. One that cannot be ended holds
        // the lock of those who write, and goes with its connection.
        let ended = db.is_autocommit() || db.execute_batch("ROLLBACK").is_ok();
        self.doubtful = ended.then_some(db);
    }

    /// Answers have been given by now, so only the next batch waits for it.
    fn checkpoint_if_long(&mut self, commands: usize) {
        self.commands += commands;
        let pages = i64::try_from(self.commands).unwrap_or(i64::MAX);
        if pages.saturating_mul(PAGES_A_COMMAND) < self.place.checkpoint_pages {
            return;
        }
        self.commands = 0;
        let Some(db) = &self.db else {
            return;
        };
        match log_pages(db) {
            Ok(pages) if pages < self.place.checkpoint_pages => {}
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
        self.end.send_replace(true);
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

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::executor::block_on;
    use futures::join;

    use super::*;
    use crate::sqlite::{migrate, statement};

    fn writer() -> (Writer, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path().join("tongbao.db"));
        std::fs::File::create(&place.path).unwrap();
        let mut db = connection::writer(&place).unwrap();
        migrate::apply(&mut db).unwrap();
        (Writer::start(place, db).unwrap(), directory)
    }

    fn sql(text: &'static str) -> impl FnMut(&Connection) -> Result<(), StoreError> + Send {
        move |db| Ok(db.execute_batch(text)?)
    }

    fn merchant(id: &'static str) -> impl FnMut(&Connection) -> Result<(), StoreError> + Send {
        move |db| {
            let sql = "INSERT INTO merchants (id, name, accept_late, created_at) VALUES (?, 'name', 0, 0)";
            statement::run(db, sql, [id]).map(|_| ())
        }
    }

    async fn merchants(writer: &Writer) -> i64 {
        let count = |db: &Connection| {
            Ok(db.query_row("SELECT count(*) FROM merchants", [], |row| row.get(0))?)
        };
        writer.write(count).await.unwrap()
    }

    /// Waits until BEGIN, so that the others meet in one transaction.
    fn hold_up() -> (
        std::sync::mpsc::Sender<()>,
        impl FnMut(&Connection) -> Result<(), StoreError> + Send,
    ) {
        let (go, wait) = std::sync::mpsc::channel();
        (go, move |_: &Connection| {
            // The sender being gone is a sign as well.
            let _ = wait.recv();
            Ok(())
        })
    }

    #[test]
    fn a_command_that_fails_half_way_takes_back_its_half_and_harms_no_other() {
        let (writer, _directory) = writer();
        let half = |db: &Connection| -> Result<(), StoreError> {
            merchant("mer_half")(db)?;
            Err(StoreError::Fenced)
        };
        let (go, held_up) = hold_up();

        let answers = block_on(async {
            join!(
                writer.write(held_up),
                writer.write(merchant("mer_1")),
                writer.write(half),
                writer.write(merchant("mer_2")),
                async { drop(go) },
            )
        });
        assert_eq!(answers.1, Ok(()));
        assert_eq!(answers.2, Err(StoreError::Fenced));
        assert_eq!(answers.3, Ok(()));
        assert_eq!(block_on(merchants(&writer)), 2);
    }

    #[test]
    fn what_fails_in_commit_is_unknown_and_the_next_batch_is_written() {
        let (writer, _directory) = writer();
        // A reference that is not looked at before COMMIT.
        let orphan = sql("PRAGMA defer_foreign_keys = ON; \
             INSERT INTO idempotency VALUES (99, 'key', x'00', 'pay_1', 0)");
        let (go, held_up) = hold_up();

        let answers = block_on(async {
            join!(
                writer.write(held_up),
                writer.write(merchant("mer_1")),
                writer.write(orphan),
                async { drop(go) },
            )
        });
        for answer in [answers.1, answers.2] {
            assert!(
                matches!(answer, Err(StoreError::CommitUnknown(_))),
                "{answer:?}"
            );
        }
        assert_eq!(block_on(writer.write(merchant("mer_1"))), Ok(()));
        assert_eq!(block_on(merchants(&writer)), 1);
    }

    #[test]
    fn a_writer_that_panics_leaves_nobody_waiting_and_says_that_it_is_gone() {
        let (writer, _directory) = writer();
        assert_eq!(block_on(writer.write(merchant("mer_0"))), Ok(()));
        assert_eq!(writer.died().now_or_never(), None);
        let (go, held_up) = hold_up();
        let bug = |_: &Connection| -> Result<(), StoreError> { panic!("a bug") };

        let answers = block_on(async {
            join!(
                writer.write(held_up),
                writer.write(merchant("mer_1")),
                writer.write(bug),
                async { drop(go) },
            )
        });
        for answer in [answers.1, answers.2] {
            assert!(
                matches!(answer, Err(StoreError::CommitUnknown(_))),
                "{answer:?}"
            );
        }
        block_on(writer.died());
        let late = block_on(writer.write(merchant("mer_2")));
        assert_eq!(late, Err(StoreError::Closed));
        block_on(writer.close());
    }

    #[test]
    fn a_writer_that_is_closed_has_not_died() {
        let (writer, _directory) = writer();
        block_on(writer.close());
        assert_eq!(writer.died().now_or_never(), None);
    }

    #[test]
    fn a_full_disk_writes_nothing_and_the_store_goes_on_when_there_is_room() {
        let (writer, _directory) = writer();
        // Holds for the connection alone.
        let full = sql("PRAGMA max_page_count = 1; \
             CREATE TABLE big AS SELECT randomblob(1000000) AS bytes");
        let (go, held_up) = hold_up();

        let answers = block_on(async {
            join!(
                writer.write(held_up),
                writer.write(merchant("mer_1")),
                writer.write(full),
                async { drop(go) },
            )
        });
        for answer in [answers.1, answers.2] {
            assert!(matches!(answer, Err(StoreError::Full(_))), "{answer:?}");
        }
        assert_eq!(block_on(merchants(&writer)), 0);
        assert_eq!(block_on(writer.write(merchant("mer_1"))), Ok(()));
    }
}
