//! `tongbao audit`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use tongbao_engine::audit::{Keys, Severity};

use crate::audit::{Words, json, look};
use crate::config::Config;
use crate::data_dir::database;
use crate::master_key;

/// Looks through the whole database: does everything add up?
///
/// Every payment against its timeline, every amount that was received against what was accepted or
/// is a case, every event against what it says; jobs, references, evidence, secrets and the file
/// itself. Writes nothing, takes no lock, and may run beside the gateway: it looks at one moment.
///
/// Ends with 0 when everything is right, with 1 when something is not, with 2 when it could not
/// look. What waits for a person (an open case, a webhook that was given up) is shown, and is not
/// wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tongbao audit
  tongbao audit --json | jq .verdict
  tongbao audit --data-dir /var/lib/tongbao     another one than the configuration's")]
pub(super) struct Args {
    /// The data directory; the configuration's when left out. The master key is looked for in it,
    /// or in the environment.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    crate::logs::start(&config.log);
    let mut config = config.clone();
    if let Some(dir) = args.data_dir {
        config.data_dir = dir;
        config.key.file = None;
    }
    let database = database(&config.data_dir);
    ensure!(
        database.exists(),
        "no database in {}; set data_dir, or name another directory with --data-dir",
        config.data_dir.display()
    );
    let (keys, no_key) = match master_key::find(&config)? {
        Some(key) => (Keys::Master(key), None),
        None => (
            Keys::None,
            Some(format!(
                "there is no master key at {}",
                config.key_file().display()
            )),
        ),
    };
    let report = look(&database, &keys)?;
    if args.json {
        println!("{}", json(&report, no_key.is_none())?);
    } else {
        let words = Words {
            report: &report,
            no_key: no_key.as_deref(),
        };
        println!("{words}");
    }
    Ok(match report.count(Severity::Wrong) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    })
}
