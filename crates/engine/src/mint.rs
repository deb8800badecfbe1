//! Ids, nonces and tokens from the [`Mint`] seam.

use tongbao_core::Timestamp;
use tongbao_core::id::{self, Id};

use crate::seams::Mint;

/// A new id: 48 bits of time in milliseconds, so that rows lie in the order in
/// which they were made, and 80 bits that nobody can guess.
pub(crate) fn new_id<T: Id>(mint: &dyn Mint, now: Timestamp) -> T {
    let mut bytes = [0; 16];
    mint.fill(&mut bytes[6..]);
    let millis = u64::try_from(now.as_millis()).unwrap_or(0).to_be_bytes();
    bytes[..6].copy_from_slice(&millis[2..]);
    T::from_bits(u128::from_be_bytes(bytes))
}

/// 128 bits that nobody can guess, as 26 letters and digits.
pub(crate) fn token(mint: &dyn Mint) -> String {
    let mut bytes = [0; 16];
    mint.fill(&mut bytes);
    String::from_utf8_lossy(&id::text(u128::from_be_bytes(bytes))).into_owned()
}

/// 32 hexadecimal digits for a platform's `nonce_str`.
pub(crate) fn nonce(mint: &dyn Mint) -> String {
    let mut bytes = [0; 16];
    mint.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Any number: for jitter.
pub(crate) fn number(mint: &dyn Mint) -> u64 {
    let mut bytes = [0; 8];
    mint.fill(&mut bytes);
    u64::from_be_bytes(bytes)
}

/// An id's own 26 letters and digits, without its prefix: a number that every
/// platform takes.
pub(crate) fn token_of(id: impl Id) -> String {
    String::from_utf8_lossy(&id::text(id.bits())).into_owned()
}
