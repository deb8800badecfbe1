//! Any order is taken or refused by the name of a field, and what is taken stays what it is.

use proptest::prelude::*;
use tongbao_core::id::Id;
use tongbao_core::{Currency, Money, Order, StoreId};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9_|*-]{1,40}",
        1 => "[a-zA-Z0-9_|*-]{0,70}",
        1 => "\\PC{0,50}",
        1 => prop::collection::vec(any::<char>(), 0..50).prop_map(|chars| chars.into_iter().collect()),
        1 => "https?://[a-z.:@/?#%\\[\\]0-9-]{0,30}",
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let amount = prop_oneof![6 => 1..=Money::MAX_FEN, 1 => any::<i64>(), 1 => Just(0)];
    let currency = prop_oneof![9 => Just("CNY"), 1 => Just("USD")];
    let metadata = prop_oneof![
        Just(serde_json::json!({})),
        text().prop_map(|text| serde_json::json!({ "a": text })),
        any::<f64>().prop_map(|number| serde_json::json!({ "a": [number] })),
        any::<i64>().prop_map(|number| serde_json::json!(number)),
    ];
    let store = any::<u128>().prop_map(StoreId::from_bits);
    (
        text(),
        amount,
        currency,
        text(),
        metadata,
        prop::option::weighted(0.2, store),
        prop::option::weighted(0.2, text()),
    )
        .prop_map(
            |(merchant_order_no, minor, currency, subject, metadata, store, return_url)| Order {
                merchant_order_no,
                amount: Money::new(minor, currency.parse().unwrap()),
                subject,
                metadata,
                store,
                return_url,
            },
        )
}

const FIELDS: [&str; 7] = [
    "merchant_order_no",
    "currency",
    "amount",
    "subject",
    "metadata",
    "store",
    "return_url",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_order_is_taken_or_refused_by_the_name_of_a_field(order in order()) {
        if let Err(invalid) = order.validate() {
            prop_assert!(FIELDS.contains(&invalid.field), "{}", invalid);
            prop_assert!(!invalid.detail.is_empty());
            return Ok(());
        }
        prop_assert!((1..=Money::MAX_FEN).contains(&order.amount.minor()));
        prop_assert_eq!(order.amount.currency(), Currency::CNY);
        prop_assert!((1..=64).contains(&order.merchant_order_no.len()));
        prop_assert!((1..=127).contains(&order.subject.len()));
        let splits = order.subject.contains(['&', '=', '\0', '\n', '\u{202e}']);
        prop_assert!(!splits, "{:?}", order.subject);
        let text = serde_json::to_string(&order).unwrap();
        prop_assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order);
    }

    #[test]
    fn two_orders_differ_in_both_directions_or_in_none(one in order(), other in order()) {
        prop_assert_eq!(one.difference(&other), other.difference(&one));
        let same_content = Order { merchant_order_no: other.merchant_order_no.clone(), ..one.clone() } == other;
        prop_assert_eq!(one.difference(&other).is_none(), same_content);
        prop_assert_eq!(one.difference(&one), None);
    }
}
