//! A point in time, handed in from outside.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
///
/// Wall clocks jump, so differences saturate: an earlier time is never a
/// negative wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

const DAY_MILLIS: i64 = 86_400_000;

/// Asia/Shanghai has no summer time.
const CHINA_AHEAD_MILLIS: i64 = 8 * 3_600_000;

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Reads RFC 3339, with any offset; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let instant: jiff::Timestamp = text.trim().parse().ok()?;
        Some(Self(instant.as_millisecond()))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The day of China (UTC+8 all year) that this moment lies in: its first
    /// moment, and the first one of the next.
    pub const fn china_day(self) -> (Self, Self) {
        let since = self
            .0
            .saturating_add(CHINA_AHEAD_MILLIS)
            .rem_euclid(DAY_MILLIS);
        let first = self.0.saturating_sub(since);
        (Self(first), Self(first.saturating_add(DAY_MILLIS)))
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, whole seconds: `2026-11-21T04:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.as_secs()) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_never_a_negative_wait() {
        let noon = Timestamp::from_secs(1_000);
        assert_eq!(noon.since(noon + Duration::from_secs(5)), Duration::ZERO);
        assert_eq!(
            (noon + Duration::from_secs(5)).since(noon),
            Duration::from_secs(5)
        );
    }

    #[test]
    fn time_is_written_as_rfc_3339_in_utc() {
        assert_eq!(
            Timestamp::from_secs(1_795_233_600).to_string(),
            "2026-11-21T04:00:00Z"
        );
        let noon = Timestamp::from_secs(1_795_233_600);
        assert_eq!(format!("{noon:?}"), noon.to_string());
    }

    #[test]
    fn what_is_written_is_read_and_what_says_no_instant_is_not() {
        let noon = Timestamp::from_secs(1_795_233_600);
        for text in ["2026-11-21T04:00:00Z", "2026-11-21T12:00:00+08:00"] {
            assert_eq!(Timestamp::parse(text), Some(noon));
        }
        for text in ["", "2026-11-21", "2026-11-21T04:00:00", "tomorrow"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_rounded_down_also_before_the_epoch() {
        for (millis, secs) in [(0, 0), (999, 0), (1_000, 1), (-1, -1), (-1_000, -1)] {
            let at = Timestamp::from_millis(millis);
            assert_eq!((at.as_millis(), at.as_secs()), (millis, secs));
        }
        assert_eq!(Timestamp::from_secs(7).as_millis(), 7_000);
    }

    #[test]
    fn the_ends_of_time_are_no_overflow() {
        let (first, last) = (i64::MIN, i64::MAX);
        let [first_at, last_at] = [first, last].map(Timestamp::from_millis);
        assert_eq!((last_at + Duration::MAX).as_millis(), last);
        assert_eq!((first_at - Duration::MAX).as_millis(), first);
        assert_eq!(Timestamp::from_secs(last).as_millis(), last);
        assert_eq!(
            last_at.since(first_at).as_millis(),
            last.unsigned_abs().into()
        );
        assert_eq!(last_at.to_string(), "9223372036854775807ms");
    }

    #[test]
    fn the_day_of_china_begins_at_sixteen_hours_utc() {
        // 2026-11-21T12:00 in Shanghai.
        let noon = Timestamp::from_secs(1_795_233_600);
        let (first, next) = noon.china_day();
        assert_eq!(first.to_string(), "2026-11-20T16:00:00Z");
        assert_eq!(next.to_string(), "2026-11-21T16:00:00Z");
        let milli = Duration::from_millis(1);
        assert_eq!(first.china_day(), (first, next));
        assert_eq!((next - milli).china_day(), (first, next));
        assert_eq!(next.china_day().0, next);
        assert_eq!((first - milli).china_day().1, first);
        for end in [i64::MIN, i64::MAX] {
            let (first, next) = Timestamp::from_millis(end).china_day();
            assert!(first <= next);
        }
    }

    #[test]
    fn time_moves_both_ways() {
        let noon = Timestamp::from_secs(1_000);
        let second = Duration::from_secs(1);
        assert_eq!((noon + second).as_secs(), 1_001);
        assert_eq!((noon - second).as_secs(), 999);
    }
}
