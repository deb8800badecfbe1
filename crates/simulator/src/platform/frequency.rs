//! How many requests of one merchant the platform takes in a second, where it counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Moment;

/// By merchant and what is counted: the period, and how many there were in it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Frequency {
    counts: BTreeMap<String, (i64, u32)>,
}

/// A published limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// What is counted.
    pub(super) of: &'static str,
    pub(super) most: u32,
    pub(super) in_secs: i64,
}

impl Frequency {
    /// Counts one more; `false` when it is one too many.
    pub(super) fn allows(&mut self, at: Moment, mch_id: &str, rate: Rate) -> bool {
        let count = self.count(at, mch_id, rate);
        *count = count.saturating_add(1);
        *count <= rate.most
    }

    /// Whether the limit is reached; counts nothing.
    pub(super) fn is_reached(&mut self, at: Moment, mch_id: &str, rate: Rate) -> bool {
        *self.count(at, mch_id, rate) >= rate.most
    }

    fn count(&mut self, at: Moment, mch_id: &str, rate: Rate) -> &mut u32 {
        let period = at.inside.as_secs().div_euclid(rate.in_secs);
        let counted = self.counts.entry(format!("{mch_id}/{}", rate.of));
        let (last, count) = counted.or_insert((period, 0));
        if *last != period {
            (*last, *count) = (period, 0);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixMillis;

    #[test]
    fn each_merchant_has_its_own_count_and_each_period_a_new_one() {
        let rate = Rate {
            of: "refund",
            most: 2,
            in_secs: 60,
        };
        let at = |secs| Moment {
            wall: UnixMillis::from_secs(secs),
            inside: UnixMillis::from_secs(secs),
        };
        let mut frequency = Frequency::default();
        let mut allows = |secs, mch_id| frequency.allows(at(secs), mch_id, rate);

        assert_eq!(
            [allows(0, "1"), allows(59, "1"), allows(59, "1")],
            [true, true, false]
        );
        assert!(allows(59, "2"));
        assert!(allows(60, "1"));
    }
}
