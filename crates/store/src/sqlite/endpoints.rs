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
               (merchant_key, id, url, enabled, event_types, store, sealed_secret, created_at) \
               VALUES ((SELECT key FROM merchants WHERE id = ?), ?, ?, ?, ?, ?, ?, ?) \
               ON CONFLICT (merchant_key, id) DO UPDATE SET url = excluded.url, \
               enabled = excluded.enabled, event_types = excluded.event_types, \
               store = excluded.store, sealed_secret = excluded.sealed_secret \
               WHERE NOT deleted";
    let row = params![
        IdText::of(endpoint.merchant),
        IdText::of(endpoint.id),
        endpoint.url,
        endpoint.enabled,
        json(&endpoint.event_types),
        endpoint.store.map(IdText::of),
        endpoint.sealed_secret,
        endpoint.created_at.as_millis(),
    ];
    match statement::run(db, sql, row)? {
        0 => Err(StoreError::Conflict),
        _ => Ok(()),
    }
}

/// Every column, in the order in which [`read`] takes them.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT merchants.id, endpoints.id, url, enabled, event_types, store, sealed_secret, \
             endpoints.created_at \
             FROM endpoints JOIN merchants ON merchants.key = merchant_key ",
            $which
        )
    };
}

/// Oldest first.
pub(super) fn all(db: &Connection, merchant: MerchantId) -> Result<Vec<Endpoint>, StoreError> {
    let sql = select!(
        "WHERE merchants.id = ? AND NOT deleted ORDER BY endpoints.created_at, endpoints.id"
    );
    statement::all(db, sql, params![IdText::of(merchant)], read)
}

pub(super) fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<Option<Endpoint>, StoreError> {
    let sql = select!("WHERE merchants.id = ? AND endpoints.id = ? AND NOT deleted");
    let key = params![IdText::of(merchant), IdText::of(id)];
    statement::first(db, sql, key, read)
}

pub(super) fn by_key(db: &Connection, key: i64) -> Result<Option<Endpoint>, StoreError> {
    let sql = select!("WHERE endpoints.key = ? AND NOT deleted");
    statement::first(db, sql, params![key], read)
}

/// What was told stays to be seen; the secret does not. Answers whether there
/// was such an endpoint.
pub(super) fn delete(
    db: &Connection,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<bool, StoreError> {
    let sql = "UPDATE endpoints SET deleted = 1, enabled = 0, sealed_secret = x'' \
               WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?) AND id = ? \
               AND NOT deleted";
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
    let sql = "DELETE FROM deliveries WHERE (event_key, endpoint_key) IN \
               (SELECT event_key, endpoint_key FROM deliveries \
                WHERE endpoint_key = (SELECT endpoints.key FROM endpoints \
                                      JOIN merchants ON merchants.key = merchant_key \
                                      WHERE merchants.id = ? AND endpoints.id = ?) \
                AND state = 'pending' LIMIT 500)";
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
        store: row.opt_id()?,
        sealed_secret: row.bytes()?,
        created_at: row.time()?,
    })
}
