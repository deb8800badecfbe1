//! What is wrong with the database as such: its pages, its schema, and rows that
//! refer to rows that are not there.
//!
//! References are read from the schema itself, so that a table that is added
//! tomorrow is looked at as well. A thousand lines of one kind are enough: whoever
//! has more restores a backup.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::{column, migrate, statement};
use crate::StoreError;

type Line<'a> = &'a mut dyn FnMut(String);

/// SQLite's own check: pages, indexes, uniqueness, `CHECK` and `NOT NULL`.
pub(super) fn pages(db: &Connection, line: Line<'_>) -> Result<(), StoreError> {
    let found = statement::all(db, "PRAGMA integrity_check(1000)", [], column::text)?;
    found.into_iter().filter(|text| text != "ok").for_each(line);
    Ok(())
}

/// Without a trigger or an index that is gone, the other checks prove less.
pub(super) fn schema(db: &Connection, line: Line<'_>) -> Result<(), StoreError> {
    let mut fresh = Connection::open_in_memory()?;
    migrate::apply(&mut fresh)?;
    let (expected, found) = (objects(&fresh)?, objects(db)?);
    for (name, sql) in &expected {
        match found.iter().find(|(other, _)| other == name) {
            None => line(format!("{name} is missing")),
            Some((_, other)) if other != sql => line(format!("{name} is not as it was made")),
            Some(_) => {}
        }
    }
    for (name, _) in &found {
        if !expected.iter().any(|(other, _)| other == name) {
            line(format!("{name} is not this program's"));
        }
    }
    Ok(())
}

fn objects(db: &Connection) -> Result<Vec<(String, Option<String>)>, StoreError> {
    // `sqlite_stat1` and its like come from ANALYZE.
    let sql = "SELECT type || ' ' || name, sql FROM sqlite_schema \
               WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1";
    statement::all(db, sql, [], |row| Ok((row.text()?, row.opt_text()?)))
}

/// A reference from one table's columns to another's.
#[derive(Default)]
struct Reference {
    table: String,
    parent: String,
    /// Column by column: ours, theirs.
    columns: Vec<(String, String)>,
}

/// As `PRAGMA foreign_key_check`, which does not say which row it is where a
/// table has no row numbers.
pub(super) fn references(db: &Connection, line: Line<'_>) -> Result<(), StoreError> {
    for table in tables(db)? {
        let key = shown(db, &table)?;
        for reference in references_of(db, &table)? {
            strangers(db, &reference, &key, line)?;
        }
    }
    Ok(())
}

fn tables(db: &Connection) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name FROM sqlite_schema \
               WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1";
    statement::all(db, sql, [], column::text)
}

fn key_of(db: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk";
    statement::all(db, sql, [table], column::text)
}

/// What a row is shown by: its key, and the id that the API prints.
fn shown(db: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 OR name = 'id' \
               ORDER BY name = 'id', pk";
    statement::all(db, sql, [table], column::text)
}

fn references_of(db: &Connection, table: &str) -> Result<Vec<Reference>, StoreError> {
    let sql = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?) \
               ORDER BY id, seq";
    let rows = statement::all(db, sql, [table], |row| {
        Ok((row.int()?, row.text()?, row.text()?, row.opt_text()?))
    })?;
    let mut references: Vec<(i64, Reference)> = Vec::new();
    for (id, parent, ours, theirs) in rows {
        if references.last().is_none_or(|(last, _)| *last != id) {
            let reference = Reference {
                table: table.to_owned(),
                parent: parent.clone(),
                columns: Vec::new(),
            };
            references.push((id, reference));
        }
        let Some((_, reference)) = references.last_mut() else {
            continue;
        };
        let place = reference.columns.len();
        let theirs = match theirs {
            Some(theirs) => theirs,
            // Not named: the parent's own key.
            None => key_of(db, &parent)?.get(place).cloned().ok_or_else(|| {
                StoreError::Corrupt(format!("{table} refers to {parent}, which has no key"))
            })?,
        };
        reference.columns.push((ours, theirs));
    }
    Ok(references
        .into_iter()
        .map(|(_, reference)| reference)
        .collect())
}

/// Rows that name a parent which is not there.
fn strangers(
    db: &Connection,
    reference: &Reference,
    key: &[String],
    line: Line<'_>,
) -> Result<(), StoreError> {
    let Reference {
        table,
        parent,
        columns,
    } = reference;
    let all = |each: &dyn Fn(&(String, String)) -> String| {
        let terms: Vec<_> = columns.iter().map(each).collect();
        terms.join(" AND ")
    };
    let named = all(&|(ours, _)| format!("c.\"{ours}\" IS NOT NULL"));
    let found = all(&|(ours, theirs)| format!("p.\"{theirs}\" = c.\"{ours}\""));
    let shown: Vec<_> = key.iter().map(|name| format!("c.\"{name}\"")).collect();
    let sql = format!(
        "SELECT {} FROM \"{table}\" c WHERE {named} \
         AND NOT EXISTS (SELECT 1 FROM \"{parent}\" p WHERE {found}) LIMIT 1000",
        shown.join(", ")
    );
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        line(format!(
            "{table} {}: there is no such row of {parent}, or it is another merchant's",
            printed(row, key.len())?
        ));
    }
    Ok(())
}

/// A row's key as people read it.
fn printed(row: &Row<'_>, columns: usize) -> Result<String, StoreError> {
    let mut parts = Vec::with_capacity(columns);
    for place in 0..columns {
        parts.push(match row.get_ref(place)? {
            ValueRef::Null => "null".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
        });
    }
    Ok(parts.join(" "))
}

