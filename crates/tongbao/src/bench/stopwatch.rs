//! The one place in this program that looks at a real clock without the seam:
//! a measurement of real time needs one.

use std::time::{Duration, Instant};

/// Runs from the moment it is made.
#[derive(Clone, Copy)]
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// How often a thing happens in a second when `count` of it took `wall`.
pub(super) fn per_second(count: usize, wall: Duration) -> u64 {
    let nanos = wall.as_nanos().max(1);
    let scaled = u128::try_from(count).unwrap_or(u128::MAX) * 1_000_000_000;
    u64::try_from(scaled / nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_count_over_a_time() {
        assert_eq!(per_second(500, Duration::from_millis(250)), 2_000);
        assert_eq!(per_second(0, Duration::ZERO), 0);
    }
}
