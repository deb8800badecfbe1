//! What must hold, one function each, named by its id.
//!
//! `A`: after every commit. `B`: at the moment something leaves the process.
//! `Q`: at rest, after faults have stopped and the bound has passed. `T`: over
//! what was recorded.

pub mod at_boundary;
pub mod at_commit;
pub mod at_rest;
pub mod over_history;
pub mod whereabouts;

/// What concerns one payment's rows is the engine's, and an operator's audit
/// looks at the same.
pub use tongbao_engine::audit::rules::{Verdict, ensure};