/// What is unique in the world and has no index of its own: a platform gives a
/// trade one number, and one attempt led to it.
pub(super) fn numbers(db: &Connection, line: Line<'_>) -> Result<(), StoreError> {
    let sql = "SELECT channels.id, transaction_id, count(*) FROM attempts \
               JOIN channels ON channels.key = channel_key \
               WHERE transaction_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1 LIMIT 1000";
    let found = statement::all(db, sql, [], |row| {
        Ok(format!(
            "{} has trade {} under {} attempts",
            row.text()?,
            row.text()?,
            row.int()?
        ))
    })?;
    found.into_iter().for_each(line);
    Ok(())
}

/// What is added about a payment hangs on it by a chain. `$rows` are a table's
/// rows, `$last` is the payment's column that names the last one.
macro_rules! chain {
    ($table:literal, $last:literal, $what:literal) => {
        [
            // A link that leads nowhere, or to another payment's rows.
            concat!(
                "SELECT payments.id || ': the ",
                $what,
                " before ",
                $what,
                " ' || r.key || ' is gone' ",
                "FROM ",
                $table,
                " r JOIN payments ON payments.key = r.payment_key ",
                "WHERE r.previous IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ",
                $table,
                " p ",
                "WHERE p.key = r.previous AND p.payment_key = r.payment_key) LIMIT 1000"
            ),
            concat!(
                "SELECT id || ': its last ",
                $what,
                " is gone' FROM payments ",
                "WHERE ",
                $last,
                " IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ",
                $table,
                " r ",
                "WHERE r.key = ",
                $last,
                " AND r.payment_key = payments.key) LIMIT 1000"
            ),
            // A row that no link leads to.
            concat!(
                "SELECT '",
                $what,
                " ' || key || ' hangs on no payment' FROM (",
                "SELECT key FROM ",
                $table,
                " WHERE payment_key IS NOT NULL EXCEPT ",
                "SELECT previous FROM ",
                $table,
                " WHERE previous IS NOT NULL EXCEPT ",
                "SELECT ",
                $last,
                " FROM payments WHERE ",
                $last,
                " IS NOT NULL) LIMIT 1000"
            ),
        ]
    };
}

/// Names that no reference guards, each with what is to be said of a row whose
/// name leads nowhere.
const LINKS: [&[&str]; 4] = [
    &chain!("payment_log", "last_line", "line"),
    &chain!("events", "last_event", "event"),
    &chain!("inbox", "last_message", "message"),
    &[
        "SELECT 'an Idempotency-Key promised ' || resource || ', which is not there' \
         FROM idempotency i WHERE substr(resource, 1, 4) = 'pay_' AND NOT EXISTS \
         (SELECT 1 FROM payments p WHERE p.merchant_key = i.merchant_key AND p.id = i.resource) \
         LIMIT 1000",
        "SELECT 'an Idempotency-Key promised ' || resource || ', which is not there' \
         FROM idempotency i WHERE substr(resource, 1, 4) = 'chn_' AND NOT EXISTS \
         (SELECT 1 FROM channels c WHERE c.merchant_key = i.merchant_key AND c.id = i.resource) \
         LIMIT 1000",
        "SELECT payments.id || ': a job is to ' || kind || ' ' || subject_id || ', which is not there' \
         FROM jobs j JOIN payments ON payments.key = j.payment_key WHERE subject_id <> '' \
         AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.payment_key = j.payment_key \
         AND a.key BETWEEN j.payment_key * 32 AND j.payment_key * 32 + 31 \
         AND a.id = j.subject_id) \
         AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.payment_key = j.payment_key \
         AND r.key BETWEEN j.payment_key * 128 AND j.payment_key * 128 + 127 \
         AND r.id = j.subject_id) LIMIT 1000",
        "SELECT 'an Idempotency-Key promised ' || resource || ', which is not there' \
         FROM idempotency i WHERE substr(resource, 1, 4) = 'rfd_' AND NOT EXISTS \
         (SELECT 1 FROM refunds r WHERE r.merchant_key = i.merchant_key AND r.id = i.resource) \
         LIMIT 1000",
    ],
];

pub(super) fn links(db: &Connection, line: Line<'_>) -> Result<(), StoreError> {
    for sql in LINKS.into_iter().flatten() {
        let found = statement::all(db, sql, [], column::text)?;
        found.into_iter().for_each(&mut *line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        migrate::apply(&mut db).unwrap();
        db
    }

    fn lines(look: fn(&Connection, Line<'_>) -> Result<(), StoreError>, db: &Connection) -> String {
        let mut lines = Vec::new();
        look(db, &mut |line| lines.push(line)).unwrap();
        lines.join("\n")
    }

    #[test]
    fn a_new_database_has_no_damage() {
        let db = made();
        for look in [pages, schema, references, numbers, links] {
            assert_eq!(lines(look, &db), "");
        }
    }

    #[test]
    fn a_guard_that_was_taken_away_is_missed() {
        let db = made();
        db.execute_batch("DROP TRIGGER payments_stay; CREATE INDEX mine ON jobs (kind)")
            .unwrap();
        let found = lines(schema, &db);
        assert!(
            found.contains("trigger payments_stay is missing"),
            "{found}"
        );
        assert!(
            found.contains("index mine is not this program's"),
            "{found}"
        );
    }

    #[test]
    fn a_row_of_a_stranger_is_named_by_its_key() {
        let db = made();
        db.execute_batch(
            "PRAGMA foreign_keys = OFF; \
             INSERT INTO endpoints (key, merchant_key, id, url, enabled, event_types, \
             sealed_secret, created_at) VALUES (7, 3, 'whe_y', '', 1, '[]', x'', 0)",
        )
        .unwrap();
        let found = lines(references, &db);
        assert!(found.starts_with("endpoints 7 whe_y: "), "{found}");
        assert!(found.contains("merchants"), "{found}");
    }
}
