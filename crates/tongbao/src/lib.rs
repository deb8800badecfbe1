//! The program: configuration, the seams made of the real world, the accept
//! loop, and the commands.
//!
//! What a gateway is made of is put together in [`gateway`], once for every
//! command and every test. Nothing about payments is decided here.

pub mod attack;
mod audit;
mod bench;
pub mod cli;
pub mod config;
pub mod data_dir;
mod declared;
mod demo;
pub mod gateway;
pub mod logs;
pub mod master_key;
pub mod process;
pub mod seams;
pub mod secret;
pub mod server;
pub mod yuan;
