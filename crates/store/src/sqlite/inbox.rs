//! What came in from platforms.

use rusqlite::{Connection, params};
use tongbao_core::inbox::{InboxEntry, Verdict};
use tongbao_core::{ChannelId, MerchantId, NotificationId};

use super::column::{self, IdText};
use super::{page, statement};
use crate::{InboxFilter, InboxRow, Page, StoreError};

/// A message, ready to be written.
pub(super) struct InboxMessage {
    merchant: IdText,
    channel: IdText,
    id: IdText,
    payment: Option<IdText>,
    entry: InboxEntry,
}

impl InboxMessage {
    pub(super) fn new(entry: InboxEntry) -> Self {
        Self {
            merchant: IdText::of(entry.merchant),
            channel: IdText::of(entry.channel),
            id: IdText::of(entry.id),
            payment: entry.payment.map(IdText::of),
            entry,
        }
    }

    /// Keeps it, or counts it. Whoever sends a forged message ahead of the
    /// genuine one does not get to name it: the first genuine copy takes the row
    /// over from the refused ones.
    pub(super) fn receive(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "INSERT INTO inbox (merchant_id, channel_id, id, received_at, verdict, reason, \
                   payment_id, body_hash, body, copies, last_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?4) \
                   ON CONFLICT (body_hash, channel_id) DO UPDATE SET copies = copies + 1, \
                   last_at = excluded.last_at, \
                   reason = iif(verdict = 'refused', excluded.reason, reason), \
                   payment_id = iif(verdict = 'refused', excluded.payment_id, payment_id), \
                   verdict = iif(verdict = 'refused', excluded.verdict, verdict)";
        let row = params![
            self.merchant,
            self.channel,
            self.id,
            self.entry.received_at.as_millis(),
            self.entry.verdict.as_str(),
            self.entry.reason,
            self.payment,
            self.entry.body_hash,
            self.entry.body,
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

pub(super) fn list(db: &Connection, filter: &InboxFilter) -> Result<Page<InboxRow>, StoreError> {
    let keys = match filter.payment {
        Some(payment) => of_payment(db, filter, &IdText::of(payment))?,
        None => of_channels(db, filter)?,
    };
    page::newest(
        keys,
        filter.limit,
        |(id, _)| id,
        |(id, channel)| by_id(db, filter.merchant, channel, id),
    )
}

type Key = (NotificationId, ChannelId);

/// A payment has a handful of messages: all of them are looked at.
fn of_payment(
    db: &Connection,
    filter: &InboxFilter,
    payment: &IdText,
) -> Result<Vec<Key>, StoreError> {
    let sql = "SELECT id, channel_id FROM inbox \
               WHERE merchant_id = ?1 AND payment_id = ?2 \
               AND (?3 IS NULL OR channel_id = ?3) AND id < ?4";
    let key = params![
        IdText::of(filter.merchant),
        payment,
        filter.channel.map(IdText::of),
        filter.cursor.as_deref().unwrap_or(page::END),
    ];
    statement::all(db, sql, key, |row| Ok((row.id()?, row.id()?)))
}

fn of_channels(db: &Connection, filter: &InboxFilter) -> Result<Vec<Key>, StoreError> {
    let merchant = IdText::of(filter.merchant);
    let all = "SELECT id FROM channels WHERE merchant_id = ?";
    let channels: Vec<ChannelId> = match filter.channel {
        Some(channel) => vec![channel],
        None => statement::all(db, all, params![merchant], column::id)?,
    };
    let sql = "SELECT id FROM inbox WHERE merchant_id = ? AND channel_id = ? AND id < ? \
               ORDER BY id DESC LIMIT ?";
    let cursor = filter.cursor.as_deref().unwrap_or(page::END);
    let mut keys = Vec::new();
    for channel in channels {
        let key = params![
            merchant,
            IdText::of(channel),
            cursor,
            page::fetched(filter.limit)
        ];
        keys.extend(statement::all(db, sql, key, |row| {
            Ok((row.id()?, channel))
        })?);
    }
    Ok(keys)
}

fn by_id(
    db: &Connection,
    merchant: MerchantId,
    channel: ChannelId,
    id: NotificationId,
) -> Result<Option<InboxRow>, StoreError> {
    let sql = "SELECT received_at, verdict, reason, payment_id, body_hash, body, copies, last_at \
               FROM inbox WHERE merchant_id = ? AND channel_id = ? AND id = ?";
    let key = params![IdText::of(merchant), IdText::of(channel), IdText::of(id)];
    statement::first(db, sql, key, |row| {
        Ok(InboxRow {
            entry: InboxEntry {
                id,
                merchant,
                channel,
                received_at: row.time()?,
                verdict: row.word(Verdict::parse)?,
                reason: row.opt_text()?,
                payment: row.opt_id()?,
                body_hash: row.hash()?,
                body: row.bytes()?,
            },
            copies: row.int()?,
            last_at: row.time()?,
        })
    })
}
