//! An answer in JSON: what was asked for, or `errcode` and `errmsg`.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::err_code::ErrCode;

/// Answers above this are refused unread; a genuine one has less than a KiB.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// The platform's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<T> {
    /// No `errcode`, or 0.
    Done(T),
    /// Any other `errcode`.
    Failed {
        /// What to branch on.
        errcode: ErrCode,
        /// For people: it ends in a number that the platform's support asks for.
        errmsg: String,
    },
}

/// Why a body is not an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.label())]
pub enum ReplyError {
    /// More than [`MAX_BODY_BYTES`].
    TooLarge,
    /// Not JSON, or a field that is missing, empty, given twice or of another type.
    Malformed,
}

impl ReplyError {
    /// A stable word for counters.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TooLarge => "json_too_large",
            Self::Malformed => "json_malformed",
        }
    }
}

/// What one request is answered with.
pub trait Content: DeserializeOwned {
    /// Whether everything is there that has to be: an empty `openid` would be everybody's.
    fn is_whole(&self) -> bool;
    /// The platform's side.
    fn to_value(&self) -> Value;
}

impl<T: Content> Reply<T> {
    /// Reads an answer, whatever its HTTP status and its media type.
    pub fn from_json(body: &[u8]) -> Result<Self, ReplyError> {
        #[derive(Deserialize)]
        struct Verdict {
            errcode: Option<i64>,
            errmsg: Option<String>,
        }

        if body.len() > MAX_BODY_BYTES {
            return Err(ReplyError::TooLarge);
        }
        let malformed = |_: serde_json::Error| ReplyError::Malformed;
        let verdict: Verdict = serde_json::from_slice(body).map_err(malformed)?;
        if let Some(number) = verdict.errcode.filter(|&number| number != 0) {
            return Ok(Self::Failed {
                errcode: number.into(),
                errmsg: verdict.errmsg.unwrap_or_default(),
            });
        }
        let content: T = serde_json::from_slice(body).map_err(malformed)?;
        if content.is_whole() {
            Ok(Self::Done(content))
        } else {
            Err(ReplyError::Malformed)
        }
    }

    /// As the platform answers.
    pub fn to_json(&self) -> String {
        let value = match self {
            Self::Done(content) => content.to_value(),
            Self::Failed { errcode, errmsg } => {
                json!({"errcode": errcode.number(), "errmsg": errmsg})
            }
        };
        value.to_string()
    }
}

/// An object without the fields that are absent.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let present = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect())
}
