//! Money that should not be there, kept in view until it is put right.

use serde::{Deserialize, Serialize};

use crate::order::Invalid;
use crate::{
    AttemptId, CaseId, ChannelId, MerchantId, Money, PaymentId, Receipt, RefundId, Source,
    Timestamp,
};

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

/// Where a case stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// The gateway is at it: a query decides, or the money is about to go back.
    #[default]
    Open,
    /// The money is on its way back.
    Refunding,
    /// The gateway will not go on by itself; [`Need`] says why.
    NeedsPerson,
    /// The money is where it belongs, or somebody has decided that it is.
    Resolved,
}

impl CaseState {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Open,
        Self::Refunding,
        Self::NeedsPerson,
        Self::Resolved,
    ];

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Refunding => "refunding",
            Self::NeedsPerson => "needs_person",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Why a person must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// The merchant lets nothing go back without a person.
    Off,
    /// More than may go back of one case without a person.
    CaseLimit,
    /// With what went back today, more than may in a day.
    DayLimit,
    /// Not in a currency that the limits are in.
    Currency,
    /// The channel cannot pay back: its certificate is missing.
    ChannelCannot,
    /// The payer's account cannot take the money.
    RefundAbnormal,
    /// The channel has not taken the refund for an hour. It goes on being tried
    /// under its own number.
    RefundWaits,
    /// The refund came to nothing; the merchant has the money.
    RefundFailed,
    /// A second receipt under one number: the channel refunds the first one only.
    SecondReceipt,
    /// The payment is not one of ours.
    UnknownPayment,
}

impl Need {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Off,
        Self::CaseLimit,
        Self::DayLimit,
        Self::Currency,
        Self::ChannelCannot,
        Self::RefundAbnormal,
        Self::RefundWaits,
        Self::RefundFailed,
        Self::SecondReceipt,
        Self::UnknownPayment,
    ];

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::CaseLimit => "case_limit",
            Self::DayLimit => "day_limit",
            Self::Currency => "currency",
            Self::ChannelCannot => "channel_cannot",
            Self::RefundAbnormal => "refund_abnormal",
            Self::RefundWaits => "refund_waits",
            Self::RefundFailed => "refund_failed",
            Self::SecondReceipt => "second_receipt",
            Self::UnknownPayment => "unknown_payment",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|need| need.as_str() == word)
    }

    /// Cause and cure, for people.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Off => {
                "automatic refunds are off for this merchant; refund, accept or dismiss it, or switch \
                 them on for cases to come"
            }
            Self::CaseLimit => {
                "it is more than may go back of one case without a person; refund, accept or dismiss it"
            }
            Self::DayLimit => {
                "with what went back today it is more than may in one day without a person; refund, \
                 accept or dismiss it"
            }
            Self::Currency => "it is not in CNY, and the limits are; refund, accept or dismiss it",
            Self::ChannelCannot => {
                "the channel has no client certificate, which the platform wants to see for a refund; \
                 add it and refund, or accept or dismiss it"
            }
            Self::RefundAbnormal => {
                "the payer's account cannot take the money; choose another way on the platform's pages, \
                 or pay the payer yourself and dismiss it with the reason"
            }
            Self::RefundWaits => {
                "the channel has not taken the refund for an hour, and the refund's failure says why: put \
                 money into the account, renew the client certificate, or wait; it is tried again under its \
                 own number by itself, so send no second one"
            }
            Self::RefundFailed => {
                "the refund came to nothing and you have the money; refund again, accept or dismiss it"
            }
            Self::SecondReceipt => {
                "a second receipt came under one number, and the platform refunds the first by it; look \
                 on the platform's pages, and dismiss it with the reason"
            }
            Self::UnknownPayment => {
                "the number is none of this gateway's; if another system of yours took the money, \
                 dismiss it with the reason, else refund it on the platform's pages first"
            }
        }
    }
}

/// How a case came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The payer has the money back.
    Refunded,
    /// Somebody decided that the merchant keeps it.
    Accepted,
    /// Somebody decided that there is nothing to do here.
    Dismissed,
    /// A message had claimed it, and the platform says otherwise.
    Disproved,
}

impl Resolution {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Refunded,
        Self::Accepted,
        Self::Dismissed,
        Self::Disproved,
    ];

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refunded => "refunded",
            Self::Accepted => "accepted",
            Self::Dismissed => "dismissed",
            Self::Disproved => "disproved",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|resolution| resolution.as_str() == word)
    }
}

