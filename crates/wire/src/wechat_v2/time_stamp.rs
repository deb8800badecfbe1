//! `timeStamp`: when a client calls the wallet.

use std::fmt;
use std::str::FromStr;

/// Seconds since 1970 in ten digits, as a text: a number is refused by some phones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeStamp(u64);

/// The text is not ten digits, or begins with a zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not seconds since 1970 in ten digits")]
pub struct TimeStampError;

impl TimeStamp {
    /// `None` outside September 2001 to November 2286: milliseconds, for one.
    pub fn from_unix_secs(unix_secs: u64) -> Option<Self> {
        const TEN_DIGITS: std::ops::RangeInclusive<u64> = 1_000_000_000..=9_999_999_999;
        TEN_DIGITS.contains(&unix_secs).then_some(Self(unix_secs))
    }

    /// Seconds since 1970 in UTC.
    pub const fn unix_secs(self) -> u64 {
        self.0
    }
}

impl FromStr for TimeStamp {
    type Err = TimeStampError;

    fn from_str(text: &str) -> Result<Self, TimeStampError> {
        super::number::parse(text)
            .and_then(Self::from_unix_secs)
            .ok_or(TimeStampError)
    }
}

impl fmt::Display for TimeStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_are_a_time_stamp_and_nothing_else_is() {
        for text in ["1000000000", "1767240930", "9999999999"] {
            assert_eq!(text.parse::<TimeStamp>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "999999999",
            "10000000000",
            "1767240930000",
            "0176724093",
            "+176724093",
            "1767240930 ",
            "1767240930.5",
        ] {
            assert_eq!(text.parse::<TimeStamp>(), Err(TimeStampError), "{text:?}");
        }
    }
}
