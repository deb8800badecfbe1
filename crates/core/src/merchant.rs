//! Who gets the money, and what they decided once for all payments.

use serde::{Deserialize, Serialize};

use crate::order::Invalid;
use crate::{ApiKeyId, MerchantId, Money, Timestamp};

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
    /// What may go back without a person.
    #[serde(skip_serializing_if = "AutoRefund::is_default")]
    pub auto_refund: AutoRefund,
}

impl Policy {
    /// Without what only refunds of cases are judged by: the timeline of every
    /// payment need not repeat it.
    #[must_use]
    pub const fn without_limits(self) -> Self {
        Self {
            auto_refund: AutoRefund::OFF,
            ..self
        }
    }
}

/// What is to change of a policy. The rest stays as it is then, whoever changed it
/// in the meantime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyPatch {
    /// A payment that comes after the close is kept instead of sent back.
    pub accept_late: Option<bool>,
    /// Whether money of cases goes back without a person.
    pub auto_refund: Option<bool>,
    /// At most so much of one case, in fen.
    pub refund_per_case_fen: Option<i64>,
    /// At most so much in one day, in fen.
    pub refund_per_day_fen: Option<i64>,
}

impl PolicyPatch {
    /// What becomes of a policy.
    pub fn apply(self, old: Policy) -> Policy {
        let limits = old.auto_refund;
        Policy {
            accept_late: self.accept_late.unwrap_or(old.accept_late),
            auto_refund: AutoRefund {
                enabled: self.auto_refund.unwrap_or(limits.enabled),
                per_case_fen: self.refund_per_case_fen.unwrap_or(limits.per_case_fen),
                per_day_fen: self.refund_per_day_fen.unwrap_or(limits.per_day_fen),
            },
        }
    }

    /// Limits that can be meant.
    pub fn validate(self) -> Result<(), Invalid> {
        self.apply(Policy::default()).auto_refund.validate()
    }
}

/// Money of cases that goes back without a person: whether, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoRefund {
    /// The switch. Off, a person decides on every case.
    pub enabled: bool,
    /// At most so much of one case, in fen.
    pub per_case_fen: i64,
    /// At most so much in one day of China, in fen.
    pub per_day_fen: i64,
}

impl Default for AutoRefund {
    fn default() -> Self {
        Self::OFF
    }
}

impl AutoRefund {
    /// Whoever switches it on without a word about limits gets ¥500 and ¥5,000.
    pub const OFF: Self = Self {
        enabled: false,
        per_case_fen: 50_000,
        per_day_fen: 500_000,
    };

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Limits that can be meant.
    pub fn validate(&self) -> Result<(), Invalid> {
        let limits = [
            ("auto_refund.per_case", self.per_case_fen),
            ("auto_refund.per_day", self.per_day_fen),
        ];
        for (field, fen) in limits {
            if !(0..=Money::MAX_FEN).contains(&fen) {
                let detail = format!("is {fen}; send fen from 0 to {}", Money::MAX_FEN);
                return Err(Invalid::new(field, detail));
            }
        }
        Ok(())
    }
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
