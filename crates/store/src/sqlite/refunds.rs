//! Refunds: they are written with their payment, and hang on it by their keys.

use rusqlite::{Connection, params};
use tongbao_core::{
    AttemptId, CaseKind, MerchantId, PaymentId, Refund, RefundId, RefundState, Timestamp,
};

use super::column::{self, Columns, IdText, json};
use super::heads::Head;
use super::{keys, page, statement};
use crate::{DayLimit, Page, RefundFilter, RefundRow, StoreError};

/// A refund's next state, ready to be written.
pub(super) struct Written {
    id: IdText,
    place: usize,
    /// The place of its attempt.
    attempt: usize,
    channel: IdText,
    failure: Option<String>,
    refund: Refund,
}

impl Written {
    pub(super) fn new(refund: &Refund, place: usize, attempt: usize, channel: IdText) -> Self {
        Self {
            id: IdText::of(refund.id),
            place,
            attempt,
            channel,
            failure: refund.failure.as_ref().map(json),
            refund: refund.clone(),
        }
    }

    pub(super) fn write(&self, db: &Connection, head: &Head) -> Result<(), StoreError> {
        let key = keys::refund(head.key, self.place)?;
        if !self.update(db, key)? {
            self.insert(db, head, key)?;
        }
        Ok(())
    }

    /// What the refund asks for is not among the columns: it never changes.
    fn update(&self, db: &Connection, key: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE refunds SET state = ?, refund_no = ?, failure = ?, refused = ?, \
                   ended_at = ?, hinted_at = ? WHERE key = ? AND id = ?";
        let row = params![
            self.refund.state.as_str(),
            self.refund.refund_no,
            self.failure,
            self.refund.refused,
            self.refund.ended_at.map(Timestamp::as_millis),
            self.refund.hinted_at.map(Timestamp::as_millis),
            key,
            self.id,
        ];
        Ok(statement::run(db, sql, row)? > 0)
    }

