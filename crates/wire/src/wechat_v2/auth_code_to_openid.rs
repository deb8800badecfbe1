//! `POST /tools/authcodetoopenid`: whose payment code that is, before any money is taken.
//!
//! From then on only this merchant can take money with the code, until the wallet renews it.

use super::auth_code::AuthCode;
use super::field::FieldError;
use super::head::{self, Content, RequestHead};
use super::xml::Fields;

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub head: RequestHead,
    /// What the scanner read.
    pub auth_code: AuthCode,
}

/// Whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Under `appid`.
    pub openid: String,
    /// Under `sub_appid`, when that was asked for.
    pub sub_openid: Option<String>,
}

/// The answer.
pub type Reply = head::Reply<Holder>;

impl Request {
    /// Reads what a merchant sent.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            head: RequestHead::from_fields(fields)?,
            auth_code: AuthCode::from_fields(fields)?,
        })
    }

    /// The fields before signing.
    pub fn to_fields(&self) -> Fields<'_> {
        let mut fields = self.head.to_fields();
        fields.insert("auth_code", self.auth_code.as_str());
        fields
    }
}

impl Content for Holder {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            openid: fields.required("openid")?.to_owned(),
            sub_openid: fields.text("sub_openid"),
        })
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.insert("openid", &*self.openid);
        fields.put("sub_openid", self.sub_openid.as_deref());
    }
}
