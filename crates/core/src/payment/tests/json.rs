//! What is stored comes back as it was.

use proptest::prelude::*;

use super::random::{any_move, any_rules, make};
use super::words::{ACCEPTS_LATE, NOON, event, payment};
use super::world::World;
use crate::{Event, Payment, Rules};

fn back<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn payments_events_and_rules_survive_json(
        rules in any_rules(),
        moves in prop::collection::vec(any_move(), 1..60),
    ) {
        let mut world = World::new(rules, None);
        for step in moves {
            make(&mut world, step);
        }
        prop_assert_eq!(back::<Payment>(&world.payment), world.payment);
        prop_assert_eq!(back::<Rules>(&rules), rules);
        for (event, _) in &world.log {
            prop_assert_eq!(&back::<Event>(event), event);
        }
    }
}

/// A merchant's number must not change by being stored: the next request with the
/// same text would seem to be another order.
#[test]
fn a_fraction_in_metadata_survives_json_to_its_last_digit() {
    let mut order = payment("created").order;
    for rate in [
        31.245_270_191_439_438,
        121.482_914_934_239_37,
        5e-324,
        f64::MAX,
    ] {
        order.metadata = serde_json::json!({ "rate": rate });
        assert_eq!(back(&order), order);
    }
}

/// Rows of years ago are read with these names.
#[test]
fn a_payment_in_json_has_these_names() {
    let payment = serde_json::to_value(payment("paid by a, a succeeded")).unwrap();
    let expected = serde_json::json!({
        "id": "pay_00000000000000000000000001",
        "merchant": "mer_00000000000000000000000001",
        "order": {
            "merchant_order_no": "A-1001",
            "amount": {"minor": 1234, "currency": "CNY"},
            "subject": "龙井茶",
            "metadata": {"table": 7},
            "store": null,
            "return_url": null,
        },
        "state": "paid",
        "attempt": "att_00000000000000000000000001",
        "at": 1_795_233_600_000_i64,
        "version": 1,
        "attempts": [{
            "id": "att_00000000000000000000000001",
            "out_trade_no": "NOa",
            "channel": "chn_00000000000000000000000001",
            "scene": "native",
            "state": "succeeded",
            "action": {"type": "qr_code", "code_url": "weixin://wxpay/1"},
            "transaction_id": "Ta",
            "payer": null,
            "received": {"minor": 1234, "currency": "CNY"},
            "failure": null,
            "client_ip": null,
            "created_at": 1_795_233_600_000_i64,
            "ended_at": 1_795_233_600_000_i64,
            "hinted_at": null,
            "raised": [],
            "close_after_secs": 0,
        }],
        "checkout_token": "token",
        "created_at": 1_795_233_600_000_i64,
        "expires_at": 1_795_235_400_000_i64,
    });
    assert_eq!(payment, expected);
}

#[test]
fn an_event_in_json_has_these_names() {
    let event = |text| serde_json::to_value(event(text, NOON)).unwrap();
    assert_eq!(
        event("close"),
        serde_json::json!({"event": "close_requested"})
    );
    assert_eq!(event("expire"), serde_json::json!({"event": "expired"}));
    assert_eq!(
        event("notice? a: success"),
        serde_json::json!({"event": "reported", "report": {
            "attempt": "att_00000000000000000000000001",
            "source": "notification",
            "grade": "shared",
            "outcome": "success",
            "receipt": {
                "amount": {"minor": 1234, "currency": "CNY"},
                "transaction_id": "Ta",
                "payer": "openid",
                "paid_at": null,
            },
        }})
    );
    let rules = serde_json::to_value(ACCEPTS_LATE).unwrap();
    assert_eq!(
        rules,
        serde_json::json!({"accept_late": true, "trust": "strong"})
    );
}
