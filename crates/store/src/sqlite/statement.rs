//! Running one prepared statement.

use rusqlite::{Connection, Params};

use super::column::Columns;
use crate::StoreError;

/// How many rows it changed.
pub(super) fn run(db: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let changed = statement.execute(params)?;
    #[cfg(test)]
    super::cost::count(&statement);
    Ok(changed)
}

/// The first row, if there is one.
pub(super) fn first<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&mut Columns<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let first = rows
        .next()?
        .map(|row| read(&mut Columns::new(row)))
        .transpose();
    drop(rows);
    #[cfg(test)]
    super::cost::count(&statement);
    first
}

/// Every row.
pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&mut Columns<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let all = statement
        .query_and_then(params, |row| read(&mut Columns::new(row)))?
        .collect();
    #[cfg(test)]
    super::cost::count(&statement);
    all
}
