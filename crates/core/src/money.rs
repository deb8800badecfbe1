//! Money in the smallest unit of its currency; never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A three-letter ISO 4217 code.
///
/// The gateway collects [`Currency::CNY`] alone; what a platform reports may be
/// anything, and must be comparable before it can be refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Renminbi; its smallest unit is the fen.
    pub const CNY: Self = Self(*b"CNY");

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        match text.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|byte| byte.is_ascii_uppercase()) => {
                Ok(Self([*a, *b, *c]))
            }
            _ => Err(NotACurrency),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = NotACurrency;

    fn try_from(text: String) -> Result<Self, NotACurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not three upper-case ASCII letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three upper-case letters, for example CNY")]
pub struct NotACurrency;

/// An amount in the smallest unit of its currency: `1234` CNY is ¥12.34.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The most that one payment may ask for: 10^10 fen, ¥100,000,000.00.
    pub const MAX_FEN: i64 = 10_000_000_000;

    /// Any amount, also one that a payment may not ask for: what a platform
    /// reports has to be representable before it can be judged.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Renminbi in fen.
    pub const fn fen(minor: i64) -> Self {
        Self::new(minor, Currency::CNY)
    }

    /// In the smallest unit: fen for CNY.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// What it is an amount of.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// `None` when the currencies differ or the sum overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        let minor = self.minor.checked_add(other.minor)?;
        Some(Self { minor, ..self })
    }
}

impl fmt::Display for Money {
    /// `¥1,234.56` for people; never parsed again. How many places another
    /// currency has is not known here: `USD 123,456 in its smallest unit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        if self.currency == Currency::CNY {
            let (yuan, fen) = (Grouped(minor / 100), minor % 100);
            write!(f, "{sign}¥{yuan}.{fen:02}")
        } else {
            let (currency, units) = (self.currency, Grouped(minor));
            write!(f, "{sign}{currency} {units} in its smallest unit")
        }
    }
}

/// With a comma before every third digit from the end.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_grouping_and_two_places() {
        for (minor, text) in [
            (0, "¥0.00"),
            (1, "¥0.01"),
            (99, "¥0.99"),
            (100, "¥1.00"),
            (1234, "¥12.34"),
            (99_999, "¥999.99"),
            (100_000, "¥1,000.00"),
            (123_456_789, "¥1,234,567.89"),
            (-5, "-¥0.05"),
            (i64::MIN, "-¥92,233,720,368,547,758.08"),
        ] {
            assert_eq!(Money::fen(minor).to_string(), text);
        }
    }

    #[test]
    fn a_foreign_amount_is_not_guessed_at() {
        let yen = Money::new(-1234, "JPY".parse().unwrap());
        assert_eq!(yen.to_string(), "-JPY 1,234 in its smallest unit");
    }

    #[test]
    fn equal_money_is_equal_in_amount_and_currency() {
        let usd = |cents| Money::new(cents, "USD".parse().unwrap());
        assert_eq!(usd(1), usd(1));
        assert_ne!(usd(1), usd(2));
        assert_ne!(usd(1), Money::fen(1));
    }

    #[test]
    fn money_survives_json_and_a_bad_currency_does_not() {
        let json = serde_json::to_string(&Money::fen(1234)).unwrap();
        assert_eq!(json, r#"{"minor":1234,"currency":"CNY"}"#);
        assert_eq!(
            serde_json::from_str::<Money>(&json).unwrap(),
            Money::fen(1234)
        );
        for bad in [json.replace("CNY", "cny"), json.replace("1234", "12.34")] {
            assert!(serde_json::from_str::<Money>(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sums_refuse_other_currencies_and_overflow() {
        let usd = Money::new(1, "USD".parse().unwrap());
        assert_eq!(Money::fen(1).checked_add(usd), None);
        assert_eq!(Money::fen(i64::MAX).checked_add(Money::fen(1)), None);
        assert_eq!(
            Money::fen(2).checked_add(Money::fen(3)),
            Some(Money::fen(5))
        );
    }

    #[test]
    fn a_currency_is_three_upper_case_letters() {
        for text in ["", "cny", "CN", "CNYY", "C1Y", "ＣＮＹ"] {
            assert_eq!(text.parse::<Currency>(), Err(NotACurrency), "{text}");
        }
        assert_eq!("CNY".parse(), Ok(Currency::CNY));
    }
}
