//! Money on its way back to a payer: one refund, many reports about it.
//!
//! That a platform takes a request for a refund says nothing of the money; only
//! a query does. A refund keeps its number over every retry, and no clock of
//! ours ever ends it: it is asked about until the platform has said what became
//! of it.

use serde::{Deserialize, Serialize};

use crate::order::{Invalid, number, readable};
use crate::schedule::LOOKED_AT_FOR;
use crate::{AttemptId, CaseKind, Failure, Grade, Money, RefundId, Source, TillId, Timestamp};

mod decide;
#[cfg(test)]
mod tests;

pub use decide::{RefundEffect, RefundStep};

/// A reason, in bytes of UTF-8: the strictest platform counts 80.
pub const REASON_MAX_BYTES: usize = 80;

/// Where a refund stands.
///
/// `Succeeded` and what the platform itself closed are ends. A refund that was
/// closed because the platform refused it and did not know it is looked at
/// again for a while, and is what the platform then says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Written down before the channel was asked, and nothing certain heard
    /// since. The money may have gone back.
    Unknown,
    /// The channel has it; the payer may have the money at any moment.
    Processing,
    /// The payer's account cannot take the money; a person must act at the
    /// platform.
    Abnormal,
    /// The payer has the money.
    Succeeded,
    /// The merchant keeps the money.
    Closed,
}

impl RefundState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Processing,
        Self::Abnormal,
        Self::Succeeded,
        Self::Closed,
    ];

    /// The money may still go back, as far as we know.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unknown | Self::Processing | Self::Abnormal)
    }

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Processing => "processing",
            Self::Abnormal => "abnormal",
            Self::Succeeded => "succeeded",
            Self::Closed => "closed",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Money that goes back out of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Ours.
    pub id: RefundId,
    /// The merchant's own number; none for the money of a case.
    pub merchant_refund_no: Option<String>,
    /// The number that the channel knows it by. Written down before the first
    /// call, and the same on every retry: a second number would pay back twice.
    pub out_refund_no: String,
    /// Out of which attempt.
    pub attempt: AttemptId,
    /// How much. Never changes.
    pub amount: Money,
    /// What the payer reads.
    pub reason: Option<String>,
    /// The case whose money it is.
    pub case: Option<CaseKind>,
    /// Nobody asked for it: it counts against what may go back in a day without a
    /// person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// Where it stands.
    pub state: RefundState,
    /// The platform's number.
    pub refund_no: Option<String>,
    /// What stands in its way, or why it came to nothing.
    pub failure: Option<Failure>,
    /// The channel said no. It may have said yes before, and the answer was
    /// lost: so it is not sent again, and a query decides.
    pub refused: bool,
    /// Not before: platforms want a pause between two refunds of an order.
    pub starts_at: Timestamp,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it came to an end.
    pub ended_at: Option<Timestamp>,
    /// When a message that proves too little last made us ask; in the future
    /// when it will.
    pub hinted_at: Option<Timestamp>,
    /// The till that asked for it; none for the merchant's server and for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till: Option<TillId>,
}

impl Refund {
    /// A refund as it is written down before its channel hears of it.
    pub fn new(
        id: RefundId,
        out_refund_no: String,
        attempt: AttemptId,
        amount: Money,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            merchant_refund_no: None,
            out_refund_no,
            attempt,
            amount,
            reason: None,
            case: None,
            automatic: false,
            state: RefundState::Unknown,
            refund_no: None,
            failure: None,
            refused: false,
            starts_at: created_at,
            created_at,
            ended_at: None,
            hinted_at: None,
            till: None,
        }
    }

    /// Every rule that depends neither on the payment nor on a channel.
    pub fn validate(&self) -> Result<(), Invalid> {
        if let Some(text) = &self.merchant_refund_no {
            number("merchant_refund_no", text)?;
        }
        if self.amount.minor() < 1 {
            let detail = format!(
                "is {}; send fen as a whole number from 1 (¥12.34 is 1234)",
                self.amount.minor()
            );
            return Err(Invalid::new("amount", detail));
        }
        match &self.reason {
            Some(text) => readable("reason", text, REASON_MAX_BYTES),
            None => Ok(()),
        }
    }

    /// The first field in which two requests with one number differ.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.amount != other.amount {
            return Some("amount");
        }
        (self.reason != other.reason).then_some("reason")
    }

    /// Of the money it was taken out of, this much is spoken for: all of it,
    /// unless the refund is closed. What was only asked for may have gone.
    pub const fn holds_money(&self) -> bool {
        !matches!(self.state, RefundState::Closed)
    }

    /// It was closed because the platform refused it and did not know it, and is
    /// still looked at: an earlier request may have been taken.
    pub fn may_revive(&self, now: Timestamp) -> bool {
        // A clock that was set back by much: watched from now on.
        let ended_at = self.ended_at.unwrap_or(now).min(now);
        self.state == RefundState::Closed && self.refused && now.since(ended_at) < LOOKED_AT_FOR
    }
}

/// What a channel says has become of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RefundOutcome {
    /// The channel has it. The payer may not have the money.
    Processing {
        /// The platform's number.
        refund_no: String,
    },
    /// The payer has the money.
    Succeeded {
        /// The platform's number.
        refund_no: String,
    },
    /// The payer's account cannot take it.
    Abnormal {
        /// The platform's number.
        refund_no: String,
    },
    /// The platform gave it up.
    Closed {
        /// The platform's number.
        refund_no: String,
    },
    /// The channel did not take this request, and will not take it again.
    Refused {
        /// Why.
        failure: Failure,
    },
    /// The channel did not take this request, and will when somebody has acted
    /// or time has passed: money is missing, a certificate, patience.
    NotYet {
        /// What stands in the way, and what helps.
        failure: Failure,
    },
    /// The channel does not know it. Shortly after it was sent that proves
    /// nothing.
    NotFound,
    /// No answer, one that cannot be read or trusted, or one that means "ask".
    Unknown {
        /// For the timeline.
        why: String,
    },
}

/// What a channel says of one refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundReport {
    /// Of which refund.
    pub refund: RefundId,
    /// How it came. `Answer` is the answer to the request itself.
    pub source: Source,
    /// How much it proves.
    pub grade: Grade,
    /// What it says.
    #[serde(flatten)]
    pub outcome: RefundOutcome,
}
