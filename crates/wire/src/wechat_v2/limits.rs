//! What the platform takes in each field of a request: the merchant checks before sending, the
//! simulated platform before doing.

use super::auth_code::AuthCode;
use super::field::FieldError;
use super::number;
use super::sign::SignType;
use super::time::BeijingTime;
use super::xml::{Fields, is_allowed};

/// The rule for one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The field's name.
    pub field: &'static str,
    /// Whether every request has it.
    pub required: bool,
    /// Unicode characters, not bytes.
    pub max_chars: usize,
    /// What the characters must make up.
    pub form: Form,
}

/// What a value must look like, beyond its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any characters but controls.
    Text,
    /// Fen above zero.
    Amount,
    /// `yyyyMMddHHmmss`.
    Time,
    /// At least six of letters, digits and `_-|*`; `@` as service providers may have it.
    OutTradeNo,
    /// Letters, digits and `_-|*@`.
    OutRefundNo,
    /// A whole number, zero included.
    Count,
    /// Absolute `http` or `https`, without query string and fragment.
    NotifyUrl,
    /// `MD5` or `HMAC-SHA256`.
    SignType,
    /// An IPv4 or IPv6 address.
    Address,
    /// 18 digits that begin with 10 to 15.
    AuthCode,
}

/// Placing an order.
pub const UNIFIED_ORDER: &[Limit] = &[
    required("appid", 32, Form::Text),
    required("mch_id", 32, Form::Text),
    optional("sub_appid", 32, Form::Text),
    optional("sub_mch_id", 32, Form::Text),
    required("nonce_str", 32, Form::Text),
    required("sign", 64, Form::Text),
    optional("sign_type", 32, Form::SignType),
    optional("version", 32, Form::Text),
    optional("device_info", 32, Form::Text),
    required("body", 128, Form::Text),
    optional("detail", 6000, Form::Text),
    optional("attach", 127, Form::Text),
    required("out_trade_no", 32, Form::OutTradeNo),
    optional("fee_type", 16, Form::Text),
    required("total_fee", 18, Form::Amount),
    required("spbill_create_ip", 64, Form::Address),
    optional("time_start", 14, Form::Time),
    optional("time_expire", 14, Form::Time),
    optional("goods_tag", 32, Form::Text),
    required("notify_url", 256, Form::NotifyUrl),
    required("trade_type", 16, Form::Text),
    optional("product_id", 32, Form::Text),
    optional("limit_pay", 32, Form::Text),
    optional("openid", 128, Form::Text),
    optional("sub_openid", 128, Form::Text),
    optional("receipt", 8, Form::Text),
    optional("profit_sharing", 1, Form::Text),
    optional("scene_info", 256, Form::Text),
    optional("user_type", 32, Form::Text),
    optional("user_creid", 32, Form::Text),
    optional("user_truename", 64, Form::Text),
];

/// Asking for an order. One of the two numbers must be there, which no single rule can say.
pub const ORDER_QUERY: &[Limit] = &[
    required("appid", 32, Form::Text),
    required("mch_id", 32, Form::Text),
    optional("sub_appid", 32, Form::Text),
    optional("sub_mch_id", 32, Form::Text),
    required("nonce_str", 32, Form::Text),
    required("sign", 64, Form::Text),
    optional("sign_type", 32, Form::SignType),
    optional("transaction_id", 32, Form::Text),
    optional("out_trade_no", 32, Form::OutTradeNo),
    optional("version", 32, Form::Text),
];

/// Closing an order.
pub const CLOSE_ORDER: &[Limit] = &[
    required("appid", 32, Form::Text),
    required("mch_id", 32, Form::Text),
    optional("sub_appid", 32, Form::Text),
    optional("sub_mch_id", 32, Form::Text),
    required("nonce_str", 32, Form::Text),
    required("sign", 64, Form::Text),
    optional("sign_type", 32, Form::SignType),
    required("out_trade_no", 32, Form::OutTradeNo),
];

/// Taking money with a payment code.
pub const MICROPAY: &[Limit] = &[
    required("appid", 32, Form::Text),
    required("mch_id", 32, Form::Text),
    optional("sub_appid", 32, Form::Text),
    optional("sub_mch_id", 32, Form::Text),
    required("nonce_str", 32, Form::Text),
    required("sign", 64, Form::Text),
    optional("sign_type", 32, Form::SignType),
    optional("version", 32, Form::Text),
    optional("device_info", 32, Form::Text),
    required("body", 128, Form::Text),
    optional("detail", 6000, Form::Text),
    optional("attach", 127, Form::Text),
    required("out_trade_no", 32, Form::OutTradeNo),
    required("total_fee", 18, Form::Amount),
    optional("fee_type", 16, Form::Text),
    required("spbill_create_ip", 64, Form::Address),
    optional("goods_tag", 32, Form::Text),
    optional("limit_pay", 32, Form::Text),
    optional("time_start", 14, Form::Time),
    optional("time_expire", 14, Form::Time),
    optional("receipt", 8, Form::Text),
    optional("profit_sharing", 1, Form::Text),
    optional("deposit", 1, Form::Text),
    required("auth_code", 128, Form::AuthCode),
    optional("scene_info", 256, Form::Text),
];

