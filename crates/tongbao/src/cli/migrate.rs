//! `tongbao migrate`

use std::process::ExitCode;

use tongbao_store::sqlite::{Migrated, migrate};

use crate::config::Config;
use crate::data_dir::{DataDir, database};

/// Brings the database to this version's schema.
///
/// As `serve` does at its start. The gateway must not be running.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Make a copy of the whole data directory and of the master key first, while nothing is running: an
older version cannot read a newer database.")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    crate::logs::start(&config.log);
    if !database(&config.data_dir).exists() {
        println!(
            "no database in {}; the first start makes it",
            config.data_dir.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let dir = DataDir::open(&config.data_dir)?;
    let Migrated { from, to } = migrate(&dir.database())?;
    if from == to {
        println!("schema {to}: nothing to do");
    } else {
        println!("schema {from} → {to}");
    }
    Ok(ExitCode::SUCCESS)
}
