//! The keys that seal secrets, themselves under seal.

use rusqlite::{Connection, params};

use super::column::IdText;
use super::statement;
use crate::{DataKey, StoreError};

pub(super) fn insert(db: &Connection, key: &DataKey) -> Result<(), StoreError> {
    let sql = "INSERT INTO data_keys (id, merchant_key, wrapped, created_at) \
               VALUES (?, (SELECT key FROM merchants WHERE id = ?), ?, ?)";
    let row = params![
        key.id,
        IdText::of(key.merchant),
        key.wrapped,
        key.created_at.as_millis()
    ];
    statement::run(db, sql, row).map(|_| ())
}

pub(super) fn all(db: &Connection) -> Result<Vec<DataKey>, StoreError> {
    let sql = "SELECT data_keys.id, merchants.id, wrapped, data_keys.created_at \
               FROM data_keys JOIN merchants ON key = merchant_key ORDER BY data_keys.id";
    statement::all(db, sql, [], |row| {
        Ok(DataKey {
            id: row.number()?,
            merchant: row.id()?,
            wrapped: row.bytes()?,
            created_at: row.time()?,
        })
    })
}
