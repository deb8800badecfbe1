//! `POST /pay/refundquery`: what has become of an order's refunds.
//!
//! Ten refunds an answer at most; `offset` skips those before.

use super::field::FieldError;
use super::head::{self, Content, RequestHead};
use super::number;
use super::refunded::{Of, RefundAccount, RefundChannel, RefundCoupon, RefundStatus};
use super::time::BeijingTime;
use super::xml::Fields;

/// How many refunds one answer lists at most.
pub const PAGE: usize = 10;

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub head: RequestHead,
    /// About which refund, or all of which order.
    pub refund: RefundNo,
    /// How many refunds of the order to skip; beyond the last it is refused.
    pub offset: Option<u64>,
}

/// One of the two numbers that a refund has, or of the two that its order has. Of several in
/// one request the first in this list wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundNo {
    /// The platform's, of the refund.
    RefundId(String),
    /// The merchant's, of the refund.
    OutRefundNo(String),
    /// The platform's, of the order.
    TransactionId(String),
    /// The merchant's, of the order.
    OutTradeNo(String),
}

/// What the platform knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunds {
    /// The platform's number of the order.
    pub transaction_id: String,
    /// The merchant's number of the order.
    pub out_trade_no: String,
    /// How many there are, listed here or not.
    pub total_refund_count: Option<u64>,
    /// How many are listed.
    pub refund_count: u64,
    /// The order's amount.
    pub total_fee: u64,
    /// Less the coupons that nobody paid for.
    pub settlement_total_fee: Option<u64>,
    /// Absent means `CNY`.
    pub fee_type: Option<String>,
    /// What the payer had given.
    pub cash_fee: Option<u64>,
    /// Of all refunds together.
    pub refund_fee: Option<u64>,
    /// Of all refunds together.
    pub coupon_refund_fee: Option<u64>,
    /// Of all refunds together.
    pub cash_refund_fee: Option<u64>,
    /// In the order of their numbers, from 0.
    pub refunds: Vec<Refund>,
}

/// One refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The merchant's number.
    pub out_refund_no: String,
    /// The platform's number.
    pub refund_id: String,
    /// Which way the money goes.
    pub refund_channel: Option<RefundChannel>,
    /// In fen.
    pub refund_fee: u64,
    /// Less the coupons that nobody paid for.
    pub settlement_refund_fee: Option<u64>,
    /// All its coupons together.
    pub coupon_refund_fee: Option<u64>,
    /// May stand alone, without the list.
    pub coupon_refund_count: Option<u64>,
    /// In the order of their numbers, from 0 up to the first gap.
    pub coupons: Vec<RefundCoupon>,
    /// What to branch on.
    pub refund_status: RefundStatus,
    /// Out of which of the merchant's money.
    pub refund_account: Option<RefundAccount>,
    /// Where the money went, for people. The platform spells it so.
    pub refund_recv_accout: Option<String>,
    /// When the payer had the money.
    pub refund_success_time: Option<BeijingTime>,
}

/// The answer.
pub type Reply = head::Reply<Refunds>;

impl Request {
    /// Reads what a merchant sent.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: RequestHead::from_fields(fields)?,
            refund: RefundNo::from_fields(fields)?,
            offset: fields.number("offset")?,
        })
    }

    /// The fields before signing.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = self.head.to_fields();
        let (name, number) = self.refund.field();
        fields.insert(name, number);
        fields.put_shown("offset", self.offset);
        fields
    }
}

impl RefundNo {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let read = |name, kind: fn(String) -> Self| fields.text(name).map(kind);
        read("refund_id", Self::RefundId)
            .or_else(|| read("out_refund_no", Self::OutRefundNo))
            .or_else(|| read("transaction_id", Self::TransactionId))
            .or_else(|| read("out_trade_no", Self::OutTradeNo))
            .ok_or(FieldError::Missing("out_refund_no"))
    }

    fn field(&self) -> (&'static str, &str) {
        match self {
            Self::RefundId(number) => ("refund_id", number),
            Self::OutRefundNo(number) => ("out_refund_no", number),
            Self::TransactionId(number) => ("transaction_id", number),
            Self::OutTradeNo(number) => ("out_trade_no", number),
        }
    }
}

