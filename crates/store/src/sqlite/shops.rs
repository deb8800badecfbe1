//! A merchant's shops, and their tills.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use tongbao_core::shop::{Shop, Till};
use tongbao_core::{MerchantId, StoreId, TillId, Timestamp};

use super::column::{Columns, IdText};
use super::statement;
use crate::{StoreError, Takings};

pub(super) fn insert(db: &Connection, shop: &Shop) -> Result<(), StoreError> {
    let sql = "INSERT INTO stores (merchant_key, id, name, created_at) \
               VALUES ((SELECT key FROM merchants WHERE id = ?), ?, ?, ?)";
    let row = params![
        IdText::of(shop.merchant),
        IdText::of(shop.id),
        shop.name,
        shop.created_at.as_millis(),
    ];
    statement::run(db, sql, row).map(|_| ())
}

/// Every column, in the order in which [`read`] takes them.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT merchants.id, stores.id, stores.name, stores.created_at \
             FROM stores JOIN merchants ON merchants.key = merchant_key ",
            $which
        )
    };
}

/// Oldest first.
pub(super) fn all(db: &Connection, merchant: MerchantId) -> Result<Vec<Shop>, StoreError> {
    let sql = select!("WHERE merchants.id = ? ORDER BY stores.created_at, stores.id");
    statement::all(db, sql, params![IdText::of(merchant)], read)
}

pub(super) fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: StoreId,
) -> Result<Option<Shop>, StoreError> {
    let sql = select!("WHERE merchants.id = ? AND stores.id = ?");
    statement::first(db, sql, params![IdText::of(merchant), IdText::of(id)], read)
}

fn read(row: &mut Columns<'_>) -> Result<Shop, StoreError> {
    let (merchant, id) = (row.id()?, row.id()?);
    Ok(Shop {
        id,
        merchant,
        name: row.text()?,
        created_at: row.time()?,
    })
}

/// Adds it, or revokes its key. A key that is revoked stays so.
pub(super) fn save_till(db: &Connection, till: &Till) -> Result<(), StoreError> {
    let sql = "INSERT INTO tills \
               (merchant_key, store_key, id, name, hash, hint, created_at, revoked_at) \
               SELECT merchants.key, stores.key, ?3, ?4, ?5, ?6, ?7, ?8 \
               FROM merchants JOIN stores ON merchants.key = merchant_key \
               WHERE merchants.id = ?1 AND stores.id = ?2 \
               ON CONFLICT (id) DO UPDATE SET revoked_at = coalesce(revoked_at, excluded.revoked_at) \
               WHERE store_key = excluded.store_key";
    let row = params![
        IdText::of(till.merchant),
        IdText::of(till.store),
        IdText::of(till.id),
        till.name,
        till.hash,
        till.hint,
        till.created_at.as_millis(),
        till.revoked_at.map(Timestamp::as_millis),
    ];
    match statement::run(db, sql, row)? {
        0 => Err(StoreError::Failed(format!(
            "{} is no store of {}",
            till.store, till.merchant
        ))),
        _ => Ok(()),
    }
}

/// Every column, in the order in which [`read_till`] takes them.
macro_rules! select_tills {
    ($which:literal) => {
        concat!(
            "SELECT merchants.id, stores.id, tills.id, tills.name, hash, hint, tills.created_at, \
             revoked_at \
             FROM tills JOIN merchants ON merchants.key = tills.merchant_key \
             JOIN stores ON stores.key = store_key ",
            $which
        )
    };
}

/// Of one shop, oldest first.
pub(super) fn tills(
    db: &Connection,
    merchant: MerchantId,
    store: StoreId,
) -> Result<Vec<Till>, StoreError> {
    let sql = select_tills!(
        "WHERE merchants.id = ? AND stores.id = ? ORDER BY tills.created_at, tills.id"
    );
    let key = params![IdText::of(merchant), IdText::of(store)];
    statement::all(db, sql, key, read_till)
}

pub(super) fn till(
    db: &Connection,
    merchant: MerchantId,
    id: TillId,
) -> Result<Option<Till>, StoreError> {
    let sql = select_tills!("WHERE merchants.id = ? AND tills.id = ?");
    let key = params![IdText::of(merchant), IdText::of(id)];
    statement::first(db, sql, key, read_till)
}

pub(super) fn till_by_hash(db: &Connection, hash: [u8; 32]) -> Result<Option<Till>, StoreError> {
    statement::first(
        db,
        select_tills!("WHERE hash = ?"),
        params![hash],
        read_till,
    )
}

fn read_till(row: &mut Columns<'_>) -> Result<Till, StoreError> {
    Ok(Till {
        merchant: row.id()?,
        store: row.id()?,
        id: row.id()?,
        name: row.text()?,
        hash: row.hash()?,
        hint: row.text()?,
        created_at: row.time()?,
        revoked_at: row.opt_time()?,
    })
}

/// Who took what: payments by their day, refunds by theirs. Money that came by
/// another attempt than the one that paid was never among the takings, and does
/// not leave them.
pub(super) fn takings(
    db: &Connection,
    merchant: MerchantId,
    store: StoreId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Takings>, StoreError> {
    let paid = "SELECT till, count(*), sum(amount) FROM payments \
                JOIN attempts ON attempts.key BETWEEN payments.key * 32 AND payments.key * 32 + 31 \
                AND attempts.id = paid_by \
                WHERE store = ?2 AND paid_at >= ?3 AND paid_at < ?4 \
                AND payments.merchant_key = (SELECT key FROM merchants WHERE id = ?1) \
                GROUP BY till";
    let given = "SELECT refunds.till, count(*), sum(refunds.amount) FROM refunds \
                 JOIN payments ON payments.key = refunds.payment_key \
                 JOIN attempts ON attempts.key = attempt_key AND attempts.id = paid_by \
                 WHERE refunds.merchant_key = (SELECT key FROM merchants WHERE id = ?1) \
                 AND refunds.state = 'succeeded' AND refunds.ended_at >= ?3 \
                 AND refunds.ended_at < ?4 AND store = ?2 \
                 GROUP BY refunds.till";
    let key = params![
        IdText::of(merchant),
        IdText::of(store),
        from.as_millis(),
        to.as_millis(),
    ];
    let sums = |row: &mut Columns<'_>| {
        let till: Option<TillId> = row.opt_id()?;
        Ok((till, row.number::<i64>()?, row.int()?))
    };
    let mut of_tills = BTreeMap::new();
    for (till, payments, amount) in statement::all(db, paid, key, sums)? {
        let takings = Takings {
            till,
            payments,
            amount,
            ..Takings::default()
        };
        of_tills.insert(till, takings);
    }
    for (till, refunds, amount_refunded) in statement::all(db, given, key, sums)? {
        let takings = of_tills.entry(till).or_insert(Takings {
            till,
            ..Takings::default()
        });
        takings.refunds = refunds;
        takings.amount_refunded = amount_refunded;
    }
    Ok(of_tills.into_values().collect())
}
