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
    logged: bool,
    entry: InboxEntry,
}

impl InboxMessage {
    /// `logged`: a line of the payment's timeline leads to it.
    pub(super) fn new(logged: bool, entry: InboxEntry) -> Self {
        Self {
            merchant: IdText::of(entry.merchant),
            channel: IdText::of(entry.channel),
            id: IdText::of(entry.id),
            payment: entry.payment.map(IdText::of),
            logged,
            entry,
        }
    }

    /// Keeps it, or counts it.
    pub(super) fn receive(&self, db: &Connection) -> Result<(), StoreError> {
        if let Some(payment) = &self.payment
            && self.count_logged(db, payment)?
        {
            return Ok(());
        }
        match self.unlogged_copy(db)? {
            Some(copy) => self.count(db, copy),
            None => self.insert(db),
        }
    }

    fn insert(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "INSERT INTO inbox (merchant_id, channel_id, id, received_at, verdict, reason, \
                   payment_id, body_hash, body, copies, last_at, logged) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?4, ?10)";
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
            self.logged,
        ];
        statement::run(db, sql, row).map(|_| ())
    }

    /// Counts it with a copy that a line of the payment's timeline leads to,
    /// if there is one.
    fn count_logged(&self, db: &Connection, payment: &IdText) -> Result<bool, StoreError> {
        let lines = "SELECT inbox_id FROM payment_log \
                     WHERE merchant_id = ? AND payment_id = ? AND inbox_id IS NOT NULL";
        let key = params![self.merchant, payment];
        let heard: Vec<NotificationId> = statement::all(db, lines, key, column::id)?;
        let count = "UPDATE inbox SET copies = copies + 1, last_at = ? \
                     WHERE merchant_id = ? AND channel_id = ? AND id = ? AND body_hash = ?";
        // This message's own line is there already, its row is not.
        for id in heard.into_iter().filter(|id| *id != self.entry.id) {
            let row = params![
                self.entry.received_at.as_millis(),
                self.merchant,
                self.channel,
                IdText::of(id),
                self.entry.body_hash
            ];
            if statement::run(db, count, row)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A copy that no timeline leads to: of the same payment, or of none, since
    /// a message that was refused names nobody.
    fn unlogged_copy(&self, db: &Connection) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT rowid FROM inbox INDEXED BY inbox_by_payment WHERE merchant_id = ?1 AND payment_id = ?2 \
                   AND body_hash = ?3 AND logged = 0 AND channel_id = ?4 \
                   UNION ALL \
                   SELECT rowid FROM inbox INDEXED BY inbox_by_payment WHERE merchant_id = ?1 AND payment_id IS NULL \
                   AND body_hash = ?3 AND logged = 0 AND channel_id = ?4";
        let key = params![
            self.merchant,
            self.payment,
            self.entry.body_hash,
            self.channel
        ];
        statement::first(db, sql, key, column::int)
    }

    /// Whoever sends a forged message ahead of the genuine one does not get to
    /// name it: the first genuine copy takes the row over from the refused ones.
    fn count(&self, db: &Connection, copy: i64) -> Result<(), StoreError> {
        let sql = "UPDATE inbox SET copies = copies + 1, last_at = ?2, \
                   reason = iif(verdict = 'refused', ?3, reason), \
                   payment_id = iif(verdict = 'refused', ?4, payment_id), \
                   verdict = iif(verdict = 'refused', ?5, verdict) \
                   WHERE rowid = ?1";
        let row = params![
            copy,
            self.entry.received_at.as_millis(),
            self.entry.reason,
            self.payment,
            self.entry.verdict.as_str()
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

/// A payment has a handful of messages: all of them are looked at. Its timeline
/// leads to most, an index to the others.
fn of_payment(
    db: &Connection,
    filter: &InboxFilter,
    payment: &IdText,
) -> Result<Vec<Key>, StoreError> {
    let logged = "SELECT id, channel_id FROM inbox \
                  WHERE merchant_id = ?1 AND payment_id = ?2 \
                  AND channel_id IN (SELECT id FROM channels WHERE merchant_id = ?1) AND id IN \
                  (SELECT inbox_id FROM payment_log WHERE merchant_id = ?1 AND payment_id = ?2) \
                  AND logged AND (?3 IS NULL OR channel_id = ?3) AND id < ?4";
    let others = "SELECT id, channel_id FROM inbox \
                  WHERE merchant_id = ?1 AND payment_id = ?2 AND logged = 0 \
                  AND (?3 IS NULL OR channel_id = ?3) AND id < ?4";
    let mut keys = Vec::new();
    for sql in [logged, others] {
        let key = params![
            IdText::of(filter.merchant),
            payment,
            filter.channel.map(IdText::of),
            filter.cursor.as_deref().unwrap_or(page::END),
        ];
        keys.extend(statement::all(db, sql, key, |row| {
            Ok((row.id()?, row.id()?))
        })?);
    }
    Ok(keys)
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
