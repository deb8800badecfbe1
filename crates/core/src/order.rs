//! What a merchant asks to be paid, checked.

use serde::{Deserialize, Serialize};

use crate::{Currency, Money};

/// The longest order number that every platform takes.
pub const ORDER_NO_MAX: usize = 64;
/// In bytes of UTF-8: the strictest platform counts 127 bytes.
pub const SUBJECT_MAX_BYTES: usize = 127;
/// Shortest and longest life of an order, in seconds: the platforms refuse a
/// shorter one, and their own codes live two hours.
pub const EXPIRES_IN_SECS: std::ops::RangeInclusive<i64> = 60..=7_200;
/// Metadata in bytes of JSON.
pub const METADATA_MAX_BYTES: usize = 4_096;

/// A merchant's order: the content that must be the same when the order number
/// comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The merchant's own number, unique for ever.
    pub merchant_order_no: String,
    /// What is to be paid.
    pub amount: Money,
    /// What the payer reads.
    pub subject: String,
    /// The merchant's own data; comes back untouched.
    pub metadata: serde_json::Value,
    /// A shop of the merchant.
    pub store: Option<String>,
    /// Where the checkout page leads when it is done.
    pub return_url: Option<String>,
}

/// A field that cannot be accepted: the cause and the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Invalid {
    /// The field's name in the API.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub detail: String,
}

impl Invalid {
    /// A field and what to do about it.
    pub fn new(field: &'static str, detail: impl Into<String>) -> Self {
        Self {
            field,
            detail: detail.into(),
        }
    }
}

impl Order {
    /// Every rule that does not depend on a channel.
    pub fn validate(&self) -> Result<(), Invalid> {
        order_no(&self.merchant_order_no)?;
        amount(self.amount)?;
        subject(&self.subject)?;
        metadata(&self.metadata)?;
        if let Some(store) = &self.store
            && (store.is_empty() || store.len() > 64)
        {
            return Err(Invalid::new("store", "is empty or longer than 64 bytes"));
        }
        self.return_url.as_deref().map_or(Ok(()), return_url)
    }

    /// The first field in which two orders with one number differ.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.amount.currency() != other.amount.currency() {
            return Some("currency");
        }
        if self.amount != other.amount {
            return Some("amount");
        }
        if self.subject != other.subject {
            return Some("subject");
        }
        if self.metadata != other.metadata {
            return Some("metadata");
        }
        if self.store != other.store {
            return Some("store");
        }
        (self.return_url != other.return_url).then_some("return_url")
    }
}

fn order_no(text: &str) -> Result<(), Invalid> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte);
    if text.is_empty() || text.len() > ORDER_NO_MAX || !text.bytes().all(plain) {
        return Err(Invalid::new(
            "merchant_order_no",
            format!("use 1 to {ORDER_NO_MAX} of the characters A-Z a-z 0-9 _ - | *"),
        ));
    }
    Ok(())
}

fn amount(amount: Money) -> Result<(), Invalid> {
    if amount.currency() != Currency::CNY {
        return Err(Invalid::new(
            "currency",
            "only CNY is collected; leave it out or send CNY",
        ));
    }
    if !(1..=Money::MAX_FEN).contains(&amount.minor()) {
        let detail = format!(
            "is {}; send fen as a whole number from 1 to {} (¥12.34 is 1234)",
            amount.minor(),
            Money::MAX_FEN
        );
        return Err(Invalid::new("amount", detail));
    }
    Ok(())
}

fn subject(text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new("subject", "is empty; say what the payer buys"));
    }
    if text.trim() != text {
        return Err(Invalid::new(
            "subject",
            "starts or ends with a space; trim it",
        ));
    }
    if text.len() > SUBJECT_MAX_BYTES {
        let detail = format!(
            "takes {} bytes of UTF-8; the platforms take {SUBJECT_MAX_BYTES} (42 Chinese characters)",
            text.len()
        );
        return Err(Invalid::new("subject", detail));
    }
    // `&` and `=` could be re-split into other fields of a signed text.
    if text
        .chars()
        .any(|c| c.is_control() || c == '&' || c == '=' || is_bidi_control(c))
    {
        let detail = "contains a control character, & or =, which the platforms' signatures \
                      cannot carry safely; leave them out";
        return Err(Invalid::new("subject", detail));
    }
    Ok(())
}

