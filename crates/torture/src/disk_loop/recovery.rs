//! A disk after a crash: the database is opened again, and looked at.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use tongbao_simulation::chance::Chance;

use super::day::checkpoint_pages;
use super::{Bug, Day, Failure};
use crate::driven::{Driven, FILE};
use crate::machine::Machine;
use crate::medium::Medium;
use crate::script;
use crate::state::{Looker, State, read};
use crate::vfs::Disk;

/// A database is looked at when there was none like it, byte by byte; and once in
/// so many times whatever it is like.
const LOOK_EVERY: u64 = 64;

/// The day's disk, again and again.
pub(super) struct Torture {
    pub(super) disk: Disk,
    pub(super) day: Day,
    pub(super) pages: i64,
    /// So many crashes were recovered from and verified.
    pub(super) recovered: Cell<u64>,
    /// The rows of databases that were found whole, by their images.
    known: RefCell<BTreeMap<u64, u64>>,
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
            known: RefCell::default(),
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

    /// The database is whole, and is in one of these states.
    pub(super) fn holds(&self, driven: &Driven, allowed: &[State]) -> Result<State, String> {
        let looked_at = self.recovered.get().is_multiple_of(LOOK_EVERY);
        let image = self.disk.machine().snapshot(FILE).image();
        let known = image.and_then(|image| self.known.borrow().get(&image).copied());
        let rows = match known {
            Some(rows) if !looked_at => rows,
            _ => self.look(image)?,
        };
        if known.is_some_and(|known| known != rows) {
            return Err("two equal databases hold different rows".to_owned());
        }
        let Some(state) = allowed.iter().find(|state| state.rows == rows) else {
            return Err(self.none_of(rows, allowed));
        };
        let readers = looked_at || known.is_none();
        if readers && read(&**driven.store(), script::merchant())? != state.read {
            return Err("the store's readers do not say what its rows are".to_owned());
        }
        Ok(*state)
    }

    fn look(&self, image: Option<u64>) -> Result<u64, String> {
        let looker = Looker::open(&self.disk)?;
        looker.is_whole()?;
        let rows = looker.rows()?;
        if let Some(image) = image {
            self.known.borrow_mut().insert(image, rows);
        }
        Ok(rows)
    }

    fn none_of(&self, rows: u64, allowed: &[State]) -> String {
        let what = format!("the database holds {rows:016x}, which is none of {allowed:x?}");
        if self.day.only.is_none() {
            return what;
        }
        let looker = Looker::open(&self.disk);
        let printed = looker.map_or_else(|error| error, |looker| looker.print());
        format!("{what}\n{printed}")
    }

    pub(super) fn open(&self) -> Result<Driven, String> {
        Driven::open(&self.disk, self.pages)
            .map_err(|error| format!("the database cannot be opened: {error}"))
    }
}
