//! Amounts as people type them.

use std::str::FromStr;

use tongbao_core::Money;

/// An amount in yuan, read digit by digit: `12.34` is 1234 fen exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yuan(pub Money);

impl FromStr for Yuan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fen = fen(text).ok_or("write yuan with at most two places, for example 12.34")?;
        match fen {
            1..=Money::MAX_FEN => Ok(Self(Money::fen(fen))),
            _ => Err(format!(
                "from {} to {}",
                Money::fen(1),
                Money::fen(Money::MAX_FEN)
            )),
        }
    }
}

fn fen(text: &str) -> Option<i64> {
    let (yuan, places) = text.split_once('.').unwrap_or((text, "00"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(yuan) || !digits(places) || places.len() > 2 {
        return None;
    }
    let fen: i64 = places.parse().ok()?;
    let fen = if places.len() == 1 { fen * 10 } else { fen };
    yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_become_fen_exactly() {
        for (text, fen) in [
            ("12.34", 1_234),
            ("12.3", 1_230),
            ("12", 1_200),
            ("0.01", 1),
            ("0.29", 29),
            ("1.15", 115),
            ("007", 700),
            ("100000000.00", 10_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Yuan(Money::fen(fen))), "{text}");
        }
    }

    #[test]
    fn what_is_not_plainly_an_amount_is_refused() {
        for text in [
            "",
            ".",
            "12.",
            ".5",
            "0",
            "0.00",
            "-1",
            "+1",
            "1e3",
            "1,000",
            "12.345",
            "１２",
            "¥1",
            " 1",
            "100000000.01",
            "99999999999999999999",
            "0x10",
            "NaN",
        ] {
            assert!(text.parse::<Yuan>().is_err(), "{text:?}");
        }
    }
}
