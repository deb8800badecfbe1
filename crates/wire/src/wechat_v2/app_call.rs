//! `PayReq`: an app opens the wallet for an order that was placed with `APP`.
//!
//! All names are in lower case here, and the algorithm is not said: it is the order's. What the
//! app is told afterwards (code 0) is no proof of anything: query.

use super::client::{self, CallError};
use super::field::FieldError;
use super::head::RequestHead;
use super::sign::{self, ApiKey, SignType};
use super::time_stamp::TimeStamp;
use super::xml::Fields;

/// The one word that an app has for `package`.
const PACKAGE: &str = "Sign=WXPay";

/// What is signed for the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppCall {
    /// The app.
    pub appid: String,
    /// The merchant whose money it is.
    pub partnerid: String,
    /// Of the order: `prepay_id` there.
    pub prepayid: String,
    /// Random; need not be the order's.
    pub noncestr: String,
    /// When.
    pub timestamp: TimeStamp,
}

impl AppCall {
    /// For the answer to an order with this head.
    ///
    /// For a sub-merchant with its own app the two numbers are the sub-merchant's. The manual
    /// is silent on that; v3 does so, and so do those who reported that it works.
    pub fn of_order(
        order: &RequestHead,
        prepay_id: &str,
        nonce_str: &str,
        timestamp: TimeStamp,
    ) -> Self {
        Self {
            appid: order.client_appid().to_owned(),
            partnerid: order.payee().to_owned(),
            prepayid: prepay_id.to_owned(),
            noncestr: nonce_str.to_owned(),
            timestamp,
        }
    }

    /// The object to hand over, `sign` in it.
    pub fn to_json(&self, order: SignType, key: &ApiKey) -> String {
        let mut fields = self.to_fields();
        let sign = sign::sign(&fields, key, order);
        fields.insert("sign", sign);
        client::write_json(&fields)
    }

    /// The wallet's side: reads what it is handed, and verifies it with the algorithm of the
    /// order.
    pub fn from_json(json: &str, order: SignType, key: &ApiKey) -> Result<Self, CallError> {
        let mut fields = client::read_json(json)?;
        let call = Self::from_fields(&fields)?;
        client::take_and_verify(&mut fields, "sign", key, order)?;
        Ok(call)
    }

    /// Reads the six fields.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        if fields.required("package")? != PACKAGE {
            return Err(FieldError::Malformed("package"));
        }
        let timestamp = fields.required("timestamp")?.parse();
        Ok(Self {
            appid: fields.required("appid")?.to_owned(),
            partnerid: fields.required("partnerid")?.to_owned(),
            prepayid: fields.required("prepayid")?.to_owned(),
            noncestr: fields.required("noncestr")?.to_owned(),
            timestamp: timestamp.map_err(|_| FieldError::Malformed("timestamp"))?,
        })
    }

    /// The six fields that are signed.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = Fields::new();
        fields.insert("appid", &*self.appid);
        fields.insert("partnerid", &*self.partnerid);
        fields.insert("prepayid", &*self.prepayid);
        fields.insert("package", PACKAGE);
        fields.insert("noncestr", &*self.noncestr);
        fields.insert("timestamp", self.timestamp.to_string());
        fields
    }
}
