//! The product's store on a simulated disk, with nobody but us to drive it.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::BoxFuture;
use tongbao_store::StoreError;
use tongbao_store::sqlite::{Place, SqliteStore};

use crate::command::{Command, Done};
use crate::vfs::Disk;

/// The database's file.
pub const FILE: &str = "/tongbao.db";

/// A store, and the work that the program's thread would do.
pub struct Driven {
    store: Arc<SqliteStore>,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What became of some commands.
pub struct Ran {
    /// Each one's answer.
    pub answers: Vec<Result<Done, StoreError>>,
    /// So many disk operations had been made when the last answer was given.
    pub answered_at: u64,
}

impl Driven {
    /// Opens the database as the program does: recovery and migrations included.
    pub fn open(disk: &Disk, checkpoint_pages: i64) -> Result<Self, StoreError> {
        let place = Place {
            file_system: Arc::new(disk.files()),
            checkpoint_pages,
            ..Place::new(FILE)
        };
        let (store, work) = SqliteStore::driven(&place)?;
        Ok(Self {
            store: Arc::new(store),
            work: Box::pin(work),
        })
    }

    /// The store.
    pub fn store(&self) -> &Arc<SqliteStore> {
        &self.store
    }

    /// Does what waits to be written. `Ready` when the store is closed.
    pub fn work(&mut self) -> Poll<()> {
        self.work
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Carries out some commands that came at the same time, in one transaction
    /// when they can be. `after` is called after every batch.
    ///
    /// # Panics
    ///
    /// When somebody closes the store meanwhile.
    pub fn run(&mut self, disk: &Disk, commands: &[Command], after: &mut dyn FnMut()) -> Ran {
        let heard = Arc::new(Heard::new(disk));
        let waker = Waker::from(heard.clone());
        let mut context = Context::from_waker(&waker);
        let mut running: Vec<_> = commands
            .iter()
            .map(|command| {
                let (command, store) = (command.clone(), self.store.clone());
                let run: BoxFuture<'static, _> =
                    Box::pin(async move { command.run(&*store).await });
                (run, None)
            })
            .collect();
        loop {
            for (run, answer) in running.iter_mut().filter(|(_, answer)| answer.is_none()) {
                if let Poll::Ready(done) = run.as_mut().poll(&mut context) {
                    *answer = Some(done);
                }
            }
            if running.iter().all(|(_, answer)| answer.is_some()) {
                break;
            }
            let closed = self.work().is_ready();
            after();
            assert!(!closed, "nobody closes the store while it is used");
        }
        let answers = running.into_iter().filter_map(|(_, answer)| answer);
        Ran {
            answers: answers.collect(),
            answered_at: heard.at.load(Ordering::Relaxed),
        }
    }

    /// What the program does when it ends: the log is carried over.
    pub fn close(mut self) {
        drop(self.store);
        while self
            .work
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
        {}
    }
}

/// Notes when an answer is given: what the disk does later is not for it.
struct Heard {
    disk: Weak<std::sync::Mutex<crate::machine::Machine>>,
    at: AtomicU64,
}

impl Heard {
    fn new(disk: &Disk) -> Self {
        Self {
            disk: disk.weak(),
            at: AtomicU64::new(0),
        }
    }
}

impl Wake for Heard {
    fn wake(self: Arc<Self>) {
        if let Some(machine) = self.disk.upgrade() {
            let (changes, _) = crate::vfs::locked(&machine).operations();
            self.at.store(changes, Ordering::Relaxed);
        }
    }
}
