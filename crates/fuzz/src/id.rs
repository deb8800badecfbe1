//! Ids, currencies and words: one spelling each, held against base 32 done by hand.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use tongbao_core::id::Id;
use tongbao_core::webhook::EventType;
use tongbao_core::{
    ApiKeyId, AttemptId, AttemptState, CaseId, CaseKind, ChannelId, Currency, EndpointId, EventId,
    JobKind, MerchantId, NotificationId, PaymentId, Scene,
};

/// Prefixes and awkward letters.
pub const WORDS: &[&str] = &[
    "mer_",
    "key_",
    "chn_",
    "pay_",
    "att_",
    "case_",
    "evt_",
    "whe_",
    "ntf_",
    "7zzzzzzzzzzzzzzzzzzzzzzzzz",
    "8",
    "i",
    "l",
    "o",
    "u",
    "A",
    "\"",
    "\\u0070",
    " ",
    "０",
    "CNY",
    "USD",
    "native",
    "paid_twice",
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    id::<MerchantId>(text);
    id::<ApiKeyId>(text);
    id::<ChannelId>(text);
    id::<PaymentId>(text);
    id::<AttemptId>(text);
    id::<CaseId>(text);
    id::<EventId>(text);
    id::<EndpointId>(text);
    id::<NotificationId>(text);
    let upper = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let currency = text.parse::<Currency>().ok();
    assert_eq!(currency.is_some(), upper);
    assert!(currency.is_none_or(|currency| currency.as_str() == text));
    word(text, Scene::parse, Scene::as_str);
    word(text, AttemptState::parse, AttemptState::as_str);
    word(text, CaseKind::parse, CaseKind::as_str);
    word(text, JobKind::parse, JobKind::as_str);
    word(text, EventType::parse, EventType::as_str);
}

fn id<T: Id + FromStr + ToString + DeserializeOwned>(text: &str) {
    let read = text.parse::<T>().ok();
    assert_eq!(read.map(Id::bits), by_hand(T::PREFIX, text), "{text:?}");
    if let Some(id) = read {
        assert_eq!(id.to_string(), text);
        assert_eq!(T::from_bits(id.bits()).to_string(), text);
    }
    // In JSON the same text, however it is escaped there.
    if let Ok(id) = serde_json::from_str::<T>(text) {
        let plain: String = serde_json::from_str(text).expect("an id is text");
        assert_eq!(by_hand(T::PREFIX, &plain), Some(id.bits()));
    }
}

/// Base 32 with Crockford's lower-case letters, one digit after the other.
fn by_hand(prefix: &str, text: &str) -> Option<u128> {
    let digits = text.strip_prefix(prefix)?;
    if digits.chars().count() != 26 {
        return None;
    }
    digits.chars().try_fold(0_u128, |number, digit| {
        let value = "0123456789abcdefghjkmnpqrstvwxyz".find(digit)?;
        number
            .checked_mul(32)?
            .checked_add(u128::try_from(value).ok()?)
    })
}

fn word<T>(text: &str, parse: fn(&str) -> Option<T>, as_str: fn(T) -> &'static str) {
    if let Some(value) = parse(text) {
        assert_eq!(as_str(value), text);
    }
}
