//! Who gets the money, and what they decided once for all payments.

use serde::{Deserialize, Serialize};

use crate::{ApiKeyId, MerchantId, Timestamp};

/// Who gets the money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// Ours.
    pub id: MerchantId,
    /// What the payer reads on the checkout page.
    pub name: String,
    /// What they decided once for all payments.
    pub policy: Policy,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a merchant decided once for all payments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// A payment that comes after the close is kept instead of sent back.
    pub accept_late: bool,
}

/// A key of the merchant API. Only its SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Ours.
    pub id: ApiKeyId,
    /// Whose.
    pub merchant: MerchantId,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// The first characters, so that people can tell keys apart.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
}
