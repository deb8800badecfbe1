//! What a merchant asks to be paid, checked.

use serde::{Deserialize, Serialize};

use crate::{Currency, Money, StoreId};

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
    /// In which of the merchant's shops.
    pub store: Option<StoreId>,
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
        number("merchant_order_no", &self.merchant_order_no)?;
        amount(self.amount)?;
        readable("subject", &self.subject, SUBJECT_MAX_BYTES)?;
        metadata(&self.metadata)?;
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

/// A merchant's own number.
pub(crate) fn number(field: &'static str, text: &str) -> Result<(), Invalid> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte);
    if text.is_empty() || text.len() > ORDER_NO_MAX || !text.bytes().all(plain) {
        return Err(Invalid::new(
            field,
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

/// What the payer reads.
pub(crate) fn readable(field: &'static str, text: &str, most: usize) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(
            field,
            "is empty; say what the payer is to read",
        ));
    }
    if text.trim() != text {
        return Err(Invalid::new(field, "starts or ends with a space; trim it"));
    }
    if text.len() > most {
        let detail = format!(
            "takes {} bytes of UTF-8; the platforms take {most} ({} Chinese characters)",
            text.len(),
            most / 3
        );
        return Err(Invalid::new(field, detail));
    }
    // `&` and `=` could be re-split into other fields of a signed text.
    if text
        .chars()
        .any(|c| matches!(c, '&' | '=') || c.is_control() || is_unreadable(c))
    {
        let detail = "contains &, =, a control character or an invisible mark, which the platforms' \
                      signatures or the payer's eyes cannot be trusted with; leave it out";
        return Err(Invalid::new(field, detail));
    }
    Ok(())
}

/// Marks that make a text read other than it is, line ends that are no control
/// characters, and what XML cannot carry.
pub(crate) fn is_unreadable(c: char) -> bool {
    matches!(
        c,
        '\u{061c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fffe}'
            | '\u{ffff}'
    )
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
    if !comes_back_untouched(value) {
        let detail = "has a number of more than 53 bits that is no 64-bit integer, which JSON's \
                      readers change; send it as text";
        return Err(Invalid::new("metadata", detail));
    }
    Ok(())
}

/// An integer that no integer type holds has been read as a fraction by now, and
/// its last digits are gone.
fn comes_back_untouched(value: &serde_json::Value) -> bool {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        serde_json::Value::Number(number) if number.is_f64() => {
            number.as_f64().is_some_and(|number| number.abs() < EXACT)
        }
        serde_json::Value::Array(items) => items.iter().all(comes_back_untouched),
        serde_json::Value::Object(fields) => fields.values().all(comes_back_untouched),
        _ => true,
    }
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
    // A browser reads `%2e` in a host as a dot, and a port that is none as an error.
    let readable = || url::Url::parse(url).is_ok();
    if host.is_empty() || host.contains(['@', '%']) || !plain || url.len() > 512 || !readable() {
        return Err(refused());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

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

    fn tea_but(change: impl FnOnce(&mut Order)) -> Order {
        let mut order = tea();
        change(&mut order);
        order
    }

    #[test]
    fn a_plain_order_is_accepted() {
        assert_eq!(tea().validate(), Ok(()));
    }

    #[test]
    fn the_longest_and_the_largest_are_accepted() {
        let most = Order {
            merchant_order_no: "aZ09_-|*".repeat(8),
            amount: Money::fen(Money::MAX_FEN),
            subject: format!("{}a", "茶".repeat(42)),
            metadata: serde_json::json!({"note": "x".repeat(METADATA_MAX_BYTES - 11)}),
            store: Some(StoreId::from_bits(u128::MAX)),
            return_url: Some(format!("http://shop.example/{}", "p".repeat(492))),
        };
        assert_eq!(most.validate(), Ok(()));
        assert_eq!(
            tea_but(|order| order.amount = Money::fen(1)).validate(),
            Ok(())
        );
        for subject in ["两杯 茶 🍵", "Tea, 2 cups", "a\u{200d}b"] {
            assert_eq!(
                tea_but(|order| order.subject = subject.into()).validate(),
                Ok(())
            );
        }
        for url in [
            "https://shop.example",
            "https://shop.example?x=1#y",
            "http://127.0.0.1:8000/",
        ] {
            assert_eq!(
                tea_but(|order| order.return_url = Some(url.into())).validate(),
                Ok(())
            );
        }
    }

    fn assert_refused(field: &str, order: &Order) {
        match order.validate() {
            Err(invalid) => assert_eq!(invalid.field, field, "{invalid}"),
            Ok(()) => panic!("{field} was accepted: {order:?}"),
        }
    }

    #[test]
    fn an_order_number_is_plain_ascii_of_at_most_64() {
        for number in [
            "",
            "a b",
            "订单1",
            "A/1",
            "A@1",
            "Ａ1",
            "a\n",
            &"a".repeat(65),
        ] {
            let order = tea_but(|order| order.merchant_order_no = number.into());
            assert_refused("merchant_order_no", &order);
        }
    }

    #[test]
    fn an_amount_is_from_one_fen_to_a_hundred_million_yuan() {
        for fen in [0, -1, i64::MIN, Money::MAX_FEN + 1, i64::MAX] {
            assert_refused("amount", &tea_but(|order| order.amount = Money::fen(fen)));
        }
        let usd = Money::new(1, "USD".parse().unwrap());
        assert_refused("currency", &tea_but(|order| order.amount = usd));
    }

    #[test]
    fn a_subject_reads_as_it_is_and_cannot_be_split_again() {
        for subject in [
            "",
            "  ",
            " 茶",
            "茶\u{3000}",
            &"茶".repeat(43),
            "a&out_trade_no",
            "a=b",
            "a\nb",
            "a\0b",
            "a\u{85}b",
            "a\u{61c}b",
            "a\u{200f}b",
            "a\u{202e}b",
            "a\u{2028}b",
            "a\u{2066}b",
            "a\u{fffe}b",
        ] {
            assert_refused("subject", &tea_but(|order| order.subject = subject.into()));
        }
    }

    #[test]
    fn metadata_is_a_small_object() {
        use serde_json::json;
        for metadata in [
            json!([]),
            json!(null),
            json!("x"),
            json!({"x": "x".repeat(METADATA_MAX_BYTES)}),
            json!({"id": 18_446_744_073_709_551_616.0}),
            json!({"ids": [1, {"id": -9_007_199_254_740_992.0}]}),
        ] {
            assert_refused("metadata", &tea_but(|order| order.metadata = metadata));
        }
        for metadata in [
            json!({"id": u64::MAX, "other": i64::MIN}),
            json!({"rate": [0.1, -1.1e-7, 9_007_199_254_740_991.0]}),
        ] {
            let order = tea_but(|order| order.metadata = metadata);
            assert_eq!(order.validate(), Ok(()));
        }
    }

    #[test]
    fn a_return_url_leads_where_it_seems_to_lead() {
        for url in [
            "",
            "/paid",
            "//evil.example",
            "javascript:alert(1)",
            "ftp://shop.example/",
            "https://",
            "https:///paid",
            "https://?x",
            "https://good@evil.example/",
            "https://good.example\\@evil.example/",
            "https://shop.example/a b",
            "https://shop.example/\r\nSet-Cookie:x",
            "https://shop.example/\"onload=",
            "https://店.example/",
            "https://shop%2eexample/",
            "https://shop.example:99999/",
            "https://:443/",
            "https://[::1/",
            &format!("https://shop.example/{}", "p".repeat(492)),
        ] {
            assert_refused(
                "return_url",
                &tea_but(|order| order.return_url = Some(url.into())),
            );
        }
    }

    #[test]
    fn the_first_different_field_is_named() {
        assert_eq!(tea().difference(&tea()), None);
        let usd = Money::new(1234, "USD".parse().unwrap());
        for (field, order) in [
            ("currency", tea_but(|order| order.amount = usd)),
            ("amount", tea_but(|order| order.amount = Money::fen(1))),
            ("subject", tea_but(|order| order.subject = "x".into())),
            (
                "metadata",
                tea_but(|order| order.metadata = serde_json::json!({"x": 1})),
            ),
            (
                "store",
                tea_but(|order| order.store = Some(StoreId::from_bits(7))),
            ),
            (
                "return_url",
                tea_but(|order| order.return_url = Some("https://a.example".into())),
            ),
        ] {
            assert_eq!(tea().difference(&order), Some(field));
            assert_eq!(order.difference(&tea()), Some(field));
        }
        let both = tea_but(|order| (order.amount, order.subject) = (Money::fen(1), "x".into()));
        assert_eq!(tea().difference(&both), Some("amount"));
    }
}
