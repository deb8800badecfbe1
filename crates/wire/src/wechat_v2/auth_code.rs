//! `auth_code`: the payer's code, as a scanner reads it.

use std::fmt;

use super::field::FieldError;
use super::xml::Fields;
use crate::payment_code::Wallet;

/// A payment code of WeChat: 18 digits, 10 to 15 first.
///
/// Spent by its first use, even a failed one; renewed by the wallet about every minute. While
/// it lives it is as good as money, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCode(String);

impl AuthCode {
    /// `None` for anything that the platform would call a malformed code.
    pub fn new(code: &str) -> Option<Self> {
        (Wallet::of(code) == Some(Wallet::WeChat)).then(|| Self(code.to_owned()))
    }

    pub(super) fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let code = fields.required("auth_code")?;
        Self::new(code).ok_or(FieldError::Malformed("auth_code"))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthCode(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_another_wallet_is_none_of_ours() {
        assert!(AuthCode::new("134567890123456789").is_some());
        assert_eq!(AuthCode::new("284567890123456789"), None);
        assert_eq!(AuthCode::new("6234567890123456789"), None);
        assert_eq!(AuthCode::new("134567890123456789 "), None);
    }

    #[test]
    fn a_code_does_not_print() {
        let code = AuthCode::new("134567890123456789").unwrap();

        assert_eq!(format!("{code:?}"), "AuthCode(****)");
    }
}
