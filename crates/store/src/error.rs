//! What a caller can do when the database does not do as asked.

/// A unique number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// The merchant's order number.
    MerchantOrderNo,
    /// The merchant's number of a refund.
    MerchantRefundNo,
    /// The idempotency key.
    IdempotencyKey,
    /// The name of a shop or a till.
    Name,
    /// Anything else: ids and numbers that we mint ourselves.
    Other,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody changed the row since it was read: load and decide again.
    #[error("the row changed since it was read")]
    Conflict,
    /// A unique number is in use; nothing was written.
    #[error("a unique number is taken: {0:?}")]
    Taken(Unique),
    /// The lease had run out and another holds it: drop the work.
    #[error("the lease is held by another")]
    Fenced,
    /// More would have gone back in a day without a person than may; nothing was
    /// written.
    #[error("the day's limit of automatic refunds is reached")]
    AboveLimit,
    /// The disk is full or cannot be written; nothing was written.
    #[error("the database cannot be written: {0}")]
    Full(String),
    /// Whether it was written is not known: read before doing it again.
    #[error("whether the database kept the change is not known: {0}")]
    CommitUnknown(String),
    /// A row that cannot be read as what it should be.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
    /// Anything else; nothing was written.
    #[error("the database failed: {0}")]
    Failed(String),
    /// The store has been shut down.
    #[error("the database is closed")]
    Closed,
}
