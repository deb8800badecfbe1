//! Where merchants want to be told.

use rusqlite::{Connection, params};
use tongbao_core::webhook::{Endpoint, EventType};
use tongbao_core::{EndpointId, MerchantId};

use super::column::{Columns, IdText, json};
use super::statement;
use crate::StoreError;

/// Adds or changes it. One that was removed stays so.
pub(super) fn save(db: &Connection, endpoint: &Endpoint) -> Result<(), StoreError> {
    let sql = "INSERT INTO endpoints \
               (merchant_id, id, url, enabled, event_types, store, sealed_secret, created_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
               ON CONFLICT (merchant_id, id) DO UPDATE SET url = excluded.url, \
               enabled = excluded.enabled, event_types = excluded.event_types, \
               store = excluded.store, sealed_secret = excluded.sealed_secret \
               WHERE NOT deleted";
    let row = params![
        IdText::of(endpoint.merchant),
        IdText::of(endpoint.id),
        endpoint.url,
        endpoint.enabled,
        json(&endpoint.event_types),
        endpoint.store,
        endpoint.sealed_secret,
        endpoint.created_at.as_millis(),
    ];
    match statement::run(db, sql, row)? {
        0 => Err(StoreError::Conflict),
        _ => Ok(()),
    }
}

/// Oldest first.
pub(super) fn all(db: &Connection, merchant: MerchantId) -> Result<Vec<Endpoint>, StoreError> {
    let sql = "SELECT merchant_id, id, url, enabled, event_types, store, sealed_secret, \
               created_at FROM endpoints WHERE merchant_id = ? AND NOT deleted \
               ORDER BY created_at, id";
    statement::all(db, sql, params![IdText::of(merchant)], read)
}

pub(super) fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<Option<Endpoint>, StoreError> {
    let sql = "SELECT merchant_id, id, url, enabled, event_types, store, sealed_secret, \
               created_at FROM endpoints WHERE merchant_id = ? AND id = ? AND NOT deleted";
    let key = params![IdText::of(merchant), IdText::of(id)];
    statement::first(db, sql, key, read)
}

/// What was told stays to be seen; the secret does not. Answers whether there
/// was such an endpoint.
pub(super) fn delete(
    db: &Connection,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<bool, StoreError> {
    let sql = "UPDATE endpoints SET deleted = 1, enabled = 0, sealed_secret = x'' \
               WHERE merchant_id = ? AND id = ? AND NOT deleted";
    let key = params![IdText::of(merchant), IdText::of(id)];
    Ok(statement::run(db, sql, key)? > 0)
}

/// Takes away some of what waits for a removed endpoint. Answers how many: none
/// means that nothing is left.
pub(super) fn clear_some(
    db: &Connection,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<usize, StoreError> {
    let sql = "DELETE FROM deliveries WHERE (merchant_id, event_id, endpoint_id) IN \
               (SELECT merchant_id, event_id, endpoint_id FROM deliveries \
                WHERE endpoint_id = ?2 AND merchant_id = ?1 AND state = 'pending' LIMIT 500)";
    statement::run(db, sql, params![IdText::of(merchant), IdText::of(id)])
}

fn read(row: &mut Columns<'_>) -> Result<Endpoint, StoreError> {
    let (merchant, id) = (row.id()?, row.id()?);
    Ok(Endpoint {
        id,
        merchant,
        url: row.text()?,
        enabled: row.flag()?,
        event_types: row.json::<Vec<EventType>>()?,
        store: row.opt_text()?,
        sealed_secret: row.bytes()?,
        created_at: row.time()?,
    })
}
