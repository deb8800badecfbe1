//! Everything that is left to chance, from one seed.

use std::time::Duration;

/// One stream of chance. Each part of the world has its own, forked from the
/// seed by name, so that a change in one part does not reshuffle the others.
#[derive(Clone, Debug)]
pub struct Chance(fastrand::Rng);

impl Chance {
    /// The stream of that name under a seed.
    pub fn fork(seed: u64, name: &str) -> Self {
        // FNV-1a: names are few and fixed.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(fastrand::Rng::with_seed(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash,
        ))
    }

    /// True in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.0.u32(0..100) < percent
    }

    /// From `low` up to, not including, `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        if low >= high {
            low
        } else {
            self.0.u64(low..high)
        }
    }

    /// The same, for small numbers.
    pub fn number(&mut self, low: u32, high: u32) -> u32 {
        if low >= high {
            low
        } else {
            self.0.u32(low..high)
        }
    }

    /// One of `0..len`; zero when there is nothing to choose from.
    pub fn index(&mut self, len: usize) -> usize {
        if len == 0 { 0 } else { self.0.usize(0..len) }
    }

    /// One of a few.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// A wait from `low` to `high`, in milliseconds.
    pub fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    /// Bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
}
