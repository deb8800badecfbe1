//! The payments that a command writes about: each one's key, and the last thing
//! of each kind that was written about it.
//!
//! What is added names the one before, and the payment names the last. A
//! command that adds several things changes the payment's row once, at its end.

use rusqlite::{Connection, params};

use super::column::IdText;
use super::statement;
use crate::StoreError;

/// A payment as the command finds it, and leaves it.
pub(super) struct Head {
    merchant: IdText,
    payment: IdText,
    pub(super) merchant_key: i64,
    pub(super) key: i64,
    /// As it was read in this transaction.
    pub(super) version: i64,
    pub(super) last_line: Link,
    pub(super) last_event: Link,
    pub(super) last_message: Link,
}

/// The key of the last thing in a chain.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Link {
    key: Option<i64>,
    moved: bool,
}

impl Link {
    pub(super) fn key(self) -> Option<i64> {
        self.key
    }

    pub(super) fn hang(&mut self, key: i64) {
        *self = Self {
            key: Some(key),
            moved: true,
        };
    }
}

/// One payment for nearly every command.
#[derive(Default)]
pub(super) struct Heads {
    known: Vec<Head>,
}

impl Heads {
    /// A payment that has just been written.
    pub(super) fn add_new(&mut self, db: &Connection, merchant_key: i64, ids: [&IdText; 2]) {
        let [merchant, payment] = ids;
        self.known.push(Head {
            merchant: *merchant,
            payment: *payment,
            merchant_key,
            key: db.last_insert_rowid(),
            version: 0,
            last_line: Link::default(),
            last_event: Link::default(),
            last_message: Link::default(),
        });
    }

    /// The merchant's payment of that id, if there is one.
    pub(super) fn find(
        &mut self,
        db: &Connection,
        merchant: &IdText,
        payment: &IdText,
    ) -> Result<Option<&mut Head>, StoreError> {
        let is_it = |head: &Head| head.payment == *payment && head.merchant == *merchant;
        if let Some(place) = self.known.iter().position(is_it) {
            return Ok(self.known.get_mut(place));
        }
        let sql = "SELECT merchant_key, payments.key, version, last_line, last_event, last_message \
                   FROM payments JOIN merchants ON merchants.key = merchant_key \
                   WHERE payments.id = ? AND merchants.id = ?";
        let found = statement::first(db, sql, params![payment, merchant], |row| {
            let link = |key| Link { key, moved: false };
            Ok(Head {
                merchant: *merchant,
                payment: *payment,
                merchant_key: row.int()?,
                key: row.int()?,
                version: row.int()?,
                last_line: link(row.opt_int()?),
                last_event: link(row.opt_int()?),
                last_message: link(row.opt_int()?),
            })
        })?;
        let Some(head) = found else {
            return Ok(None);
        };
        self.known.push(head);
        Ok(self.known.last_mut())
    }

    /// The merchant's payment of that id, which something refers to.
    pub(super) fn referred(
        &mut self,
        db: &Connection,
        merchant: &IdText,
        payment: &IdText,
    ) -> Result<&mut Head, StoreError> {
        let found = self.find(db, merchant, payment)?;
        found.ok_or_else(|| StoreError::Failed(format!("{merchant} has no payment {payment}")))
    }

    /// Writes what no other statement has written.
    pub(super) fn write(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "UPDATE payments SET last_line = ?, last_event = ?, last_message = ? \
                   WHERE key = ?";
        let moved = |head: &&Head| {
            [head.last_line, head.last_event, head.last_message]
                .iter()
                .any(|link| link.moved)
        };
        for head in self.known.iter().filter(moved) {
            let row = params![
                head.last_line.key,
                head.last_event.key,
                head.last_message.key,
                head.key
            ];
            statement::run(db, sql, row)?;
        }
        Ok(())
    }
}

impl Head {
    /// The row has been written with its links.
    pub(super) fn written(&mut self) {
        for link in [
            &mut self.last_line,
            &mut self.last_event,
            &mut self.last_message,
        ] {
            link.moved = false;
        }
    }
}
