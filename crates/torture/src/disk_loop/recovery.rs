//! A disk after a crash: the database is opened again, and looked at.

use std::cell::Cell;

use tongbao_simulation::chance::Chance;

use super::day::checkpoint_pages;
use super::{Bug, Day, Failure};
use crate::driven::Driven;
use crate::machine::Machine;
use crate::medium::Medium;
use crate::script;
use crate::state::{Looker, State, read};
use crate::vfs::Disk;

/// The rows are looked at each time; what the store's readers say of them, once
/// in so many times.
const READERS_LOOK_EVERY: u64 = 8;

/// The day's disk, again and again.
pub(super) struct Torture {
    pub(super) disk: Disk,
    pub(super) day: Day,
    pub(super) pages: i64,
    /// So many crashes were recovered from and verified.
    pub(super) recovered: Cell<u64>,
}

impl Torture {
    pub(super) fn new(day: Day) -> Self {
        let chance = Chance::fork(day.seed, "disk");
        let disk = Disk::new(Machine::new(Medium::default(), chance));
        disk.machine().lie(day.bug.and_then(Bug::lie));
        Self {
            disk,
            day,
            pages: checkpoint_pages(day.seed),
            recovered: Cell::new(0),
        }
    }

    pub(super) fn chance(&self, step: usize, operation: u64, fate: u64) -> Chance {
        let seed = [step as u64, operation, fate]
            .into_iter()
            .fold(self.day.seed, |seed, part| {
                seed.wrapping_mul(1_000_003) ^ part
            });
        Chance::fork(seed, "fate")
    }

    pub(super) fn failure(
        &self,
        step: usize,
        operation: u64,
        trouble: String,
        what: String,
    ) -> Failure {
        Failure {
            seed: self.day.seed,
            step,
            operation,
            trouble,
            what,
        }
    }

    /// Opens the database as the program does, and looks.
    pub(super) fn recovered(&self, allowed: &[State]) -> Result<State, String> {
        let driven = self.open()?;
        self.recovered.set(self.recovered.get() + 1);
        self.holds(&driven, allowed)
    }

    pub(super) fn holds(&self, driven: &Driven, allowed: &[State]) -> Result<State, String> {
        let looker = Looker::open(&self.disk)?;
        looker.is_whole()?;
        let rows = looker.rows()?;
        if let Some(state) = allowed.iter().find(|state| state.rows == rows) {
            let readers = self.recovered.get().is_multiple_of(READERS_LOOK_EVERY);
            if readers && read(&**driven.store(), script::merchant())? != state.read {
                return Err("the store's readers do not say what its rows are".to_owned());
            }
            return Ok(*state);
        }
        let mut what = format!("the database holds {rows:016x}, which is none of {allowed:x?}");
        if self.day.only.is_some() {
            what.push('\n');
            what.push_str(&looker.print());
        }
        Err(what)
    }

    pub(super) fn open(&self) -> Result<Driven, String> {
        Driven::open(&self.disk, self.pages)
            .map_err(|error| format!("the database cannot be opened: {error}"))
    }
}
