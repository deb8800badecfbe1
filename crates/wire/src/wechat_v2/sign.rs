//! The signature: a keyed digest over every received field but `sign` itself.
//!
//! Both sides hold the same key, so a signature proves that a key holder wrote the message,
//! not which one and not in which direction.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::xml::Fields;

/// The key that a merchant shares with the platform: 32 printable ASCII characters.
///
/// A service provider signs for its sub-merchants with its own key. Zeroed when dropped.
#[derive(Clone)]
pub struct ApiKey(Zeroizing<[u8; Self::LEN]>);

/// Why a text cannot be an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// Unset keys have let forged notifications through in several gateways.
    #[error("the API key is empty")]
    Empty,
    /// Often a line end that came along from a file.
    #[error("the API key must have exactly 32 characters")]
    Length,
    /// A space, a control or a character outside ASCII.
    #[error("the API key must consist of printable ASCII characters without spaces")]
    Character,
    /// `000…`: a placeholder.
    #[error("the API key repeats one character")]
    Repeated,
}

impl ApiKey {
    const LEN: usize = 32;

    /// Takes the key as it stands; trimming is for whoever reads the file it came from.
    pub fn new(key: &str) -> Result<Self, ApiKeyError> {
        if key.is_empty() {
            return Err(ApiKeyError::Empty);
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiKeyError::Character);
        }
        let bytes: &[u8; Self::LEN] = key.as_bytes().try_into().map_err(|_| ApiKeyError::Length)?;
        if bytes.iter().all(|byte| byte == &bytes[0]) {
            return Err(ApiKeyError::Repeated);
        }
        Ok(Self(Zeroizing::new(*bytes)))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    /// Whether the key is printed in a manual or in a library's tests, and so known to all.
    /// No merchant account should be saved with one.
    pub fn is_published_sample(&self) -> bool {
        const SAMPLES: [&[u8; ApiKey::LEN]; 4] = [
            b"192006250b4c09247ec02edce69f6a2d",
            b"qazwsxedcrfvtgbyhnujmikolp111111",
            b"exposed_your_key_here_have_risks",
            b"OF4Ne3znh8KqL0V4NqmALQa0uXMYKcEk",
        ];
        SAMPLES.iter().any(|sample| sample.ct_eq(&*self.0).into())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(****)")
    }
}

/// The two digests, in the platform's spelling.
///
/// Replies are signed with the request's algorithm, notifications with the order's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignType {
    /// What a message without `sign_type` means.
    #[default]
    Md5,
    /// With a hyphen on the wire.
    HmacSha256,
}

impl SignType {
    /// The word in `sign_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// `None` for any other spelling, `HMAC_SHA256` and `md5` included.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "MD5" => Some(Self::Md5),
            "HMAC-SHA256" => Some(Self::HmacSha256),
            _ => None,
        }
    }

    /// How many hexadecimal digits a signature has.
    pub const fn sign_len(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::HmacSha256 => 64,
        }
    }
}

impl fmt::Display for SignType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.label())]
pub enum SignError {
    /// No `sign`, or an empty one.
    Missing,
    /// Not the upper-case hexadecimal digits of this algorithm, or not as many.
    Form,
    /// Well formed and wrong: other content or another key.
    Mismatch,
}

impl SignError {
    /// A stable word for counters and inbox rows.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing => "sign_missing",
            Self::Form => "sign_form",
            Self::Mismatch => "sign_mismatch",
        }
    }
}

