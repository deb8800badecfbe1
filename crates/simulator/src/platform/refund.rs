//! Money on its way back to a payer.

use serde::{Deserialize, Serialize};

use super::Moment;
use super::trade::TradeId;

/// One refund of one payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The platform's number: 29 digits.
    pub refund_id: String,
    /// The merchant's number, unique for ever under its `mch_id`.
    pub out_refund_no: String,
    /// Fen.
    pub fen: u64,
    /// What the payer reads.
    pub reason: Option<String>,
    /// Out of which of the merchant's money.
    pub source: RefundSource,
    /// Who asked for it.
    pub asked_by: RefundAskedBy,
    /// Where its end is told.
    pub notify_url: Option<String>,
    /// When it was asked for.
    pub created: Moment,
    /// What has become of it.
    pub state: RefundState,
}

/// Where the platform takes the money from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundSource {
    /// What the merchant has received and was not paid out yet.
    #[default]
    Unsettled,
    /// What the merchant has put in.
    Recharge,
}

/// Who wants the money to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundAskedBy {
    /// The merchant's program.
    Api,
    /// A person on the platform's pages for merchants.
    Pages,
}

/// What has become of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// `PROCESSING`: out of the merchant's account, not yet with the payer.
    Processing,
    /// `SUCCESS`: the payer has it.
    Success {
        /// Since when.
        at: Moment,
    },
    /// `CHANGE`: it cannot reach the payer; a person must decide. The platform keeps it so long.
    Change {
        /// Since when.
        at: Moment,
    },
    /// `REFUNDCLOSE`: the merchant has it again.
    Closed {
        /// Since when.
        at: Moment,
    },
}

impl RefundState {
    /// The platform's word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success { .. } => "SUCCESS",
            Self::Change { .. } => "CHANGE",
            Self::Closed { .. } => "REFUNDCLOSE",
        }
    }

    /// When it ended, well or not.
    pub const fn ended(&self) -> Option<Moment> {
        match self {
            Self::Processing => None,
            Self::Success { at } | Self::Change { at } | Self::Closed { at } => Some(*at),
        }
    }
}

impl Refund {
    /// Whether the money is with the platform: no longer the merchant's, not yet the payer's.
    pub const fn is_in_transit(&self) -> bool {
        matches!(
            self.state,
            RefundState::Processing | RefundState::Change { .. }
        )
    }

    /// Whether it counts against what can still be refunded.
    pub const fn counts(&self) -> bool {
        !matches!(self.state, RefundState::Closed { .. })
    }
}

/// Which refund of which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefundKey {
    pub(super) trade: TradeId,
    pub(super) place: usize,
}
