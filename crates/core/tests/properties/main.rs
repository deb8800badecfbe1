//! What holds for every amount, time, id, order and wait, not only for the examples.
//! Decisions have their properties where they are made, in `payment/tests`.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod ids;
mod money;
mod orders;
mod schedules;
mod times;
