//! Payments with their attempts.

use rusqlite::{Connection, params};
use tongbao_core::{
    Attempt, AttemptId, AttemptState, ChannelId, CloseReason, Currency, MerchantId, Money, Order,
    Payment, PaymentId, Scene, State, Timestamp,
};

use super::column::{self, Columns, IdText, json};
use super::heads::{Head, Heads};
use super::refunds::{Named, Written};
use super::{keys, page, refunds, statement};
use crate::{Page, PaymentChange, PaymentFilter, StoreError};

/// A payment's next state, ready to be written.
pub(super) struct PaymentRow {
    merchant: IdText,
    id: IdText,
    paid_by: Option<IdText>,
    payment: Payment,
    write: Write,
    attempts: Vec<AttemptRow>,
    refunds: Vec<Written>,
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
        let refunds = payment
            .refunds
            .iter()
            .zip(0..)
            .filter(|(refund, _)| change.refunds.contains(&refund.id))
            .filter_map(|(refund, place)| {
                let mut attempts = payment.attempts.iter().zip(0..);
                let (attempt, of) = attempts.find(|(attempt, _)| attempt.id == refund.attempt)?;
                Some(Written::new(refund, place, of, IdText::of(attempt.channel)))
            })
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
            refunds,
        }
    }

    /// Writes a new one, and looks whether an old one is still as it was read.
    pub(super) fn begin(&self, db: &Connection, heads: &mut Heads) -> Result<(), StoreError> {
        match &self.write {
            Write::Insert { metadata } => {
                let merchant = keys::merchant(db, &self.merchant)?;
                self.insert(db, merchant, metadata)?;
                heads.add_new(db, merchant, [&self.merchant, &self.id]);
                Ok(())
            }
            Write::Update { read_version } => match heads.find(db, &self.merchant, &self.id)? {
                Some(head) if head.version == *read_version => Ok(()),
                _ => Err(StoreError::Conflict),
            },
        }
    }

    /// Writes what is left, once everything hangs on it that should.
    pub(super) fn end(&self, db: &Connection, heads: &mut Heads) -> Result<(), StoreError> {
        let head = heads.referred(db, &self.merchant, &self.id)?;
        if let Write::Update { .. } = self.write {
            self.update(db, head)?;
            head.written();
        }
        for attempt in &self.attempts {
            attempt.write(db, head)?;
        }
        for refund in &self.refunds {
            refund.write(db, head)?;
        }
        Ok(())
    }

    fn insert(&self, db: &Connection, merchant: i64, metadata: &str) -> Result<(), StoreError> {
        let Payment { order, .. } = &self.payment;
        let currency = order.amount.currency();
        let state = StateColumns::of(&self.payment);
        let sql = "INSERT INTO payments (merchant_key, id, merchant_order_no, amount, currency, \
                   subject, metadata, store, return_url, state, paid_by, paid_at, close_reason, \
                   closed_at, version, checkout_token, created_at, expires_at) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            merchant,
            self.id,
            order.merchant_order_no,
            order.amount.minor(),
            currency.as_str(),
            order.subject,
            metadata,
            order.store.map(IdText::of),
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
    fn update(&self, db: &Connection, head: &Head) -> Result<(), StoreError> {
        let state = StateColumns::of(&self.payment);
        let sql = "UPDATE payments SET state = ?, paid_by = ?, paid_at = ?, close_reason = ?, \
                   closed_at = ?, version = ?, expires_at = ?, \
                   last_line = ?, last_event = ?, last_message = ? WHERE key = ?";
        let row = params![
            state.word,
            self.paid_by,
            state.paid_at,
            state.close_reason,
            state.closed_at,
            self.payment.version,
            self.payment.expires_at.as_millis(),
            head.last_line.key(),
            head.last_event.key(),
            head.last_message.key(),
            head.key,
        ];
        statement::run(db, sql, row).map(|_| ())
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
    place: usize,
    channel: IdText,
    action: Option<String>,
    failure: Option<String>,
    raised: Option<String>,
    patience: Option<String>,
    reversal: Option<String>,
    attempt: Attempt,
}

impl AttemptRow {
    fn new(attempt: &Attempt, place: usize) -> Self {
        Self {
            id: IdText::of(attempt.id),
            place,
            channel: IdText::of(attempt.channel),
            action: attempt.action.as_ref().map(json),
            failure: attempt.failure.as_ref().map(json),
            raised: (!attempt.raised.is_empty()).then(|| json(&attempt.raised)),
            patience: attempt.patience.as_ref().map(json),
            reversal: attempt.reversal.as_ref().map(json),
            attempt: attempt.clone(),
        }
    }

    fn write(&self, db: &Connection, head: &Head) -> Result<(), StoreError> {
        let key = keys::attempt(head.key, self.place)?;
        if !self.update(db, key)? {
            self.insert(db, head, key)?;
        }
        Ok(())
    }

    fn update(&self, db: &Connection, key: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE attempts SET state = ?, action = ?, transaction_id = ?, payer = ?, \
                   received_amount = ?, received_currency = ?, failure = ?, client_ip = ?, \
                   ended_at = ?, hinted_at = ?, raised = ?, reversal = ? WHERE key = ? AND id = ?";
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
            self.reversal,
            key,
            self.id,
        ];
        Ok(statement::run(db, sql, row)? > 0)
    }

    fn insert(&self, db: &Connection, head: &Head, key: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO attempts (key, merchant_key, payment_key, id, out_trade_no, \
                   channel_key, scene, state, action, transaction_id, payer, received_amount, \
                   received_currency, failure, client_ip, created_at, ended_at, hinted_at, raised, \
                   code_digest, patience, reversal, till, close_after_secs) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let received = self.attempt.received;
        let currency = received.map(Money::currency);
        let row = params![
            key,
            head.merchant_key,
            head.key,
            self.id,
            self.attempt.out_trade_no,
            keys::channel(db, &self.channel)?,
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
            self.attempt.code_digest,
            self.patience,
            self.reversal,
            self.attempt.till.map(IdText::of),
            self.attempt.close_after_secs,
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

/// Every column, in the order in which [`read_payment`] takes them.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT payments.key, merchants.id, payments.id, merchant_order_no, amount, currency, \
             subject, metadata, store, return_url, payments.state, paid_by, paid_at, close_reason, \
             closed_at, version, checkout_token, payments.created_at, expires_at \
             FROM payments JOIN merchants ON merchants.key = payments.merchant_key ",
            $which
        )
    };
}

