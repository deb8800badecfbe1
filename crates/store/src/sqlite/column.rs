//! Values as they stand in columns.

use std::fmt;

use rusqlite::Row;
use rusqlite::types::{ToSql, ToSqlOutput, Type, ValueRef};
use serde::de::DeserializeOwned;
use tongbao_core::id::{self, Id, TEXT_LEN};
use tongbao_core::{Money, Timestamp};

use crate::StoreError;

/// The longest prefix is `case_`.
const ID_MAX: usize = 5 + TEXT_LEN;

/// An id as it is printed, ready before the writer needs it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IdText {
    bytes: [u8; ID_MAX],
    len: usize,
}

impl IdText {
    /// Stands where a key column has no id; sorts before every id.
    pub(super) const NONE: Self = Self {
        bytes: [0; ID_MAX],
        len: 0,
    };

    pub(super) fn of<T: Id>(id: T) -> Self {
        const { assert!(T::PREFIX.len() + TEXT_LEN <= ID_MAX) };
        let (prefix, mut bytes) = (T::PREFIX.as_bytes(), [0; ID_MAX]);
        let len = prefix.len() + TEXT_LEN;
        bytes[..prefix.len()].copy_from_slice(prefix);
        bytes[prefix.len()..len].copy_from_slice(&id::text(id.bits()));
        Self { bytes, len }
    }
}

impl fmt::Display for IdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default())
    }
}

impl ToSql for IdText {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(
            &self.bytes[..self.len],
        )))
    }
}

/// JSON for a text column.
pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("core's values have text keys and no fallible parts")
}

/// A row, read column by column in the order in which they were asked for.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn new(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    fn take(&mut self) -> Result<ValueRef<'r>, StoreError> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The column that was just taken cannot be what it should.
    fn corrupt(&self, what: impl std::fmt::Display) -> StoreError {
        let name = self
            .next
            .checked_sub(1)
            .and_then(|index| self.row.as_ref().column_name(index).ok())
            .unwrap_or("?");
        StoreError::Corrupt(format!("{name}: {what}"))
    }

    pub(super) fn opt_str(&mut self) -> Result<Option<&'r str>, StoreError> {
        let value = self.take()?;
        value.as_str_or_null().map_err(|error| self.corrupt(error))
    }

    pub(super) fn str(&mut self) -> Result<&'r str, StoreError> {
        self.opt_str()?.ok_or_else(|| self.corrupt("is null"))
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.str().map(str::to_owned)
    }

    pub(super) fn opt_text(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.opt_str()?.map(str::to_owned))
    }

    pub(super) fn opt_int(&mut self) -> Result<Option<i64>, StoreError> {
        let value = self.take()?;
        value.as_i64_or_null().map_err(|error| self.corrupt(error))
    }

    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        self.opt_int()?.ok_or_else(|| self.corrupt("is null"))
    }

    /// An integer of a narrower type.
    pub(super) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, StoreError> {
        let value = self.int()?;
        self.narrow(value)
    }

    /// An integer of a narrower type, or none.
    pub(super) fn opt_number<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, StoreError> {
        let value = self.opt_int()?;
        value.map(|value| self.narrow(value)).transpose()
    }

    fn narrow<T: TryFrom<i64>>(&self, value: i64) -> Result<T, StoreError> {
        T::try_from(value).map_err(|_| self.corrupt(format_args!("{value} is out of range")))
    }

    pub(super) fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.int().map(Timestamp::from_millis)
    }

    pub(super) fn opt_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int()?.map(Timestamp::from_millis))
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.take()? {
            ValueRef::Blob(bytes) => Ok(bytes.to_owned()),
            other => Err(self.corrupt(format_args!("is {}", kind(other.data_type())))),
        }
    }

    pub(super) fn hash(&mut self) -> Result<[u8; 32], StoreError> {
        let bytes = self.bytes()?;
        bytes
            .try_into()
            .map_err(|_| self.corrupt("is not 32 bytes long"))
    }

    pub(super) fn id<T: Id + std::str::FromStr>(&mut self) -> Result<T, StoreError> {
        let text = self.str()?;
        text.parse().map_err(|_| self.corrupt("is not an id"))
    }

    pub(super) fn opt_id<T: Id + std::str::FromStr>(&mut self) -> Result<Option<T>, StoreError> {
        let text = self.opt_str()?;
        text.map(|text| text.parse().map_err(|_| self.corrupt("is not an id")))
            .transpose()
    }

    /// One word of a closed list.
    pub(super) fn word<T>(&mut self, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let word = self.str()?;
        parse(word).ok_or_else(|| self.corrupt(format_args!("{word:?} is not a word of it")))
    }

    /// One word of a closed list, or none.
    pub(super) fn opt_word<T>(
        &mut self,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(word) = self.opt_str()? else {
            return Ok(None);
        };
        match parse(word) {
            Some(value) => Ok(Some(value)),
            None => Err(self.corrupt(format_args!("{word:?} is not a word of it"))),
        }
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text = self.str()?;
        serde_json::from_str(text).map_err(|error| self.corrupt(error))
    }

    pub(super) fn opt_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, StoreError> {
        let text = self.opt_str()?;
        text.map(|text| serde_json::from_str(text).map_err(|error| self.corrupt(error)))
            .transpose()
    }

    /// Two columns: the amount and its currency.
    pub(super) fn money(&mut self) -> Result<Money, StoreError> {
        self.opt_money()?.ok_or_else(|| self.corrupt("is null"))
    }

    pub(super) fn opt_money(&mut self) -> Result<Option<Money>, StoreError> {
        let (minor, currency) = (self.opt_int()?, self.opt_str()?);
        let (Some(minor), Some(currency)) = (minor, currency) else {
            return Ok(None);
        };
        let currency = currency.parse().map_err(|error| self.corrupt(error))?;
        Ok(Some(Money::new(minor, currency)))
    }
}

/// The row's one integer.
pub(super) fn int(row: &mut Columns<'_>) -> Result<i64, StoreError> {
    row.int()
}

/// The row's one integer, of a narrower type.
pub(super) fn number<T: TryFrom<i64>>(row: &mut Columns<'_>) -> Result<T, StoreError> {
    row.number()
}

/// The row's one text.
pub(super) fn text(row: &mut Columns<'_>) -> Result<String, StoreError> {
    row.text()
}

/// The row's one flag.
pub(super) fn flag(row: &mut Columns<'_>) -> Result<bool, StoreError> {
    row.flag()
}

/// The row's one time.
pub(super) fn time(row: &mut Columns<'_>) -> Result<Timestamp, StoreError> {
    row.time()
}

/// The row's one id.
pub(super) fn id<T: Id + std::str::FromStr>(row: &mut Columns<'_>) -> Result<T, StoreError> {
    row.id()
}

fn kind(kind: Type) -> &'static str {
    match kind {
        Type::Null => "null",
        Type::Integer => "an integer",
        Type::Real => "a real number",
        Type::Text => "text",
        Type::Blob => "bytes",
    }
}
