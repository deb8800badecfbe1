//! What came in from platforms.

use rusqlite::{Connection, params};
use tongbao_core::inbox::{InboxEntry, Verdict};
use tongbao_core::{ChannelId, NotificationId};

use super::column::{self, IdText};
use super::heads::{Head, Heads};
use super::{keys, page, statement};
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

    /// Keeps it, or counts it.
    pub(super) fn receive(&self, db: &Connection, heads: &mut Heads) -> Result<(), StoreError> {
        let channel = keys::channel(db, &self.channel)?;
        let Some(payment) = &self.payment else {
            if let Some(copy) = self.copy_of_nobody(db, channel)? {
                return self.count(db, copy.key);
            }
            let merchant = keys::merchant(db, &self.merchant)?;
            return self.insert(db, merchant, channel, None);
        };
        let head = heads.referred(db, &self.merchant, payment)?;
        if let Some(copy) = self.copy_of_payment(db, channel, head)? {
            return self.count(db, copy);
        }
        match self.copy_of_nobody(db, channel)? {
            Some(copy) if copy.refused => self.take_over(db, copy.key, head),
            Some(copy) => self.count(db, copy.key),
            None => {
                self.insert(db, head.merchant_key, channel, Some(head))?;
                head.last_message.hang(db.last_insert_rowid());
                Ok(())
            }
        }
    }

    fn insert(
        &self,
        db: &Connection,
        merchant: i64,
        channel: i64,
        head: Option<&Head>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO inbox (merchant_key, channel_key, id, received_at, verdict, \
                   reason, payment_key, body_hash, body, copies, last_at, previous) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?4, ?10)";
        let row = params![
            merchant,
            channel,
            self.id,
            self.entry.received_at.as_millis(),
            self.entry.verdict.as_str(),
            self.entry.reason,
            head.map(|head| head.key),
            self.entry.body_hash,
            self.entry.body,
            head.and_then(|head| head.last_message.key()),
        ];
        statement::run(db, sql, row).map(|_| ())
    }

    /// A copy among the messages of the payment.
    fn copy_of_payment(
        &self,
        db: &Connection,
        channel: i64,
        head: &Head,
    ) -> Result<Option<i64>, StoreError> {
        let Some(last) = head.last_message.key() else {
            return Ok(None);
        };
        let sql = "WITH RECURSIVE chain (key) AS ( \
                   VALUES (?1) UNION SELECT previous FROM chain JOIN inbox USING (key)) \
                   SELECT key FROM chain JOIN inbox USING (key) \
                   WHERE channel_key = ?2 AND body_hash = ?3 LIMIT 1";
        let key = params![last, channel, self.entry.body_hash];
        statement::first(db, sql, key, column::int)
    }

    /// A copy that names no payment: a message that was refused names nobody.
    fn copy_of_nobody(&self, db: &Connection, channel: i64) -> Result<Option<Copy>, StoreError> {
        let sql = "SELECT key, verdict = 'refused' FROM inbox INDEXED BY inbox_of_nobody \
                   WHERE channel_key = ? AND body_hash = ? AND payment_key IS NULL";
        let key = params![channel, self.entry.body_hash];
        statement::first(db, sql, key, |row| {
            Ok(Copy {
                key: row.int()?,
                refused: row.flag()?,
            })
        })
    }

    fn count(&self, db: &Connection, copy: i64) -> Result<(), StoreError> {
        let sql = "UPDATE inbox SET copies = copies + 1, last_at = ?2, \
                   reason = iif(verdict = 'refused', ?3, reason), \
                   verdict = iif(verdict = 'refused', ?4, verdict) \
                   WHERE key = ?1";
        let row = params![
            copy,
            self.entry.received_at.as_millis(),
            self.entry.reason,
            self.entry.verdict.as_str()
        ];
        statement::run(db, sql, row).map(|_| ())
    }

    /// Whoever sends a forged message ahead of the genuine one does not get to
    /// name it: the first genuine copy takes the row over from the refused ones.
    fn take_over(&self, db: &Connection, copy: i64, head: &mut Head) -> Result<(), StoreError> {
        self.count(db, copy)?;
        let sql = "UPDATE inbox SET payment_key = ?, previous = ? WHERE key = ?";
        let row = params![head.key, head.last_message.key(), copy];
        statement::run(db, sql, row)?;
        head.last_message.hang(copy);
        Ok(())
    }
}

/// A message that was kept before.
struct Copy {
    key: i64,
    refused: bool,
}

pub(super) fn list(db: &Connection, filter: &InboxFilter) -> Result<Page<InboxRow>, StoreError> {
    let keys = match filter.payment {
        Some(payment) => of_payment(db, filter, &IdText::of(payment))?,
        None => of_channels(db, filter)?,
    };
    page::newest(
        keys,
        filter.limit,
        |(_, key)| by_key(db, key),
        |row| row.entry.id.to_string(),
    )
}

type Key = (NotificationId, i64);

/// A payment has a handful of messages: all of them are looked at.
fn of_payment(
    db: &Connection,
    filter: &InboxFilter,
    payment: &IdText,
) -> Result<Vec<Key>, StoreError> {
    let sql = "WITH RECURSIVE chain (key) AS ( \
               SELECT last_message FROM payments JOIN merchants ON merchants.key = merchant_key \
               WHERE payments.id = ? AND merchants.id = ? \
               UNION SELECT previous FROM chain JOIN inbox USING (key)) \
               SELECT inbox.id, inbox.key FROM chain JOIN inbox USING (key) \
               JOIN channels ON channels.key = channel_key \
               WHERE (?3 IS NULL OR channels.id = ?3) AND inbox.id < ?4";
    let key = params![
        payment,
        IdText::of(filter.merchant),
        filter.channel.map(IdText::of),
        filter.cursor.as_deref().unwrap_or(page::END),
    ];
    statement::all(db, sql, key, |row| Ok((row.id()?, row.int()?)))
}

fn of_channels(db: &Connection, filter: &InboxFilter) -> Result<Vec<Key>, StoreError> {
    let all = "SELECT channels.key FROM channels JOIN merchants ON merchants.key = merchant_key \
               WHERE merchants.id = ?1 AND (?2 IS NULL OR channels.id = ?2)";
    let key = params![IdText::of(filter.merchant), filter.channel.map(IdText::of)];
    let sql = "SELECT id, key FROM inbox WHERE channel_key = ? AND id < ? \
               ORDER BY id DESC LIMIT ?";
    let cursor = filter.cursor.as_deref().unwrap_or(page::END);
    let mut keys = Vec::new();
    for channel in statement::all(db, all, key, column::int)? {
        let key = params![channel, cursor, page::fetched(filter.limit)];
        keys.extend(statement::all(db, sql, key, |row| {
            Ok((row.id()?, row.int()?))
        })?);
    }
    Ok(keys)
}

fn by_key(db: &Connection, key: i64) -> Result<Option<InboxRow>, StoreError> {
    let sql = "SELECT inbox.id, merchants.id, channels.id, received_at, verdict, reason, \
               payments.id, body_hash, body, copies, last_at \
               FROM inbox JOIN merchants ON merchants.key = inbox.merchant_key \
               JOIN channels ON channels.key = channel_key \
               LEFT JOIN payments ON payments.key = payment_key WHERE inbox.key = ?";
    statement::first(db, sql, params![key], |row| {
        Ok(InboxRow {
            entry: InboxEntry {
                id: row.id()?,
                merchant: row.id()?,
                channel: row.id::<ChannelId>()?,
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
