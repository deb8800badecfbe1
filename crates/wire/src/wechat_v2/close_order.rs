//! `POST /pay/closeorder`: makes an unpaid order unpayable.
//!
//! Success is not proof: orders have been seen unpaid and open afterwards. Query until the
//! state says `CLOSED`.

use super::field::FieldError;
use super::head::{self, Content, RequestHead};
use super::xml::Fields;

/// Which order to close. Only the merchant's own number is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub head: RequestHead,
    /// The merchant's number.
    pub out_trade_no: String,
}

/// The close was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// `OK`, for people.
    pub result_msg: Option<String>,
}

/// The answer.
pub type Reply = head::Reply<Closed>;

impl Request {
    /// Reads what a merchant sent.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: RequestHead::from_fields(fields)?,
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
        })
    }

    /// The fields before signing.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = self.head.to_fields();
        fields.insert("out_trade_no", &*self.out_trade_no);
        fields
    }
}

impl Content for Closed {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            result_msg: fields.text("result_msg"),
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.put("result_msg", self.result_msg.as_deref());
    }
}