pub(super) fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: PaymentId,
) -> Result<Option<Payment>, StoreError> {
    let sql = select!("WHERE payments.id = ?1 AND merchants.id = ?2");
    with_attempts(db, sql, params![IdText::of(id), IdText::of(merchant)])
}

pub(super) fn by_order_no(
    db: &Connection,
    merchant: MerchantId,
    merchant_order_no: &str,
) -> Result<Option<Payment>, StoreError> {
    let sql = select!("WHERE merchants.id = ?1 AND merchant_order_no = ?2");
    with_attempts(db, sql, params![IdText::of(merchant), merchant_order_no])
}

pub(super) fn by_out_trade_no(
    db: &Connection,
    channel: ChannelId,
    out_trade_no: &str,
) -> Result<Option<Payment>, StoreError> {
    let sql = select!(
        "JOIN attempts ON payments.key = payment_key \
         WHERE channel_key = (SELECT key FROM channels WHERE id = ?1) AND out_trade_no = ?2"
    );
    with_attempts(db, sql, params![IdText::of(channel), out_trade_no])
}

pub(super) fn by_refund(
    db: &Connection,
    merchant: MerchantId,
    refund: &Named,
) -> Result<Option<Payment>, StoreError> {
    match refunds::payment_of(db, merchant, refund)? {
        Some(payment) => by_id(db, merchant, payment),
        None => Ok(None),
    }
}

pub(super) fn by_checkout_token(
    db: &Connection,
    token: &str,
) -> Result<Option<Payment>, StoreError> {
    with_attempts(db, select!("WHERE checkout_token = ?"), params![token])
}

fn by_key(db: &Connection, key: i64) -> Result<Option<Payment>, StoreError> {
    with_attempts(db, select!("WHERE payments.key = ?"), params![key])
}

/// `sql` finds the payment.
fn with_attempts(
    db: &Connection,
    sql: &str,
    key: impl rusqlite::Params,
) -> Result<Option<Payment>, StoreError> {
    let Some((key, mut payment)) = statement::first(db, sql, key, read_payment)? else {
        return Ok(None);
    };
    payment.attempts = attempts(db, key)?;
    payment.refunds = refunds::of_payment(db, key)?;
    Ok(Some(payment))
}

/// The runs of a list, one a state: an index holds each.
macro_rules! runs {
    ($($state:literal),+) => {
        [$((
            $state,
            concat!(
                "SELECT created_at, key FROM payments \
                 WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) AND state = '",
                $state,
                "' AND created_at >= ?2 AND (created_at, key) < (?3, ?4) \
                 ORDER BY created_at DESC, key DESC LIMIT ?5"
            ),
        )),+]
    };
}

const RUNS: [(&str, &str); 4] = runs!("created", "pending", "paid", "closed");

/// The same for the payments of one shop.
macro_rules! runs_of_store {
    ($($state:literal),+) => {
        [$((
            $state,
            concat!(
                "SELECT created_at, key FROM payments \
                 WHERE store = ?6 AND state = '",
                $state,
                "' AND merchant_key = (SELECT key FROM merchants WHERE id = ?1) \
                 AND created_at >= ?2 AND (created_at, key) < (?3, ?4) \
                 ORDER BY created_at DESC, key DESC LIMIT ?5"
            ),
        )),+]
    };
}

