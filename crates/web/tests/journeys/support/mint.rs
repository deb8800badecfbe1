//! Bytes that are the same in every run, and never twice in one.

use std::sync::atomic::{AtomicU64, Ordering};

use tongbao_engine::Mint;

#[derive(Default)]
pub(crate) struct CountingMint(AtomicU64);

impl Mint for CountingMint {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            // SplitMix64's last step: neighbours look unlike.
            let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            let len = chunk.len();
            chunk.copy_from_slice(&mixed.to_le_bytes()[..len]);
        }
    }
}
