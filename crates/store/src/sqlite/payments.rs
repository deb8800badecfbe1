//! Payments with their attempts.

use rusqlite::{Connection, params};
use tongbao_core::{
    Attempt, AttemptId, AttemptState, ChannelId, CloseReason, Currency, MerchantId, Money, Order,
    Payment, PaymentId, Scene, State, Timestamp,
};

use super::column::{self, Columns, IdText, json};
use super::{page, statement};
use crate::{Page, PaymentChange, PaymentFilter, StoreError};

/// A payment's next state, ready to be written.
pub(super) struct PaymentRow {
    merchant: IdText,
    id: IdText,
    paid_by: Option<IdText>,
    payment: Payment,
    write: Write,
    attempts: Vec<AttemptRow>,
}

enum Write {
    Insert { metadata: String },
    Update { read_version: i64 },
}

impl PaymentRow {
    pub(super) fn new(change: PaymentChange) -> Self {
        let payment = change.payment;
        let attempts = payment
            .attempts
            .iter()
            .zip(0..)
            .filter(|(attempt, _)| change.attempts.contains(&attempt.id))
            .map(|(attempt, place)| AttemptRow::new(attempt, place))
            .collect();
        let write = match change.read_version {
            Some(read_version) => Write::Update { read_version },
            None => Write::Insert {
                metadata: json(&payment.order.metadata),
            },
        };
        let paid_by = match payment.state {
            State::Paid { attempt, .. } => Some(IdText::of(attempt)),
            _ => None,
        };
        Self {
            merchant: IdText::of(payment.merchant),
            id: IdText::of(payment.id),
            paid_by,
            payment,
            write,
            attempts,
        }
    }

    pub(super) fn write(&self, db: &Connection) -> Result<(), StoreError> {
        match &self.write {
            Write::Insert { metadata } => self.insert(db, metadata)?,
            Write::Update { read_version } => self.update(db, *read_version)?,
        }
        for attempt in &self.attempts {
            attempt.write(db, &self.merchant, &self.id)?;
        }
        Ok(())
    }

    fn insert(&self, db: &Connection, metadata: &str) -> Result<(), StoreError> {
        let Payment { order, .. } = &self.payment;
        let currency = order.amount.currency();
        let state = StateColumns::of(&self.payment);
        let sql = "INSERT INTO payments (merchant_id, id, merchant_order_no, amount, currency, \
                   subject, metadata, store, return_url, state, paid_by, paid_at, close_reason, \
                   closed_at, version, checkout_token, created_at, expires_at) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            self.merchant,
            self.id,
            order.merchant_order_no,
            order.amount.minor(),
            currency.as_str(),
            order.subject,
            metadata,
            order.store,
            order.return_url,
            state.word,
            self.paid_by,
            state.paid_at,
            state.close_reason,
            state.closed_at,
            self.payment.version,
            self.payment.checkout_token,
            self.payment.created_at.as_millis(),
            self.payment.expires_at.as_millis(),
        ];
        statement::run(db, sql, row).map(|_| ())
    }

    /// What the payment asks for is not among the columns: it never changes.
    fn update(&self, db: &Connection, read_version: i64) -> Result<(), StoreError> {
        let state = StateColumns::of(&self.payment);
        let sql = "UPDATE payments SET state = ?, paid_by = ?, paid_at = ?, close_reason = ?, \
                   closed_at = ?, version = ?, expires_at = ? \
                   WHERE merchant_id = ? AND id = ? AND version = ?";
        let row = params![
            state.word,
            self.paid_by,
            state.paid_at,
            state.close_reason,
            state.closed_at,
            self.payment.version,
            self.payment.expires_at.as_millis(),
            self.merchant,
            self.id,
            read_version,
        ];
        match statement::run(db, sql, row)? {
            0 => Err(StoreError::Conflict),
            _ => Ok(()),
        }
    }
}

/// A state, spread over its columns.
struct StateColumns {
    word: &'static str,
    paid_at: Option<i64>,
    close_reason: Option<&'static str>,
    closed_at: Option<i64>,
}

impl StateColumns {
    fn of(payment: &Payment) -> Self {
        let (mut paid_at, mut close_reason, mut closed_at) = (None, None, None);
        match payment.state {
            State::Created | State::Pending => {}
            State::Closing { reason } => close_reason = Some(reason.as_str()),
            State::Paid { at, .. } => paid_at = Some(at.as_millis()),
            State::Closed { reason, at } => {
                close_reason = Some(reason.as_str());
                closed_at = Some(at.as_millis());
            }
        }
        Self {
            word: payment.public_state(),
            paid_at,
            close_reason,
            closed_at,
        }
    }
}

struct AttemptRow {
    id: IdText,
    place: i64,
    channel: IdText,
    action: Option<String>,
    failure: Option<String>,
    raised: Option<String>,
    attempt: Attempt,
}

impl AttemptRow {
    fn new(attempt: &Attempt, place: i64) -> Self {
        Self {
            id: IdText::of(attempt.id),
            place,
            channel: IdText::of(attempt.channel),
            action: attempt.action.as_ref().map(json),
            failure: attempt.failure.as_ref().map(json),
            raised: (!attempt.raised.is_empty()).then(|| json(&attempt.raised)),
            attempt: attempt.clone(),
        }
    }

