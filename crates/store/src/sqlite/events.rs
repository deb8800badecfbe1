//! What merchants are told.

use rusqlite::{Connection, params};
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{EventId, MerchantId};

use super::column::{self, Columns, IdText};
use super::{page, statement};
use crate::{EventFilter, Page, StoreError};

/// An event, ready to be written.
pub(super) struct EventRow {
    merchant: IdText,
    id: IdText,
    payment: Option<IdText>,
    /// As it stands in an endpoint's list.
    quoted_type: String,
    logged: bool,
    event: WebhookEvent,
}

impl EventRow {
    /// `logged`: a line of the payment's timeline leads to it.
    pub(super) fn new(logged: bool, event: WebhookEvent) -> Self {
        Self {
            merchant: IdText::of(event.merchant),
            id: IdText::of(event.id),
            payment: event.payment.map(IdText::of),
            quoted_type: quoted(event.kind),
            logged,
            event,
        }
    }

    /// With a delivery for every endpoint that listens now.
    pub(super) fn insert(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "INSERT INTO events \
                   (merchant_id, id, payment_id, store, type, sequence, body, created_at, logged) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            self.merchant,
            self.id,
            self.payment,
            self.event.store,
            self.event.kind.as_str(),
            self.event.sequence,
            self.event.body,
            self.event.created_at.as_millis(),
            self.logged,
        ];
        statement::run(db, sql, row)?;
        let sql = "INSERT INTO deliveries \
                   (merchant_id, event_id, endpoint_id, state, due, tries, fence) \
                   SELECT merchant_id, ?2, id, 'pending', ?3, 0, 0 FROM endpoints \
                   WHERE merchant_id = ?1 AND enabled \
                   AND (event_types = '[]' OR instr(event_types, ?4)) \
                   AND (store IS NULL OR store = ?5)";
        let row = params![
            self.merchant,
            self.id,
            self.event.created_at.as_millis(),
            self.quoted_type,
            self.event.store,
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

/// A type as it stands in a JSON array.
pub(super) fn quoted(kind: EventType) -> String {
    format!("\"{}\"", kind.as_str())
}

pub(super) fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: EventId,
) -> Result<Option<WebhookEvent>, StoreError> {
    let sql = "SELECT merchant_id, id, payment_id, store, type, sequence, body, created_at \
               FROM events WHERE merchant_id = ? AND id = ?";
    let key = params![IdText::of(merchant), IdText::of(id)];
    statement::first(db, sql, key, read)
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
        Some(payment) => of_payment(db, &merchant, &IdText::of(payment), filter.kind, &behind)?,
        None => of_types(db, &merchant, filter, &behind)?,
    };
    page::newest(
        keys,
        filter.limit,
        |(_, id)| id,
        |(_, id)| by_id(db, filter.merchant, id),
    )
}

type Key = (i64, EventId);

fn of_types(
    db: &Connection,
    merchant: &IdText,
    filter: &EventFilter,
    behind: &(i64, String),
) -> Result<Vec<Key>, StoreError> {
    let sql = "SELECT created_at, id FROM events \
               WHERE merchant_id = ?1 AND type = ?2 AND (created_at, id) < (?3, ?4) \
               ORDER BY created_at DESC, id DESC LIMIT ?5";
    let mut keys = Vec::new();
    let wanted = |kind: &EventType| filter.kind.is_none_or(|asked| asked == *kind);
    for kind in EventType::ALL.into_iter().filter(wanted) {
        let limit = page::fetched(filter.limit);
        let key = params![merchant, kind.as_str(), behind.0, behind.1, limit];
        keys.extend(statement::all(db, sql, key, read_key)?);
    }
    Ok(keys)
}

/// A payment has a handful of events: all of them are looked at. Its timeline
/// leads to most, an index to the others.
fn of_payment(
    db: &Connection,
    merchant: &IdText,
    payment: &IdText,
    kind: Option<EventType>,
    behind: &(i64, String),
) -> Result<Vec<Key>, StoreError> {
    let logged = "SELECT created_at, id FROM events \
                  WHERE merchant_id = ?1 AND payment_id = ?2 AND id IN \
                  (SELECT event_id FROM payment_log WHERE merchant_id = ?1 AND payment_id = ?2) \
                  AND (?3 IS NULL OR type = ?3) AND (created_at, id) < (?4, ?5)";
    let others = "SELECT created_at, id FROM events \
                  WHERE merchant_id = ?1 AND payment_id = ?2 AND logged = 0 \
                  AND (?3 IS NULL OR type = ?3) AND (created_at, id) < (?4, ?5)";
    let kind = kind.map(EventType::as_str);
    let mut keys = Vec::new();
    for sql in [logged, others] {
        let key = params![merchant, payment, kind, behind.0, behind.1];
        keys.extend(statement::all(db, sql, key, read_key)?);
    }
    Ok(keys)
}

fn read_key(row: &mut Columns<'_>) -> Result<Key, StoreError> {
    Ok((row.int()?, row.id()?))
}

/// The key that the list is behind; `None` when the cursor is no row of the
/// merchant's.
fn behind(
    db: &Connection,
    merchant: &IdText,
    cursor: Option<&str>,
) -> Result<Option<(i64, String)>, StoreError> {
    let Some(cursor) = cursor else {
        return Ok(Some((i64::MAX, String::new())));
    };
    let sql = "SELECT created_at FROM events WHERE merchant_id = ? AND id = ?";
    let found = statement::first(db, sql, params![merchant, cursor], column::int)?;
    Ok(found.map(|created_at| (created_at, cursor.to_owned())))
}

fn read(row: &mut Columns<'_>) -> Result<WebhookEvent, StoreError> {
    let (merchant, id) = (row.id()?, row.id()?);
    Ok(WebhookEvent {
        id,
        merchant,
        payment: row.opt_id()?,
        store: row.opt_text()?,
        kind: row.word(EventType::parse)?,
        sequence: row.int()?,
        body: row.text()?,
        created_at: row.time()?,
    })
}
