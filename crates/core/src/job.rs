//! What the world is still to be asked: rows that outlive the process.

use crate::{AttemptId, MerchantId, PaymentId, Timestamp};

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
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Start,
        Self::Query,
        Self::Close,
        Self::Reverse,
        Self::Expire,
    ];

    /// The word in SQL and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Query => "query",
            Self::Close => "close",
            Self::Reverse => "reverse",
            Self::Expire => "expire",
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
    /// Of which attempt; none for a job of the payment itself.
    pub attempt: Option<AttemptId>,
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
