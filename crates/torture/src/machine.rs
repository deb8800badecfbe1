//! A computer with a disk: one process at a time has files open on it, until
//! the process is killed or the power fails.
//!
//! Answers in SQLite's codes, so that [`vfs`](crate::vfs) only passes them on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rusqlite::ffi;
use tongbao_simulation::chance::Chance;

use crate::image::{LogEnd, Snapshot};
use crate::medium::{FileId, Medium};

/// One opened file.
pub type HandleId = u64;

/// What SQLite calls an index of the log: memory that connections share.
pub type Region = Arc<[AtomicU64]>;

/// An answer, or one of SQLite's codes.
pub type Answer<T> = Result<T, i32>;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The power fails.
    PowerCut,
    /// The operation fails; of a write some sectors may be there.
    Error,
    /// A sync fails, and what it was to sync may never reach the disk.
    SyncError,
    /// The disk is full.
    Full,
    /// A read fails.
    ReadError,
}

/// When it goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Plan {
    /// Never.
    Fine,
    /// At one operation, or from it on.
    At {
        /// What.
        trouble: Trouble,
        /// At which operation, from 0. Reads are counted by themselves.
        operation: u64,
        /// And at every one after it.
        lasting: bool,
    },
    /// By chance, in so many of 100,000 operations.
    Rates {
        /// Operations that the power does not outlast.
        power_cut: u32,
        /// Operations that fail.
        error: u32,
        /// Syncs that fail.
        sync_error: u32,
        /// Writes that find no room.
        full: u32,
    },
}

/// A disk that lies, on purpose: what a database must never be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// A commit does not wait until the log is on the disk: what SQLite does
    /// with `synchronous=NORMAL`.
    CommitsAreNotSynced,
    /// Nothing is ever waited for: `synchronous=OFF`.
    NothingIsSynced,
    /// What is to be written again is not.
    NothingIsRewritten,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Write,
    Sync,
    Other,
}

/// The level and the parts of the log's index that a handle holds.
#[derive(Debug)]
struct Held {
    file: FileId,
    level: i32,
    shared: u16,
    exclusive: u16,
}

/// See the module.
pub struct Machine {
    medium: Medium,
    plan: Plan,
    lie: Option<Lie>,
    chance: Chance,
    boot: u64,
    on: bool,
    changes: u64,
    reads: u64,
    millis: i64,
    next: HandleId,
    held: BTreeMap<HandleId, Held>,
    shared: BTreeMap<FileId, Vec<Region>>,
    /// What the disk held before each operation, for those who ask.
    before_each: Option<Vec<Medium>>,
}

/// In the slots of the log's index: who carries the log over holds this one.
const CHECKPOINTER: u16 = 1 << 1;

/// 2026-09-21, in milliseconds of the Julian day.
const MORNING: i64 = 210_866_760_000_000 + 1_790_000_000_000;

impl Machine {
    /// A machine with this disk.
    pub fn new(medium: Medium, chance: Chance) -> Self {
        Self {
            medium,
            plan: Plan::Fine,
            lie: None,
            chance,
            boot: 0,
            on: true,
            changes: 0,
            reads: 0,
            millis: MORNING,
            next: 0,
            held: BTreeMap::new(),
            shared: BTreeMap::new(),
            before_each: None,
        }
    }

    /// From now on the disk fails like this, counted from here.
    pub fn plan(&mut self, plan: Plan) {
        self.plan = plan;
        self.changes = 0;
        self.reads = 0;
    }

    /// From now on the disk lies.
    pub fn lie(&mut self, lie: Option<Lie>) {
        self.lie = lie;
    }

    /// From now on what the disk held before each operation is kept.
    pub fn keep_history(&mut self) {
        self.before_each = Some(Vec::new());
    }

    /// What was kept since it was last asked for.
    pub fn history(&mut self) -> Vec<Medium> {
        self.before_each
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Operations that change something, and reads, since the plan was made.
    pub fn operations(&self) -> (u64, u64) {
        (self.changes, self.reads)
    }

    /// Whether the power has not failed.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// What the disk holds now.
    pub fn medium(&self) -> &Medium {
        &self.medium
    }

    /// The disk, and the database of that name on it as its readers see it.
    pub fn snapshot(&self, name: &str) -> Snapshot {
        let file = self.medium.find(name);
        let index = file.and_then(|file| self.shared.get(&file)?.first());
        Snapshot {
            medium: self.medium.clone(),
            name: name.to_owned(),
            log: index.and_then(LogEnd::of),
        }
    }

    /// The process is killed; what it had open does nothing any more. What it
    /// wrote is in the system's hands.
    pub fn kill(&mut self) {
        self.boot += 1;
        self.on = true;
        self.held.clear();
        self.shared.clear();
    }

    /// The power fails, or has failed, and comes back.
    pub fn cut_power(&mut self) {
        self.medium.cut_power(&mut self.chance);
        self.kill();
    }

    /// Another disk is put in, and nothing has happened yet.
    pub fn restore(&mut self, medium: Medium, chance: Chance) {
        self.kill();
        self.medium = medium;
        self.chance = chance;
        self.plan(Plan::Fine);
        self.millis = MORNING;
        self.before_each = None;
    }

    /// Which process it is that has something open now.
    pub(crate) fn boot(&self) -> u64 {
        self.boot
    }

    /// Whether that process can still do anything.
    pub(crate) fn alive(&self, boot: u64) -> Answer<()> {
        if self.on && self.boot == boot {
            Ok(())
        } else {
            Err(ffi::SQLITE_IOERR)
        }
    }

    pub(crate) fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }

