//! What is stored comes back as it was.

use proptest::prelude::*;

use super::random::{any_move, any_rules, make};
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
