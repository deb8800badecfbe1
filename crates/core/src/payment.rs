//! One payment, many reports about it: the decision table.

use serde::{Deserialize, Serialize};

use crate::case::{CaseKey, Decision, Raised, Remedy, Resolution};
use crate::job::Subject;
use crate::refund::RefundReport;
use crate::webhook::EventType;
use crate::{
    Attempt, AttemptId, CaseKind, Grade, MerchantId, Money, Need, Order, PaymentId, Policy,
    Receipt, Refund, RefundId, RefundState, Report, Source, TillId, Timestamp,
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
    /// In the order in which they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
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
    /// The merchant wants money to go back.
    RefundRequested {
        /// As it is written down before its channel hears of it.
        refund: Box<Refund>,
    },
    /// A channel said something of a refund, or nothing.
    RefundReported {
        /// What it said.
        report: Box<RefundReport>,
    },
    /// Somebody looks what is to be done about an attempt's cases next.
    CaseDue {
        /// Which attempt's.
        attempt: AttemptId,
        /// As it is written down before its channel hears of it, where money may go
        /// back.
        refund: Option<Box<Refund>>,
    },
    /// What only the world can know keeps a case's money from going back by
    /// itself.
    CaseStopped {
        /// Which case.
        case: Box<CaseKey>,
        /// Why.
        need: Need,
    },
    /// A person decided about a case.
    CaseDecided {
        /// Which case.
        case: Box<CaseKey>,
        /// What, who and why.
        decision: Box<Decision>,
        /// As it is written down before its channel hears of it, where the money is
        /// to go back.
        refund: Option<Box<Refund>>,
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
    /// Ask the channel to pay back, under the refund's own number.
    StartRefund {
        /// Which.
        refund: RefundId,
        /// Not before.
        after: std::time::Duration,
    },
    /// Ask the channel what has become of the refund.
    QueryRefund {
        /// Which.
        refund: RefundId,
        /// Not before.
        after: std::time::Duration,
    },
    /// Tell the merchant.
    Tell(EventType),
    /// Tell the merchant what became of a refund.
    TellRefund {
        /// What.
        kind: EventType,
        /// Of which.
        refund: RefundId,
    },
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
        /// What is to become of it. Where it goes back, its attempt's cases are to be
        /// seen to at once.
        remedy: Remedy,
    },
    /// A case stands elsewhere than before.
    MoveCase {
        /// Which.
        case: CaseKey,
        /// What is to become of the money, where that has changed.
        remedy: Option<Remedy>,
        /// What the merchant is told of it.
        tell: Option<EventType>,
    },
    /// See to the attempt's cases.
    SeeToCases {
        /// Which attempt's.
        attempt: AttemptId,
    },
}

/// What is to be done about an attempt's cases without a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseDue {
    /// Money goes back: bring a refund.
    Refund(CaseKey),
    /// Something else.
    Other,
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
    /// There is no money that could go back.
    #[error("the payment is not paid, so nothing can be refunded")]
    NotPaid,
    /// More than is left.
    #[error("{rest} of the payment can still be refunded; ask for 1 fen up to that")]
    AboveRest {
        /// What was received, less every refund that is not closed.
        rest: Money,
    },
    /// The same number was given before: use that refund.
    #[error("this refund exists already as {0}")]
    AlreadyRefunded(RefundId),
    /// Platforms take no more.
    #[error("the payment has {MAX_REFUNDS} refunds already, and the platforms take no more")]
    TooManyRefunds,
    /// A report of a refund that is not this payment's.
    #[error("the report is of a refund that this payment does not have")]
    UnknownRefund,
    /// A decision about a case that is not this payment's.
    #[error("the payment has no such case")]
    UnknownCase,
    /// Nothing is left to decide.
    #[error("the case is resolved already: {}", .0.as_str())]
    CaseResolved(Resolution),
    /// The payer may have the money at any moment.
    #[error("the money is on its way back as {0}; wait for its end, it is told as a webhook")]
    CaseRefunding(RefundId),
    /// Its refund was refused, and may have gone all the same.
    #[error(
        "the channel refused its refund {0}, which is looked at for 31 hours: an earlier request for it \
         may have been taken; accept the case after that, or refund or dismiss it now"
    )]
    CaseRefundMayRevive(RefundId),
    /// Nobody but a message says that there is money.
    #[error(
        "a message claims this money and the platform has not confirmed it; wait for the platform's \
         answer, or dismiss the case"
    )]
    CaseUnconfirmed,
    /// The channel would pay back other money.
    #[error(
        "the channel pays back by the order's number, and this is not the money that the order brought; \
         refund the payment anew or on the platform's pages, then dismiss the case with the reason"
    )]
    CaseNotRefundable,
    /// There is no money of its own to keep.
    #[error(
        "the case is about a refund that may still go through; dismiss it once the payer has the money"
    )]
    CaseNotAcceptable,
}

