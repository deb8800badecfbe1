//! What the store keeps as JSON: whatever reads is written and read again as the same value, and
//! a payment that reads can be decided about.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tongbao_core::merchant::Policy;
use tongbao_core::{
    Action, Attempt, Case, Event, Failure, Money, Order, Outcome, Payment, Raised, Receipt, Report,
    Rules, Timestamp,
};

/// Names and numbers.
pub const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "-",
    "e",
    ".",
    "0",
    "1",
    "-0.0",
    "1e308",
    "1.1e-7",
    "123456789.123456789",
    "9223372036854775807",
    "18446744073709551616",
    "\\u0000",
    "\\ud83c\\udf75",
    "\"type\":",
    "\"qr_code\"",
    "\"none\"",
    "\"event\":",
    "\"reported\"",
    "\"started\"",
    "\"expired\"",
    "\"outcome\":",
    "\"unknown\"",
    "\"success\"",
    "\"state\":",
    "\"paid\"",
    "\"closing\"",
    "\"metadata\":",
    "\"minor\":",
    "\"currency\":\"CNY\"",
];

/// See the module.
pub fn run(input: &[u8]) {
    comes_back::<Action>(input);
    comes_back::<Attempt>(input);
    comes_back::<Case>(input);
    comes_back::<Event>(input);
    comes_back::<Failure>(input);
    comes_back::<Money>(input);
    comes_back::<Order>(input);
    comes_back::<Outcome>(input);
    comes_back::<Policy>(input);
    comes_back::<Raised>(input);
    comes_back::<Receipt>(input);
    comes_back::<Report>(input);
    comes_back::<Rules>(input);
    let payment = comes_back::<Payment>(input);
    // One change a nanosecond takes three hundred years to get there.
    if let Some(payment) = payment.filter(|payment| payment.version < i64::MAX) {
        can_be_decided(&payment);
    }
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(input: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(input).ok()?;
    let text = serde_json::to_string(&value).expect("core's values have text keys");
    let again = serde_json::from_str::<T>(&text);
    assert_eq!(again.ok().as_ref(), Some(&value), "{text}");
    Some(value)
}

fn can_be_decided(payment: &Payment) {
    let rules = Rules {
        policy: Policy::default(),
        trust: tongbao_core::Grade::Strong,
    };
    for event in [Event::CloseRequested, Event::Expired] {
        for now in [payment.created_at, Timestamp::from_millis(i64::MAX)] {
            if let Ok(step) = payment.clone().on(event.clone(), now, rules) {
                let risen = i64::from(step.changed);
                assert_eq!(step.payment.version, payment.version + risen);
            }
        }
    }
}
