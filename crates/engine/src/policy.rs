//! What a merchant decides once for all payments.

use tongbao_core::merchant::{AutoRefund, Merchant, Policy};

use crate::engine::Engine;
use crate::error::EngineError;

/// What is to change; the rest stays.
#[derive(Clone, Copy, Debug, Default)]
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
    fn apply(self, old: Policy) -> Policy {
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
}

impl Engine {
    /// Changes what the merchant decided. From the next decision on it holds, for
    /// cases that are open as well; a refund that is under way goes on.
    pub async fn update_policy(
        &self,
        merchant: &Merchant,
        patch: PolicyPatch,
    ) -> Result<Merchant, EngineError> {
        let policy = patch.apply(merchant.policy);
        policy.auto_refund.validate()?;
        if policy != merchant.policy && !self.store().set_policy(merchant.id, policy).await? {
            return Err(EngineError::NotFound("merchant"));
        }
        self.open_channels.forget_all_of(merchant.id);
        Ok(Merchant {
            policy,
            ..merchant.clone()
        })
    }
}
