//! `POST /pay/orderquery`: what has become of an order.

use super::field::FieldError;
use super::head::{self, Content, RequestHead};
use super::time::BeijingTime;
use super::trade::{Amounts, Payer, TradeState, TradeType};
use super::xml::Fields;

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub head: RequestHead,
    /// About which order.
    pub order: OrderNo,
    /// `1.0` asks for `promotion_detail`.
    pub version: Option<String>,
}

/// One of the two numbers that an order has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderNo {
    /// The platform's, which wins when a request brings both.
    TransactionId(String),
    /// The merchant's.
    OutTradeNo(String),
}

/// What the platform knows. Before the order is paid little more than the first three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What to branch on.
    pub trade_state: TradeState,
    /// For people.
    pub trade_state_desc: Option<String>,
    /// The merchant's number.
    pub out_trade_no: String,
    /// The platform's number.
    pub transaction_id: Option<String>,
    /// Who paid.
    pub payer: Payer,
    /// Where it was paid.
    pub trade_type: Option<TradeType>,
    /// Opaque; very often `OTHERS`.
    pub bank_type: Option<String>,
    /// Also there while unpaid in some replies, the total alone.
    pub amounts: Option<Amounts>,
    /// As in the order, but missing from some replies about unpaid ones.
    pub attach: Option<String>,
    /// When it was paid.
    pub time_end: Option<BeijingTime>,
    /// Discounts, as JSON.
    pub promotion_detail: Option<String>,
    /// Of a deposit: what was kept, in fen.
    pub consume_fee: Option<u64>,
}

/// The answer.
pub type Reply = head::Reply<Order>;

impl Request {
    /// Reads what a merchant sent.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: RequestHead::from_fields(fields)?,
            order: OrderNo::from_fields(fields)?,
            version: fields.text("version"),
        })
    }

    /// The fields before signing.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = self.head.to_fields();
        self.order.add_to(&mut fields);
        fields.put("version", self.version.as_deref());
        fields
    }
}

impl OrderNo {
    pub(super) fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let out_trade_no = || fields.text("out_trade_no").map(Self::OutTradeNo);
        fields
            .text("transaction_id")
            .map(Self::TransactionId)
            .or_else(out_trade_no)
            .ok_or(FieldError::Missing("out_trade_no"))
    }

    pub(super) fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        match self {
            Self::TransactionId(number) => fields.insert("transaction_id", &**number),
            Self::OutTradeNo(number) => fields.insert("out_trade_no", &**number),
        }
    }
}

impl Content for Order {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            trade_state: fields.required("trade_state")?.into(),
            trade_state_desc: fields.text("trade_state_desc"),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            transaction_id: fields.text("transaction_id"),
            payer: Payer::from_fields(fields),
            trade_type: fields.present("trade_type").map(TradeType::from),
            bank_type: fields.text("bank_type"),
            amounts: Amounts::from_fields(fields)?,
            attach: fields.text("attach"),
            time_end: fields.time("time_end")?,
            promotion_detail: fields.text("promotion_detail"),
            consume_fee: fields.number("consume_fee")?,
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        self.payer.add_to(fields);
        fields.put(
            "trade_type",
            self.trade_type.as_ref().map(TradeType::as_str),
        );
        fields.put("bank_type", self.bank_type.as_deref());
        if let Some(amounts) = &self.amounts {
            amounts.add_to(fields);
        }
        fields.put("transaction_id", self.transaction_id.as_deref());
        fields.insert("out_trade_no", &*self.out_trade_no);
        fields.put("attach", self.attach.as_deref());
        fields.put_shown("time_end", self.time_end);
        fields.put("promotion_detail", self.promotion_detail.as_deref());
        fields.put_shown("consume_fee", self.consume_fee);
        fields.insert("trade_state", self.trade_state.as_str());
        fields.put("trade_state_desc", self.trade_state_desc.as_deref());
    }
}
