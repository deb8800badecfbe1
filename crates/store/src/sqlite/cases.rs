//! Money that should not be there.

use rusqlite::{Connection, params};
use tongbao_core::case::Remedy;
use tongbao_core::{
    Case, CaseId, CaseKind, CaseState, MerchantId, Need, Receipt, Resolution, Source, Timestamp,
};

use super::column::{self, IdText, json};
use super::heads::Heads;
use super::{keys, page, statement};
use crate::{CaseFilter, Page, StoreError};

/// A case, ready to be written.
pub(super) struct CaseRow {
    merchant: IdText,
    id: IdText,
    channel: IdText,
    payment: Option<IdText>,
    attempt: Option<IdText>,
    case: Case,
}

impl CaseRow {
    pub(super) fn new(case: Case) -> Self {
        Self {
            merchant: IdText::of(case.merchant),
            id: IdText::of(case.id),
            channel: IdText::of(case.channel),
            payment: case.payment.map(IdText::of),
            attempt: case.attempt.map(IdText::of),
            case,
        }
    }

    /// Whether it is new: the case of a number, a trade and an amount is opened once.
    pub(super) fn insert(&self, db: &Connection, heads: &mut Heads) -> Result<bool, StoreError> {
        let payment = match &self.payment {
            Some(payment) => Some(heads.referred(db, &self.merchant, payment)?.key),
            None => None,
        };
        let sql = "INSERT INTO cases (merchant_key, id, channel_key, kind, state, remedy, \
                   payment_key, attempt_key, out_trade_no, amount, currency, transaction_id, payer, \
                   paid_at, source, opened_at, need, refund_key, resolution, resolved_at, decision) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
                   (SELECT key FROM refunds WHERE merchant_key = ?1 AND id = ?18), ?19, ?20, ?21) \
                   ON CONFLICT (channel_key, out_trade_no, kind, transaction_id, amount, currency) \
                   DO UPDATE SET remedy = excluded.remedy \
                   WHERE remedy = 'review' AND excluded.remedy = 'refund' AND state = 'open' \
                   RETURNING id";
        let Case { receipt, .. } = &self.case;
        let currency = receipt.amount.currency();
        let row = params![
            keys::merchant(db, &self.merchant)?,
            self.id,
            keys::channel(db, &self.channel)?,
            self.case.kind.as_str(),
            self.case.state.as_str(),
            self.case.remedy.as_str(),
            payment,
            self.attempt_key(db, payment)?,
            self.case.out_trade_no,
            receipt.amount.minor(),
            currency.as_str(),
            receipt.transaction_id,
            receipt.payer,
            receipt.paid_at.map(Timestamp::as_millis),
            source_word(self.case.source),
            self.case.opened_at.as_millis(),
            self.case.need.map(Need::as_str),
            self.case.refund.map(IdText::of),
            self.case.resolution.map(Resolution::as_str),
            self.case.resolved_at.map(Timestamp::as_millis),
            self.case.decision.as_ref().map(json),
        ];
        let written: Option<CaseId> = statement::first(db, sql, row, column::id)?;
        Ok(written == Some(self.case.id))
    }

    fn attempt_key(
        &self,
        db: &Connection,
        payment: Option<i64>,
    ) -> Result<Option<i64>, StoreError> {
        let (Some(attempt), Some(payment)) = (&self.attempt, payment) else {
            return Ok(None);
        };
        let sql = "SELECT key FROM attempts WHERE key BETWEEN ? AND ? AND id = ?";
        let places = keys::attempts_of(payment);
        let key = params![places.start(), places.end(), attempt];
        let found = statement::first(db, sql, key, column::int)?;
        let found = found.ok_or_else(|| StoreError::Failed(format!("there is no {attempt}")))?;
        Ok(Some(found))
    }
}

/// A case that stands elsewhere, ready to be written.
pub(super) struct MovedRow {
    merchant: IdText,
    id: IdText,
    read_state: CaseState,
    refund: Option<IdText>,
    decision: Option<String>,
    case: Case,
}

impl MovedRow {
    pub(super) fn new(read_state: CaseState, case: Case) -> Self {
        Self {
            merchant: IdText::of(case.merchant),
            id: IdText::of(case.id),
            read_state,
            refund: case.refund.map(IdText::of),
            decision: case.decision.as_ref().map(json),
            case,
        }
    }

