//! The whole program and its real database on a simulated disk.
//!
//! The real SQLite runs here on a disk that lives in memory and loses power at
//! any of its operations: what was not synced is then there or not, whole or
//! torn. [`disk_loop`] lets every single operation of a script of the store's
//! commands fail in turn; [`whole`] puts router, engine and store together into
//! the world of `tongbao-simulation`.
//!
//! Nothing of this is ever part of the program.

pub mod command;
pub mod disk_loop;
pub mod driven;
mod hash;
pub mod image;
pub mod machine;
pub mod medium;
pub mod script;
pub mod state;
pub mod vfs;
pub mod whole;
