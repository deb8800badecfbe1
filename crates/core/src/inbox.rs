//! What came in from platforms, kept as it was, with the verdict on it.

use crate::{ChannelId, MerchantId, NotificationId, PaymentId, Timestamp};

/// What was made of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Genuine, and applied.
    Applied,
    /// Genuine, and nothing new.
    Repeated,
    /// Genuine or not proven: a query was asked.
    Hint,
    /// Genuine, and money that should not be there: a case is open.
    Case,
    /// Not proven genuine. Nothing was changed.
    Refused,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Applied,
        Self::Repeated,
        Self::Hint,
        Self::Case,
        Self::Refused,
    ];

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Hint => "hint",
            Self::Case => "case",
            Self::Refused => "refused",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.as_str() == word)
    }
}

/// One message from a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEntry {
    /// Ours.
    pub id: NotificationId,
    /// Whose account it came to.
    pub merchant: MerchantId,
    /// Which account it came to.
    pub channel: ChannelId,
    /// When.
    pub received_at: Timestamp,
    /// What was made of it.
    pub verdict: Verdict,
    /// Why, when it was refused: a stable word, `bad_signature`.
    pub reason: Option<String>,
    /// The payment it speaks of, when known.
    pub payment: Option<PaymentId>,
    /// SHA-256 of the body: the same message is kept once and counted.
    pub body_hash: [u8; 32],
    /// The body as received; cut when it was too large to be read at all.
    pub body: Vec<u8>,
}
