//! What merchants are told.

use rusqlite::{Connection, params};
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{EventId, MerchantId};

use super::column::{Columns, IdText};
use super::heads::Heads;
use super::{keys, page, statement};
use crate::{EventFilter, Page, StoreError};

/// An event, ready to be written.
pub(super) struct EventRow {
    merchant: IdText,
    id: IdText,
    payment: Option<IdText>,
    /// As it stands in an endpoint's list.
    quoted_type: String,
    event: WebhookEvent,
}

impl EventRow {
    pub(super) fn new(event: WebhookEvent) -> Self {
        Self {
            merchant: IdText::of(event.merchant),
            id: IdText::of(event.id),
            payment: event.payment.map(IdText::of),
            quoted_type: quoted(event.kind),
            event,
        }
    }

    /// With a delivery for every endpoint that listens now.
    pub(super) fn insert(&self, db: &Connection, heads: &mut Heads) -> Result<(), StoreError> {
        let Some(payment) = &self.payment else {
            let merchant = keys::merchant(db, &self.merchant)?;
            return self.insert_row(db, merchant, None, None).map(|_| ());
        };
        let head = heads.referred(db, &self.merchant, payment)?;
        let previous = head.last_event.key();
        let key = self.insert_row(db, head.merchant_key, Some(head.key), previous)?;
        head.last_event.hang(key);
        Ok(())
    }

    fn insert_row(
        &self,
        db: &Connection,
        merchant: i64,
        payment: Option<i64>,
        previous: Option<i64>,
    ) -> Result<i64, StoreError> {
        let sql = "INSERT INTO events (merchant_key, id, payment_key, store, type, sequence, \
                   body, created_at, previous) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            merchant,
            self.id,
            payment,
            self.event.store.map(IdText::of),
            self.event.kind.as_str(),
            self.event.sequence,
            self.event.body,
            self.event.created_at.as_millis(),
            previous,
        ];
        statement::run(db, sql, row)?;
        let key = db.last_insert_rowid();
        self.insert_deliveries(db, merchant, key)?;
        Ok(key)
    }

    fn insert_deliveries(
        &self,
        db: &Connection,
        merchant: i64,
        event: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO deliveries \
                   (merchant_key, event_key, endpoint_key, state, due, tries, fence) \
                   SELECT merchant_key, ?2, key, 'pending', ?3, 0, 0 FROM endpoints \
                   WHERE merchant_key = ?1 AND NOT deleted \
                   AND (event_types = '[]' OR instr(event_types, ?4)) \
                   AND (store IS NULL OR store = ?5)";
        let row = params![
            merchant,
            event,
            self.event.created_at.as_millis(),
            self.quoted_type,
            self.event.store.map(IdText::of),
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

/// A type as it stands in a JSON array.
pub(super) fn quoted(kind: EventType) -> String {
    format!("\"{}\"", kind.as_str())
}

/// Every column, in the order in which [`read`] takes them.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT merchants.id, events.id, payments.id, events.store, type, sequence, body, \
             events.created_at \
             FROM events JOIN merchants ON merchants.key = events.merchant_key \
             LEFT JOIN payments ON payments.key = payment_key ",
            $which
        )
    };
}

pub(super) fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: EventId,
) -> Result<Option<WebhookEvent>, StoreError> {
    let sql = select!("WHERE merchants.id = ? AND events.id = ?");
    let key = params![IdText::of(merchant), IdText::of(id)];
    statement::first(db, sql, key, read)
}

pub(super) fn by_key(db: &Connection, key: i64) -> Result<Option<WebhookEvent>, StoreError> {
    statement::first(db, select!("WHERE events.key = ?"), params![key], read)
}

pub(super) fn list(
    db: &Connection,
    filter: &EventFilter,
) -> Result<Page<WebhookEvent>, StoreError> {
    let merchant = IdText::of(filter.merchant);
    let Some(behind) = behind(db, &merchant, filter.cursor.as_deref())? else {
        return Ok(page::empty());
    };
    let keys = match filter.payment {
        Some(payment) => of_payment(db, &merchant, &IdText::of(payment), filter.kind, behind)?,
        None => of_types(db, &merchant, filter, behind)?,
    };
    page::newest(
        keys,
        filter.limit,
        |(_, key)| by_key(db, key),
        |event| event.id.to_string(),
    )
}

/// When it was made, and its key.
type Key = (i64, i64);

fn of_types(
    db: &Connection,
    merchant: &IdText,
    filter: &EventFilter,
    behind: Key,
) -> Result<Vec<Key>, StoreError> {
    let sql = "SELECT created_at, key FROM events \
               WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) AND type = ?2 \
               AND (created_at, key) < (?3, ?4) \
               ORDER BY created_at DESC, key DESC LIMIT ?5";
    let mut keys = Vec::new();
    let wanted = |kind: &EventType| filter.kind.is_none_or(|asked| asked == *kind);
    for kind in EventType::ALL.into_iter().filter(wanted) {
        let limit = page::fetched(filter.limit);
        let key = params![merchant, kind.as_str(), behind.0, behind.1, limit];
        keys.extend(statement::all(db, sql, key, read_key)?);
    }
    Ok(keys)
}

/// A payment has a handful of events: all of them are looked at.
fn of_payment(
    db: &Connection,
    merchant: &IdText,
    payment: &IdText,
    kind: Option<EventType>,
    behind: Key,
) -> Result<Vec<Key>, StoreError> {
    let sql = "WITH RECURSIVE chain (key) AS ( \
               SELECT last_event FROM payments JOIN merchants ON merchants.key = merchant_key \
               WHERE payments.id = ? AND merchants.id = ? \
               UNION SELECT previous FROM chain JOIN events USING (key)) \
               SELECT created_at, key FROM chain JOIN events USING (key) \
               WHERE (?3 IS NULL OR type = ?3) AND (created_at, key) < (?4, ?5)";
    let kind = kind.map(EventType::as_str);
    let key = params![payment, merchant, kind, behind.0, behind.1];
    statement::all(db, sql, key, read_key)
}

fn read_key(row: &mut Columns<'_>) -> Result<Key, StoreError> {
    Ok((row.int()?, row.int()?))
}

/// The key that the list is behind; `None` when the cursor is no row of the
/// merchant's.
fn behind(
    db: &Connection,
    merchant: &IdText,
    cursor: Option<&str>,
) -> Result<Option<Key>, StoreError> {
    let Some(cursor) = cursor else {
        return Ok(Some((i64::MAX, i64::MAX)));
    };
    let sql = "SELECT created_at, key FROM events \
               WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?) AND id = ?";
    statement::first(db, sql, params![merchant, cursor], read_key)
}

fn read(row: &mut Columns<'_>) -> Result<WebhookEvent, StoreError> {
    let (merchant, id) = (row.id()?, row.id()?);
    Ok(WebhookEvent {
        id,
        merchant,
        payment: row.opt_id()?,
        store: row.opt_id()?,
        kind: row.word(EventType::parse)?,
        sequence: row.int()?,
        body: row.text()?,
        created_at: row.time()?,
    })
}
