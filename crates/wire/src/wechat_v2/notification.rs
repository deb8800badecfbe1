//! `POST <notify_url>`: the platform tells of a payment, and is told that it was heard.
//!
//! Sent for paid orders only, at least once, possibly twice in parallel, possibly never.

use super::field::FieldError;
use super::head::{self, Content};
use super::limits::may_be_out_trade_no;
use super::time::BeijingTime;
use super::trade::{Amounts, Payer, TradeType};
use super::xml::Fields;

/// What arrives: the head of a reply, with the payment in it when both codes say `SUCCESS`.
///
/// [`verify`](super::sign::verify) comes first, whatever the codes say: a reply may be unsigned
/// when it refuses, a notification may not.
pub type Notification = head::Reply<Payment>;

/// A payment that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The merchant's number.
    pub out_trade_no: String,
    /// The platform's number.
    pub transaction_id: String,
    /// Who paid.
    pub payer: Payer,
    /// Where it was paid.
    pub trade_type: Option<TradeType>,
    /// Opaque; very often `OTHERS`.
    pub bank_type: Option<String>,
    /// How much.
    pub amounts: Amounts,
    /// As in the order.
    pub attach: Option<String>,
    /// When it was paid.
    pub time_end: BeijingTime,
    /// Discounts, as JSON; with `version` `1.0`.
    pub promotion_detail: Option<String>,
    /// `1.0` when the order had it.
    pub version: Option<String>,
    /// Of a payment in a foreign currency.
    pub rate_value: Option<String>,
}

/// What the merchant answers. Everything but the one line of success asks for a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// Recorded; do not tell again.
    Success,
    /// Not recorded; tell again later.
    Fail {
        /// Never echoes the notification.
        return_msg: String,
    },
}

impl Content for Payment {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        // A query's reply has all that a notification has, and may tell of an order that was
        // paid and then reversed.
        if fields.get("trade_state").is_some() {
            return Err(FieldError::Unexpected("trade_state"));
        }
        // Whoever has leaked the key could have any text kept as an order that nobody knows.
        let out_trade_no = fields.required("out_trade_no")?;
        if !may_be_out_trade_no(out_trade_no) {
            return Err(FieldError::Malformed("out_trade_no"));
        }
        Ok(Self {
            out_trade_no: out_trade_no.to_owned(),
            transaction_id: fields.required("transaction_id")?.to_owned(),
            payer: Payer::from_fields(fields),
            trade_type: fields.present("trade_type").map(TradeType::from),
            bank_type: fields.text("bank_type"),
            amounts: Amounts::from_fields(fields)?.ok_or(FieldError::Missing("total_fee"))?,
            attach: fields.text("attach"),
            time_end: fields
                .time("time_end")?
                .ok_or(FieldError::Missing("time_end"))?,
            promotion_detail: fields.text("promotion_detail"),
            version: fields.text("version"),
            rate_value: fields.text("rate_value"),
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.insert("out_trade_no", &*self.out_trade_no);
        fields.insert("transaction_id", &*self.transaction_id);
        self.payer.add_to(fields);
        fields.put(
            "trade_type",
            self.trade_type.as_ref().map(TradeType::as_str),
        );
        fields.put("bank_type", self.bank_type.as_deref());
        self.amounts.add_to(fields);
        fields.put("attach", self.attach.as_deref());
        fields.insert("time_end", self.time_end.to_string());
        fields.put("promotion_detail", self.promotion_detail.as_deref());
        fields.put("version", self.version.as_deref());
        fields.put("rate_value", self.rate_value.as_deref());
    }
}

impl Acknowledgement {
    /// Reads what a merchant answered.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        match fields.required("return_code")? {
            "SUCCESS" => Ok(Self::Success),
            "FAIL" => Ok(Self::Fail {
                return_msg: fields.text("return_msg").unwrap_or_default(),
            }),
            _ => Err(FieldError::Malformed("return_code")),
        }
    }

    /// To be sent in one line, [`Fields::write`]; never signed.
    pub fn to_fields(&self) -> Fields<'_> {
        let (return_code, return_msg) = match self {
            Self::Success => ("SUCCESS", "OK"),
            Self::Fail { return_msg } => ("FAIL", &**return_msg),
        };
        Fields::from_iter([("return_code", return_code), ("return_msg", return_msg)])
    }
}
