//! What a merchant decides once for all payments.

use tongbao_core::merchant::{Merchant, PolicyPatch};

use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// Changes what the merchant decided. From the next decision on it holds, for
    /// cases that are open as well; a refund that is under way goes on. Only what is
    /// given is written: somebody who changes a limit at the same instant does not
    /// undo an off switch.
    pub async fn update_policy(
        &self,
        merchant: &Merchant,
        patch: PolicyPatch,
    ) -> Result<Merchant, EngineError> {
        patch.validate()?;
        let (store, id) = (self.store(), merchant.id);
        let changes = patch != PolicyPatch::default();
        if changes && !store.change_policy(id, patch).await? {
            return Err(EngineError::NotFound("merchant"));
        }
        self.open_channels.forget_all_of(id);
        let found = store.merchant(id).await?;
        found.ok_or(EngineError::NotFound("merchant"))
    }
}