/// Undoing a code payment. One of the two numbers must be there, which no single rule can say.
pub const REVERSE: &[Limit] = &[
    required("appid", 32, Form::Text),
    required("mch_id", 32, Form::Text),
    optional("sub_appid", 32, Form::Text),
    optional("sub_mch_id", 32, Form::Text),
    required("nonce_str", 32, Form::Text),
    required("sign", 64, Form::Text),
    optional("sign_type", 32, Form::SignType),
    optional("transaction_id", 32, Form::Text),
    optional("out_trade_no", 32, Form::OutTradeNo),
];

/// Giving money back. One of the order's two numbers must be there, which no single rule can say.
pub const REFUND: &[Limit] = &[
    required("appid", 32, Form::Text),
    required("mch_id", 32, Form::Text),
    optional("sub_appid", 32, Form::Text),
    optional("sub_mch_id", 32, Form::Text),
    required("nonce_str", 32, Form::Text),
    required("sign", 64, Form::Text),
    optional("sign_type", 32, Form::SignType),
    optional("device_info", 32, Form::Text),
    optional("transaction_id", 32, Form::Text),
    optional("out_trade_no", 32, Form::OutTradeNo),
    required("out_refund_no", 64, Form::OutRefundNo),
    required("total_fee", 18, Form::Amount),
    required("refund_fee", 18, Form::Amount),
    optional("refund_fee_type", 8, Form::Text),
    optional("refund_desc", 80, Form::Text),
    optional("refund_account", 30, Form::Text),
    optional("notify_url", 256, Form::NotifyUrl),
    optional("op_user_id", 32, Form::Text),
];

/// Asking for refunds. One of the four numbers must be there, which no single rule can say.
pub const REFUND_QUERY: &[Limit] = &[
    required("appid", 32, Form::Text),
    required("mch_id", 32, Form::Text),
    optional("sub_appid", 32, Form::Text),
    optional("sub_mch_id", 32, Form::Text),
    required("nonce_str", 32, Form::Text),
    required("sign", 64, Form::Text),
    optional("sign_type", 32, Form::SignType),
    optional("refund_id", 32, Form::Text),
    optional("out_refund_no", 64, Form::OutRefundNo),
    optional("transaction_id", 32, Form::Text),
    optional("out_trade_no", 32, Form::OutTradeNo),
    optional("offset", 18, Form::Count),
];

/// Asking whose payment code it is.
pub const AUTH_CODE_TO_OPENID: &[Limit] = &[
    required("appid", 32, Form::Text),
    required("mch_id", 32, Form::Text),
    optional("sub_appid", 32, Form::Text),
    optional("sub_mch_id", 32, Form::Text),
    required("nonce_str", 32, Form::Text),
    required("sign", 64, Form::Text),
    optional("sign_type", 32, Form::SignType),
    required("auth_code", 128, Form::AuthCode),
];

/// The first broken rule, missing fields before malformed ones, in the order of the table.
///
/// Fields that the table does not know are not looked at.
pub fn check(fields: &Fields<'_>, limits: &[Limit]) -> Result<(), FieldError> {
    let mut broken = None;
    for limit in limits {
        match fields.present(limit.field) {
            None if limit.required => return Err(FieldError::Missing(limit.field)),
            Some(value) if broken.is_none() && !limit.allows(value) => broken = Some(limit.field),
            _ => {}
        }
    }
    broken.map_or(Ok(()), |field| Err(FieldError::Malformed(field)))
}

impl Limit {
    /// Whether a value that is not empty keeps the rule.
    pub fn allows(&self, value: &str) -> bool {
        value.chars().count() <= self.max_chars
            && value.chars().all(is_allowed)
            && self.form.fits(value)
    }
}

impl Form {
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Amount => number::parse(value).is_some_and(|fen| fen > 0),
            Self::Time => value.parse::<BeijingTime>().is_ok(),
            Self::OutTradeNo => is_out_trade_no(value),
            Self::OutRefundNo => is_in_alphabet_of_numbers(value),
            Self::Count => number::parse(value).is_some(),
            Self::NotifyUrl => is_notify_url(value),
            Self::SignType => SignType::from_word(value).is_some(),
            Self::Address => value.parse::<std::net::IpAddr>().is_ok(),
            Self::AuthCode => AuthCode::new(value).is_some(),
        }
    }
}

fn is_out_trade_no(value: &str) -> bool {
    value.len() >= 6 && is_in_alphabet_of_numbers(value)
}

/// Whether the platform may have taken this for an order's number, now or years ago: the lower
/// bound of six characters came late.
pub(super) fn may_be_out_trade_no(value: &str) -> bool {
    value.len() <= 32 && is_in_alphabet_of_numbers(value)
}

/// As [`may_be_out_trade_no`], of a refund's number.
pub(super) fn may_be_out_refund_no(value: &str) -> bool {
    value.len() <= 64 && is_in_alphabet_of_numbers(value)
}

fn is_in_alphabet_of_numbers(value: &str) -> bool {
    value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b))
}

fn is_notify_url(value: &str) -> bool {
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['?', '#', ' '])
    })
}

const fn required(field: &'static str, max_chars: usize, form: Form) -> Limit {
    Limit {
        field,
        required: true,
        max_chars,
        form,
    }
}

const fn optional(field: &'static str, max_chars: usize, form: Form) -> Limit {
    Limit {
        field,
        required: false,
        max_chars,
        form,
    }
}
