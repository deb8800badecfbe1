//! Time never wraps and never waits backward.

use std::time::Duration;

use proptest::prelude::*;
use tongbao_core::Timestamp;

proptest! {
    #[test]
    fn a_wait_is_as_long_as_it_was_asked_for(millis in -1_i64 << 60..1 << 60, wait in 0..1_u64 << 60) {
        let (now, wait) = (Timestamp::from_millis(millis), Duration::from_millis(wait));
        let then = now + wait;
        prop_assert_eq!(then.since(now), wait);
        prop_assert_eq!(now.since(then), Duration::ZERO);
        prop_assert_eq!(then - wait, now);
    }

    #[test]
    fn at_the_ends_of_time_it_stands_still(millis: i64, wait: Duration) {
        let now = Timestamp::from_millis(millis);
        let (then, before) = (now + wait, now - wait);
        prop_assert!(before <= now && now <= then);
        prop_assert!(then.since(now) <= wait && now.since(before) <= wait);
    }

    #[test]
    fn seconds_hold_their_milliseconds(millis: i64) {
        let (now, secs) = (Timestamp::from_millis(millis), Timestamp::from_millis(millis).as_secs());
        let exact = i128::from(secs) * 1_000;
        prop_assert!((exact..exact + 1_000).contains(&i128::from(millis)));
        if let Some(whole) = secs.checked_mul(1_000) {
            prop_assert_eq!(Timestamp::from_secs(secs).as_millis(), whole);
        }
        prop_assert!(!now.to_string().is_empty());
    }
}
