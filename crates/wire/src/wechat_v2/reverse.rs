//! `POST /secapi/pay/reverse`: undoes a code payment, whatever has become of it (撤销订单).
//!
//! Unpaid, it is closed for good; paid, the whole amount goes back at once. Only for orders of
//! [`micropay`](super::micropay), 15 seconds old at least and seven days at most. Needs the
//! client certificate. May be repeated, and must be while the answer says so or is missing.

use super::field::FieldError;
use super::head::{self, Content, RequestHead};
use super::order_query::OrderNo;
use super::xml::Fields;
use crate::word::words;

words!(
    /// Whether the platform wants to be called again.
    Recall {
        /// It is not done yet.
        Yes = "Y",
        No = "N",
    }
);

/// Which order to undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub head: RequestHead,
    /// The platform's number is preferred, the merchant's always known.
    pub order: OrderNo,
}

/// What the reply has beyond the answer: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reversed;

/// The answer.
///
/// Only `Done` with [`Recall::No`] says that the order is undone. A failure may ask to be called
/// again as well, so the word stands beside the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Done, failed or refused.
    pub reply: Reply,
    /// Absent from refusals; never to be taken for `N` when absent.
    pub recall: Option<Recall>,
}

/// The part that every operation's answer has.
pub type Reply = head::Reply<Reversed>;

impl Request {
    /// Reads what a merchant sent.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: RequestHead::from_fields(fields)?,
            order: OrderNo::from_fields(fields)?,
        })
    }

    /// The fields before signing.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = self.head.to_fields();
        self.order.add_to(&mut fields);
        fields
    }
}

impl Answer {
    /// Reads fields whose signature has been verified, or which say `FAIL` unsigned.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let reply = Reply::from_fields(fields)?;
        let recall = match &reply {
            Reply::Refused { .. } => None,
            Reply::Failed { .. } | Reply::Done { .. } => fields.present("recall").map(Recall::from),
        };
        Ok(Self { reply, recall })
    }

    /// The fields before signing. A refusal stays unsigned and has no `recall`.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = self.reply.to_fields();
        if !matches!(self.reply, Reply::Refused { .. }) {
            fields.put("recall", self.recall.as_ref().map(Recall::as_str));
        }
        fields
    }
}

impl Content for Reversed {
    fn from_fields(_: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self)
    }

    fn add_to<'a>(&'a self, _: &mut Fields<'a>) {}
}