    /// Milliseconds of the Julian day.
    pub(crate) fn millis(&self) -> i64 {
        self.millis
    }

    pub(crate) fn sleep(&mut self, micros: i32) {
        self.millis += i64::from(micros / 1_000) + 1;
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.medium.find(name).is_some()
    }

    pub(crate) fn open(&mut self, name: &str, create: bool) -> Answer<(HandleId, FileId)> {
        let file = match self.medium.find(name) {
            Some(file) => file,
            None if create => {
                self.step(Step::Other, ffi::SQLITE_CANTOPEN)?;
                self.medium.make(name)
            }
            None => return Err(ffi::SQLITE_CANTOPEN),
        };
        let handle = self.next;
        self.next += 1;
        let held = Held {
            file,
            level: ffi::SQLITE_LOCK_NONE,
            shared: 0,
            exclusive: 0,
        };
        self.held.insert(handle, held);
        Ok((handle, file))
    }

    pub(crate) fn close(&mut self, handle: HandleId) {
        self.held.remove(&handle);
    }

    pub(crate) fn delete(&mut self, name: &str, sync: bool) -> Answer<()> {
        if !self.exists(name) {
            return Err(ffi::SQLITE_IOERR_DELETE_NOENT);
        }
        self.step(Step::Other, ffi::SQLITE_IOERR_DELETE)?;
        self.medium.delete(name);
        if sync {
            self.step(Step::Sync, ffi::SQLITE_IOERR_DIR_FSYNC)?;
            self.medium.sync_names();
        }
        Ok(())
    }

    pub(crate) fn len(&self, file: FileId) -> usize {
        self.medium.len(file)
    }

    pub(crate) fn read(&mut self, file: FileId, at: usize, out: &mut [u8]) -> Answer<()> {
        let number = self.reads;
        self.reads += 1;
        if let Plan::At {
            trouble: Trouble::ReadError,
            operation,
            lasting,
        } = self.plan
            && (number == operation || lasting && number > operation)
        {
            return Err(ffi::SQLITE_IOERR_READ);
        }
        let len = self.medium.read(file, at, out);
        if len == out.len() {
            return Ok(());
        }
        // Behind the end SQLite wants zeros.
        out[len..].fill(0);
        Err(ffi::SQLITE_IOERR_SHORT_READ)
    }

    pub(crate) fn write(&mut self, file: FileId, at: usize, bytes: &[u8]) -> Answer<()> {
        match self.step(Step::Write, ffi::SQLITE_IOERR_WRITE) {
            Ok(()) => self.medium.write(file, at, bytes),
            Err(code) => {
                // A write that fails may have begun.
                let part = self.chance.index(bytes.len());
                if code != ffi::SQLITE_FULL && self.chance.percent(50) {
                    self.medium.write(file, at, &bytes[..part]);
                }
                return Err(code);
            }
        }
        Ok(())
    }

    pub(crate) fn truncate(&mut self, file: FileId, len: usize) -> Answer<()> {
        self.step(Step::Other, ffi::SQLITE_IOERR_TRUNCATE)?;
        self.medium.truncate(file, len);
        Ok(())
    }

    pub(crate) fn sync(&mut self, file: FileId, log: bool, names: bool) -> Answer<()> {
        let checkpoint = self
            .held
            .values()
            .any(|held| held.exclusive & CHECKPOINTER != 0);
        match self.lie {
            Some(Lie::NothingIsSynced) => return Ok(()),
            Some(Lie::CommitsAreNotSynced) if log && !checkpoint => return Ok(()),
            _ => {}
        }
        if let Err(code) = self.step(Step::Sync, ffi::SQLITE_IOERR_FSYNC) {
            if self.on {
                self.medium.lose(file, &mut self.chance);
            }
            return Err(code);
        }
        self.medium.sync(file);
        if names {
            self.medium.sync_names();
        }
        Ok(())
    }

