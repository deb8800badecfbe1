//! The decisions, held against a table, stories and random worlds.

mod case_refunds;
mod cases;
mod edges;
mod every_pair;
mod honest;
mod json;
mod random;
mod refunds;
mod refusals;
mod step_rules;
// One line a row, however long.
#[rustfmt::skip]
mod stories;
#[rustfmt::skip]
mod table;
#[rustfmt::skip]
mod till;
mod words;
mod world;
