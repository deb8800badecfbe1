//! Values that look random and are not.

use serde::{Deserialize, Serialize};

/// The n-th value of a seed is always the same, so a whole day can be run again.
///
/// `SplitMix64` over a counter. Nothing here is a secret: every key of the simulator is public.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The same for the same text, whatever was drawn elsewhere.
    pub(crate) fn of_text(text: &str) -> Self {
        // FNV-1a.
        let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(seed)
    }

    pub(crate) fn digits(&mut self, len: usize) -> String {
        self.text(len, b"0123456789")
    }

    pub(crate) fn hex(&mut self, len: usize) -> String {
        self.text(len, b"0123456789abcdef")
    }

    pub(crate) fn alphanumeric(&mut self, len: usize) -> String {
        self.text(
            len,
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        )
    }

    fn text(&mut self, len: usize, letters: &[u8]) -> String {
        (0..len)
            .map(|_| {
                let place = self.next() % letters.len() as u64;
                char::from(letters[usize::try_from(place).unwrap_or(0)])
            })
            .collect()
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        let mut z = self
            .seed
            .wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let (mut a, mut b, mut c) = (Chance::new(7), Chance::new(7), Chance::new(8));
        let first = a.alphanumeric(16);

        assert_eq!(first, b.alphanumeric(16));
        assert_ne!(first, c.alphanumeric(16));
        assert_ne!(first, a.alphanumeric(16));
    }
}
