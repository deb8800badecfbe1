//! The parameters of a request's address.

use std::collections::BTreeMap;

use crate::query;

/// Why an address is not the request that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// A name that occurs twice, or a value that is not UTF-8.
    #[error("the parameters cannot be read")]
    Unreadable,
    /// A parameter that is absent or empty.
    #[error("parameter `{0}` is missing")]
    Missing(&'static str),
    /// A value outside the grammar of its parameter.
    #[error("parameter `{0}` is malformed")]
    Malformed(&'static str),
}

/// The parameters that were received.
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    pub(super) fn read(query: &str) -> Result<Self, ParamError> {
        query::read(query).map(Self).ok_or(ParamError::Unreadable)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?;
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, ParamError> {
        self.text(name).ok_or(ParamError::Missing(name))
    }

    pub(super) fn expect(&self, name: &'static str, word: &str) -> Result<(), ParamError> {
        if self.required(name)? == word {
            Ok(())
        } else {
            Err(ParamError::Malformed(name))
        }
    }
}

/// `name=value&…`, the values encoded.
pub(super) fn write(params: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in params {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(&query::encode(value));
    }
    text
}
