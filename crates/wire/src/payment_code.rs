//! Whose code was scanned: a payer's code (付款码) tells its wallet by its first digits.
//!
//! Only the shape is known here. A code of the right shape may be spent, expired or made up.

/// The wallet that showed the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Wallet {
    /// 18 digits, 10 to 15 first.
    WeChat,
    /// 16 to 24 digits, 25 to 30 first; or a face: `fp` and 33 letters or digits.
    Alipay,
    /// 19 digits, 62 first: of 云闪付 and of the banks' own wallets, 龙支付 for one.
    UnionPay,
    /// Digital yuan: digits, 01 first. Acquirers publish the prefix, not the length.
    DigitalYuan,
    /// 翼支付: digits, 51 first, as above.
    BestPay,
    /// 苏宁支付: digits, 83 first, as above.
    Suning,
}

impl Wallet {
    /// `None` for what no known wallet shows: never guess a wallet by exclusion.
    ///
    /// Takes the code as it stands: see [`trim`].
    pub fn of(code: &str) -> Option<Self> {
        if let Some(face) = code.strip_prefix("fp") {
            let is_face = face.len() == 33 && face.bytes().all(|b| b.is_ascii_alphanumeric());
            return is_face.then_some(Self::Alipay);
        }
        if !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match (code.as_bytes(), code.len()) {
            ([b'1', b'0'..=b'5', ..], 18) => Some(Self::WeChat),
            ([b'2', b'5'..=b'9', ..] | [b'3', b'0', ..], 16..=24) => Some(Self::Alipay),
            ([b'6', b'2', ..], 19) => Some(Self::UnionPay),
            ([b'0', b'1', ..], 16..=24) => Some(Self::DigitalYuan),
            ([b'5', b'1', ..], 16..=24) => Some(Self::BestPay),
            ([b'8', b'3', ..], 16..=24) => Some(Self::Suning),
            _ => None,
        }
    }
}

/// The code without what scanners add at its ends: line ends, tabs, spaces.
pub fn trim(scanned: &str) -> &str {
    scanned.trim_matches(|c: char| c.is_ascii_whitespace() || c.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wallet_is_known_by_its_first_digits() {
        for prefix in 0..100_u8 {
            let code = |len: usize| format!("{prefix:02}{}", "7".repeat(len - 2));
            let expected = match prefix {
                10..=15 => [None, Some(Wallet::WeChat), None, None, None],
                25..=30 => [
                    Some(Wallet::Alipay),
                    Some(Wallet::Alipay),
                    Some(Wallet::Alipay),
                    Some(Wallet::Alipay),
                    None,
                ],
                62 => [None, None, Some(Wallet::UnionPay), None, None],
                1 => any(Wallet::DigitalYuan),
                51 => any(Wallet::BestPay),
                83 => any(Wallet::Suning),
                _ => [None; 5],
            };
            let found = [16, 18, 19, 24, 25].map(|len| Wallet::of(&code(len)));
            assert_eq!(found, expected, "{prefix:02}");
        }
    }

    #[test]
    fn a_face_is_of_alipay() {
        let face = format!("fp{}", "0aZ".repeat(11));

        assert_eq!(Wallet::of(&face), Some(Wallet::Alipay));
        assert_eq!(Wallet::of(&face[1..]), None);
        assert_eq!(Wallet::of(&format!("{face}0")), None);
        assert_eq!(Wallet::of(&face.replace('a', "-")), None);
    }

    #[test]
    fn what_is_not_a_code_is_of_nobody() {
        let refused = [
            "",
            "13",
            "fp",
            "１34567890123456789",
            "13456789012345678x",
            "134567890123456789\n",
            " 134567890123456789",
            "134567890123456 89",
            "-34567890123456789",
            "wxp://f2f0abcdefghijklmnopqrstuvwx",
            "https://qr.alipay.com/bax0000",
        ];
        for text in refused {
            assert_eq!(Wallet::of(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_the_scanner_adds_is_taken_off_and_nothing_else() {
        for scanned in [
            "134567890123456789",
            "134567890123456789\r\n",
            "\t134567890123456789 \u{0}",
        ] {
            assert_eq!(trim(scanned), "134567890123456789");
        }
        assert_eq!(trim("1345 6789"), "1345 6789");
        assert_eq!(trim("\r\n"), "");
    }

    fn any(wallet: Wallet) -> [Option<Wallet>; 5] {
        [Some(wallet), Some(wallet), Some(wallet), Some(wallet), None]
    }
}
