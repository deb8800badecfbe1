//! Money that should not be there, kept in view until it is put right.

use serde::{Deserialize, Serialize};

use crate::{AttemptId, CaseId, ChannelId, MerchantId, PaymentId, Receipt, Source, Timestamp};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// Another amount or currency than the payment asks for.
    AmountMismatch,
    /// A second attempt of a paid payment, or a second trade under one number.
    PaidTwice,
    /// The payment had been closed.
    PaidAfterClose,
    /// Genuine, but of no attempt that we know.
    UnknownPayment,
    /// The payer's account cannot take a refund.
    RefundAbnormal,
}

impl CaseKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::AmountMismatch,
        Self::PaidTwice,
        Self::PaidAfterClose,
        Self::UnknownPayment,
        Self::RefundAbnormal,
    ];

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AmountMismatch => "amount_mismatch",
            Self::PaidTwice => "paid_twice",
            Self::PaidAfterClose => "paid_after_close",
            Self::UnknownPayment => "unknown_payment",
            Self::RefundAbnormal => "refund_abnormal",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is to become of the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// It goes back to the payer.
    Refund,
    /// Not before a query has confirmed it, or a person has looked.
    Review,
}

impl Remedy {
    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Review => "review",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Refund, Self::Review]
            .into_iter()
            .find(|remedy| remedy.as_str() == word)
    }
}

/// Whether somebody still has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// The money is not yet where it belongs.
    Open,
    /// It is, or a person accepted that it is not.
    Resolved,
}

impl CaseState {
    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Resolved]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// One abnormal receipt of money.
///
/// There is one case for a kind and a trade of a channel, however often and in
/// whatever way the platform tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Ours.
    pub id: CaseId,
    /// Whose money.
    pub merchant: MerchantId,
    /// Which account received it.
    pub channel: ChannelId,
    /// What is wrong.
    pub kind: CaseKind,
    /// Whether somebody still has to act.
    pub state: CaseState,
    /// What is to become of the money.
    pub remedy: Remedy,
    /// The payment it came for; none when the number is unknown.
    pub payment: Option<PaymentId>,
    /// The attempt it came by.
    pub attempt: Option<AttemptId>,
    /// The number under which the platform has it.
    pub out_trade_no: String,
    /// What came.
    pub receipt: Receipt,
    /// How we heard.
    pub source: Source,
    /// When we heard.
    pub opened_at: Timestamp,
}
