//! Merchants and the keys of their API.

use rusqlite::{Connection, params};
use tongbao_core::merchant::{ApiKey, Merchant, PolicyPatch};
use tongbao_core::{AutoRefund, MerchantId, Policy};

use super::column::{Columns, IdText};
use super::statement;
use crate::StoreError;

pub(super) fn insert(db: &Connection, merchant: &Merchant) -> Result<(), StoreError> {
    let sql = "INSERT INTO merchants (id, name, accept_late, auto_refund, refund_per_case, \
               refund_per_day, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let Policy {
        accept_late,
        auto_refund,
    } = merchant.policy;
    let row = params![
        IdText::of(merchant.id),
        merchant.name,
        accept_late,
        auto_refund.enabled,
        auto_refund.per_case_fen,
        auto_refund.per_day_fen,
        merchant.created_at.as_millis()
    ];
    statement::run(db, sql, row).map(|_| ())
}

/// Whether there is such a merchant.
pub(super) fn change_policy(
    db: &Connection,
    id: MerchantId,
    patch: PolicyPatch,
) -> Result<bool, StoreError> {
    let sql = "UPDATE merchants SET accept_late = coalesce(?, accept_late), \
               auto_refund = coalesce(?, auto_refund), \
               refund_per_case = coalesce(?, refund_per_case), \
               refund_per_day = coalesce(?, refund_per_day) WHERE id = ?";
    let PolicyPatch {
        accept_late,
        auto_refund,
        refund_per_case_fen,
        refund_per_day_fen,
    } = patch;
    let row = params![
        accept_late,
        auto_refund,
        refund_per_case_fen,
        refund_per_day_fen,
        IdText::of(id),
    ];
    Ok(statement::run(db, sql, row)? > 0)
}

/// Every column, in the order in which [`read`] takes them.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, name, accept_late, auto_refund, refund_per_case, refund_per_day, \
             created_at FROM merchants ",
            $which
        )
    };
}

/// Oldest first.
pub(super) fn all(db: &Connection) -> Result<Vec<Merchant>, StoreError> {
    statement::all(db, select!("ORDER BY created_at, id"), [], read)
}

pub(super) fn by_id(db: &Connection, id: MerchantId) -> Result<Option<Merchant>, StoreError> {
    statement::first(db, select!("WHERE id = ?"), params![IdText::of(id)], read)
}

fn read(row: &mut Columns<'_>) -> Result<Merchant, StoreError> {
    Ok(Merchant {
        id: row.id()?,
        name: row.text()?,
        policy: Policy {
            accept_late: row.flag()?,
            auto_refund: AutoRefund {
                enabled: row.flag()?,
                per_case_fen: row.int()?,
                per_day_fen: row.int()?,
            },
        },
        created_at: row.time()?,
    })
}

pub(super) fn insert_api_key(db: &Connection, key: &ApiKey) -> Result<(), StoreError> {
    let sql = "INSERT INTO api_keys (merchant_key, id, hash, hint, created_at) \
               VALUES ((SELECT key FROM merchants WHERE id = ?), ?, ?, ?, ?)";
    let row = params![
        IdText::of(key.merchant),
        IdText::of(key.id),
        key.hash,
        key.hint,
        key.created_at.as_millis()
    ];
    statement::run(db, sql, row).map(|_| ())
}

pub(super) fn api_key(db: &Connection, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
    let sql = "SELECT api_keys.id, merchants.id, hash, hint, api_keys.created_at \
               FROM api_keys JOIN merchants ON key = merchant_key WHERE hash = ?";
    statement::first(db, sql, params![hash], |row| {
        Ok(ApiKey {
            id: row.id()?,
            merchant: row.id()?,
            hash: row.hash()?,
            hint: row.text()?,
            created_at: row.time()?,
        })
    })
}
