//! What a channel says of an attempt, however it reached us.

use serde::{Deserialize, Serialize};

use crate::{Action, AttemptId, Failure, Money, Timestamp};

/// The ways in which a report reaches us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The answer to our own order.
    Answer,
    /// The answer to a query.
    Query,
    /// The answer to our own close.
    Close,
    /// The answer to our own reverse.
    Reverse,
    /// The platform told us by itself.
    Notification,
    /// A line of the platform's bill.
    Bill,
    /// A person decided.
    Operator,
}

/// How much a message proves. The order is the order of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Unsigned or ambiguous: a hint that asks a query, never more.
    Weak,
    /// Signed with a key that both sides hold: whoever leaks it can forge.
    Shared,
    /// Signed with the platform's private key, or answered by the platform
    /// itself to our question over TLS.
    Strong,
}

/// Money that a channel says has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The order's total as the channel states it.
    pub amount: Money,
    /// The platform's number of the trade.
    pub transaction_id: String,
    /// The platform's name for the payer.
    pub payer: Option<String>,
    /// When the payer paid, by the platform's clock.
    pub paid_at: Option<Timestamp>,
}

/// What the channel says has become of the attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The channel has the order.
    Accepted {
        /// What the payer's side has to do.
        action: Action,
    },
    /// Money has come.
    Success {
        /// How much, and by whom.
        receipt: Receipt,
    },
    /// The order stands, unpaid.
    NotPaid,
    /// The payer is typing a password.
    UserPaying,
    /// Closed at the channel, unpaid.
    Closed,
    /// Taken back at the channel. As the answer to our own reverse it is only a
    /// promise, which a query confirms.
    Revoked,
    /// The payer's side could not pay; this order is over.
    PayError {
        /// Why.
        failure: Failure,
    },
    /// The channel did not take the order, and says so in words that leave no
    /// doubt.
    Refused {
        /// Why.
        failure: Failure,
    },
    /// The channel does not know the order. Shortly after it was placed that
    /// proves nothing.
    NotFound,
    /// No answer, one that cannot be read or trusted, or one that means "ask".
    Unknown {
        /// For the timeline.
        why: String,
        /// The channel itself hinted that a query will tell more at once.
        ask_now: bool,
    },
}

/// What a channel says of one attempt: the only way in which anything about
/// money enters a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Of which attempt.
    pub attempt: AttemptId,
    /// How it came.
    pub source: Source,
    /// How much it proves.
    pub grade: Grade,
    /// What it says.
    #[serde(flatten)]
    pub outcome: Outcome,
}