    fn insert(&self, db: &Connection, head: &Head, key: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO refunds (key, merchant_key, payment_key, attempt_key, channel_key, \
                   id, merchant_refund_no, out_refund_no, amount, currency, reason, case_kind, \
                   automatic, state, refund_no, failure, refused, starts_at, created_at, ended_at, \
                   hinted_at, till) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let currency = self.refund.amount.currency();
        let row = params![
            key,
            head.merchant_key,
            head.key,
            keys::attempt(head.key, self.attempt)?,
            keys::channel(db, &self.channel)?,
            self.id,
            self.refund.merchant_refund_no,
            self.refund.out_refund_no,
            self.refund.amount.minor(),
            currency.as_str(),
            self.refund.reason,
            self.refund.case.map(CaseKind::as_str),
            self.refund.automatic,
            self.refund.state.as_str(),
            self.refund.refund_no,
            self.failure,
            self.refund.refused,
            self.refund.starts_at.as_millis(),
            self.refund.created_at.as_millis(),
            self.refund.ended_at.map(Timestamp::as_millis),
            self.refund.hinted_at.map(Timestamp::as_millis),
            self.refund.till.map(IdText::of),
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

/// Whether the day's automatic refunds stay within its limit with this change's.
pub(super) fn keep_limit(db: &Connection, limit: &DayLimit) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(sum(amount), 0) FROM refunds INDEXED BY refunds_automatic \
               WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?) \
               AND automatic = 1 AND created_at >= ? AND created_at < ?";
    let key = params![
        IdText::of(limit.merchant),
        limit.from.as_millis(),
        limit.to.as_millis(),
    ];
    let gone = statement::first(db, sql, key, column::int)?.unwrap_or_default();
    match gone.checked_add(limit.fen) {
        Some(sum) if sum <= limit.most_fen => Ok(()),
        _ => Err(StoreError::AboveLimit),
    }
}

/// Every column, in the order in which [`read`] takes them.
macro_rules! select {
    ($what:literal, $which:literal) => {
        concat!(
            "SELECT ",
            $what,
            "refunds.id, merchant_refund_no, out_refund_no, attempts.id, refunds.amount, \
             refunds.currency, reason, case_kind, automatic, refunds.state, refund_no, refunds.failure, \
             refused, starts_at, refunds.created_at, refunds.ended_at, refunds.hinted_at, \
             refunds.till \
             FROM refunds JOIN attempts ON attempts.key = refunds.attempt_key ",
            $which
        )
    };
}

fn read(row: &mut Columns<'_>) -> Result<Refund, StoreError> {
    let id: RefundId = row.id()?;
    let (merchant_refund_no, out_refund_no) = (row.opt_text()?, row.text()?);
    let attempt: AttemptId = row.id()?;
    let (amount, reason) = (row.money()?, row.opt_text()?);
    let case = row.opt_text()?;
    let case = case.map(|word| {
        CaseKind::parse(&word).ok_or_else(|| StoreError::Corrupt(format!("{id} is of case {word}")))
    });
    Ok(Refund {
        id,
        merchant_refund_no,
        out_refund_no,
        attempt,
        amount,
        reason,
        case: case.transpose()?,
        automatic: row.flag()?,
        state: row.word(RefundState::parse)?,
        refund_no: row.opt_text()?,
        failure: row.opt_json()?,
        refused: row.flag()?,
        starts_at: row.time()?,
        created_at: row.time()?,
        ended_at: row.opt_time()?,
        hinted_at: row.opt_time()?,
        till: row.opt_id()?,
    })
}

/// In the order in which they were asked for.
pub(super) fn of_payment(db: &Connection, payment: i64) -> Result<Vec<Refund>, StoreError> {
    let sql = select!("", "WHERE refunds.key BETWEEN ? AND ? ORDER BY refunds.key");
    let places = keys::refunds_of(payment);
    statement::all(db, sql, params![places.start(), places.end()], read)
}

/// The payment that the merchant's refund is of, by its id or by his own number.
pub(super) fn payment_of(
    db: &Connection,
    merchant: MerchantId,
    refund: &Named,
) -> Result<Option<PaymentId>, StoreError> {
    let sql = match refund {
        Named::Id(_) => {
            "SELECT payments.id FROM refunds \
             JOIN payments ON payments.key = payment_key \
             WHERE refunds.merchant_key = (SELECT key FROM merchants WHERE id = ?) \
             AND refunds.id = ?"
        }
        Named::Number(_) => {
            "SELECT payments.id FROM refunds \
             JOIN payments ON payments.key = payment_key \
             WHERE refunds.merchant_key = (SELECT key FROM merchants WHERE id = ?) \
             AND merchant_refund_no = ?"
        }
    };
    let name = match refund {
        Named::Id(id) => id.to_string(),
        Named::Number(number) => number.clone(),
    };
    let key = params![IdText::of(merchant), name];
    statement::first(db, sql, key, column::id)
}

/// What a merchant calls a refund by.
pub(super) enum Named {
    Id(RefundId),
    Number(String),
}

pub(super) fn list(db: &Connection, filter: &RefundFilter) -> Result<Page<RefundRow>, StoreError> {
    let sql = "SELECT id FROM refunds \
               WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) \
               AND (?2 IS NULL OR state = ?2) AND id < ?3 \
               AND (?5 IS NULL OR \
                    ?5 = (SELECT store FROM payments WHERE payments.key = payment_key)) \
               ORDER BY id DESC LIMIT ?4";
    let key = params![
        IdText::of(filter.merchant),
        filter.state.map(RefundState::as_str),
        filter.cursor.as_deref().unwrap_or(page::END),
        page::fetched(filter.limit),
        filter.store.map(IdText::of),
    ];
    let keys: Vec<RefundId> = statement::all(db, sql, key, column::id)?;
    page::newest(
        keys,
        filter.limit,
        |id| by_id(db, filter.merchant, id),
        |row| row.refund.id.to_string(),
    )
}

fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: RefundId,
) -> Result<Option<RefundRow>, StoreError> {
    let sql = select!(
        "payments.id, ",
        "JOIN payments ON payments.key = refunds.payment_key \
         WHERE refunds.merchant_key = (SELECT key FROM merchants WHERE id = ?) AND refunds.id = ?"
    );
    let key = params![IdText::of(merchant), IdText::of(id)];
    statement::first(db, sql, key, |row| {
        Ok(RefundRow {
            payment: row.id()?,
            refund: read(row)?,
        })
    })
}
