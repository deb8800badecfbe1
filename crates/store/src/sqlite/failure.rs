//! SQLite's errors in the contract's words.

use rusqlite::ffi::{
    ErrorCode, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE,
};

use crate::{StoreError, Unique};

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(cause, message) => {
                failure(*cause, message.as_deref().unwrap_or_default())
            }
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => Self::Corrupt(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// An error in COMMIT leaves open whether it is written, a full disk as well: the
/// last page's header may be there and find behind it, in the log's remains, the
/// very bytes that there was no room for.
pub(super) fn in_commit(error: &rusqlite::Error) -> StoreError {
    StoreError::CommitUnknown(error.to_string())
}

fn failure(cause: rusqlite::ffi::Error, message: &str) -> StoreError {
    match cause.code {
        ErrorCode::ConstraintViolation => constraint(cause.extended_code, message),
        ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen => StoreError::Full(format!("{message} ({cause})")),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::Corrupt(format!("{message} ({cause})"))
        }
        _ => StoreError::Failed(format!("{message} ({cause})")),
    }
}

/// The message names the columns and is the only thing that does:
/// `UNIQUE constraint failed: payments.merchant_key, payments.merchant_order_no`.
fn constraint(extended: i32, message: &str) -> StoreError {
    let unique = [
        SQLITE_CONSTRAINT_UNIQUE,
        SQLITE_CONSTRAINT_PRIMARYKEY,
        SQLITE_CONSTRAINT_ROWID,
    ];
    if !unique.contains(&extended) {
        return StoreError::Failed(message.to_owned());
    }
    match message.rsplit(' ').next() {
        Some("payments.merchant_order_no") => StoreError::Taken(Unique::MerchantOrderNo),
        Some("refunds.merchant_refund_no") => StoreError::Taken(Unique::MerchantRefundNo),
        Some("stores.name" | "tills.name") => StoreError::Taken(Unique::Name),
        Some("idempotency.key") => StoreError::Taken(Unique::IdempotencyKey),
        // The payment is there already, at some version.
        Some("payments.id") => StoreError::Conflict,
        _ => StoreError::Taken(Unique::Other),
    }
}