/// What is signed, without the `&key=…` that is appended: it holds no key and may be logged.
///
/// Every non-empty field but `sign`, by byte order of the names, values raw. This text is not
/// injective; see [`is_unambiguous`].
pub fn string_to_sign(fields: &Fields<'_>) -> String {
    let len = fields
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    let mut text = String::with_capacity(len);
    for (name, value) in signed(fields) {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// The value that belongs into `sign`.
#[expect(clippy::missing_panics_doc, reason = "HMAC takes a key of any length")]
pub fn sign(fields: &Fields<'_>, key: &ApiKey, sign_type: SignType) -> String {
    let text = string_to_sign(fields);
    let parts: [&[u8]; 3] = [text.as_bytes(), b"&key=", &*key.0];
    match sign_type {
        SignType::Md5 => {
            let mut digest = Md5::new();
            for part in parts {
                digest.update(part);
            }
            hex::encode_upper(digest.finalize())
        }
        SignType::HmacSha256 => {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(&*key.0).expect("HMAC takes a key of any length");
            for part in parts {
                mac.update(part);
            }
            hex::encode_upper(mac.finalize().into_bytes())
        }
    }
}

/// Puts the signature into `sign`, replacing what was there.
pub fn insert_sign(fields: &mut Fields<'_>, key: &ApiKey, sign_type: SignType) {
    let sign = sign(fields, key, sign_type);
    fields.insert("sign", sign);
}

/// Checks `sign` over all received fields, in constant time.
///
/// `sign_type` comes from what we asked for, never from the message alone: see
/// [`sign_type_of_notification`].
pub fn verify(fields: &Fields<'_>, key: &ApiKey, sign_type: SignType) -> Result<(), SignError> {
    verify_value(fields, fields.get("sign"), key, sign_type)
}

/// As [`verify`], with a signature that is not in `sign`.
pub(super) fn verify_value(
    fields: &Fields<'_>,
    received: Option<&str>,
    key: &ApiKey,
    sign_type: SignType,
) -> Result<(), SignError> {
    let received = received
        .filter(|sign| !sign.is_empty())
        .ok_or(SignError::Missing)?;
    let upper_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    if received.len() != sign_type.sign_len() || !received.bytes().all(upper_hex) {
        return Err(SignError::Form);
    }
    let expected = sign(fields, key, sign_type);
    if expected.as_bytes().ct_eq(received.as_bytes()).into() {
        Ok(())
    } else {
        Err(SignError::Mismatch)
    }
}

/// Whether the string that was signed can only mean these fields.
///
/// `a=1&b=2` is the string of the fields `a` and `b`, and just as well of one field `a` with the
/// value `1&b=2`: whoever has a genuine signature over one has it over the other. A message is
/// evidence only if splitting its string at `&`, then at the first `=`, gives back the same
/// fields. That holds exactly when no value has a `&` and no name a `&` or `=`; a `=` in a value
/// does no harm, because the reader takes no name with a `=`.
pub fn is_unambiguous(fields: &Fields<'_>) -> bool {
    signed(fields).all(|(name, value)| !value.contains('&') && !name.contains(['&', '=']))
}

/// Why a notification's algorithm is not the order's. A hint to query at best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignTypeError {
    /// `sign_type` is neither of the two words.
    #[error("sign_type_unknown")]
    Unknown,
    /// `sign_type` says one, the length of `sign` another.
    #[error("sign_type_contradicts_sign")]
    Contradiction,
    /// Consistently another than the order's. Seen on genuine messages, though rarely; also
    /// what a downgrade looks like.
    #[error("sign_type_differs_from_order")]
    Differs(SignType),
}

/// The algorithm to verify a notification with: the order's, unless the message contradicts it.
///
/// The platform signs with the order's algorithm but leaves `sign_type` out of some
/// notifications of HMAC orders, so absence means "as ordered", not MD5. The length of `sign`
/// is the cross-check; a missing or odd `sign` is left for [`verify`] to name.
pub fn sign_type_of_notification(
    fields: &Fields<'_>,
    order: SignType,
) -> Result<SignType, SignTypeError> {
    let said = match fields.get("sign_type") {
        None | Some("") => None,
        Some(word) => Some(SignType::from_word(word).ok_or(SignTypeError::Unknown)?),
    };
    let used = [SignType::Md5, SignType::HmacSha256]
        .into_iter()
        .find(|algorithm| fields.get("sign").map(str::len) == Some(algorithm.sign_len()));
    match (said, used) {
        (Some(said), Some(used)) if said != used => Err(SignTypeError::Contradiction),
        (Some(other), _) | (None, Some(other)) if other != order => {
            Err(SignTypeError::Differs(other))
        }
        _ => Ok(order),
    }
}

fn signed<'f>(fields: &'f Fields<'_>) -> impl Iterator<Item = (&'f str, &'f str)> {
    fields
        .iter_by_name()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
}
