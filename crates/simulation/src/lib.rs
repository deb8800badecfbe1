//! A day of payments from one seed, with everything failing.
//!
//! The production core, channels and engine run here in one thread: time,
//! chance, network and database come from the seed, the platform is the same
//! state machine that the HTTP simulator serves. Processes die between any two
//! instructions, messages are lost, doubled, late and forged, and at every
//! boundary it is checked that no fen was lost and nobody was told a lie.
//!
//! Nothing of this is ever part of the program.

pub mod alarm;
pub mod chance;
pub mod coverage;
pub mod event;
pub mod forgery;
pub mod gateway;
pub mod harness;
pub mod invariants;
pub mod kernel;
pub mod model_store;
pub mod saboteur;
pub mod seams;
pub mod secrets;
pub mod seed;
pub mod shrink;
pub mod story;
pub mod truth;
pub mod world;