/// More attempts than any payer needs; a bound for everything that walks them.
pub const MAX_ATTEMPTS: usize = 20;

/// So many refunds the platforms take of one order.
pub const MAX_REFUNDS: usize = 50;

/// With those of cases, whose money came by other orders.
pub const MAX_REFUNDS_WITH_CASES: usize = 100;

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
            refunds: Vec::new(),
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

    /// The attempt that a job is about, or that the refund is of that it is about.
    pub fn attempt_of(&self, subject: Subject) -> Option<&Attempt> {
        match subject {
            Subject::Payment => None,
            Subject::Attempt(id) => self.attempt(id),
            Subject::Refund(id) => self.attempt(self.refund(id)?.attempt),
        }
    }

    /// The till that took the money; until it came, the one that asked for it last.
    pub fn till(&self) -> Option<TillId> {
        let attempt = match self.state {
            State::Paid { attempt, .. } => self.attempt(attempt),
            _ => self.attempts.last(),
        };
        attempt?.till
    }

    /// The attempt that the channel knows by that number.
    pub fn attempt_by_no(&self, out_trade_no: &str) -> Option<&Attempt> {
        self.attempts
            .iter()
            .find(|attempt| attempt.out_trade_no == out_trade_no)
    }

    /// The refund of that id.
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// The refund that has this one's id, or the merchant's number of it.
    pub fn same_refund(&self, refund: &Refund) -> Option<&Refund> {
        self.refunds.iter().find(|known| {
            let numbered = known.merchant_refund_no.is_some();
            known.id == refund.id
                || (numbered && known.merchant_refund_no == refund.merchant_refund_no)
        })
    }

    /// The case of that name.
    pub fn raised(&self, case: &CaseKey) -> Option<&Raised> {
        let mut raised = self.attempt(case.attempt)?.raised.iter();
        raised.find(|raised| raised.is_of(&case.transaction_id, case.amount))
    }

    /// What was received by the attempt, less every refund that is not closed:
    /// what was only asked for may have gone. `None` without money.
    pub fn refundable(&self, attempt: AttemptId) -> Option<Money> {
        let received = self.attempt(attempt)?.received?;
        let mut rest = received.minor();
        for refund in &self.refunds {
            if refund.attempt == attempt && refund.holds_money() {
                rest = rest.checked_sub(refund.amount.minor())?;
            }
        }
        Some(Money::new(rest, received.currency()))
    }

    /// What has gone back out of the money that paid it.
    pub fn refunded(&self) -> Money {
        let State::Paid { attempt, .. } = self.state else {
            return Money::new(0, self.order.amount.currency());
        };
        let gone =
            |refund: &&Refund| refund.attempt == attempt && refund.state == RefundState::Succeeded;
        let sum = self
            .refunds
            .iter()
            .filter(gone)
            .map(|refund| refund.amount.minor())
            .sum();
        Money::new(sum, self.order.amount.currency())
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
