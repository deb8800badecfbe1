//! How long answers took.

use std::time::Duration;

/// Every single one of them, in order: nothing is sampled away.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    sorted: Vec<Duration>,
}

impl Latencies {
    pub(super) fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self { sorted: all }
    }

    /// Half were faster.
    pub(super) fn median(&self) -> Duration {
        self.at_permille(500)
    }

    /// One in a hundred was slower.
    pub(super) fn p99(&self) -> Duration {
        self.at_permille(990)
    }

    fn at_permille(&self, permille: usize) -> Duration {
        let last = self.sorted.len().saturating_sub(1);
        let place = last * permille / 1_000;
        self.sorted.get(place).copied().unwrap_or_default()
    }
}

/// The middle of a few measurements; of an even number, the lower one.
pub(super) fn median<T: Copy + Ord>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_slower_than_the_99th_percentile() {
        let all = (0..=1_000).rev().map(Duration::from_micros).collect();
        let latencies = Latencies::new(all);
        assert_eq!(latencies.median(), Duration::from_micros(500));
        assert_eq!(latencies.p99(), Duration::from_micros(990));
    }

    #[test]
    fn nothing_measured_is_no_panic() {
        assert_eq!(Latencies::new(Vec::new()).p99(), Duration::ZERO);
        assert_eq!(median::<u8>([]), None);
        assert_eq!(median([3, 1, 2]), Some(2));
        assert_eq!(median([4, 1, 2, 3]), Some(2));
    }
}
