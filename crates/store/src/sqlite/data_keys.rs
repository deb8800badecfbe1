//! The keys that seal secrets, themselves under seal.

use rusqlite::{Connection, params};

use super::column::IdText;
use super::statement;
use crate::{DataKey, StoreError};

pub(super) fn insert(db: &Connection, key: &DataKey) -> Result<(), StoreError> {
    let sql = "INSERT INTO data_keys (id, merchant_id, wrapped, created_at) VALUES (?, ?, ?, ?)";
    let row = params![
        key.id,
        IdText::of(key.merchant),
        key.wrapped,
        key.created_at.as_millis()
    ];
    statement::run(db, sql, row).map(|_| ())
}

pub(super) fn all(db: &Connection) -> Result<Vec<DataKey>, StoreError> {
    let sql = "SELECT id, merchant_id, wrapped, created_at FROM data_keys ORDER BY id";
    statement::all(db, sql, [], |row| {
        Ok(DataKey {
            id: row.number()?,
            merchant: row.id()?,
            wrapped: row.bytes()?,
            created_at: row.time()?,
        })
    })
}
