//! Single fields between their text and their type.
//!
//! An empty element means an absent value everywhere: the platform sends both for the same
//! thing and signs neither.

use std::fmt::Display;

use super::number;
use super::time::BeijingTime;
use super::xml::Fields;

/// Why fields are not the message that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A field that this message always has is absent or empty.
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    /// A value outside the grammar of its field.
    #[error("field `{0}` is malformed")]
    Malformed(&'static str),
    /// A field that only another kind of message has: a signature is good in both directions
    /// and for every kind, so one kind must not pass for another.
    #[error("field `{0}` does not belong here")]
    Unexpected(&'static str),
}

impl FieldError {
    /// The field's name; of a repeated one with `$n` for the number.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Missing(field) | Self::Malformed(field) | Self::Unexpected(field) => field,
        }
    }

    /// A stable word for counters and inbox rows.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing(_) => "field_missing",
            Self::Malformed(_) => "field_malformed",
            Self::Unexpected(_) => "field_unexpected",
        }
    }
}

impl<'a> Fields<'a> {
    /// The value, unless it is empty.
    pub fn present(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, FieldError> {
        self.present(name).ok_or(FieldError::Missing(name))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.present(name).map(str::to_owned)
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, FieldError> {
        let read = |text| number::parse(text).ok_or(FieldError::Malformed(name));
        self.present(name).map(read).transpose()
    }

    pub(super) fn required_number(&self, name: &'static str) -> Result<u64, FieldError> {
        self.number(name)?.ok_or(FieldError::Missing(name))
    }

    pub(super) fn time(&self, name: &'static str) -> Result<Option<BeijingTime>, FieldError> {
        let read = |text: &str| text.parse().map_err(|_| FieldError::Malformed(name));
        self.present(name).map(read).transpose()
    }

    pub(super) fn spaced_time(
        &self,
        name: &'static str,
    ) -> Result<Option<BeijingTime>, FieldError> {
        let read = |text| BeijingTime::from_spaced(text).map_err(|_| FieldError::Malformed(name));
        self.present(name).map(read).transpose()
    }

    pub(super) fn put(&mut self, name: &'static str, value: Option<&'a str>) {
        if let Some(value) = value {
            self.insert(name, value);
        }
    }

    pub(super) fn put_shown(&mut self, name: &'static str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.insert(name, value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_fields_name_and_a_stable_word() {
        for (error, word) in [
            (FieldError::Missing("total_fee"), "field_missing"),
            (FieldError::Malformed("total_fee"), "field_malformed"),
            (FieldError::Unexpected("total_fee"), "field_unexpected"),
        ] {
            assert_eq!((error.field(), error.label()), ("total_fee", word));
            assert!(error.to_string().contains("`total_fee`"));
        }
    }
}
