//! The program: configuration, the seams made of the real world, the accept
//! loop, and the commands. Nothing about payments is decided here.

pub mod cli;
pub mod config;
pub mod data_dir;
pub mod logs;
pub mod master_key;
pub mod seams;
pub mod secret;
pub mod server;
mod yuan;
