//! Sums are exact or refused; nothing in between.

use proptest::prelude::*;
use tongbao_core::{Currency, Money};

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![
        3 => Just(Currency::CNY),
        1 => "[A-Z]{3}".prop_map(|code| code.parse().unwrap()),
    ]
}

/// Everyday amounts, and the ends of the 64 bits.
fn minor() -> impl Strategy<Value = i64> {
    let everyday = 0..=Money::MAX_FEN;
    let end = prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(-1), Just(0)];
    prop_oneof![
        everyday,
        any::<i64>(),
        (end, -3..=3_i64).prop_map(|(end, by)| end.saturating_add(by))
    ]
}

proptest! {
    #[test]
    fn a_sum_is_exact_or_refused(a in minor(), b in minor(), of in currency(), other in currency()) {
        let sum = Money::new(a, of).checked_add(Money::new(b, other));
        let exact = i64::try_from(i128::from(a) + i128::from(b)).ok();
        let expected = exact.filter(|_| of == other).map(|minor| Money::new(minor, of));
        prop_assert_eq!(sum, expected);
        prop_assert_eq!(Money::new(b, other).checked_add(Money::new(a, of)), expected);
    }

    #[test]
    fn it_does_not_matter_what_is_added_first(amounts in prop::collection::vec(0..=Money::MAX_FEN, 1..50)) {
        let add = |sum: Option<Money>, fen: &i64| sum?.checked_add(Money::fen(*fen));
        let forward = amounts.iter().fold(Some(Money::fen(0)), add);
        let backward = amounts.iter().rev().fold(Some(Money::fen(0)), add);
        let exact: i128 = amounts.iter().copied().map(i128::from).sum();
        prop_assert_eq!(forward, backward);
        prop_assert_eq!(forward.map(|sum| i128::from(sum.minor())), Some(exact));
    }

    #[test]
    fn what_people_read_has_every_digit(minor in minor()) {
        let text = Money::fen(minor).to_string();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        prop_assert_eq!(digits.parse(), Ok(minor.unsigned_abs()));
        prop_assert_eq!(text.starts_with('-'), minor < 0);
    }

    #[test]
    fn money_survives_json(minor in minor(), of in currency()) {
        let money = Money::new(minor, of);
        let text = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
    }

    #[test]
    fn a_currency_has_one_spelling(text in "\\PC{0,5}|[A-Za-z]{3}") {
        let plain = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        match text.parse::<Currency>() {
            Ok(currency) => prop_assert_eq!(currency.as_str(), text),
            Err(_) => prop_assert!(!plain),
        }
    }
}
