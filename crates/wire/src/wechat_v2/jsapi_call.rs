//! `getBrandWCPayRequest`, `wx.requestPayment`, `wx.chooseWXPay`: a page opens the wallet for an
//! order that was placed with `JSAPI`.
//!
//! What the page is told afterwards (`…:ok`) is no proof of anything: query.

use super::client::{self, CallError};
use super::field::FieldError;
use super::head::RequestHead;
use super::sign::{self, ApiKey, SignType};
use super::time_stamp::TimeStamp;
use super::xml::Fields;

/// What is signed for the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsapiCall {
    /// The application that the page or the mini-program belongs to.
    pub app_id: String,
    /// When.
    pub time_stamp: TimeStamp,
    /// Random; need not be the order's.
    pub nonce_str: String,
    /// Of the order.
    pub prepay_id: String,
    /// Of the order.
    pub sign_type: SignType,
}

/// Who opens the wallet. The signed text is one, what is handed over is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// `WeixinJSBridge`, in a page: all names as they are signed.
    Bridge,
    /// `wx.requestPayment`: without `appId`, which is signed all the same.
    MiniProgram,
    /// `wx.chooseWXPay`: without `appId`, and `timestamp` in lower case for the signed
    /// `timeStamp`.
    JsSdk,
}

impl JsapiCall {
    /// For the answer to an order with this head.
    pub fn of_order(
        order: &RequestHead,
        prepay_id: &str,
        nonce_str: &str,
        time_stamp: TimeStamp,
    ) -> Self {
        Self {
            app_id: order.client_appid().to_owned(),
            time_stamp,
            nonce_str: nonce_str.to_owned(),
            prepay_id: prepay_id.to_owned(),
            sign_type: order.effective_sign_type(),
        }
    }

    /// The object to hand over, `paySign` in it.
    pub fn to_json(&self, caller: Caller, key: &ApiKey) -> String {
        let mut fields = self.to_fields();
        let pay_sign = self.pay_sign(key);
        match caller {
            Caller::Bridge => {}
            Caller::MiniProgram => {
                fields.remove("appId");
            }
            Caller::JsSdk => {
                fields.remove("appId");
                fields.remove("timeStamp");
                fields.insert("timestamp", self.time_stamp.to_string());
            }
        }
        fields.insert("paySign", pay_sign);
        client::write_json(&fields)
    }

    /// The wallet's side: reads what it is handed within the application `app_id`, and
    /// verifies it against the algorithm of the order.
    pub fn from_json(
        json: &str,
        app_id: &str,
        order: SignType,
        key: &ApiKey,
    ) -> Result<Self, CallError> {
        let mut fields = client::read_json(json)?;
        if fields.present("appId").is_some_and(|said| said != app_id) {
            return Err(FieldError::Malformed("appId").into());
        }
        fields.insert("appId", app_id.to_owned());
        if let Some(time_stamp) = fields.remove("timestamp") {
            if fields.get("timeStamp").is_some() {
                return Err(FieldError::Unexpected("timestamp").into());
            }
            fields.insert("timeStamp", time_stamp);
        }
        let call = Self::from_fields(&fields)?;
        if call.sign_type != order {
            return Err(CallError::SignType);
        }
        client::take_and_verify(&mut fields, "paySign", key, order)?;
        Ok(call)
    }

    /// The signature over the five fields.
    pub fn pay_sign(&self, key: &ApiKey) -> String {
        sign::sign(&self.to_fields(), key, self.sign_type)
    }

    /// Reads the five fields.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let package = fields.required("package")?.strip_prefix("prepay_id=");
        let prepay_id = package.filter(|prepay_id| !prepay_id.is_empty());
        let time_stamp = fields.required("timeStamp")?.parse();
        Ok(Self {
            app_id: fields.required("appId")?.to_owned(),
            time_stamp: time_stamp.map_err(|_| FieldError::Malformed("timeStamp"))?,
            nonce_str: fields.required("nonceStr")?.to_owned(),
            prepay_id: prepay_id
                .ok_or(FieldError::Malformed("package"))?
                .to_owned(),
            sign_type: SignType::from_word(fields.required("signType")?)
                .ok_or(FieldError::Malformed("signType"))?,
        })
    }

    /// The five fields that are signed.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = Fields::new();
        fields.insert("appId", &*self.app_id);
        fields.insert("timeStamp", self.time_stamp.to_string());
        fields.insert("nonceStr", &*self.nonce_str);
        fields.insert("package", format!("prepay_id={}", self.prepay_id));
        fields.insert("signType", self.sign_type.as_str());
        fields
    }
}
