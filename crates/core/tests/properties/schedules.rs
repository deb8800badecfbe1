//! Waits grow, and have a shortest and a longest.

use std::time::Duration;

use proptest::prelude::*;
use tongbao_core::Timestamp;
use tongbao_core::schedule::{late_look, late_retry, query_gap, start_gap};
use tongbao_core::webhook::{RETRY_AFTER_MAX, RETRY_SECS, retry_gap, spread};

/// From nothing to the longest, short ones more often.
fn wait() -> impl Strategy<Value = Duration> {
    let short = (0..40_u32).prop_flat_map(|power| 0..1_u64 << power);
    prop_oneof![
        8 => short.prop_map(Duration::from_millis),
        1 => any::<Duration>(),
        1 => Just(Duration::MAX),
    ]
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

proptest! {
    #[test]
    fn queries_and_orders_come_ever_more_rarely_within_bounds(a in wait(), b in wait()) {
        let (young, old) = (a.min(b), a.max(b));
        prop_assert!(query_gap(young) <= query_gap(old));
        prop_assert!(query_gap(young) >= SECOND * 5 && query_gap(old) <= MINUTE * 5);
        prop_assert!(start_gap(young) <= start_gap(old));
        prop_assert!(start_gap(young) >= SECOND && start_gap(old) <= MINUTE);
    }

    #[test]
    fn a_late_look_lies_ahead_and_the_last_one_is_the_last(ended in -1_i64 << 50..1 << 50, passed in wait(), more in wait()) {
        let ended = Timestamp::from_millis(ended);
        let now = ended + passed;
        if let Some(gap) = late_look(ended, now) {
            // Even after a look that came as early as jitter allows.
            prop_assert!(gap >= SECOND * 6 && gap <= Duration::from_hours(28));
        } else {
            prop_assert!(now.since(ended) > Duration::from_hours(25));
            prop_assert_eq!(late_look(ended, now + more), None);
        }
        // A clock that was set back begins anew, and not in the past.
        prop_assert_eq!(late_look(now, ended - SECOND), Some(MINUTE));
    }

    #[test]
    fn a_look_without_an_answer_is_never_the_last(passed in wait(), more in wait()) {
        let ended = Timestamp::from_millis(0);
        let (gap, later) = (late_retry(ended, ended + passed), late_retry(ended, ended + passed + more));
        prop_assert!(gap >= MINUTE && gap <= later);
        prop_assert!(gap <= (ended + passed).since(ended) / 8 + MINUTE);
    }

    #[test]
    fn jitter_moves_a_wait_by_a_tenth_at_most(millis in 0..1_u64 << 50, jitter: u64) {
        let base = Duration::from_millis(millis);
        let gap = spread(base, jitter);
        prop_assert!(gap.abs_diff(base) <= base / 10 + Duration::from_millis(1));
    }

    #[test]
    fn a_webhook_is_tried_again_when_it_was_said(tries: u32, asked in prop::option::of(wait()), jitter: u64) {
        // Most numbers are far beyond the schedule.
        for tries in [tries, tries % 17] {
            let base = tries.checked_sub(1).and_then(|past| RETRY_SECS.get(past as usize));
            let gap = retry_gap(tries, asked, jitter);
            prop_assert_eq!(gap.is_some(), base.is_some());
            let (Some(gap), Some(base)) = (gap, base) else { continue };
            let base = Duration::from_secs(u64::from(*base));
            let asked = asked.map_or(Duration::ZERO, |asked| asked.min(RETRY_AFTER_MAX));
            prop_assert!(gap >= asked && gap >= base * 9 / 10);
            prop_assert!(gap <= asked.max(base * 11 / 10));
        }
    }

    #[test]
    fn the_whole_schedule_takes_a_day_whatever_the_jitter(jitter in prop::collection::vec(any::<u64>(), 15)) {
        let gaps = jitter.iter().zip(1..).map(|(jitter, tries)| retry_gap(tries, None, *jitter));
        let total: Option<Duration> = gaps.sum();
        let published = MINUTE * (24 * 60 + 4);
        prop_assert!(total.is_some_and(|total| total.abs_diff(published) <= published / 10));
        prop_assert!(RETRY_SECS.is_sorted());
    }
}
