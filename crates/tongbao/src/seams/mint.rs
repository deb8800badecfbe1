//! The operating system's randomness.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use tongbao_engine::Mint;

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct OsMint(SystemRandom);

impl Mint for OsMint {
    /// Aborts when there is none: an id or a key that can be guessed is worse
    /// than no gateway.
    fn fill(&self, out: &mut [u8]) {
        if self.0.fill(out).is_err() {
            tracing::error!("the operating system gives no random bytes: giving up");
            std::process::abort();
        }
    }
}
