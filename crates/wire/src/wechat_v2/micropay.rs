//! `POST /pay/micropay`: takes the money with the code that the payer shows (付款码).
//!
//! Nothing else tells of the outcome, for no notification is sent. A failure is final only
//! where its code says so: after `USERPAYING`, `SYSTEMERROR`, `BANKERROR`, an unknown code or
//! silence, query, and [reverse](super::reverse) what stays unpaid. Asking again with the same
//! number never takes the money twice.

use super::auth_code::AuthCode;
use super::field::FieldError;
use super::head::{self, Content, RequestHead};
use super::time::BeijingTime;
use super::trade::{Amounts, Payer, TradeType};
use super::xml::Fields;

/// The order, and the code to pay it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub head: RequestHead,
    /// Shown to the payer.
    pub body: String,
    /// The merchant's number, unique for ever; a new code needs a new one.
    pub out_trade_no: String,
    /// In fen, above zero.
    pub total_fee: u64,
    /// The terminal's or the server's address.
    pub spbill_create_ip: String,
    /// What the scanner read.
    pub auth_code: AuthCode,
    /// What no request needs.
    pub optional: Optional,
}

/// The rest of the documented fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Optional {
    /// `1.0` when `detail` brings discounts for single articles.
    pub version: Option<String>,
    /// The terminal.
    pub device_info: Option<String>,
    /// Articles, as JSON.
    pub detail: Option<String>,
    /// Comes back in the answer and in queries.
    pub attach: Option<String>,
    /// `CNY`, which is also meant when absent.
    pub fee_type: Option<String>,
    /// A mark that discounts can be tied to.
    pub goods_tag: Option<String>,
    /// `no_credit` keeps credit cards out.
    pub limit_pay: Option<String>,
    /// When the order was made.
    pub time_start: Option<BeijingTime>,
    /// When it can no longer be paid, a minute away at least.
    pub time_expire: Option<BeijingTime>,
    /// `Y` offers the payer an invoice.
    pub receipt: Option<String>,
    /// `Y` freezes the money until it is shared out.
    pub profit_sharing: Option<String>,
    /// `Y` only holds the money as a deposit.
    pub deposit: Option<String>,
    /// The store, as JSON.
    pub scene_info: Option<String>,
}

/// The money was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The merchant's number.
    pub out_trade_no: String,
    /// The platform's number.
    pub transaction_id: String,
    /// Who paid.
    pub payer: Payer,
    /// `MICROPAY`.
    pub trade_type: Option<TradeType>,
    /// Opaque; very often `OTHERS`.
    pub bank_type: Option<String>,
    /// How much.
    pub amounts: Amounts,
    /// As in the request.
    pub attach: Option<String>,
    /// When it was paid.
    pub time_end: BeijingTime,
    /// Discounts, as JSON; with `version` `1.0`.
    pub promotion_detail: Option<String>,
}

/// The answer.
pub type Reply = head::Reply<Paid>;

impl Request {
    /// Reads what a merchant sent. Checks the grammar of numbers, times and the code, not the
    /// lengths.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: RequestHead::from_fields(fields)?,
            body: fields.required("body")?.to_owned(),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            total_fee: fields.required_number("total_fee")?,
            spbill_create_ip: fields.required("spbill_create_ip")?.to_owned(),
            auth_code: AuthCode::from_fields(fields)?,
            optional: Optional::from_fields(fields)?,
        })
    }

    /// The fields before signing.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = self.head.to_fields();
        fields.insert("body", &*self.body);
        fields.insert("out_trade_no", &*self.out_trade_no);
        fields.insert("total_fee", self.total_fee.to_string());
        fields.insert("spbill_create_ip", &*self.spbill_create_ip);
        fields.insert("auth_code", self.auth_code.as_str());
        self.optional.add_to(&mut fields);
        fields
    }
}

impl Optional {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            version: fields.text("version"),
            device_info: fields.text("device_info"),
            detail: fields.text("detail"),
            attach: fields.text("attach"),
            fee_type: fields.text("fee_type"),
            goods_tag: fields.text("goods_tag"),
            limit_pay: fields.text("limit_pay"),
            time_start: fields.time("time_start")?,
            time_expire: fields.time("time_expire")?,
            receipt: fields.text("receipt"),
            profit_sharing: fields.text("profit_sharing"),
            deposit: fields.text("deposit"),
            scene_info: fields.text("scene_info"),
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.put("version", self.version.as_deref());
        fields.put("device_info", self.device_info.as_deref());
        fields.put("detail", self.detail.as_deref());
        fields.put("attach", self.attach.as_deref());
        fields.put("fee_type", self.fee_type.as_deref());
        fields.put("goods_tag", self.goods_tag.as_deref());
        fields.put("limit_pay", self.limit_pay.as_deref());
        fields.put_shown("time_start", self.time_start);
        fields.put_shown("time_expire", self.time_expire);
        fields.put("receipt", self.receipt.as_deref());
        fields.put("profit_sharing", self.profit_sharing.as_deref());
        fields.put("deposit", self.deposit.as_deref());
        fields.put("scene_info", self.scene_info.as_deref());
    }
}

impl Content for Paid {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        // A query's reply has all that this one has, and may tell of an order that was paid
        // and then reversed.
        if fields.get("trade_state").is_some() {
            return Err(FieldError::Unexpected("trade_state"));
        }
        Ok(Self {
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
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
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        self.payer.add_to(fields);
        fields.put(
            "trade_type",
            self.trade_type.as_ref().map(TradeType::as_str),
        );
        fields.put("bank_type", self.bank_type.as_deref());
        self.amounts.add_to(fields);
        fields.insert("transaction_id", &*self.transaction_id);
        fields.insert("out_trade_no", &*self.out_trade_no);
        fields.put("attach", self.attach.as_deref());
        fields.insert("time_end", self.time_end.to_string());
        fields.put("promotion_detail", self.promotion_detail.as_deref());
    }
}