/// Marks that make a text read other than it is.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn metadata(value: &serde_json::Value) -> Result<(), Invalid> {
    if !value.is_object() {
        return Err(Invalid::new(
            "metadata",
            "is not an object; send {\"key\": value}",
        ));
    }
    if value.to_string().len() > METADATA_MAX_BYTES {
        let detail =
            format!("is longer than {METADATA_MAX_BYTES} bytes of JSON; keep an id instead");
        return Err(Invalid::new("metadata", detail));
    }
    Ok(())
}

fn return_url(url: &str) -> Result<(), Invalid> {
    let refused = || {
        Invalid::new(
            "return_url",
            "is not an absolute http or https address of at most 512 ASCII characters, without user or spaces",
        )
    };
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or_else(refused)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = url
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"<>\"'\\`".contains(&b));
    if host.is_empty() || host.contains('@') || !plain || url.len() > 512 {
        return Err(refused());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tea() -> Order {
        Order {
            merchant_order_no: "A-1001".into(),
            amount: Money::fen(1234),
            subject: "龙井茶".into(),
            metadata: serde_json::json!({}),
            store: None,
            return_url: None,
        }
    }

    #[test]
    fn a_plain_order_is_accepted() {
        assert_eq!(tea().validate(), Ok(()));
    }

    #[test]
    fn every_bad_field_is_named() {
        let cases: [(&str, Order); 16] = [
            (
                "merchant_order_no",
                Order {
                    merchant_order_no: String::new(),
                    ..tea()
                },
            ),
            (
                "merchant_order_no",
                Order {
                    merchant_order_no: "a b".into(),
                    ..tea()
                },
            ),
            (
                "merchant_order_no",
                Order {
                    merchant_order_no: "订单1".into(),
                    ..tea()
                },
            ),
            (
                "merchant_order_no",
                Order {
                    merchant_order_no: "a".repeat(65),
                    ..tea()
                },
            ),
            (
                "amount",
                Order {
                    amount: Money::fen(0),
                    ..tea()
                },
            ),
            (
                "amount",
                Order {
                    amount: Money::fen(-1),
                    ..tea()
                },
            ),
            (
                "amount",
                Order {
                    amount: Money::fen(Money::MAX_FEN + 1),
                    ..tea()
                },
            ),
            (
                "currency",
                Order {
                    amount: Money::new(1, "USD".parse().unwrap()),
                    ..tea()
                },
            ),
            (
                "subject",
                Order {
                    subject: "  ".into(),
                    ..tea()
                },
            ),
            (
                "subject",
                Order {
                    subject: "茶".repeat(43),
                    ..tea()
                },
            ),
            (
                "subject",
                Order {
                    subject: "a&out_trade_no=b".into(),
                    ..tea()
                },
            ),
            (
                "subject",
                Order {
                    subject: "a\u{202e}b".into(),
                    ..tea()
                },
            ),
            (
                "metadata",
                Order {
                    metadata: serde_json::json!([]),
                    ..tea()
                },
            ),
            (
                "store",
                Order {
                    store: Some(String::new()),
                    ..tea()
                },
            ),
            (
                "return_url",
                Order {
                    return_url: Some("javascript:alert(1)".into()),
                    ..tea()
                },
            ),
            (
                "return_url",
                Order {
                    return_url: Some("https://good@evil/".into()),
                    ..tea()
                },
            ),
        ];
        for (field, order) in cases {
            assert_eq!(order.validate().unwrap_err().field, field);
        }
    }

    #[test]
    fn the_first_different_field_is_named() {
        let other = Order {
            amount: Money::fen(1),
            subject: "x".into(),
            ..tea()
        };
        assert_eq!(tea().difference(&other), Some("amount"));
        assert_eq!(tea().difference(&tea()), None);
    }
}
