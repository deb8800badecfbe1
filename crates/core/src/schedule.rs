//! When to ask again.

use std::time::Duration;

use crate::Timestamp;

/// How long to wait before the next query of an open attempt.
///
/// Close together while the payer has the code in front of them, never more
/// than half a minute apart in the first ten minutes (so that a lost
/// notification costs less than a minute), then wider. Never so wide that a
/// payment could stay open for ten minutes after its time is up and its channel
/// answers again.
pub fn query_gap(age: Duration) -> Duration {
    let secs = match age.as_secs() {
        0..15 => 5,
        15..60 => 15,
        60..600 => 30,
        600..1_800 => 60,
        1_800..7_200 => 180,
        _ => 300,
    };
    Duration::from_secs(secs)
}

/// Money can come late: when an ended attempt is looked at again, counted from
/// its end. The last look is more than 25 hours later, past the platforms' last
/// notification (24 h 4 m), also when it comes early.
const LATE_LOOKS_SECS: [u64; 6] = [60, 300, 1_800, 7_200, 28_800, 100_800];

/// How long from `now` until the next look at an attempt that ended at `ended`;
/// `None` when the last one has been. A look that comes early by up to a tenth
/// of its time, as jitter makes it, counts as that look.
pub fn late_look(ended: Timestamp, now: Timestamp) -> Option<Duration> {
    let passed = now.since(ended);
    LATE_LOOKS_SECS
        .into_iter()
        .map(Duration::from_secs)
        .find(|look| *look / 10 * 9 > passed)
        .map(|look| look.saturating_sub(passed))
}

/// The last look has been by then, however late it comes by jitter: it is planned
/// for 28 hours after the end when eight of them have passed, or later.
pub const LOOKED_AT_FOR: Duration = Duration::from_hours(31);

/// How long to wait after a look at an ended attempt that brought no answer.
/// The waits grow by an eighth each, without an end: a look counts when the
/// platform has answered.
pub fn late_retry(ended: Timestamp, now: Timestamp) -> Duration {
    (now.since(ended) / 8).max(Duration::from_mins(1))
}

/// How long to wait before an order whose fate is unknown is sent again, under
/// the same number.
pub fn start_gap(age: Duration) -> Duration {
    // Half its age: the waits grow by half each, within reason.
    (age / 2).clamp(Duration::from_secs(1), Duration::from_mins(1))
}

/// How long to wait before the next query of a refund that has no end yet.
///
/// To a wallet's change it takes moments, to a card days. Never more than half
/// an hour apart in the first week; a refund that waits for a person longer than
/// that is asked about four times a day, for ever.
pub fn refund_gap(age: Duration) -> Duration {
    let secs = match age.as_secs() {
        0..60 => 10,
        60..600 => 60,
        600..3_600 => 300,
        3_600..604_800 => 1_800,
        _ => 21_600,
    };
    Duration::from_secs(secs)
}

/// How long to wait before a refund is sent again, under the same number, that
/// the channel does not take for now.
pub fn refund_retry_gap(age: Duration) -> Duration {
    (age / 2).clamp(Duration::from_mins(1), Duration::from_mins(30))
}

/// A refund that no channel takes for so long waits for more than patience.
pub const REFUND_WAITS: Duration = Duration::from_hours(1);

/// The pause that platforms want between two refunds of one order.
pub const REFUND_PAUSE: Duration = Duration::from_mins(1);

/// "Not found" proves nothing before an order is this old: the platform's own
/// machines may not have heard of it yet.
pub const NOT_FOUND_GRACE: Duration = Duration::from_mins(1);

/// A channel refuses to take back what is younger.
pub const REVERSE_NOT_BEFORE: Duration = Duration::from_secs(15);

/// What stands at a till is asked about at the till's own pace until it is this
/// old, whatever became of the payer.
pub const TILL: Duration = Duration::from_mins(1);

/// A reverse that the channel has accepted is visible to a query by then. Before,
/// "paid" may be an old answer.
pub const REVERSE_SETTLES: Duration = Duration::from_mins(1);

/// Money that cannot be reversed in this time goes back as a refund.
pub const REVERSE_GIVES_UP: Duration = Duration::from_mins(10);

/// How long past the payment's time a payer who has begun is left to finish.
pub const PAYING_GRACE: Duration = Duration::from_mins(2);

/// How long after a signed "paid" the platform is asked to say it again.
pub const CONFIRM_AFTER: Duration = Duration::from_secs(30);

/// How long a process may hold a job before another may take it.
pub const LEASE: Duration = Duration::from_mins(1);

/// One hint in a minute is worth a query; more would let anybody who replays
/// messages make us ask the platform at will.
pub const HINT_INTERVAL: Duration = Duration::from_mins(1);

/// Whatever the platform says of an order this long after a message claimed that
/// money had come, it was asked after the message: no channel is waited for so
/// long.
pub const CLAIM_SETTLES: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::spread;

    #[test]
    fn queries_are_at_most_half_a_minute_apart_in_the_first_ten_minutes() {
        let mut age = Duration::ZERO;
        let mut queries = 0;
        while age < Duration::from_mins(10) {
            let gap = query_gap(age);
            assert!(gap >= Duration::from_secs(5) && gap <= Duration::from_secs(30));
            age += gap;
            queries += 1;
        }
        assert!(queries < 30);
    }

    #[test]
    fn an_ended_attempt_is_looked_at_six_times_in_25_hours_whatever_the_jitter() {
        let ended = Timestamp::from_secs(0);
        for jitter in [0, 1, 7_777, 123_456_789, u64::MAX] {
            let mut now = ended;
            let mut looks = 0;
            while let Some(gap) = late_look(ended, now) {
                now = now + spread(gap, jitter);
                looks += 1;
                assert!(looks <= 6, "{now}");
            }
            assert_eq!(looks, 6);
            assert!(now.since(ended) > Duration::from_hours(25), "{now}");
        }
    }

    #[test]
    fn a_look_without_an_answer_is_repeated_ever_more_rarely() {
        let ended = Timestamp::from_secs(0);
        let mut now = ended;
        let mut tries = 0;
        while now.since(ended) < Duration::from_hours(24 * 365) {
            let gap = late_retry(ended, now);
            assert!(gap >= Duration::from_mins(1));
            now = now + gap;
            tries += 1;
        }
        assert!(tries < 120, "{tries}");
    }

    #[test]
    fn an_order_is_sent_again_after_waits_that_grow_to_a_minute() {
        for (age, gap) in [(0, 1), (2, 1), (20, 10), (120, 60), (86_400, 60)] {
            let (age, gap) = (Duration::from_secs(age), Duration::from_secs(gap));
            assert_eq!(start_gap(age), gap, "{age:?}");
        }
    }
}
