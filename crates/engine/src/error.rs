//! What a caller of the engine can act on.

use tongbao_channels::{ChannelError, NoPayer, SettingsError};
use tongbao_core::order::Invalid;
use tongbao_core::{PaymentId, RefundId, Refusal};
use tongbao_store::StoreError;

/// Why a use case did not happen.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is none, or it is another merchant's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field of the request.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The order number is in use for another order.
    #[error(
        "this merchant_order_no belongs to {payment}, whose {field} is different; use a new number \
         for a new order, or repeat the first request unchanged"
    )]
    OrderDiffers {
        /// The first field that differs.
        field: &'static str,
        /// The payment that has the number.
        payment: PaymentId,
    },
    /// The number is in use for another refund.
    #[error(
        "this merchant_refund_no belongs to {refund}, whose {field} is different; use a new number \
         for a new refund, or repeat the first request unchanged"
    )]
    RefundDiffers {
        /// The first field that differs.
        field: &'static str,
        /// The refund that has the number.
        refund: RefundId,
    },
    /// The idempotency key came with another request before.
    #[error("this Idempotency-Key came with another request before; use a new key")]
    KeyReused,
    /// The payment's state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A channel's settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No channel can take the attempt: the cause and the cure.
    #[error("{0}")]
    NoChannel(String),
    /// The channel cannot make this call.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// A login code told nobody's name.
    #[error(transparent)]
    NoPayer(#[from] NoPayer),
    /// Others kept changing the same row; try again.
    #[error("the row is being changed by others; try again")]
    Busy,
    /// A secret cannot be sealed or opened.
    #[error("{0}")]
    Vault(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
