//! One payment, many reports about it: the decision table.

use serde::{Deserialize, Serialize};

use crate::case::Remedy;
use crate::{
    Attempt, AttemptId, CaseKind, Grade, MerchantId, Order, PaymentId, Policy, Receipt, Report,
    Source, Timestamp,
};

mod decide;
#[cfg(test)]
mod tests;

/// Who wanted it closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The merchant.
    Requested,
    /// Its time ran out.
    Expired,
}

impl CloseReason {
    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Expired => "expired",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Requested, Self::Expired]
            .into_iter()
            .find(|reason| reason.as_str() == word)
    }
}

/// Where a payment stands. States never move backward: `Created` and `Pending`
/// lead to `Closing`, `Paid` or `Closed`; nothing leads out of `Paid`, and out
/// of `Closed` only late money that the merchant chose to accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// No channel has been asked.
    Created,
    /// A channel may have the order; the payer may pay at any moment.
    Pending,
    /// Somebody wants it closed. Until every channel has confirmed it, the payer
    /// may still pay, and then it is paid.
    Closing {
        /// Who wanted it.
        reason: CloseReason,
    },
    /// The money has come.
    Paid {
        /// By which attempt.
        attempt: AttemptId,
        /// When the payer paid, by the platform's clock where it said so.
        at: Timestamp,
    },
    /// It will not come; if it does all the same, it goes back.
    Closed {
        /// Who wanted it.
        reason: CloseReason,
        /// When it was certain.
        at: Timestamp,
    },
}

/// What a merchant wants paid, with every try at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Ours.
    pub id: PaymentId,
    /// Who gets the money.
    pub merchant: MerchantId,
    /// What is to be paid.
    pub order: Order,
    /// Where it stands.
    #[serde(flatten)]
    pub state: State,
    /// Rises by one with every change; a change names the version it read.
    pub version: i64,
    /// In the order in which they were started.
    pub attempts: Vec<Attempt>,
    /// The unguessable part of the checkout page's address.
    pub checkout_token: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is to be closed, if it is not paid.
    pub expires_at: Timestamp,
}

/// What may happen to a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The payer's side chose a way to pay.
    AttemptStarted {
        /// As it is written down before its channel hears of it.
        attempt: Box<Attempt>,
    },
    /// A channel said something, or nothing.
    Reported {
        /// What it said.
        report: Box<Report>,
    },
    /// The merchant wants it closed.
    CloseRequested,
    /// The clock passed `expires_at`.
    Expired,
}

/// What the world is to be asked or told because of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Give the channel the order, under the attempt's own number.
    Start {
        /// Which.
        attempt: AttemptId,
        /// Not before.
        after: std::time::Duration,
    },
    /// Ask the channel where the attempt stands.
    Query {
        /// Which.
        attempt: AttemptId,
        /// Not before.
        after: std::time::Duration,
    },
    /// Close the attempt at its channel.
    Close {
        /// Which.
        attempt: AttemptId,
    },
    /// Take the attempt back at its channel: unpaid it is closed there, paid the
    /// money is returned.
    Reverse {
        /// Which.
        attempt: AttemptId,
        /// Not before.
        after: std::time::Duration,
    },
    /// Look at the clock again at `expires_at`.
    Expire,
    /// Tell the merchant.
    Tell(crate::webhook::EventType),
    /// Money that should not be there: written down, and the merchant told, once
    /// for a kind, a trade and an amount. It may come again, with
    /// [`Remedy::Refund`], when the platform confirms what was under review.
    OpenCase {
        /// What is wrong.
        kind: CaseKind,
        /// By which attempt it came.
        attempt: AttemptId,
        /// What came.
        receipt: Receipt,
        /// How we heard.
        source: Source,
        /// What is to become of it.
        remedy: Remedy,
    },
}

/// The next state, and what the world is to be asked or told because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As it is from now on.
    pub payment: Payment,
    /// What must follow, in the same transaction.
    pub effects: Vec<Effect>,
    /// The payment differs from what it was, or the timeline must remember what
    /// came. Without it there is no row to write but those of the effects.
    pub changed: bool,
}

/// What was decided beforehand about how events are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The merchant's.
    #[serde(flatten)]
    pub policy: Policy,
    /// A report of a lower grade may ask a query, and nothing else.
    pub trust: Grade,
}

impl Default for Rules {
    /// The careful ones: late money goes back, shared keys prove nothing.
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            trust: Grade::Strong,
        }
    }
}

/// An event that cannot be: the reason, for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing more can be started or closed.
    #[error("the payment is already paid")]
    AlreadyPaid,
    /// Nothing more can be started.
    #[error("the payment is closed, or being closed; make a new one")]
    AlreadyClosed,
    /// Nothing more can be started.
    #[error("the payment has expired; make a new one")]
    Expired,
    /// The same way of paying is open: use that attempt.
    #[error("this way of paying is already open as {0}")]
    AlreadyOpen(AttemptId),
    /// More attempts than any payer needs.
    #[error("the payment has {MAX_ATTEMPTS} attempts already; make a new payment")]
    TooManyAttempts,
    /// A report of an attempt that is not this payment's.
    #[error("the report is of an attempt that this payment does not have")]
    UnknownAttempt,
}

/// More attempts than any payer needs; a bound for everything that walks them.
pub const MAX_ATTEMPTS: usize = 20;

impl Payment {
    /// A payment that nobody has tried to collect, and its first effect.
    pub fn create(
        id: PaymentId,
        merchant: MerchantId,
        order: Order,
        checkout_token: String,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Step {
        let payment = Self {
            id,
            merchant,
            order,
            state: State::Created,
            version: 1,
            attempts: Vec::new(),
            checkout_token,
            created_at: now,
            expires_at,
        };
        Step {
            payment,
            effects: vec![Effect::Expire],
            changed: true,
        }
    }

    /// The attempt of that id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// The attempt that the channel knows by that number.
    pub fn attempt_by_no(&self, out_trade_no: &str) -> Option<&Attempt> {
        self.attempts
            .iter()
            .find(|attempt| attempt.out_trade_no == out_trade_no)
    }

    /// Nothing more is expected of it, other than refunds and cases.
    pub const fn is_final(&self) -> bool {
        matches!(self.state, State::Paid { .. } | State::Closed { .. })
    }

    /// The word of the API: `closing` is still `pending` to a merchant, since
    /// the payer may still pay.
    pub const fn public_state(&self) -> &'static str {
        match self.state {
            State::Created => "created",
            State::Pending | State::Closing { .. } => "pending",
            State::Paid { .. } => "paid",
            State::Closed { .. } => "closed",
        }
    }
}
