//! Integers as the platform writes them.

/// Reads fen or a count: decimal digits, no sign, no space, no leading zero.
///
/// Stricter than `str::parse`, which takes `+1`, and so strict that writing the number again
/// gives the very text that was signed. At most 18 digits, so that it fits any 64-bit integer.
pub fn parse(text: &str) -> Option<u64> {
    let canonical = match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 18 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_number() {
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse("888"), Some(888));
        assert_eq!(parse("999999999999999999"), Some(999_999_999_999_999_999));
    }

    #[test]
    fn anything_else_is_not() {
        let refused = [
            "",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1\n",
            "01",
            "00",
            "1.0",
            "1.",
            ".5",
            "1,000",
            "1e2",
            "0x1",
            "１",
            "NaN",
            "1000000000000000000",
            "9999999999999999999999999999999999999999",
        ];
        for text in refused {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
