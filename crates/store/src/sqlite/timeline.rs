//! What happened to a payment.

use rusqlite::{Connection, params};
use tongbao_core::{MerchantId, PaymentId};

use super::column::{IdText, json};
use super::heads::Heads;
use super::statement;
use crate::{LogEntry, StoreError};

/// One line, ready to be written.
pub(super) struct LogRow {
    merchant: IdText,
    payment: IdText,
    version: i64,
    at: i64,
    event: Option<String>,
    rules: String,
    state: String,
}

impl LogRow {
    pub(super) fn new(entry: LogEntry) -> Self {
        Self {
            merchant: IdText::of(entry.merchant),
            payment: IdText::of(entry.payment),
            version: entry.version,
            at: entry.at.as_millis(),
            event: entry.event.as_ref().map(json),
            rules: json(&entry.rules),
            state: entry.state,
        }
    }

    pub(super) fn insert(&self, db: &Connection, heads: &mut Heads) -> Result<(), StoreError> {
        let head = heads.referred(db, &self.merchant, &self.payment)?;
        let sql = "INSERT INTO payment_log \
                   (payment_key, version, at, event, rules, state, previous) \
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            head.key,
            self.version,
            self.at,
            self.event,
            self.rules,
            self.state,
            head.last_line.key(),
        ];
        statement::run(db, sql, row)?;
        head.last_line.hang(db.last_insert_rowid());
        Ok(())
    }
}

/// Oldest first.
pub(super) fn of(
    db: &Connection,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<LogEntry>, StoreError> {
    let sql = "WITH RECURSIVE chain (key) AS ( \
               SELECT last_line FROM payments JOIN merchants ON merchants.key = merchant_key \
               WHERE payments.id = ? AND merchants.id = ? \
               UNION SELECT previous FROM chain JOIN payment_log USING (key)) \
               SELECT version, at, event, rules, state FROM chain JOIN payment_log USING (key) \
               ORDER BY version";
    let key = params![IdText::of(payment), IdText::of(merchant)];
    statement::all(db, sql, key, |row| {
        Ok(LogEntry {
            merchant,
            payment,
            version: row.int()?,
            at: row.time()?,
            event: row.opt_json()?,
            rules: row.json()?,
            state: row.text()?,
        })
    })
}
