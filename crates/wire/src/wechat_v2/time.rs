//! `yyyyMMddHHmmss`, and of refunds `yyyy-MM-dd HH:mm:ss`: Beijing time.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{self, Offset};

/// The platform's clock stands at +08:00 all year.
const BEIJING: Offset = tz::offset(8);

/// A second in time that has a spelling of 14 digits: years 0001 to 9998.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BeijingTime {
    unix_secs: i64,
}

impl BeijingTime {
    /// `None` outside the years that have a spelling.
    pub fn from_unix_secs(unix_secs: i64) -> Option<Self> {
        // 0001-01-01T00:00:00 and 9998-12-31T23:59:59 in Beijing.
        const SPELLABLE: std::ops::RangeInclusive<i64> = -62_135_625_600..=253_370_735_999;
        SPELLABLE.contains(&unix_secs).then_some(Self { unix_secs })
    }

    /// Reads `yyyy-MM-dd HH:mm:ss`.
    pub fn from_spaced(text: &str) -> Result<Self, TimeError> {
        let bytes: &[u8; 19] = text.as_bytes().try_into().map_err(|_| TimeError)?;
        let mut digits = String::with_capacity(14);
        for (&byte, &form) in bytes.iter().zip(b"0000-00-00 00:00:00") {
            match form {
                b'0' => digits.push(char::from(byte)),
                _ if byte == form => {}
                _ => return Err(TimeError),
            }
        }
        digits.parse()
    }

    /// Writes `yyyy-MM-dd HH:mm:ss`.
    pub fn to_spaced(self) -> String {
        let digits = self.to_string();
        let part = |at: std::ops::Range<usize>| &digits[at];
        format!(
            "{}-{}-{} {}:{}:{}",
            part(0..4),
            part(4..6),
            part(6..8),
            part(8..10),
            part(10..12),
            part(12..14)
        )
    }

    /// Seconds since 1970 in UTC.
    pub const fn unix_secs(self) -> i64 {
        self.unix_secs
    }
}

/// The text is not 14 digits, or not a moment of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form yyyyMMddHHmmss")]
pub struct TimeError;

impl FromStr for BeijingTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let digits: &[u8; 14] = text.as_bytes().try_into().map_err(|_| TimeError)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(TimeError);
        }
        let two = |at: usize| {
            let [tens, ones] = [digits[at] - b'0', digits[at + 1] - b'0'];
            (tens * 10 + ones).cast_signed()
        };
        let year = i16::from(two(0)) * 100 + i16::from(two(2));
        let civil = DateTime::new(year, two(4), two(6), two(8), two(10), two(12), 0);
        let moment = civil
            .and_then(|civil| BEIJING.to_timestamp(civil))
            .map_err(|_| TimeError)?;
        Self::from_unix_secs(moment.as_second()).ok_or(TimeError)
    }
}

impl fmt::Display for BeijingTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = Timestamp::from_second(self.unix_secs).map_err(|_| fmt::Error)?;
        let civil = BEIJING.to_datetime(moment);
        let (date, time) = (civil.date(), civil.time());
        write!(f, "{:04}{:02}{:02}", date.year(), date.month(), date.day())?;
        write!(
            f,
            "{:02}{:02}{:02}",
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beijing_is_eight_hours_ahead() {
        let noon: BeijingTime = "20260101120000".parse().unwrap();

        assert_eq!(noon.unix_secs(), 1_767_240_000);
        assert_eq!(
            BeijingTime::from_unix_secs(0).unwrap().to_string(),
            "19700101080000"
        );
    }

    #[test]
    fn the_first_and_the_last_spelling_read_back() {
        for text in ["00010101000000", "99981231235959", "20240229235959"] {
            assert_eq!(text.parse::<BeijingTime>().unwrap().to_string(), text);
        }
        for spelled in ["00010101000000", "99981231235959"] {
            let edge = spelled.parse::<BeijingTime>().unwrap().unix_secs();
            let beyond = if spelled < "2" { edge - 1 } else { edge + 1 };
            assert_eq!(BeijingTime::from_unix_secs(beyond), None);
        }
    }

    #[test]
    fn both_spellings_are_of_one_moment() {
        let compact: BeijingTime = "20260101123000".parse().unwrap();

        assert_eq!(compact.to_spaced(), "2026-01-01 12:30:00");
        assert_eq!(BeijingTime::from_spaced("2026-01-01 12:30:00"), Ok(compact));
        for text in [
            "",
            "20260101123000",
            "2026-01-01T12:30:00",
            "2026/01/01 12:30:00",
            "2026-01-01 12:30:0",
            "2026-01-01 12:30:00 ",
            "2026-02-30 12:30:00",
            "2026-01-01 12:30:0é",
            "-026-01-01 12:30:00",
        ] {
            assert_eq!(BeijingTime::from_spaced(text), Err(TimeError), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_in_the_calendar_is_refused() {
        let refused = [
            "",
            "2026010112000",
            "202601011200000",
            "2026-01-01 12:0",
            "20260230000000",
            "20250229000000",
            "20260101240000",
            "20260101006000",
            "20260101000060",
            "+2026010112000",
            "２0260101120",
            "00000101000000",
            "20260001000000",
        ];
        for text in refused {
            assert_eq!(text.parse::<BeijingTime>(), Err(TimeError), "{text:?}");
        }
    }
}
