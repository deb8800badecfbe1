//! Merchants' names for requests.

use rusqlite::{Connection, params};
use tongbao_core::MerchantId;

use super::column::IdText;
use super::statement;
use crate::{IdempotencyRecord, StoreError};

/// A record, ready to be written.
pub(super) struct IdempotencyRow {
    merchant: IdText,
    record: IdempotencyRecord,
}

impl IdempotencyRow {
    pub(super) fn new(record: IdempotencyRecord) -> Self {
        Self {
            merchant: IdText::of(record.merchant),
            record,
        }
    }

    pub(super) fn insert(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "INSERT INTO idempotency (merchant_key, key, fingerprint, resource, created_at) \
                   VALUES ((SELECT key FROM merchants WHERE id = ?), ?, ?, ?, ?)";
        let row = params![
            self.merchant,
            self.record.key,
            self.record.fingerprint,
            self.record.resource,
            self.record.created_at.as_millis(),
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

pub(super) fn of(
    db: &Connection,
    merchant: MerchantId,
    key: &str,
) -> Result<Option<IdempotencyRecord>, StoreError> {
    let sql = "SELECT key, fingerprint, resource, created_at FROM idempotency \
               WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?) AND key = ?";
    statement::first(db, sql, params![IdText::of(merchant), key], |row| {
        Ok(IdempotencyRecord {
            merchant,
            key: row.text()?,
            fingerprint: row.hash()?,
            resource: row.text()?,
            created_at: row.time()?,
        })
    })
}
