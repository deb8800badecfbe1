//! What the gateway has written down, read behind its back.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

pub(crate) struct Database(Connection);

/// Tables in which a refused message may leave a trace: the sample of refused
/// messages, and what the worker does by itself all the time.
const LIVELY: [&str; 3] = ["inbox", "jobs", "fence"];

impl Database {
    pub(crate) fn open(path: &Path) -> Self {
        Self(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap())
    }

    /// Every row of every table but [`LIVELY`] ones, and which jobs the payment
    /// has.
    pub(crate) fn facts(&self, payment: &str) -> Vec<String> {
        self.all(payment, |_, _| true)
    }

    /// The same without what a hint leaves: that a question is to be asked, the
    /// line in the timeline that says so, and the message in the inbox.
    pub(crate) fn facts_but_hints(&self, payment: &str) -> Vec<String> {
        self.all(payment, |table, column| {
            let left = ["hinted_at", "version", "last_line", "last_message"];
            table != "payment_log" && !left.contains(&column)
        })
    }

    fn all(&self, payment: &str, counts: impl Fn(&str, &str) -> bool) -> Vec<String> {
        self.0.execute_batch("BEGIN").unwrap();
        let jobs = format!(
            "SELECT 'job', kind, subject_id FROM readable_jobs WHERE payment_id = '{payment}'"
        );
        let mut facts = self.rows(&jobs);
        for table in self.column("SELECT name FROM sqlite_master WHERE type = 'table'") {
            if LIVELY.contains(&&*table) {
                continue;
            }
            let mut columns =
                self.column(&format!("SELECT name FROM pragma_table_info('{table}')"));
            columns.retain(|column| counts(&table, column));
            if !columns.is_empty() {
                facts.extend(self.rows(&format!(
                    "SELECT '{table}', {} FROM {table}",
                    columns.join(", ")
                )));
            }
        }
        self.0.execute_batch("COMMIT").unwrap();
        facts.sort();
        facts
    }

    fn column(&self, sql: &str) -> Vec<String> {
        let rows = self.rows(sql);
        rows.iter()
            .map(|row| row.trim_matches('|').to_owned())
            .collect()
    }

    /// One number.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Another one after every commit of somebody else.
    pub(crate) fn version(&self) -> i64 {
        self.count("PRAGMA data_version")
    }

    /// Each row as one text.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let mut texts = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns).map(|column| match row.get_ref(column).unwrap() {
                ValueRef::Null => "|-".to_owned(),
                ValueRef::Integer(number) => format!("|{number}"),
                ValueRef::Text(bytes) => format!("|{}", String::from_utf8_lossy(bytes)),
                other => format!("|{other:?}"),
            });
            texts.push(values.collect::<Vec<_>>().concat());
        }
        texts
    }
}

/// The lines that are only on one side, for people.
pub(crate) fn difference(before: &[String], after: &[String]) -> String {
    let gone = before.iter().filter(|line| !after.contains(line));
    let new = after.iter().filter(|line| !before.contains(line));
    let gone = gone.map(|line| format!("- {line}\n"));
    gone.chain(new.map(|line| format!("+ {line}\n"))).collect()
}