/// What a person can do about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseAction {
    /// Send the money back, whatever the limits.
    Refund,
    /// Keep it. A closed payment of that amount is paid by it.
    Accept,
    /// Nothing: it is settled elsewhere.
    Dismiss,
}

impl CaseAction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Refund, Self::Accept, Self::Dismiss];

    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Accept => "accept",
            Self::Dismiss => "dismiss",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// A reason, in bytes of UTF-8.
pub const REASON_MAX_BYTES: usize = 512;

/// What a person decided, and why: kept for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What.
    pub action: CaseAction,
    /// Who: the API key that it came with.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Decision {
    /// A reason that people can read.
    pub fn validate(&self) -> Result<(), Invalid> {
        let text = self.reason.trim();
        let fits = !text.is_empty() && self.reason.len() <= REASON_MAX_BYTES;
        if !fits || self.reason.chars().any(char::is_control) {
            let detail = format!("say why, in 1 to {REASON_MAX_BYTES} bytes of text on one line");
            return Err(Invalid::new("reason", detail));
        }
        Ok(())
    }
}

/// Which of a payment's cases: there is one for an attempt, a trade and an
/// amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseKey {
    /// By which attempt it came.
    pub attempt: AttemptId,
    /// The platform's number of the trade, or of the refund.
    pub transaction_id: String,
    /// What came.
    pub amount: Money,
}

/// A case as its payment remembers it: what it came from, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// What is wrong.
    pub kind: CaseKind,
    /// The platform's number of the trade.
    pub transaction_id: String,
    /// What came.
    pub amount: Money,
    /// When the payer paid, by the platform's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// When we heard.
    #[serde(default = "long_ago")]
    pub at: Timestamp,
    /// The platform stands by it. Else a message claims it, and a query decides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proven: bool,
    /// Where it stands.
    #[serde(default)]
    pub state: CaseState,
    /// Why a person must look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
    /// The refund of its money, or that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    /// How it ends. Known a step before it is resolved where the merchant is told
    /// of something else first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// When it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// What a person decided, last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

impl Raised {
    /// One that nobody has looked at.
    pub fn new(kind: CaseKind, receipt: &Receipt, at: Timestamp) -> Self {
        Self {
            kind,
            transaction_id: receipt.transaction_id.clone(),
            amount: receipt.amount,
            paid_at: receipt.paid_at,
            at,
            proven: false,
            state: CaseState::Open,
            need: None,
            refund: None,
            resolution: None,
            resolved_at: None,
            decision: None,
        }
    }

    /// Whether it is of that very receipt.
    pub fn is_of(&self, transaction_id: &str, amount: Money) -> bool {
        self.transaction_id == transaction_id && self.amount == amount
    }

    /// A mere claim, about which the platform is being asked.
    pub fn is_claim(&self) -> bool {
        !self.proven && self.state == CaseState::Open && self.resolution.is_none()
    }
}

/// In rows that do not say it yet.
const fn long_ago() -> Timestamp {
    Timestamp::from_secs(0)
}

/// One abnormal receipt of money, as people see it.
///
/// There is one case for a number, a trade and an amount of a channel, however
/// often and in whatever way the platform tells of it.
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
    /// Where it stands.
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
    /// Why a person must look.
    pub need: Option<Need>,
    /// The refund of its money, or that it is about.
    pub refund: Option<RefundId>,
    /// How it ended.
    pub resolution: Option<Resolution>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// What a person decided, last.
    pub decision: Option<Decision>,
}

impl Case {
    /// The payment's own name for it; none for a payment that we do not know.
    pub fn key(&self) -> Option<CaseKey> {
        Some(CaseKey {
            attempt: self.attempt?,
            transaction_id: self.receipt.transaction_id.clone(),
            amount: self.receipt.amount,
        })
    }

    /// As its payment has it from now on.
    pub fn follow(&mut self, raised: &Raised) {
        self.state = raised.state;
        self.need = raised.need;
        self.refund = raised.refund;
        // Until it is resolved it is not said how.
        let resolved = raised.state == CaseState::Resolved;
        self.resolution = raised.resolution.filter(|_| resolved);
        self.resolved_at = raised.resolved_at;
        self.decision.clone_from(&raised.decision);
    }

    /// Whether it is what its payment says.
    pub fn follows(&self, raised: &Raised) -> bool {
        let mut same = self.clone();
        same.follow(raised);
        same == *self
    }
}
