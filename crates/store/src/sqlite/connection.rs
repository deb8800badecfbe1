//! Opening a connection, with the settings that keep what was acknowledged.

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::place::Place;
use crate::StoreError;

/// Older ones can corrupt a write-ahead log that two connections use.
const OLDEST: i32 = 3_051_003;

/// Nobody else writes, so nobody waits long: for recovery after a crash, at
/// most.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Every statement of ours, with room to spare.
const STATEMENTS: usize = 160;

/// In KiB, as SQLite wants it: negative.
const WRITER_CACHE: i64 = -16 * 1024;
const READER_CACHE: i64 = -1024;

/// The one connection that writes.
pub(super) fn writer(place: &Place) -> Result<Connection, StoreError> {
    refuse_old(rusqlite::version_number())?;
    place.settle_log()?;
    let db = open(place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // What is already open in another mode, or on a file system without shared
    // memory, says so by answering with another word.
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    assert_setting("journal_mode", mode == "wal")?;
    set(&db, "synchronous", 2)?;
    set(&db, "cache_size", WRITER_CACHE)?;
    set(&db, "temp_store", 2)?;
    // macOS keeps what was synced in the disk's own cache without it.
    set(&db, "fullfsync", 1)?;
    set(&db, "checkpoint_fullfsync", 1)?;
    // The writer does it between batches, when nobody waits for an answer.
    set(&db, "wal_autocheckpoint", 0)?;
    Ok(db)
}

/// A connection that cannot write.
pub(super) fn reader(place: &Place) -> Result<Connection, StoreError> {
    let db = open(place, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    set(&db, "query_only", 1)?;
    set(&db, "cache_size", READER_CACHE)?;
    Ok(db)
}

fn open(place: &Place, flags: OpenFlags) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = match place.file_system.vfs() {
        None => Connection::open_with_flags(&place.path, flags)?,
        Some(vfs) => Connection::open_with_flags_and_vfs(&place.path, flags, vfs)?,
    };
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.busy_timeout(BUSY_TIMEOUT)?;
    set(&db, "foreign_keys", 1)?;
    set(&db, "trusted_schema", 0)?;
    set(&db, "cell_size_check", 1)?;
    set(&db, "mmap_size", 0)?;
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        // Without it, a value that might fit a partial index makes SQLite plan
        // the statement anew each time.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        assert_setting("db_config", db.set_db_config(config, on)? == on)?;
    }
    let timeout: i64 = db.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
    assert_setting("busy_timeout", timeout > 0)?;
    Ok(db)
}

/// Sets it, and asks: SQLite passes over what it does not know or cannot do.
fn set(db: &Connection, name: &str, value: i64) -> Result<(), StoreError> {
    db.pragma_update(None, name, value)?;
    let taken: i64 = db.pragma_query_value(None, name, |row| row.get(0))?;
    assert_setting(name, taken == value)
}

fn assert_setting(name: &str, holds: bool) -> Result<(), StoreError> {
    if holds {
        return Ok(());
    }
    Err(StoreError::Failed(format!(
        "SQLite did not take the setting {name}; keep the database on a local disk, and use the \
         SQLite that is built in"
    )))
}

fn refuse_old(version: i32) -> Result<(), StoreError> {
    if version >= OLDEST {
        return Ok(());
    }
    let (major, minor, patch) = (
        version / 1_000_000,
        version / 1_000 % 1_000,
        version % 1_000,
    );
    Err(StoreError::Failed(format!(
        "SQLite {major}.{minor}.{patch} can lose what was written; build with the SQLite that is \
         bundled, 3.51.3 or newer"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sqlite_is_refused() {
        assert!(refuse_old(3_051_002).is_err());
        assert_eq!(refuse_old(3_051_003), Ok(()));
        assert_eq!(refuse_old(rusqlite::version_number()), Ok(()));
    }

    #[test]
    fn the_settings_hold_on_both_sides() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path().join("tongbao.db"));
        std::fs::File::create(&place.path).unwrap();
        let (writer, reader) = (writer(&place).unwrap(), reader(&place).unwrap());

        let ask = |db: &Connection, name: &str| -> String {
            db.pragma_query_value(None, name, |row| {
                let value: rusqlite::types::Value = row.get(0)?;
                Ok(match value {
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => format!("{other:?}"),
                })
            })
            .unwrap()
        };
        for db in [&writer, &reader] {
            assert_eq!(ask(db, "journal_mode"), "wal");
            assert_eq!(ask(db, "foreign_keys"), "1");
            assert_eq!(ask(db, "trusted_schema"), "0");
            assert_eq!(ask(db, "cell_size_check"), "1");
            assert_eq!(ask(db, "busy_timeout"), "5000");
            assert!(db.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap());
        }
        assert_eq!(ask(&writer, "synchronous"), "2");
        assert!(reader.execute_batch("CREATE TABLE t (a)").is_err());
    }
}
