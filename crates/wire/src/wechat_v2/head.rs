//! What all requests, and what all replies have in common.

use super::error_code::ErrorCode;
use super::field::FieldError;
use super::sign::SignType;
use super::xml::Fields;

/// Who asks. The two `sub_` numbers are a sub-merchant's, present when a service provider asks
/// for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The application that the merchant number is bound to.
    pub appid: String,
    /// The merchant's number, or the service provider's.
    pub mch_id: String,
    /// The sub-merchant's application.
    pub sub_appid: Option<String>,
    /// The sub-merchant's number.
    pub sub_mch_id: Option<String>,
    /// Random; the platform does not check it for repetition.
    pub nonce_str: String,
    /// Absent means MD5. When sent it is itself signed.
    pub sign_type: Option<SignType>,
}

impl RequestHead {
    /// A sign type that is none of the two words is [`FieldError::Malformed`].
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            appid: fields.required("appid")?.to_owned(),
            mch_id: fields.required("mch_id")?.to_owned(),
            sub_appid: fields.text("sub_appid"),
            sub_mch_id: fields.text("sub_mch_id"),
            nonce_str: fields.required("nonce_str")?.to_owned(),
            sign_type: sign_type(fields)?,
        })
    }

    /// The algorithm of the request, and so of its reply.
    pub fn effective_sign_type(&self) -> SignType {
        self.sign_type.unwrap_or_default()
    }

    /// The application that the payer's client calls the wallet from.
    pub fn client_appid(&self) -> &str {
        self.sub_appid.as_deref().unwrap_or(&self.appid)
    }

    /// The merchant whose money it is.
    pub fn payee(&self) -> &str {
        self.sub_mch_id.as_deref().unwrap_or(&self.mch_id)
    }

    /// The field that a service provider has to send along and that is not there: an
    /// application of a sub-merchant needs the sub-merchant.
    pub fn lacks(&self) -> Option<&'static str> {
        (self.sub_appid.is_some() && self.sub_mch_id.is_none()).then_some("sub_mch_id")
    }

    pub(super) fn to_fields(&self) -> Fields<'_> {
        let mut fields = Fields::new();
        fields.insert("appid", &*self.appid);
        fields.insert("mch_id", &*self.mch_id);
        fields.put("sub_appid", self.sub_appid.as_deref());
        fields.put("sub_mch_id", self.sub_mch_id.as_deref());
        fields.insert("nonce_str", &*self.nonce_str);
        fields.put("sign_type", self.sign_type.map(SignType::as_str));
        fields
    }
}

/// What the platform says: the answer to a request, or a notification.
///
/// A control word other than `SUCCESS` and `FAIL` is an error, and an unreadable answer is an
/// unknown one: ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<T> {
    /// `return_code` is `FAIL`. Never signed, so anyone could have written it.
    Refused {
        /// For people.
        return_msg: Option<String>,
    },
    /// `result_code` is `FAIL`. Signed, yet for payments no proof that nothing happened.
    Failed {
        /// Whose reply it is.
        head: ReplyHead,
        /// What to branch on.
        err_code: Option<ErrorCode>,
        /// For people, never to branch on.
        err_code_des: Option<String>,
    },
    /// Both codes are `SUCCESS`.
    Done {
        /// Whose reply it is.
        head: ReplyHead,
        /// What the operation gives.
        content: T,
    },
}

/// The signed head of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyHead {
    /// Often `OK`.
    pub return_msg: Option<String>,
    /// As in the request.
    pub appid: String,
    /// As in the request.
    pub mch_id: String,
    /// As in the request.
    pub sub_appid: Option<String>,
    /// As in the request.
    pub sub_mch_id: Option<String>,
    /// As in the request.
    pub device_info: Option<String>,
    /// The platform's own.
    pub nonce_str: String,
    /// Only notifications have it, and not all of them.
    pub sign_type: Option<SignType>,
}

/// What one operation adds to the head of a reply.
pub trait Content: Sized {
    /// Reads the operation's fields of a successful reply.
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError>;
    /// Adds the operation's fields to a successful reply.
    fn add_to<'a>(&'a self, fields: &mut Fields<'a>);
}

impl<T: Content> Reply<T> {
    /// Reads fields whose signature has been verified, or which say `FAIL` unsigned.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        if !is_success(fields, "return_code")? {
            return Ok(Self::Refused {
                return_msg: fields.text("return_msg"),
            });
        }
        let head = ReplyHead::from_fields(fields)?;
        if is_success(fields, "result_code")? {
            return Ok(Self::Done {
                head,
                content: T::from_fields(fields)?,
            });
        }
        Ok(Self::Failed {
            head,
            err_code: fields.present("err_code").map(ErrorCode::from),
            err_code_des: fields.text("err_code_des"),
        })
    }

    /// The fields before signing. `Refused` stays unsigned.
    pub fn to_fields(&self) -> Fields<'_> {
        match self {
            Self::Refused { return_msg } => {
                let mut fields = Fields::from_iter([("return_code", "FAIL")]);
                fields.put("return_msg", return_msg.as_deref());
                fields
            }
            Self::Failed {
                head,
                err_code,
                err_code_des,
            } => {
                let mut fields = head.to_fields();
                fields.insert("result_code", "FAIL");
                fields.put("err_code", err_code.as_ref().map(ErrorCode::as_str));
                fields.put("err_code_des", err_code_des.as_deref());
                fields
            }
            Self::Done { head, content } => {
                let mut fields = head.to_fields();
                fields.insert("result_code", "SUCCESS");
                content.add_to(&mut fields);
                fields
            }
        }
    }
}

impl ReplyHead {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            return_msg: fields.text("return_msg"),
            appid: fields.required("appid")?.to_owned(),
            mch_id: fields.required("mch_id")?.to_owned(),
            sub_appid: fields.text("sub_appid"),
            sub_mch_id: fields.text("sub_mch_id"),
            device_info: fields.text("device_info"),
            nonce_str: fields.required("nonce_str")?.to_owned(),
            sign_type: sign_type(fields)?,
        })
    }

    fn to_fields(&self) -> Fields<'_> {
        let mut fields = Fields::from_iter([("return_code", "SUCCESS")]);
        fields.put("return_msg", self.return_msg.as_deref());
        fields.insert("appid", &*self.appid);
        fields.insert("mch_id", &*self.mch_id);
        fields.put("sub_appid", self.sub_appid.as_deref());
        fields.put("sub_mch_id", self.sub_mch_id.as_deref());
        fields.put("device_info", self.device_info.as_deref());
        fields.insert("nonce_str", &*self.nonce_str);
        fields.put("sign_type", self.sign_type.map(SignType::as_str));
        fields
    }
}

fn sign_type(fields: &Fields<'_>) -> Result<Option<SignType>, FieldError> {
    let read = |word| SignType::from_word(word).ok_or(FieldError::Malformed("sign_type"));
    fields.present("sign_type").map(read).transpose()
}

pub(super) fn is_success(fields: &Fields<'_>, code: &'static str) -> Result<bool, FieldError> {
    match fields.required(code)? {
        "SUCCESS" => Ok(true),
        "FAIL" => Ok(false),
        _ => Err(FieldError::Malformed(code)),
    }
}
