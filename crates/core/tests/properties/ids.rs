//! One number, one text, in the same order.

use proptest::prelude::*;
use tongbao_core::id::Id;
use tongbao_core::{AttemptId, CaseId, PaymentId};

proptest! {
    #[test]
    fn an_id_reads_back_and_no_other_kind_takes_it(bits: u128) {
        let id = PaymentId::from_bits(bits);
        let text = id.to_string();
        prop_assert_eq!(text.parse(), Ok(id));
        prop_assert_eq!(id.bits(), bits);
        prop_assert!(text.parse::<AttemptId>().is_err());
        let json = serde_json::to_string(&id).unwrap();
        prop_assert_eq!(serde_json::from_str::<PaymentId>(&json).unwrap(), id);
    }

    #[test]
    fn texts_lie_as_numbers_do(a: u128, b: u128) {
        let (one, other) = (CaseId::from_bits(a), CaseId::from_bits(b));
        prop_assert_eq!(one.to_string().cmp(&other.to_string()), a.cmp(&b));
        prop_assert_eq!(one.cmp(&other), a.cmp(&b));
    }

    #[test]
    fn what_reads_is_printed_the_same(text in "pay_[0-9a-zA-Z_]{24,28}|\\PC{0,40}") {
        if let Ok(id) = text.parse::<PaymentId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn another_letter_is_another_id(bits: u128, place in 0..26_usize, letter in "[0-9a-z]") {
        let text = PaymentId::from_bits(bits).to_string();
        let mut changed = text.clone();
        changed.replace_range(4 + place..5 + place, &letter);
        if let Ok(id) = changed.parse::<PaymentId>() {
            prop_assert_eq!(id.bits() == bits, changed == text);
        }
    }
}
