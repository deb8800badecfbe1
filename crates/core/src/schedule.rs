//! When to ask again.

use std::time::Duration;

use crate::Timestamp;

/// How long to wait before the next query of an open attempt.
///
/// Close together while the payer has the code in front of them, never more
/// than half a minute apart in the first ten minutes (so that a lost
/// notification costs less than a minute), then wider, up to ten minutes for an
/// attempt that outlives every sensible order.
pub fn query_gap(age: Duration) -> Duration {
    let secs = match age.as_secs() {
        0..15 => 5,
        15..60 => 15,
        60..600 => 30,
        600..1_800 => 60,
        1_800..7_200 => 180,
        _ => 600,
    };
    Duration::from_secs(secs)
}

/// Money can come late: when an ended attempt is looked at again, counted from
/// its end. The last look is 25 hours later, past the platforms' last
/// notification (24 h 4 m).
const LATE_LOOKS_SECS: [u64; 6] = [60, 300, 1_800, 7_200, 28_800, 90_000];

/// How long from `now` until the next look at an attempt that ended at `ended`;
/// `None` when the last one has been.
pub fn late_look(ended: Timestamp, now: Timestamp) -> Option<Duration> {
    let passed = now.since(ended);
    LATE_LOOKS_SECS
        .into_iter()
        .map(Duration::from_secs)
        .find(|look| *look > passed)
        .map(|look| look.saturating_sub(passed))
}

/// How long to wait before an order whose fate is unknown is sent again, under
/// the same number.
pub fn start_gap(age: Duration) -> Duration {
    // Half its age: the waits grow by half each, within reason.
    (age / 2).clamp(Duration::from_secs(1), Duration::from_mins(1))
}

/// "Not found" proves nothing before an order is this old: the platform's own
/// machines may not have heard of it yet.
pub const NOT_FOUND_GRACE: Duration = Duration::from_mins(1);

/// How long after a signed "paid" the platform is asked to say it again.
pub const CONFIRM_AFTER: Duration = Duration::from_secs(30);

/// How long a process may hold a job before another may take it.
pub const LEASE: Duration = Duration::from_mins(1);

/// One hint in a minute is worth a query; more would let anybody who replays
/// messages make us ask the platform at will.
pub const HINT_INTERVAL: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_at_most_half_a_minute_apart_in_the_first_ten_minutes() {
        let mut age = Duration::ZERO;
        let mut queries = 0;
        while age < Duration::from_secs(600) {
            let gap = query_gap(age);
            assert!(gap >= Duration::from_secs(5) && gap <= Duration::from_secs(30));
            age += gap;
            queries += 1;
        }
        assert!(queries < 30);
    }

    #[test]
    fn an_ended_attempt_is_looked_at_six_times_in_25_hours() {
        let ended = Timestamp::from_secs(0);
        let mut now = ended;
        let mut looks = 0;
        while let Some(gap) = late_look(ended, now) {
            assert!(gap > Duration::ZERO);
            now = now + gap;
            looks += 1;
        }
        assert_eq!((looks, now.as_secs()), (6, 25 * 3_600));
    }
}
