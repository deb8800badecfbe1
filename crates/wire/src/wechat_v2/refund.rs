//! `POST /secapi/pay/refund`: gives money back, all of it or a part.
//!
//! Success means that the platform has taken the request, not that the payer has the money.
//! The number is what keeps a repetition from paying back twice: keep it until the end is
//! known. Needs the client certificate.

use super::field::FieldError;
use super::head::{self, Content, RequestHead};
use super::order_query::OrderNo;
use super::refunded::{Of, RefundAccount, RefundChannel, RefundCoupon};
use super::xml::Fields;

/// What to give back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks. The application must be the order's.
    pub head: RequestHead,
    /// Out of which order.
    pub order: OrderNo,
    /// The merchant's number of the refund: repeated with the same amounts it changes nothing,
    /// with other ones it is refused.
    pub out_refund_no: String,
    /// The order's amount in fen, to the fen.
    pub total_fee: u64,
    /// In fen, above zero; with the refunds before it at most the order's amount.
    pub refund_fee: u64,
    /// What no request needs.
    pub optional: Optional,
}

/// The rest of the documented fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Optional {
    /// The terminal.
    pub device_info: Option<String>,
    /// `CNY`, which is also meant when absent.
    pub refund_fee_type: Option<String>,
    /// Shown to the payer.
    pub refund_desc: Option<String>,
    /// Absent means the unsettled money.
    pub refund_account: Option<RefundAccount>,
    /// Where to tell of the end; absent, what is set on the platform's pages, if anything.
    pub notify_url: Option<String>,
    /// Of old pages: which person asked.
    pub op_user_id: Option<String>,
}

/// The request was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The platform's number of the order.
    pub transaction_id: String,
    /// The merchant's number of the order.
    pub out_trade_no: String,
    /// The merchant's number of the refund.
    pub out_refund_no: String,
    /// The platform's number of the refund.
    pub refund_id: String,
    /// Empty today.
    pub refund_channel: Option<RefundChannel>,
    /// What goes back, in fen.
    pub refund_fee: u64,
    /// Less the coupons that nobody paid for.
    pub settlement_refund_fee: Option<u64>,
    /// The order's amount.
    pub total_fee: u64,
    /// Less the coupons that nobody paid for.
    pub settlement_total_fee: Option<u64>,
    /// Absent means `CNY`.
    pub fee_type: Option<String>,
    /// What the payer had given.
    pub cash_fee: Option<u64>,
    /// Absent means `CNY`.
    pub cash_fee_type: Option<String>,
    /// What the payer gets.
    pub cash_refund_fee: Option<u64>,
    /// All coupons together.
    pub coupon_refund_fee: Option<u64>,
    /// May stand alone, without the list.
    pub coupon_refund_count: Option<u64>,
    /// In the order of their numbers, from 0 up to the first gap.
    pub coupons: Vec<RefundCoupon>,
}

/// The answer.
pub type Reply = head::Reply<Accepted>;

impl Request {
    /// Reads what a merchant sent. Checks the grammar of amounts, not the lengths.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: RequestHead::from_fields(fields)?,
            order: OrderNo::from_fields(fields)?,
            out_refund_no: fields.required("out_refund_no")?.to_owned(),
            total_fee: fields.required_number("total_fee")?,
            refund_fee: fields.required_number("refund_fee")?,
            optional: Optional::from_fields(fields),
        })
    }

    /// The fields before signing.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = self.head.to_fields();
        self.order.add_to(&mut fields);
        fields.insert("out_refund_no", &*self.out_refund_no);
        fields.insert("total_fee", self.total_fee.to_string());
        fields.insert("refund_fee", self.refund_fee.to_string());
        self.optional.add_to(&mut fields);
        fields
    }
}

impl Optional {
    fn from_fields(fields: &Fields<'_>) -> Self {
        Self {
            device_info: fields.text("device_info"),
            refund_fee_type: fields.text("refund_fee_type"),
            refund_desc: fields.text("refund_desc"),
            refund_account: fields.present("refund_account").map(RefundAccount::from),
            notify_url: fields.text("notify_url"),
            op_user_id: fields.text("op_user_id"),
        }
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        let account = self.refund_account.as_ref();
        fields.put("device_info", self.device_info.as_deref());
        fields.put("refund_fee_type", self.refund_fee_type.as_deref());
        fields.put("refund_desc", self.refund_desc.as_deref());
        fields.put("refund_account", account.map(RefundAccount::as_str));
        fields.put("notify_url", self.notify_url.as_deref());
        fields.put("op_user_id", self.op_user_id.as_deref());
    }
}

impl Content for Accepted {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let coupon_refund_fee = fields.number("coupon_refund_fee")?;
        let coupon_refund_count = fields.number("coupon_refund_count")?;
        let has_coupons = coupon_refund_fee.is_some() || coupon_refund_count.is_some();
        Ok(Self {
            transaction_id: fields.required("transaction_id")?.to_owned(),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            out_refund_no: fields.required("out_refund_no")?.to_owned(),
            refund_id: fields.required("refund_id")?.to_owned(),
            refund_channel: fields.present("refund_channel").map(RefundChannel::from),
            refund_fee: fields.required_number("refund_fee")?,
            settlement_refund_fee: fields.number("settlement_refund_fee")?,
            total_fee: fields.required_number("total_fee")?,
            settlement_total_fee: fields.number("settlement_total_fee")?,
            fee_type: fields.text("fee_type"),
            cash_fee: fields.number("cash_fee")?,
            cash_fee_type: fields.text("cash_fee_type"),
            cash_refund_fee: fields.number("cash_refund_fee")?,
            coupon_refund_fee,
            coupon_refund_count,
            coupons: if has_coupons {
                RefundCoupon::list(fields, Of::TheRefund)?
            } else {
                Vec::new()
            },
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        let channel = self.refund_channel.as_ref();
        fields.insert("transaction_id", &*self.transaction_id);
        fields.insert("out_trade_no", &*self.out_trade_no);
        fields.insert("out_refund_no", &*self.out_refund_no);
        fields.insert("refund_id", &*self.refund_id);
        fields.put("refund_channel", channel.map(RefundChannel::as_str));
        fields.insert("refund_fee", self.refund_fee.to_string());
        fields.put_shown("settlement_refund_fee", self.settlement_refund_fee);
        fields.insert("total_fee", self.total_fee.to_string());
        fields.put_shown("settlement_total_fee", self.settlement_total_fee);
        fields.put("fee_type", self.fee_type.as_deref());
        fields.put_shown("cash_fee", self.cash_fee);
        fields.put("cash_fee_type", self.cash_fee_type.as_deref());
        fields.put_shown("cash_refund_fee", self.cash_refund_fee);
        fields.put_shown("coupon_refund_fee", self.coupon_refund_fee);
        fields.put_shown("coupon_refund_count", self.coupon_refund_count);
        for (n, coupon) in self.coupons.iter().enumerate() {
            coupon.add_to(fields, Of::TheRefund, n);
        }
    }
}
