//! What happened to a payment.

use rusqlite::{Connection, params};
use tongbao_core::{EventId, MerchantId, NotificationId, PaymentId};

use super::column::{IdText, json};
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
    event_id: Option<IdText>,
    inbox_id: Option<IdText>,
}

impl LogRow {
    /// `told` and `heard` are what the last of the lines leads to.
    pub(super) fn all(
        entries: &[LogEntry],
        told: Option<EventId>,
        heard: Option<NotificationId>,
    ) -> Vec<Self> {
        let Some((last, before)) = entries.split_last() else {
            return Vec::new();
        };
        let before = before.iter().map(|entry| Self::new(entry, None, None));
        before.chain([Self::new(last, told, heard)]).collect()
    }

    fn new(entry: &LogEntry, told: Option<EventId>, heard: Option<NotificationId>) -> Self {
        Self {
            merchant: IdText::of(entry.merchant),
            payment: IdText::of(entry.payment),
            version: entry.version,
            at: entry.at.as_millis(),
            event: entry.event.as_ref().map(json),
            rules: json(&entry.rules),
            state: entry.state.clone(),
            event_id: told.map(IdText::of),
            inbox_id: heard.map(IdText::of),
        }
    }

    pub(super) fn insert(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "INSERT INTO payment_log \
                   (merchant_id, payment_id, version, at, event, rules, state, event_id, inbox_id) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            self.merchant,
            self.payment,
            self.version,
            self.at,
            self.event,
            self.rules,
            self.state,
            self.event_id,
            self.inbox_id
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

/// Oldest first.
pub(super) fn of(
    db: &Connection,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<LogEntry>, StoreError> {
    let sql = "SELECT version, at, event, rules, state FROM payment_log \
               WHERE merchant_id = ? AND payment_id = ? ORDER BY version";
    let key = params![IdText::of(merchant), IdText::of(payment)];
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