    /// Writes the file again as it is read.
    pub(crate) fn rewrite(&mut self, name: &str) -> Answer<()> {
        self.alive(self.boot)?;
        if self.lie == Some(Lie::NothingIsRewritten) {
            return Ok(());
        }
        let Some(file) = self.medium.find(name) else {
            return Ok(());
        };
        if matches!(self.plan, Plan::Fine) && self.before_each.is_none() {
            self.changes += 2;
            self.medium.settle(file);
            return Ok(());
        }
        let mut bytes = vec![0; self.medium.len(file)];
        self.medium.read(file, 0, &mut bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        self.write(file, 0, &bytes)?;
        self.sync(file, false, false)
    }

    /// Counts an operation, and lets go wrong what is to go wrong.
    fn step(&mut self, step: Step, code: i32) -> Answer<()> {
        let number = self.changes;
        self.changes += 1;
        if let Some(history) = &mut self.before_each {
            history.push(self.medium.clone());
        }
        let Some(trouble) = self.trouble(step, number) else {
            return Ok(());
        };
        match (trouble, step) {
            (Trouble::PowerCut, _) => {
                self.on = false;
                Err(ffi::SQLITE_IOERR)
            }
            (Trouble::Error, _) | (Trouble::SyncError, Step::Sync) => Err(code),
            (Trouble::Full, Step::Write) => Err(ffi::SQLITE_FULL),
            _ => Ok(()),
        }
    }

    fn trouble(&mut self, step: Step, number: u64) -> Option<Trouble> {
        match self.plan {
            Plan::Fine => None,
            Plan::At {
                trouble,
                operation,
                lasting,
            } => (number == operation || lasting && number > operation).then_some(trouble),
            Plan::Rates {
                power_cut,
                error,
                sync_error,
                full,
            } => {
                let roll = u32::try_from(self.chance.between(0, 100_000)).unwrap_or(u32::MAX);
                let step_error = match step {
                    Step::Write => (full, Trouble::Full),
                    Step::Sync => (sync_error, Trouble::SyncError),
                    Step::Other => (0, Trouble::Error),
                };
                let mut below = 0;
                [
                    (power_cut, Trouble::PowerCut),
                    (error, Trouble::Error),
                    step_error,
                ]
                .into_iter()
                .find_map(|(rate, trouble)| {
                    below += rate;
                    (roll < below).then_some(trouble)
                })
            }
        }
    }

    pub(crate) fn lock(&mut self, handle: HandleId, level: i32) -> Answer<()> {
        let Some(mine) = self.held.get(&handle) else {
            return Err(ffi::SQLITE_IOERR_LOCK);
        };
        let (file, now) = (mine.file, mine.level);
        if now >= level {
            return Ok(());
        }
        let highest = self.highest_of_others(handle, file);
        let free = match level {
            ffi::SQLITE_LOCK_SHARED => highest < ffi::SQLITE_LOCK_PENDING,
            ffi::SQLITE_LOCK_RESERVED => highest < ffi::SQLITE_LOCK_RESERVED,
            _ => highest < ffi::SQLITE_LOCK_SHARED,
        };
        let pending = level == ffi::SQLITE_LOCK_EXCLUSIVE && highest <= ffi::SQLITE_LOCK_SHARED;
        if let Some(mine) = self.held.get_mut(&handle) {
            if free {
                mine.level = level;
                return Ok(());
            }
            if pending {
                mine.level = ffi::SQLITE_LOCK_PENDING;
            }
        }
        Err(ffi::SQLITE_BUSY)
    }

    pub(crate) fn unlock(&mut self, handle: HandleId, level: i32) {
        if let Some(mine) = self.held.get_mut(&handle) {
            mine.level = mine.level.min(level);
        }
    }

    pub(crate) fn is_reserved(&self, file: FileId) -> bool {
        let mut held = self.held.values();
        held.any(|held| held.file == file && held.level >= ffi::SQLITE_LOCK_RESERVED)
    }

    fn highest_of_others(&self, handle: HandleId, file: FileId) -> i32 {
        let others = self
            .held
            .iter()
            .filter(|(id, held)| **id != handle && held.file == file);
        let levels = others.map(|(_, held)| held.level);
        levels.max().unwrap_or(ffi::SQLITE_LOCK_NONE)
    }

    /// A part of the memory that the file's connections share.
    pub(crate) fn shared(&mut self, file: FileId, place: usize, size: usize) -> Region {
        let regions = self.shared.entry(file).or_default();
        while regions.len() <= place {
            let region = (0..size / 8).map(|_| AtomicU64::new(0));
            regions.push(region.collect());
        }
        regions[place].clone()
    }

    /// The last connection has closed.
    pub(crate) fn forget_shared(&mut self, file: FileId) {
        self.shared.remove(&file);
    }

    pub(crate) fn lock_shared(
        &mut self,
        handle: HandleId,
        slots: u16,
        exclusive: bool,
    ) -> Answer<()> {
        let Some(file) = self.held.get(&handle).map(|mine| mine.file) else {
            return Err(ffi::SQLITE_IOERR_SHMLOCK);
        };
        let mut others = self
            .held
            .iter()
            .filter(|(id, held)| **id != handle && held.file == file);
        let taken = others.any(|(_, held)| {
            let shared = if exclusive { held.shared } else { 0 };
            (held.exclusive | shared) & slots != 0
        });
        if taken {
            return Err(ffi::SQLITE_BUSY);
        }
        if let Some(mine) = self.held.get_mut(&handle) {
            let held = if exclusive {
                &mut mine.exclusive
            } else {
                &mut mine.shared
            };
            *held |= slots;
        }
        Ok(())
    }

    pub(crate) fn unlock_shared(&mut self, handle: HandleId, slots: u16) {
        if let Some(mine) = self.held.get_mut(&handle) {
            mine.shared &= !slots;
            mine.exclusive &= !slots;
        }
    }
}
