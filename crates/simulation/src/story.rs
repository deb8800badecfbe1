//! What happened, for people; and what should not have.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tongbao_core::Timestamp;

use crate::invariants::whereabouts::file_of;

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one: `M5`, `E4`, …
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
    /// When, in the world's time.
    pub at: Timestamp,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, file) = (self.invariant, file_of(self.invariant));
        write!(
            f,
            "{id} broken at {}: {}\n  ({id} is in {file})",
            self.at, self.what
        )
    }
}

#[derive(Default)]
struct Pages {
    lines: Vec<String>,
    violations: Vec<Violation>,
}

/// The record of one run.
pub struct Story {
    /// Lines are kept; without it only violations are.
    told: bool,
    broken: AtomicBool,
    pages: Mutex<Pages>,
}

impl Story {
    /// An empty record.
    pub fn new(told: bool) -> Self {
        Self {
            told,
            broken: AtomicBool::new(false),
            pages: Mutex::default(),
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened between two parties.
    pub fn tell(&self, at: Timestamp, from: &str, to: &str, what: impl FnOnce() -> String) {
        if self.told {
            let millis = at.as_millis().rem_euclid(1_000);
            // Its day and time of `2026-09-21T14:26:16Z`, as violations print it.
            let time = at.to_string();
            let clock = format!("{} {}.{millis:03}", &time[8..10], &time[11..19]);
            let line = format!("{clock}  {from:>9} → {to:<9} {}", what());
            self.pages().lines.push(line);
        }
    }

    /// An invariant does not hold.
    pub fn violate(&self, at: Timestamp, invariant: &'static str, what: String) {
        self.tell(at, "INVARIANT", invariant, || what.clone());
        self.broken.store(true, Ordering::Relaxed);
        let mut pages = self.pages();
        // One is enough to fail; a run that is broken breaks many.
        if pages.violations.len() < 16 {
            pages.violations.push(Violation {
                invariant,
                what,
                at,
            });
        }
    }

    /// Whether anything is wrong so far.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// The violations so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.pages().violations.clone()
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.pages().lines.clone()
    }
}