    fn write(
        &self,
        db: &Connection,
        merchant: &IdText,
        payment: &IdText,
    ) -> Result<(), StoreError> {
        if !self.update(db, merchant, payment)? {
            self.insert(db, merchant, payment)?;
        }
        Ok(())
    }

    fn update(
        &self,
        db: &Connection,
        merchant: &IdText,
        payment: &IdText,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE attempts SET state = ?, action = ?, transaction_id = ?, payer = ?, \
                   received_amount = ?, received_currency = ?, failure = ?, client_ip = ?, \
                   ended_at = ?, hinted_at = ?, raised = ? \
                   WHERE merchant_id = ? AND payment_id = ? AND id = ?";
        let received = self.attempt.received;
        let currency = received.map(Money::currency);
        let row = params![
            self.attempt.state.as_str(),
            self.action,
            self.attempt.transaction_id,
            self.attempt.payer,
            received.map(Money::minor),
            currency.as_ref().map(Currency::as_str),
            self.failure,
            self.attempt.client_ip,
            self.attempt.ended_at.map(Timestamp::as_millis),
            self.attempt.hinted_at.map(Timestamp::as_millis),
            self.raised.as_deref().unwrap_or("[]"),
            merchant,
            payment,
            self.id,
        ];
        Ok(statement::run(db, sql, row)? > 0)
    }

