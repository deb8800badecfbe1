//! The small numbers by which rows know each other.

use rusqlite::{Connection, params};

use super::column::{self, IdText};
use super::statement;
use crate::StoreError;

pub(super) fn merchant(db: &Connection, id: &IdText) -> Result<i64, StoreError> {
    let sql = "SELECT key FROM merchants WHERE id = ?";
    found(statement::first(db, sql, params![id], column::int)?, id)
}

pub(super) fn channel(db: &Connection, id: &IdText) -> Result<i64, StoreError> {
    let sql = "SELECT key FROM channels WHERE id = ?";
    found(statement::first(db, sql, params![id], column::int)?, id)
}

fn found(key: Option<i64>, id: &IdText) -> Result<i64, StoreError> {
    key.ok_or_else(|| StoreError::Failed(format!("{id} is not in the database")))
}

/// How many attempts a payment can have: the lower part of an attempt's key.
const PLACES: i64 = 32;

const _: () = assert!(tongbao_core::payment::MAX_ATTEMPTS <= 32);

/// Where the attempts of a payment lie, in the order in which they were started.
pub(super) fn attempts_of(payment: i64) -> std::ops::RangeInclusive<i64> {
    let first = payment * PLACES;
    first..=first + PLACES - 1
}

/// How many refunds a payment can have: the lower part of a refund's key.
const REFUND_PLACES: i64 = 128;

/// Those that a merchant asks for, and those of cases.
const _: () = {
    assert!(tongbao_core::payment::MAX_REFUNDS_WITH_CASES <= 128);
};

/// Where the refunds of a payment lie, in the order in which they were asked for.
pub(super) fn refunds_of(payment: i64) -> std::ops::RangeInclusive<i64> {
    let first = payment * REFUND_PLACES;
    first..=first + REFUND_PLACES - 1
}

/// The key of the refund at that place.
pub(super) fn refund(payment: i64, place: usize) -> Result<i64, StoreError> {
    let place = i64::try_from(place).ok();
    let place = place.filter(|place| *place < REFUND_PLACES);
    let key = place.map(|place| payment * REFUND_PLACES + place);
    key.ok_or_else(|| StoreError::Failed("a payment has more refunds than it can".to_owned()))
}

/// The key of the attempt at that place.
pub(super) fn attempt(payment: i64, place: usize) -> Result<i64, StoreError> {
    let place = i64::try_from(place).ok().filter(|place| *place < PLACES);
    let key = place.map(|place| payment * PLACES + place);
    key.ok_or_else(|| StoreError::Failed("a payment has more attempts than it can".to_owned()))
}