    /// What the case is about is not among the columns: it never changes.
    pub(super) fn update(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "UPDATE cases SET state = ?1, remedy = ?2, need = ?3, \
                   refund_key = (SELECT key FROM refunds WHERE merchant_key = ?8 AND id = ?4), \
                   resolution = ?5, resolved_at = ?6, decision = ?7 \
                   WHERE merchant_key = ?8 AND id = ?9 AND state = ?10";
        let row = params![
            self.case.state.as_str(),
            self.case.remedy.as_str(),
            self.case.need.map(Need::as_str),
            self.refund,
            self.case.resolution.map(Resolution::as_str),
            self.case.resolved_at.map(Timestamp::as_millis),
            self.decision,
            keys::merchant(db, &self.merchant)?,
            self.id,
            self.read_state.as_str(),
        ];
        match statement::run(db, sql, row)? {
            0 => Err(StoreError::Conflict),
            _ => Ok(()),
        }
    }
}

pub(super) fn list(db: &Connection, filter: &CaseFilter) -> Result<Page<Case>, StoreError> {
    let unresolved = filter.unresolved || filter.state.is_some_and(|it| it != CaseState::Resolved);
    let sql = match (filter.payment, unresolved) {
        (Some(_), _) => {
            "SELECT id FROM cases INDEXED BY cases_by_payment \
             WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) \
             AND payment_key = (SELECT key FROM payments WHERE id = ?2) \
             AND (?3 IS NULL OR state = ?3) AND (NOT ?6 OR state <> 'resolved') \
             AND id < ?4 ORDER BY id DESC LIMIT ?5"
        }
        // An index of its own: the few that somebody must look at.
        (None, true) => {
            "SELECT id FROM cases INDEXED BY cases_unresolved \
             WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) AND ?2 IS NULL \
             AND state <> 'resolved' AND (?3 IS NULL OR state = ?3) AND ?6 IS NOT NULL \
             AND id < ?4 ORDER BY id DESC LIMIT ?5"
        }
        (None, false) => {
            "SELECT id FROM cases \
             WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) AND ?2 IS NULL \
             AND (?3 IS NULL OR state = ?3) AND ?6 IS NOT NULL AND id < ?4 ORDER BY id DESC LIMIT ?5"
        }
    };
    let key = params![
        IdText::of(filter.merchant),
        filter.payment.map(IdText::of),
        filter.state.map(CaseState::as_str),
        filter.cursor.as_deref().unwrap_or(page::END),
        page::fetched(filter.limit),
        unresolved,
    ];
    let keys: Vec<CaseId> = statement::all(db, sql, key, column::id)?;
    page::newest(
        keys,
        filter.limit,
        |id| by_id(db, filter.merchant, id),
        |case| case.id.to_string(),
    )
}

pub(super) fn by_id(
    db: &Connection,
    merchant: MerchantId,
    id: CaseId,
) -> Result<Option<Case>, StoreError> {
    let sql = "SELECT channels.id, cases.kind, cases.state, remedy, payments.id, attempts.id, \
               cases.out_trade_no, cases.amount, cases.currency, cases.transaction_id, \
               cases.payer, cases.paid_at, source, opened_at, need, refunds.id, resolution, \
               resolved_at, decision \
               FROM cases JOIN channels ON channels.key = cases.channel_key \
               LEFT JOIN payments ON payments.key = cases.payment_key \
               LEFT JOIN attempts ON attempts.key = cases.attempt_key \
               LEFT JOIN refunds ON refunds.key = refund_key \
               WHERE cases.merchant_key = (SELECT key FROM merchants WHERE id = ?) \
               AND cases.id = ?";
    let key = params![IdText::of(merchant), IdText::of(id)];
    statement::first(db, sql, key, |row| {
        Ok(Case {
            id,
            merchant,
            channel: row.id()?,
            kind: row.word(CaseKind::parse)?,
            state: row.word(CaseState::parse)?,
            remedy: row.word(Remedy::parse)?,
            payment: row.opt_id()?,
            attempt: row.opt_id()?,
            out_trade_no: row.text()?,
            receipt: Receipt {
                amount: row.money()?,
                transaction_id: row.text()?,
                payer: row.opt_text()?,
                paid_at: row.opt_time()?,
            },
            source: row.word(read_source)?,
            opened_at: row.time()?,
            need: row.opt_word(Need::parse)?,
            refund: row.opt_id()?,
            resolution: row.opt_word(Resolution::parse)?,
            resolved_at: row.opt_time()?,
            decision: row.opt_json()?,
        })
    })
}

const SOURCES: [Source; 7] = [
    Source::Answer,
    Source::Query,
    Source::Close,
    Source::Reverse,
    Source::Notification,
    Source::Bill,
    Source::Operator,
];

const fn source_word(source: Source) -> &'static str {
    match source {
        Source::Answer => "answer",
        Source::Query => "query",
        Source::Close => "close",
        Source::Reverse => "reverse",
        Source::Notification => "notification",
        Source::Bill => "bill",
        Source::Operator => "operator",
    }
}

fn read_source(word: &str) -> Option<Source> {
    SOURCES
        .into_iter()
        .find(|source| source_word(*source) == word)
}
