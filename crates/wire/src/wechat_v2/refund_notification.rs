//! `POST <notify_url>` of a refund: the platform tells that a refund has ended, well or not.
//!
//! Not signed. That the inner part opens under the merchant's key is all there is for proof,
//! and it is little (see [`req_info`]): compare numbers and amounts with what was asked for, and
//! believe [`refund_query`](super::refund_query). Answered as a payment's notification is, with
//! [`Acknowledgement`](super::notification::Acknowledgement).

use super::field::FieldError;
use super::head::is_success;
use super::limits::{may_be_out_refund_no, may_be_out_trade_no};
use super::refunded::{RefundAccount, RefundRequestSource, RefundStatus};
use super::req_info::{self, ReqInfoError};
use super::sign::ApiKey;
use super::time::BeijingTime;
use super::xml::{Fields, XmlError};

/// The root of the inner document.
const ROOT: &str = "root";

/// What arrives: whose it is, in the open, and the refund in [`req_info`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Seldom there.
    pub return_msg: Option<String>,
    /// The application. Anyone can have written this and the next three.
    pub appid: String,
    /// The merchant's number, or the service provider's: whose key to open with.
    pub mch_id: String,
    /// The sub-merchant's application.
    pub sub_appid: Option<String>,
    /// The sub-merchant's number.
    pub sub_mch_id: Option<String>,
    /// The platform's own.
    pub nonce_str: String,
    /// The refund, encrypted.
    pub req_info: String,
}

/// A refund that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The platform's number of the order.
    pub transaction_id: String,
    /// The merchant's number of the order.
    pub out_trade_no: String,
    /// The platform's number of the refund.
    pub refund_id: String,
    /// The merchant's number of the refund. A refund that a person made on the platform's pages
    /// has one that the gateway never issued.
    pub out_refund_no: String,
    /// The order's amount, in fen.
    pub total_fee: u64,
    /// Less the coupons that nobody paid for.
    pub settlement_total_fee: Option<u64>,
    /// What went back.
    pub refund_fee: u64,
    /// Less the coupons that nobody paid for.
    pub settlement_refund_fee: Option<u64>,
    /// What the payer got.
    pub cash_refund_fee: Option<u64>,
    /// What to branch on.
    pub refund_status: RefundStatus,
    /// When the payer had the money; only of a success.
    pub success_time: Option<BeijingTime>,
    /// Where the money went, for people. The platform spells it so.
    pub refund_recv_accout: Option<String>,
    /// Out of which of the merchant's money.
    pub refund_account: Option<RefundAccount>,
    /// Who asked for the refund.
    pub refund_request_source: Option<RefundRequestSource>,
}

/// Why an envelope holds no refund. The sender is told nothing of it but `FAIL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It does not open under this key.
    #[error(transparent)]
    ReqInfo(#[from] ReqInfoError),
    /// What is inside is not a document, as under a wrong key whose padding fits by chance.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The document is not a refund.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl OpenError {
    /// A stable word for counters and inbox rows.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ReqInfo(error) => error.label(),
            Self::Xml(error) => error.label(),
            Self::Field(error) => error.label(),
        }
    }
}

impl Envelope {
    /// Reads what is in the open. A `FAIL` brings no refund, and is malformed.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        if !is_success(fields, "return_code")? {
            return Err(FieldError::Malformed("return_code"));
        }
        Ok(Self {
            return_msg: fields.text("return_msg"),
            appid: fields.required("appid")?.to_owned(),
            mch_id: fields.required("mch_id")?.to_owned(),
            sub_appid: fields.text("sub_appid"),
            sub_mch_id: fields.text("sub_mch_id"),
            nonce_str: fields.required("nonce_str")?.to_owned(),
            req_info: fields.required("req_info")?.to_owned(),
        })
    }

    /// As the platform sends it.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = Fields::from_iter([("return_code", "SUCCESS")]);
        fields.put("return_msg", self.return_msg.as_deref());
        fields.insert("appid", &*self.appid);
        fields.insert("mch_id", &*self.mch_id);
        fields.put("sub_appid", self.sub_appid.as_deref());
        fields.put("sub_mch_id", self.sub_mch_id.as_deref());
        fields.insert("nonce_str", &*self.nonce_str);
        fields.insert("req_info", &*self.req_info);
        fields
    }

    /// The refund, if the key is the one that the envelope was closed with.
    pub fn open(&self, key: &ApiKey) -> Result<Refund, OpenError> {
        let document = req_info::open(&self.req_info, key)?;
        let fields = Fields::read_root(&document, ROOT)?;
        Ok(Refund::from_fields(&fields)?)
    }
}

impl Refund {
    /// The text for [`Envelope::req_info`]: the platform's side.
    pub fn seal(&self, key: &ApiKey) -> String {
        req_info::seal(self.document().as_bytes(), key)
    }

    /// What is encrypted: the fields by name, each in CDATA.
    pub fn document(&self) -> String {
        let mut fields = self.to_fields();
        fields.sort();
        fields.write_root(ROOT)
    }

    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let out_trade_no = fields.required("out_trade_no")?;
        if !may_be_out_trade_no(out_trade_no) {
            return Err(FieldError::Malformed("out_trade_no"));
        }
        let out_refund_no = fields.required("out_refund_no")?;
        if !may_be_out_refund_no(out_refund_no) {
            return Err(FieldError::Malformed("out_refund_no"));
        }
        let source = fields.present("refund_request_source");
        Ok(Self {
            transaction_id: fields.required("transaction_id")?.to_owned(),
            out_trade_no: out_trade_no.to_owned(),
            refund_id: fields.required("refund_id")?.to_owned(),
            out_refund_no: out_refund_no.to_owned(),
            total_fee: fields.required_number("total_fee")?,
            settlement_total_fee: fields.number("settlement_total_fee")?,
            refund_fee: fields.required_number("refund_fee")?,
            settlement_refund_fee: fields.number("settlement_refund_fee")?,
            cash_refund_fee: fields.number("cash_refund_fee")?,
            refund_status: fields.required("refund_status")?.into(),
            success_time: fields.spaced_time("success_time")?,
            refund_recv_accout: fields.text("refund_recv_accout"),
            refund_account: fields.present("refund_account").map(RefundAccount::from),
            refund_request_source: source.map(RefundRequestSource::from),
        })
    }

    fn to_fields(&self) -> Fields<'_> {
        let account = self.refund_account.as_ref();
        let source = self.refund_request_source.as_ref();
        let success = self.success_time.map(BeijingTime::to_spaced);
        let mut fields = Fields::new();
        fields.insert("transaction_id", &*self.transaction_id);
        fields.insert("out_trade_no", &*self.out_trade_no);
        fields.insert("refund_id", &*self.refund_id);
        fields.insert("out_refund_no", &*self.out_refund_no);
        fields.insert("total_fee", self.total_fee.to_string());
        fields.put_shown("settlement_total_fee", self.settlement_total_fee);
        fields.insert("refund_fee", self.refund_fee.to_string());
        fields.put_shown("settlement_refund_fee", self.settlement_refund_fee);
        fields.put_shown("cash_refund_fee", self.cash_refund_fee);
        fields.insert("refund_status", self.refund_status.as_str());
        fields.put_shown("success_time", success);
        fields.put("refund_recv_accout", self.refund_recv_accout.as_deref());
        fields.put("refund_account", account.map(RefundAccount::as_str));
        fields.put(
            "refund_request_source",
            source.map(RefundRequestSource::as_str),
        );
        fields
    }
}
