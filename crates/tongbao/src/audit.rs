//! Looking through a database beside whoever uses it, and saying what was found.

mod json;
mod words;

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use tongbao_engine::Clock;
use tongbao_engine::audit::{self, Keys, Progress, Report};
use tongbao_store::snapshot::Part;
use tongbao_store::sqlite::SqliteSnapshot;

use crate::seams::SystemClock;

pub(crate) use json::json;
pub(crate) use words::{Verdict, Words};

/// Looks through the database as it is now, and shows on the terminal how far it
/// has come.
pub(crate) fn look(database: &Path, keys: &Keys) -> anyhow::Result<Report> {
    let now = SystemClock.now();
    let snapshot = SqliteSnapshot::open(database)?;
    let bar = bar()?;
    let report = audit::audit(&snapshot, keys, now, &mut |progress| match progress {
        Progress::Part(part) => bar.set_message(match part {
            Part::Pages => "pages and indexes",
            Part::Schema => "tables and guards",
            Part::References => "references",
            Part::Numbers => "numbers",
            Part::Links => "links",
        }),
        Progress::Payments(count) => {
            bar.set_length(count);
            bar.set_message("payments");
        }
        Progress::Payment => bar.inc(1),
        Progress::Rest => bar.set_message("messages, cases, secrets"),
    });
    bar.finish_and_clear();
    Ok(report?)
}

/// On standard error, and only where somebody looks.
fn bar() -> anyhow::Result<ProgressBar> {
    let template = "{spinner} {elapsed:>4} {bar:30} {human_pos}/{human_len}  {msg}";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(template)?);
    // One long step says nothing by itself.
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    Ok(bar)
}
