//! What must hold, one function each, named by its id.
//!
//! `A`: after every commit. `B`: at the moment something leaves the process.
//! `Q`: at rest, after faults have stopped and the bound has passed. `T`: over
//! what was recorded.

pub mod at_boundary;
pub mod at_commit;
pub mod at_rest;
pub mod over_history;

/// What a check says.
pub type Verdict = Result<(), String>;

/// Fails with `what` unless `holds`.
pub fn ensure(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}
