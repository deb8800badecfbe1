//! What the world is still to be asked: rows that outlive the process.

use std::fmt;

use crate::{AttemptId, MerchantId, PaymentId, RefundId, Timestamp};

/// One kind of call, each safe to make twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Give the channel the order.
    Start,
    /// Ask the channel where the attempt stands.
    Query,
    /// Close the attempt at the channel.
    Close,
    /// Take the attempt back at the channel.
    Reverse,
    /// The payment's time is up.
    Expire,
    /// Ask the channel to pay back.
    Refund,
    /// Ask the channel what has become of a refund.
    RefundQuery,
    /// See to the cases of an attempt.
    Case,
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::Query,
        Self::Close,
        Self::Reverse,
        Self::Expire,
        Self::Refund,
        Self::RefundQuery,
        Self::Case,
    ];

    /// The word in SQL and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Query => "query",
            Self::Close => "close",
            Self::Reverse => "reverse",
            Self::Expire => "expire",
            Self::Refund => "refund",
            Self::RefundQuery => "refund_query",
            Self::Case => "case",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// 9999-12-31, later than any job is due: one that was laid aside until somebody
/// asks for it again.
pub const NEVER: Timestamp = Timestamp::from_secs(253_402_214_400);

/// A job's identity: there is one job of a kind for a subject, and asking for
/// it again only brings it forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// Which call.
    pub kind: JobKind,
    /// Of which payment.
    pub payment: PaymentId,
    /// Of what about it.
    pub subject: Subject,
}

impl JobKey {
    /// The attempt that it is about, if it is about one.
    pub const fn attempt(&self) -> Option<AttemptId> {
        match self.subject {
            Subject::Attempt(id) => Some(id),
            Subject::Payment | Subject::Refund(_) => None,
        }
    }

    /// The refund that it is about, if it is about one.
    pub const fn refund(&self) -> Option<RefundId> {
        match self.subject {
            Subject::Refund(id) => Some(id),
            Subject::Payment | Subject::Attempt(_) => None,
        }
    }
}

/// What a job asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The payment itself.
    Payment,
    /// One of its attempts.
    Attempt(AttemptId),
    /// One of its refunds.
    Refund(RefundId),
}

impl Subject {
    /// Reads the text back: an id, or nothing for the payment itself.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Payment);
        }
        let attempt = text.parse().map(Self::Attempt);
        attempt.or_else(|_| text.parse().map(Self::Refund)).ok()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment => Ok(()),
            Self::Attempt(id) => id.fmt(f),
            Self::Refund(id) => id.fmt(f),
        }
    }
}

/// A job as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Which one.
    pub key: JobKey,
    /// Whose.
    pub merchant: MerchantId,
    /// Not before.
    pub due: Timestamp,
    /// The asker wants to run it himself, until then; when he dies, the worker
    /// finds it. He gets the claim unless another holds the job.
    pub lease_until: Option<Timestamp>,
}

/// A job that somebody has claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which one.
    pub key: JobKey,
    /// Whose.
    pub merchant: MerchantId,
    /// How often it was asked for. Somebody who finishes an older claim than
    /// the row's leaves the row to be run again.
    pub asked: i64,
    /// The lease: rises with every claim, so that a claimer who wakes too late
    /// is told so.
    pub fence: i64,
}
