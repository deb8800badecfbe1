//! The code that a payer shows at a till.

use std::fmt::{self, Write as _};

use aws_lc_rs::digest;
use tongbao_channels::{Wallet, trim_code};
use tongbao_core::PaymentId;
use zeroize::Zeroizing;

/// A payer's code: as good as money for a minute, and good for one call.
///
/// It is in memory from the request that brings it to the call that spends it,
/// and nowhere else: not in the database, so that no process can send it a second
/// time, and not in a log.
#[derive(Clone)]
pub struct AuthCode(Zeroizing<String>);

impl AuthCode {
    /// What the scanner read, without what scanners add at its ends.
    pub fn new(scanned: &str) -> Self {
        Self(Zeroizing::new(trim_code(scanned).to_owned()))
    }

    /// Whose it is; `None` for what no known wallet shows.
    pub(crate) fn wallet(&self) -> Option<Wallet> {
        Wallet::of(&self.0)
    }

    /// Tells the codes that were shown for one payment apart. Who could guess the
    /// digits from it is too late: they are dead within the minute.
    pub(crate) fn digest(&self, payment: PaymentId) -> String {
        fingerprint(payment, &self.0)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Tells codes apart without telling what they are.
pub(crate) fn fingerprint(of: impl fmt::Display, code: &str) -> String {
    let text = Zeroizing::new(format!("{of}|{code}"));
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let mut hex = String::with_capacity(16);
    for byte in &digest.as_ref()[..8] {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

impl fmt::Debug for AuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthCode(****)")
    }
}