    fn insert(
        &self,
        db: &Connection,
        merchant: &IdText,
        payment: &IdText,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO attempts (merchant_id, payment_id, id, place, out_trade_no, \
                   channel_id, scene, state, action, transaction_id, payer, received_amount, \
                   received_currency, failure, client_ip, created_at, ended_at, hinted_at, raised) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let received = self.attempt.received;
        let currency = received.map(Money::currency);
        let row = params![
            merchant,
            payment,
            self.id,
            self.place,
            self.attempt.out_trade_no,
            self.channel,
            self.attempt.scene.as_str(),
            self.attempt.state.as_str(),
            self.action,
            self.attempt.transaction_id,
            self.attempt.payer,
            received.map(Money::minor),
            currency.as_ref().map(Currency::as_str),
            self.failure,
            self.attempt.client_ip,
            self.attempt.created_at.as_millis(),
            self.attempt.ended_at.map(Timestamp::as_millis),
            self.attempt.hinted_at.map(Timestamp::as_millis),
            self.raised.as_deref().unwrap_or("[]"),
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

pub(super) fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: PaymentId,
) -> Result<Option<Payment>, StoreError> {
    let sql = "SELECT merchant_id, id, merchant_order_no, amount, currency, subject, metadata, \
               store, return_url, state, paid_by, paid_at, close_reason, closed_at, version, \
               checkout_token, created_at, expires_at \
               FROM payments WHERE merchant_id = ? AND id = ?";
    let key = params![IdText::of(merchant), IdText::of(id)];
    let found = statement::first(db, sql, key, read_payment)?;
    found
        .map(|mut payment| {
            payment.attempts = attempts(db, merchant, id)?;
            Ok(payment)
        })
        .transpose()
}

pub(super) fn by_order_no(
    db: &Connection,
    merchant: MerchantId,
    merchant_order_no: &str,
) -> Result<Option<Payment>, StoreError> {
    let sql =
        "SELECT merchant_id, id FROM payments WHERE merchant_id = ? AND merchant_order_no = ?";
    by_key(db, sql, params![IdText::of(merchant), merchant_order_no])
}

pub(super) fn by_out_trade_no(
    db: &Connection,
    channel: ChannelId,
    out_trade_no: &str,
) -> Result<Option<Payment>, StoreError> {
    let sql = "SELECT merchant_id, payment_id FROM attempts \
               WHERE channel_id = ? AND out_trade_no = ?";
    by_key(db, sql, params![IdText::of(channel), out_trade_no])
}

pub(super) fn by_checkout_token(
    db: &Connection,
    token: &str,
) -> Result<Option<Payment>, StoreError> {
    let sql = "SELECT merchant_id, id FROM payments WHERE checkout_token = ?";
    by_key(db, sql, params![token])
}

/// `sql` finds the merchant and the payment.
fn by_key(
    db: &Connection,
    sql: &str,
    key: impl rusqlite::Params,
) -> Result<Option<Payment>, StoreError> {
    let found = statement::first(db, sql, key, |row| Ok((row.id()?, row.id()?)))?;
    found.map_or(Ok(None), |(merchant, id)| by_id(db, merchant, id))
}

pub(super) fn list(db: &Connection, filter: &PaymentFilter) -> Result<Page<Payment>, StoreError> {
    if let Some(number) = &filter.merchant_order_no {
        let found = by_order_no(db, filter.merchant, number)?;
        return Ok(Page {
            rows: found
                .filter(|payment| is_wanted(payment, filter))
                .into_iter()
                .collect(),
            next: None,
        });
    }
    let merchant = IdText::of(filter.merchant);
    let Some(behind) = behind(db, &merchant, filter)? else {
        return Ok(page::empty());
    };
    let from = filter.from.map_or(i64::MIN, Timestamp::as_millis);
    let sql = "SELECT created_at, id FROM payments \
               WHERE merchant_id = ?1 AND state = ?2 AND created_at >= ?3 \
               AND (created_at, id) < (?4, ?5) \
               ORDER BY created_at DESC, id DESC LIMIT ?6";
    let mut keys: Vec<(i64, PaymentId)> = Vec::new();
    for state in ["created", "pending", "paid", "closed"] {
        if filter.state.as_deref().is_some_and(|asked| asked != state) {
            continue;
        }
        let key = params![
            merchant,
            state,
            from,
            behind.0,
            behind.1,
            page::fetched(filter.limit)
        ];
        keys.extend(statement::all(db, sql, key, |row| {
            Ok((row.int()?, row.id()?))
        })?);
    }
    page::newest(
        keys,
        filter.limit,
        |(_, id)| id,
        |(_, id)| by_id(db, filter.merchant, id),
    )
}

/// The key that the list is behind: the cursor's row, or the end of the time
/// that was asked for. `None` when the cursor is no row of the merchant's.
fn behind(
    db: &Connection,
    merchant: &IdText,
    filter: &PaymentFilter,
) -> Result<Option<(i64, String)>, StoreError> {
    let end = (
        filter.to.map_or(i64::MAX, Timestamp::as_millis),
        String::new(),
    );
    let Some(cursor) = &filter.cursor else {
        return Ok(Some(end));
    };
    let sql = "SELECT created_at FROM payments WHERE merchant_id = ? AND id = ?";
    let found = statement::first(db, sql, params![merchant, cursor], column::int)?;
    Ok(found.map(|created_at| end.min((created_at, cursor.clone()))))
}

fn is_wanted(payment: &Payment, filter: &PaymentFilter) -> bool {
    let state = filter.state.as_deref();
    state.is_none_or(|asked| asked == payment.public_state())
        && filter.from.is_none_or(|from| payment.created_at >= from)
        && filter.to.is_none_or(|to| payment.created_at < to)
        && filter.cursor.is_none()
}

fn read_payment(row: &mut Columns<'_>) -> Result<Payment, StoreError> {
    let (merchant, id) = (row.id()?, row.id()?);
    let order = Order {
        merchant_order_no: row.text()?,
        amount: row.money()?,
        subject: row.text()?,
        metadata: row.json()?,
        store: row.opt_text()?,
        return_url: row.opt_text()?,
    };
    Ok(Payment {
        id,
        merchant,
        order,
        state: read_state(id, row)?,
        version: row.int()?,
        attempts: Vec::new(),
        checkout_token: row.text()?,
        created_at: row.time()?,
        expires_at: row.time()?,
    })
}

fn read_state(payment: PaymentId, row: &mut Columns<'_>) -> Result<State, StoreError> {
    let word = row.str()?;
    let (paid_by, paid_at): (Option<AttemptId>, _) = (row.opt_id()?, row.opt_time()?);
    let (close_reason, closed_at) = (row.opt_str()?, row.opt_time()?);
    let close_reason = close_reason.and_then(CloseReason::parse);
    match (word, paid_by, paid_at, close_reason, closed_at) {
        ("created", None, None, None, None) => Ok(State::Created),
        ("pending", None, None, None, None) => Ok(State::Pending),
        ("pending", None, None, Some(reason), None) => Ok(State::Closing { reason }),
        ("paid", Some(attempt), Some(at), None, None) => Ok(State::Paid { attempt, at }),
        ("closed", None, None, Some(reason), Some(at)) => Ok(State::Closed { reason, at }),
        _ => Err(StoreError::Corrupt(format!(
            "{payment} is {word:?}, and its other columns say otherwise"
        ))),
    }
}

fn attempts(
    db: &Connection,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT id, out_trade_no, channel_id, scene, state, action, transaction_id, payer, \
               received_amount, received_currency, failure, client_ip, created_at, ended_at, \
               hinted_at, raised, place \
               FROM attempts WHERE merchant_id = ? AND payment_id = ?";
    let key = params![IdText::of(merchant), IdText::of(payment)];
    let mut attempts = statement::all(db, sql, key, |row| {
        let attempt = Attempt {
            id: row.id()?,
            out_trade_no: row.text()?,
            channel: row.id()?,
            scene: row.word(Scene::parse)?,
            state: row.word(AttemptState::parse)?,
            action: row.opt_json()?,
            transaction_id: row.opt_text()?,
            payer: row.opt_text()?,
            received: row.opt_money()?,
            failure: row.opt_json()?,
            client_ip: row.opt_text()?,
            created_at: row.time()?,
            ended_at: row.opt_time()?,
            hinted_at: row.opt_time()?,
            raised: row.json()?,
        };
        Ok((row.int()?, attempt))
    })?;
    attempts.sort_by_key(|(place, _)| *place);
    Ok(attempts.into_iter().map(|(_, attempt)| attempt).collect())
}
