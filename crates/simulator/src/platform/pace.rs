//! The platform's own time beside the clock outside.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::UnixMillis;

/// One instant on both clocks.
///
/// Texts on the wire are dated by the wall, as the merchant's clock would have it; lifetimes,
/// gaps and limits are counted inside, where time can be moved. So an order that expires in ten
/// minutes does so after ten minutes of the platform's time, however far that has run ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// What the clock outside showed.
    pub wall: UnixMillis,
    /// What the platform's own clock showed.
    pub inside: UnixMillis,
}

impl Moment {
    /// Where on the wall an inside time lies, seen from this moment.
    pub fn on_wall(self, inside: UnixMillis) -> UnixMillis {
        let ahead = inside.as_millis().saturating_sub(self.inside.as_millis());
        UnixMillis::from_millis(self.wall.as_millis().saturating_add(ahead))
    }
}

/// How fast inside time runs, and from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pace {
    since: UnixMillis,
    inside_then: UnixMillis,
    speed: Speed,
}

/// Seconds of the platform's time in one second outside; 0 stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Speed(u32);

impl Default for Speed {
    fn default() -> Self {
        Self(1)
    }
}

impl Pace {
    pub(super) fn speed(self) -> u32 {
        self.speed.0
    }

    pub(super) fn at(self, wall: UnixMillis) -> Moment {
        let passed = wall.as_millis().saturating_sub(self.since.as_millis());
        let inside = self
            .inside_then
            .as_millis()
            .saturating_add(passed.saturating_mul(i64::from(self.speed.0)));
        Moment {
            wall,
            inside: UnixMillis::from_millis(inside),
        }
    }

    /// When the wall will show the time at which `due` is reached inside; `None` while time
    /// stands still before it.
    pub(super) fn wall_of(self, due: UnixMillis) -> Option<UnixMillis> {
        let ahead = due.as_millis().saturating_sub(self.inside_then.as_millis());
        if ahead <= 0 {
            return Some(self.since);
        }
        let speed = i64::from(self.speed.0);
        if speed == 0 {
            return None;
        }
        // Rounded up: never a moment too early.
        let wait = ahead.saturating_add(speed - 1) / speed;
        Some(UnixMillis::from_millis(
            self.since.as_millis().saturating_add(wait),
        ))
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.inside_then = self.inside_then + by;
    }

    pub(super) fn set_speed(&mut self, now: UnixMillis, speed: u32) {
        let Moment { wall, inside } = self.at(now);
        *self = Self {
            since: wall,
            inside_then: inside,
            speed: Speed(speed),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixMillis = UnixMillis::from_secs(1_000_000);

    fn later(secs: u64) -> UnixMillis {
        NOON + Duration::from_secs(secs)
    }

    #[test]
    fn both_clocks_agree_until_one_is_moved() {
        let mut pace = Pace::default();
        assert_eq!(pace.at(NOON).inside, NOON);

        pace.advance(Duration::from_mins(1));
        assert_eq!(pace.at(NOON).inside, later(60));
        assert_eq!(pace.at(NOON).on_wall(later(90)), later(30));
    }

    #[test]
    fn a_fast_clock_reaches_a_due_time_sooner() {
        let mut pace = Pace::default();
        pace.set_speed(NOON, 60);

        assert_eq!(pace.at(later(1)).inside, later(60));
        assert_eq!(pace.wall_of(later(120)), Some(later(2)));
    }

    #[test]
    fn a_clock_that_stands_still_is_moved_by_hand() {
        let mut pace = Pace::default();
        pace.set_speed(NOON, 0);

        assert_eq!(pace.at(later(9_999)).inside, NOON);
        assert_eq!(pace.wall_of(later(1)), None);
        pace.advance(Duration::from_secs(1));
        assert!(pace.wall_of(later(1)).is_some());
    }
}
