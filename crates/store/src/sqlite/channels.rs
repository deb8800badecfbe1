//! Merchants' accounts at platforms.

use rusqlite::{Connection, params};
use tongbao_core::channel::{ChannelAccount, Confirm};
use tongbao_core::{ChannelId, MerchantId};

use super::column::{Columns, IdText, json};
use super::statement;
use crate::StoreError;

/// Adds version 1, or puts any other in the place of the one before it.
pub(super) fn save(db: &Connection, account: &ChannelAccount) -> Result<(), StoreError> {
    let sql = if account.version == 1 {
        "INSERT INTO channels (merchant_key, id, kind, name, enabled, confirm, settings, \
         sealed_secrets, version, created_at) \
         VALUES ((SELECT key FROM merchants WHERE id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT DO NOTHING"
    } else {
        "UPDATE channels SET kind = ?3, name = ?4, enabled = ?5, confirm = ?6, settings = ?7, \
         sealed_secrets = ?8, version = ?9, created_at = ?10 \
         WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) AND id = ?2 \
         AND version = ?9 - 1"
    };
    let row = params![
        IdText::of(account.merchant),
        IdText::of(account.id),
        account.kind,
        account.name,
        account.enabled,
        account.confirm.as_str(),
        json(&account.settings),
        account.sealed_secrets,
        account.version,
        account.created_at.as_millis(),
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
            "SELECT merchants.id, channels.id, kind, channels.name, enabled, confirm, settings, \
             sealed_secrets, version, channels.created_at \
             FROM channels JOIN merchants ON merchants.key = merchant_key ",
            $which
        )
    };
}

pub(super) fn by_id(db: &Connection, id: ChannelId) -> Result<Option<ChannelAccount>, StoreError> {
    let sql = select!("WHERE channels.id = ?");
    statement::first(db, sql, params![IdText::of(id)], read)
}

/// Oldest first.
pub(super) fn all(
    db: &Connection,
    merchant: MerchantId,
) -> Result<Vec<ChannelAccount>, StoreError> {
    let sql = select!("WHERE merchants.id = ? ORDER BY channels.created_at, channels.id");
    statement::all(db, sql, params![IdText::of(merchant)], read)
}

fn read(row: &mut Columns<'_>) -> Result<ChannelAccount, StoreError> {
    let (merchant, id) = (row.id()?, row.id()?);
    Ok(ChannelAccount {
        id,
        merchant,
        kind: row.text()?,
        name: row.text()?,
        enabled: row.flag()?,
        confirm: row.word(Confirm::parse)?,
        settings: row.json()?,
        sealed_secrets: row.bytes()?,
        version: row.int()?,
        created_at: row.time()?,
    })
}
