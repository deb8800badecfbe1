//! The whole program in the world of `tongbao-simulation`: the real router, the
//! real engine and the real database, on a disk that loses power.
//!
//! One process at a time has the database open. When it dies, the disk keeps
//! what the system had in memory, or the power fails as well and it does not.
//! The next process opens what is left, and it is held against what had been
//! acknowledged, row by row.

mod desk;
mod face;
mod now;
mod process;
mod settle;
mod shadow;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tongbao_core::ChannelId;
use tongbao_engine::Engine;
use tongbao_simulation::chance::Chance;
use tongbao_simulation::gateway::{Call, Face, Gateway, Heard, OPENING, Surroundings};
use tongbao_simulation::invariants::{Verdict, at_boundary};
use tongbao_simulation::kernel::NodeId;
use tongbao_simulation::model_store::Tables;
use tongbao_simulation::seed::Plan;
use tongbao_simulation::world::{Outcome, World};
use tongbao_store::Store;

use crate::machine::Lie;
use desk::Desk;
use process::Process;

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {
        /// A mistake that only the whole can show, made on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            $($(#[doc = $doc])+ $name),+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What the mistake is, in words.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+)),+
                }
            }
        }
    };
}

bugs! {
    /// A commit does not wait for the disk (`synchronous=NORMAL`)
    CommitsAreNotSynced,
    /// Nothing waits for the disk (`synchronous=OFF`)
    NothingIsSynced,
    /// After a failed sync, what is in memory is taken for what is on the disk
    FailedSyncForgotten,
    /// The writer answers before it commits
    AnswerBeforeCommit,
    /// The router acknowledges a notification before the engine has it
    AcknowledgeBeforeEngine,
    /// A notification is acknowledged although the database failed
    AcknowledgeAlthoughFailed,
    /// A failure of ours is answered as if it had worked
    FailureAnsweredAsSuccess,
    /// Somebody gets the answer to somebody else's request
    AnswersCrossed,
    /// A reader sees the payment's new row with its old attempts
    ReaderSeesTornData,
    /// A reader answers from before the last commit
    ReaderIsBehind,
    /// What the database refused is told as written
    RefusalSwallowed,
    /// A batch of an unknown outcome is nowhere, and somebody of it hears of a
    /// conflict
    LossToldAsConflict,
    /// A till's key opens what the merchant's does
    TillsSpeakForAll,
}

impl Bug {
    fn lie(self) -> Option<Lie> {
        match self {
            Self::CommitsAreNotSynced => Some(Lie::CommitsAreNotSynced),
            Self::NothingIsSynced => Some(Lie::NothingIsSynced),
            Self::FailedSyncForgotten => Some(Lie::NothingIsRewritten),
            _ => None,
        }
    }
}

/// A day of the whole.
pub fn run(mut plan: Plan, bug: Option<Bug>, told: bool) -> Outcome {
    // SQLite lets one process write, and so does the program.
    plan.nodes = 1;
    World::run_with(plan, told, &|around| Whole::build(around, bug))
}

/// The gateway of this world.
struct Whole {
    desk: Arc<Desk>,
    process: Mutex<Option<Arc<Process>>>,
}

impl Whole {
    fn build(around: Surroundings<'_>, bug: Option<Bug>) -> Arc<dyn Gateway> {
        Arc::new(Self {
            desk: Arc::new(Desk::new(around, bug)),
            process: Mutex::new(None),
        })
    }

    fn process(&self) -> MutexGuard<'_, Option<Arc<Process>>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway for Whole {
    fn start(&self, node: NodeId) -> Arc<dyn Store> {
        let process = Process::start(self.desk.clone(), node);
        *self.process() = Some(process.clone());
        if node != OPENING {
            self.desk.kernel.spawn(node, process.clone().work());
        }
        process
    }

    fn face(&self, engine: Arc<Engine>) -> Arc<dyn Face> {
        Arc::new(face::Http::new(
            engine,
            self.desk.kernel.clone(),
            self.desk.bug,
        ))
    }

    fn asks_for_keys(&self) -> bool {
        true
    }

    fn fallen(&self) -> Option<NodeId> {
        let process = self.process();
        let process = process.as_ref()?;
        (!self.desk.disk.machine().is_on()).then_some(process.node)
    }

    fn died(&self, node: NodeId) {
        let process = self.process().take();
        if node == OPENING {
            // It ends as it should.
            if let Some(process) = process {
                process.close();
            }
            return self.desk.opened();
        }
        self.desk.died();
    }

    fn heal(&self) {
        self.desk.heal();
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.desk.tables()
    }

    /// Written, and on the disk: the power fails on a copy of it.
    fn acknowledges(&self, channel: ChannelId, body_hash: [u8; 32]) -> Verdict {
        at_boundary::e4_commit_before_acknowledge(&self.tables(), channel, body_hash)?;
        self.desk.holds_message(channel, body_hash)
    }

    /// Written, and on the disk: the power fails on a copy of it.
    fn replies(&self, call: &Call, heard: &Heard) -> Verdict {
        at_boundary::e5_commit_before_reply(&self.tables(), call, heard)?;
        match heard {
            Heard::Created(payment) => self.desk.holds_payment(*payment),
            _ => Ok(()),
        }
    }
}

/// Forks the seed for one part of this world.
fn fork(plan: &Plan, name: &str) -> Chance {
    Chance::fork(plan.seed, name)
}
