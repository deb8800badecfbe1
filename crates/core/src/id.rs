//! Ids: a type and a prefix for every kind, so that a refund's id in a
//! payment's place is refused before a query runs.
//!
//! An id is 128 bits, minted in `engine` with the time in front, printed as 26
//! lower-case letters and digits behind its prefix: `pay_01kb…`. Text order is
//! time order. There is one spelling: upper case, other lengths and the letters
//! i, l, o, u are refused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's base 32, lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// How many characters 128 bits take.
pub const TEXT_LEN: usize = 26;

/// Not an id of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind: expected {prefix}… with 26 characters behind it")]
pub struct NotAnId {
    prefix: &'static str,
}

/// What every kind of id can do.
pub trait Id: Sized + Copy {
    /// In front of the 26 characters, with its underscore.
    const PREFIX: &'static str;
    /// From 128 minted bits.
    fn from_bits(bits: u128) -> Self;
    /// The 128 bits.
    fn bits(self) -> u128;
}

/// The 26 characters that stand for `bits`.
pub fn text(bits: u128) -> [u8; TEXT_LEN] {
    let mut out = [0; TEXT_LEN];
    let mut rest = bits;
    for place in out.iter_mut().rev() {
        *place = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    out
}

fn parse(prefix: &'static str, text: &str) -> Result<u128, NotAnId> {
    let refused = NotAnId { prefix };
    let digits = text.strip_prefix(prefix).ok_or(refused)?.as_bytes();
    // 26 characters hold 130 bits: the first one carries only three.
    if digits.len() != TEXT_LEN || digits[0] > b'7' {
        return Err(refused);
    }
    digits.iter().try_fold(0_u128, |bits, digit| {
        let value = ALPHABET
            .iter()
            .position(|letter| letter == digit)
            .ok_or(refused)?;
        Ok((bits << 5) | value as u128)
    })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;

            fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                f.write_str(std::str::from_utf8(&text(self.0)).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// Who gets the money; every row of the database belongs to one.
    MerchantId, "mer_"
);
id!(
    /// A key of the merchant API.
    ApiKeyId, "key_"
);
id!(
    /// A merchant's account at one platform or acquirer.
    ChannelId, "chn_"
);
id!(
    /// One thing that a merchant wants paid.
    PaymentId, "pay_"
);
id!(
    /// One try at a payment over one channel.
    AttemptId, "att_"
);
id!(
    /// Money on its way back to a payer.
    RefundId, "rfd_"
);
id!(
    /// Something abnormal about money, until it is put right.
    CaseId, "case_"
);
id!(
    /// A webhook event: what we tell a merchant.
    EventId, "evt_"
);
id!(
    /// Where a merchant wants to be told.
    EndpointId, "whe_"
);
id!(
    /// A platform's notification as it came in.
    NotificationId, "ntf_"
);
id!(
    /// A shop of a merchant.
    StoreId, "sto_"
);
id!(
    /// A till of a shop.
    TillId, "til_"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        for bits in [0, 1, u128::MAX, 0x0193_4f2e_77aa_7bcd_8e01_2345_6789_abcd] {
            let id = PaymentId::from_bits(bits);
            assert_eq!(id.to_string().len(), "pay_".len() + TEXT_LEN);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let attempt = AttemptId::from_bits(7).to_string();
        assert!(attempt.parse::<PaymentId>().is_err());
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = PaymentId::from_bits(u128::MAX).to_string();
        for text in [
            id.to_uppercase(),
            id.replace("pay_7", "pay_8"),
            id.replace('z', "u"),
            format!("{id}0"),
            format!(" {id}"),
            "pay_".to_owned(),
            String::new(),
        ] {
            assert!(text.parse::<PaymentId>().is_err(), "{text}");
        }
    }

    #[test]
    fn text_order_is_number_order() {
        let bits = [0, 1, 31, 32, 1 << 64, 1 << 125, 1 << 127, u128::MAX];
        let texts = bits.map(|bits| EventId::from_bits(bits).to_string());
        assert!(texts.is_sorted());
    }

    #[test]
    fn the_alphabet_has_one_letter_for_a_digit() {
        let id: AttemptId = "att_0123456789abcdefghjkmnpqrs".parse().unwrap();
        assert_eq!(id.to_string(), "att_0123456789abcdefghjkmnpqrs");
        for letter in ["i", "l", "o", "u", "A", "-", "é"] {
            let text = format!("att_{letter:0>26}");
            assert!(text.parse::<AttemptId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_is_text_in_json() {
        let id = CaseId::from_bits(7);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"case_00000000000000000000000007\"");
        assert_eq!(serde_json::from_str::<CaseId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<EventId>(&json).is_err());
        assert!(serde_json::from_str::<CaseId>("7").is_err());
    }

    #[test]
    fn kinds_differ_by_their_prefix() {
        let mut prefixes = [
            MerchantId::PREFIX,
            ApiKeyId::PREFIX,
            ChannelId::PREFIX,
            PaymentId::PREFIX,
            AttemptId::PREFIX,
            RefundId::PREFIX,
            CaseId::PREFIX,
            EventId::PREFIX,
            EndpointId::PREFIX,
            NotificationId::PREFIX,
            StoreId::PREFIX,
            TillId::PREFIX,
        ];
        prefixes.sort_unstable();
        assert!(prefixes.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(prefixes.iter().all(|prefix| prefix.ends_with('_')));
    }
}