impl Content for Refunds {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let refund_count = fields.required_number("refund_count")?;
        let refunds = Refund::list(fields)?;
        // A refund that is overlooked might be asked for again, under another number.
        let listed = refunds.len() as u64;
        let is_first_page = refunds.len() == PAGE && refund_count > listed;
        if listed != refund_count && !is_first_page {
            return Err(FieldError::Malformed("refund_count"));
        }
        Ok(Self {
            transaction_id: fields.required("transaction_id")?.to_owned(),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            total_refund_count: fields.number("total_refund_count")?,
            refund_count,
            total_fee: fields.required_number("total_fee")?,
            settlement_total_fee: fields.number("settlement_total_fee")?,
            fee_type: fields.text("fee_type"),
            cash_fee: fields.number("cash_fee")?,
            refund_fee: fields.number("refund_fee")?,
            coupon_refund_fee: fields.number("coupon_refund_fee")?,
            cash_refund_fee: fields.number("cash_refund_fee")?,
            refunds,
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.insert("transaction_id", &*self.transaction_id);
        fields.insert("out_trade_no", &*self.out_trade_no);
        fields.put_shown("total_refund_count", self.total_refund_count);
        fields.insert("refund_count", self.refund_count.to_string());
        fields.insert("total_fee", self.total_fee.to_string());
        fields.put_shown("settlement_total_fee", self.settlement_total_fee);
        fields.put("fee_type", self.fee_type.as_deref());
        fields.put_shown("cash_fee", self.cash_fee);
        fields.put_shown("refund_fee", self.refund_fee);
        fields.put_shown("coupon_refund_fee", self.coupon_refund_fee);
        fields.put_shown("cash_refund_fee", self.cash_refund_fee);
        for (n, refund) in self.refunds.iter().enumerate() {
            refund.add_to(fields, n);
        }
    }
}

impl Refund {
    fn list(fields: &Fields<'_>) -> Result<Vec<Self>, FieldError> {
        let mut refunds = Vec::new();
        while let Some(refund) = Self::numbered(&Numbered(fields, refunds.len()))? {
            refunds.push(refund);
        }
        Ok(refunds)
    }

    /// `None` where neither of its numbers is: the list has ended.
    fn numbered(fields: &Numbered<'_>) -> Result<Option<Self>, FieldError> {
        let id = fields.text("refund_id");
        let out_no = fields.text("out_refund_no");
        if id.is_none() && out_no.is_none() {
            return Ok(None);
        }
        let status = fields.text("refund_status");
        let coupon_refund_fee = fields.number("coupon_refund_fee", "coupon_refund_fee_$n")?;
        let coupon_refund_count = fields.number("coupon_refund_count", "coupon_refund_count_$n")?;
        let has_coupons = coupon_refund_fee.is_some() || coupon_refund_count.is_some();
        Ok(Some(Self {
            out_refund_no: out_no.ok_or(FieldError::Missing("out_refund_no_$n"))?,
            refund_id: id.ok_or(FieldError::Missing("refund_id_$n"))?,
            refund_channel: fields.word("refund_channel"),
            refund_fee: fields
                .number("refund_fee", "refund_fee_$n")?
                .ok_or(FieldError::Missing("refund_fee_$n"))?,
            settlement_refund_fee: fields
                .number("settlement_refund_fee", "settlement_refund_fee_$n")?,
            coupon_refund_fee,
            coupon_refund_count,
            coupons: if has_coupons {
                RefundCoupon::list(fields.0, Of::RefundNumber(fields.1))?
            } else {
                Vec::new()
            },
            refund_status: status
                .as_deref()
                .map(RefundStatus::from)
                .ok_or(FieldError::Missing("refund_status_$n"))?,
            refund_account: fields.word("refund_account"),
            refund_recv_accout: fields.text("refund_recv_accout"),
            refund_success_time: fields.time("refund_success_time", "refund_success_time_$n")?,
        }))
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>, n: usize) {
        let mut put = |name: &str, value: Option<std::borrow::Cow<'a, str>>| {
            if let Some(value) = value {
                fields.insert(format!("{name}_{n}"), value);
            }
        };
        let shown = |number: Option<u64>| number.map(|number| number.to_string().into());
        let channel = self.refund_channel.as_ref();
        let account = self.refund_account.as_ref();
        let success = self.refund_success_time;
        put("out_refund_no", Some((&*self.out_refund_no).into()));
        put("refund_id", Some((&*self.refund_id).into()));
        put("refund_channel", channel.map(|word| word.as_str().into()));
        put("refund_fee", shown(Some(self.refund_fee)));
        put("settlement_refund_fee", shown(self.settlement_refund_fee));
        put("coupon_refund_fee", shown(self.coupon_refund_fee));
        put("coupon_refund_count", shown(self.coupon_refund_count));
        put("refund_status", Some(self.refund_status.as_str().into()));
        put("refund_account", account.map(|word| word.as_str().into()));
        put(
            "refund_recv_accout",
            self.refund_recv_accout.as_deref().map(Into::into),
        );
        put(
            "refund_success_time",
            success.map(|time| time.to_spaced().into()),
        );
        for (m, coupon) in self.coupons.iter().enumerate() {
            coupon.add_to(fields, Of::RefundNumber(n), m);
        }
    }
}

/// The fields of one refund: those whose names end with its number.
struct Numbered<'f>(&'f Fields<'f>, usize);

impl Numbered<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.text(&format!("{name}_{}", self.1))
    }

    fn word<W: for<'w> From<&'w str>>(&self, name: &str) -> Option<W> {
        self.text(name).as_deref().map(W::from)
    }

    fn number(&self, name: &str, error_name: &'static str) -> Result<Option<u64>, FieldError> {
        let read = |text: String| number::parse(&text).ok_or(FieldError::Malformed(error_name));
        self.text(name).map(read).transpose()
    }

    fn time(
        &self,
        name: &str,
        error_name: &'static str,
    ) -> Result<Option<BeijingTime>, FieldError> {
        let read = |text: String| {
            BeijingTime::from_spaced(&text).map_err(|_| FieldError::Malformed(error_name))
        };
        self.text(name).map(read).transpose()
    }
}