const RUNS_OF_STORE: [(&str, &str); 4] = runs_of_store!("created", "pending", "paid", "closed");

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
    let limit = page::fetched(filter.limit);
    let mut keys: Vec<(i64, i64)> = Vec::new();
    let store = filter.store.map(IdText::of);
    let runs = if store.is_some() { RUNS_OF_STORE } else { RUNS };
    for (state, sql) in runs {
        if filter.state.as_deref().is_some_and(|asked| asked != state) {
            continue;
        }
        let read = |row: &mut Columns<'_>| Ok((row.int()?, row.int()?));
        let found = match &store {
            None => {
                let key = params![merchant, from, behind.0, behind.1, limit];
                statement::all(db, sql, key, read)?
            }
            Some(store) => {
                let key = params![merchant, from, behind.0, behind.1, limit, store];
                statement::all(db, sql, key, read)?
            }
        };
        keys.extend(found);
    }
    page::newest(
        keys,
        filter.limit,
        |(_, key)| by_key(db, key),
        |payment| payment.id.to_string(),
    )
}

/// The next ids behind `after`, in the order in which they were made.
pub(super) fn ids(
    db: &Connection,
    merchant: MerchantId,
    after: Option<PaymentId>,
    limit: usize,
) -> Result<Vec<PaymentId>, StoreError> {
    let sql = "SELECT id FROM payments \
               WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) \
               AND key > coalesce((SELECT key FROM payments WHERE id = ?2), -1) \
               ORDER BY key LIMIT ?3";
    let after = after.map(IdText::of);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement::all(
        db,
        sql,
        params![IdText::of(merchant), after, limit],
        column::id,
    )
}

pub(super) fn count(db: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM payments";
    Ok(statement::first(db, sql, [], column::number)?.unwrap_or_default())
}

/// The key that the list is behind: the cursor's row, or the end of the time
/// that was asked for. `None` when the cursor is no row of the merchant's.
fn behind(
    db: &Connection,
    merchant: &IdText,
    filter: &PaymentFilter,
) -> Result<Option<(i64, i64)>, StoreError> {
    let end = (filter.to.map_or(i64::MAX, Timestamp::as_millis), i64::MIN);
    let Some(cursor) = &filter.cursor else {
        return Ok(Some(end));
    };
    let sql = "SELECT payments.created_at, payments.key \
               FROM payments JOIN merchants ON merchants.key = merchant_key \
               WHERE merchants.id = ? AND payments.id = ?";
    let found = statement::first(db, sql, params![merchant, cursor], |row| {
        Ok((row.int()?, row.int()?))
    })?;
    Ok(found.map(|cursor| end.min(cursor)))
}

fn is_wanted(payment: &Payment, filter: &PaymentFilter) -> bool {
    let state = filter.state.as_deref();
    state.is_none_or(|asked| asked == payment.public_state())
        && filter
            .store
            .is_none_or(|store| payment.order.store == Some(store))
        && filter.from.is_none_or(|from| payment.created_at >= from)
        && filter.to.is_none_or(|to| payment.created_at < to)
        && filter.cursor.is_none()
}

/// With its key.
fn read_payment(row: &mut Columns<'_>) -> Result<(i64, Payment), StoreError> {
    let (key, merchant, id) = (row.int()?, row.id()?, row.id()?);
    let order = Order {
        merchant_order_no: row.text()?,
        amount: row.money()?,
        subject: row.text()?,
        metadata: row.json()?,
        store: row.opt_id()?,
        return_url: row.opt_text()?,
    };
    let payment = Payment {
        id,
        merchant,
        order,
        state: read_state(id, row)?,
        version: row.int()?,
        attempts: Vec::new(),
        refunds: Vec::new(),
        checkout_token: row.text()?,
        created_at: row.time()?,
        expires_at: row.time()?,
    };
    Ok((key, payment))
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

/// In the order in which they were started.
fn attempts(db: &Connection, payment: i64) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT attempts.id, out_trade_no, channels.id, scene, state, action, \
               transaction_id, payer, received_amount, received_currency, failure, client_ip, \
               attempts.created_at, ended_at, hinted_at, raised, code_digest, patience, \
               reversal, till, close_after_secs \
               FROM attempts JOIN channels ON channels.key = channel_key \
               WHERE attempts.key BETWEEN ? AND ? ORDER BY attempts.key";
    let places = keys::attempts_of(payment);
    statement::all(db, sql, params![places.start(), places.end()], |row| {
        Ok(Attempt {
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
            code_digest: row.opt_text()?,
            patience: row.opt_json()?,
            reversal: row.opt_json()?,
            till: row.opt_id()?,
            close_after_secs: row.number()?,
        })
    })
}
