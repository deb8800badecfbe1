//! `POST /pay/unifiedorder`: places an order.
//!
//! Asking again with the same number and the same fields succeeds again; with other fields it
//! is refused.

use super::field::FieldError;
use super::head::{self, Content, RequestHead};
use super::scene_info::SceneInfo;
use super::time::BeijingTime;
use super::trade::TradeType;
use super::xml::Fields;

/// The order as the merchant places it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub head: RequestHead,
    /// Shown to the payer.
    pub body: String,
    /// The merchant's number, unique for ever.
    pub out_trade_no: String,
    /// In fen, above zero.
    pub total_fee: u64,
    /// The payer's address; for `NATIVE` the server's own will do.
    pub spbill_create_ip: String,
    /// Absolute, without a query string.
    pub notify_url: String,
    /// Where the payer pays.
    pub trade_type: TradeType,
    /// What only some trade types need, and what none needs.
    pub optional: Optional,
}

/// The rest of the documented fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Optional {
    /// `1.0` when `detail` brings discounts for single articles.
    pub version: Option<String>,
    /// A terminal, or `WEB`.
    pub device_info: Option<String>,
    /// Articles, as JSON.
    pub detail: Option<String>,
    /// Comes back in the notification and in queries.
    pub attach: Option<String>,
    /// `CNY`, which is also meant when absent.
    pub fee_type: Option<String>,
    /// When the order was made.
    pub time_start: Option<BeijingTime>,
    /// When it can no longer be paid, though a payer in the cashier may just finish.
    pub time_expire: Option<BeijingTime>,
    /// A mark that discounts can be tied to.
    pub goods_tag: Option<String>,
    /// Required for `NATIVE`.
    pub product_id: Option<String>,
    /// `no_credit` keeps credit cards out.
    pub limit_pay: Option<String>,
    /// Required for `JSAPI`, unless there is a `sub_openid`.
    pub openid: Option<String>,
    /// Under `sub_appid`.
    pub sub_openid: Option<String>,
    /// `Y` offers the payer an invoice.
    pub receipt: Option<String>,
    /// `Y` freezes the money until it is shared out.
    pub profit_sharing: Option<String>,
    /// Required for `MWEB`; JSON, see [`SceneInfo`].
    pub scene_info: Option<String>,
    /// Only this person may pay: kind of document.
    pub user_type: Option<String>,
    /// Number of the document.
    pub user_creid: Option<String>,
    /// Name on the document.
    pub user_truename: Option<String>,
}

/// What the payer needs to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepaid {
    /// As in the request.
    pub trade_type: TradeType,
    /// Lives two hours.
    pub prepay_id: String,
    /// For `NATIVE`: the text of the QR code, taken as it is. Lives two hours.
    pub code_url: Option<String>,
    /// For `MWEB`: where to send the browser, see [`mweb`](super::mweb). Lives five minutes.
    pub mweb_url: Option<String>,
}

/// The answer.
pub type Reply = head::Reply<Prepaid>;

impl Request {
    /// Reads what a merchant sent. Checks the grammar of numbers and times, not the lengths.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: RequestHead::from_fields(fields)?,
            body: fields.required("body")?.to_owned(),
            out_trade_no: fields.required("out_trade_no")?.to_owned(),
            total_fee: fields.required_number("total_fee")?,
            spbill_create_ip: fields.required("spbill_create_ip")?.to_owned(),
            notify_url: fields.required("notify_url")?.to_owned(),
            trade_type: fields.required("trade_type")?.into(),
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
        fields.insert("notify_url", &*self.notify_url);
        fields.insert("trade_type", self.trade_type.as_str());
        self.optional.add_to(&mut fields);
        fields
    }

    /// The field that this trade type needs and that is not there.
    ///
    /// An `openid` is of `appid`, a `sub_openid` of `sub_appid`, so that one needs the other.
    /// That they belong together only the platform can tell.
    pub fn lacks(&self) -> Option<&'static str> {
        let optional = &self.optional;
        if optional.sub_openid.is_some() && self.head.sub_appid.is_none() {
            return Some("sub_appid");
        }
        if let Some(field) = self.head.lacks() {
            return Some(field);
        }
        match self.trade_type {
            TradeType::Native if optional.product_id.is_none() => Some("product_id"),
            TradeType::Jsapi if optional.openid.is_none() && optional.sub_openid.is_none() => {
                Some("openid")
            }
            TradeType::Mweb if optional.scene_info.is_none() => Some("scene_info"),
            _ => None,
        }
    }

    /// Where the payer comes from, if it is said.
    pub fn scene_info(&self) -> Result<Option<SceneInfo>, FieldError> {
        let text = self.optional.scene_info.as_deref();
        text.map(SceneInfo::from_json).transpose()
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
            time_start: fields.time("time_start")?,
            time_expire: fields.time("time_expire")?,
            goods_tag: fields.text("goods_tag"),
            product_id: fields.text("product_id"),
            limit_pay: fields.text("limit_pay"),
            openid: fields.text("openid"),
            sub_openid: fields.text("sub_openid"),
            receipt: fields.text("receipt"),
            profit_sharing: fields.text("profit_sharing"),
            scene_info: fields.text("scene_info"),
            user_type: fields.text("user_type"),
            user_creid: fields.text("user_creid"),
            user_truename: fields.text("user_truename"),
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.put("version", self.version.as_deref());
        fields.put("device_info", self.device_info.as_deref());
        fields.put("detail", self.detail.as_deref());
        fields.put("attach", self.attach.as_deref());
        fields.put("fee_type", self.fee_type.as_deref());
        fields.put_shown("time_start", self.time_start);
        fields.put_shown("time_expire", self.time_expire);
        fields.put("goods_tag", self.goods_tag.as_deref());
        fields.put("product_id", self.product_id.as_deref());
        fields.put("limit_pay", self.limit_pay.as_deref());
        fields.put("openid", self.openid.as_deref());
        fields.put("sub_openid", self.sub_openid.as_deref());
        fields.put("receipt", self.receipt.as_deref());
        fields.put("profit_sharing", self.profit_sharing.as_deref());
        fields.put("scene_info", self.scene_info.as_deref());
        fields.put("user_type", self.user_type.as_deref());
        fields.put("user_creid", self.user_creid.as_deref());
        fields.put("user_truename", self.user_truename.as_deref());
    }
}

impl Content for Prepaid {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            trade_type: fields.required("trade_type")?.into(),
            prepay_id: fields.required("prepay_id")?.to_owned(),
            code_url: fields.text("code_url"),
            mweb_url: fields.text("mweb_url"),
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.insert("prepay_id", &*self.prepay_id);
        fields.insert("trade_type", self.trade_type.as_str());
        fields.put("code_url", self.code_url.as_deref());
        fields.put("mweb_url", self.mweb_url.as_deref());
    }
}
