//! What can happen next in the world.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tongbao_core::CaseId;
use tongbao_engine::Target;
use tongbao_simulator::{Delivered, Outgoing, TryId, UnixMillis};

use crate::kernel::{Kernel, NodeId};

/// The kernel of this world.
pub type WorldKernel = Arc<Kernel<WorldEvent>>;

/// One HTTP exchange that a node has begun.
pub type ExchangeId = u64;

/// What can happen next.
pub enum WorldEvent {
    /// A request of ours arrives where it was sent to.
    Arrives {
        /// Whose it is.
        exchange: ExchangeId,
        /// Who is being spoken to.
        target: Target,
        /// The request.
        request: Box<Request<Bytes>>,
    },
    /// The answer to a request of ours arrives; without one the connection broke.
    Answers {
        /// Whose it is.
        exchange: ExchangeId,
        /// The answer.
        response: Option<Box<Response<Bytes>>>,
    },
    /// The platform has something to do, if nothing earlier came up since this was
    /// planned.
    PlatformTurns(UnixMillis),
    /// A notification arrives at a node.
    Notifies {
        /// The message.
        outgoing: Box<Outgoing>,
        /// An answer nobody waits for: a copy of a message that went another way.
        copy: bool,
    },
    /// The platform hears what became of its notification.
    PlatformHears {
        /// Which try.
        id: TryId,
        /// What became of it.
        delivered: Delivered,
    },
    /// A merchant does the next thing about an order.
    Merchant(usize),
    /// A payer does the next thing about an order.
    Payer(usize),
    /// Somebody without a key tries.
    Attacker,
    /// Somebody looks at the cases.
    Person,
    /// Somebody has seen at once that there is a case.
    Hurries(CaseId),
    /// The platform has another key for an account.
    PlatformChangesKey,
    /// Somebody enters the new key of a channel.
    Operator(usize),
    /// Somebody has an old key, and it has ended.
    OldKey,
    /// A node dies.
    Dies(NodeId),
    /// A node starts again.
    Starts(NodeId),
    /// Faults stop: from here on everything must come to an end.
    Heals,
}

impl WorldEvent {
    /// A number for the run's hash.
    pub fn kind(&self) -> u64 {
        match self {
            Self::Arrives { exchange, .. } => 100 + *exchange * 16,
            Self::Answers { exchange, .. } => 101 + *exchange * 16,
            Self::PlatformTurns(_) => 2,
            Self::Notifies { .. } => 3,
            Self::PlatformHears { .. } => 4,
            Self::Merchant(order) => 105 + *order as u64 * 16,
            Self::Payer(order) => 106 + *order as u64 * 16,
            Self::Attacker => 7,
            Self::Dies(node) => 108 + u64::from(*node) * 16,
            Self::Starts(node) => 109 + u64::from(*node) * 16,
            Self::Heals => 10,
            Self::Person => 11,
            Self::PlatformChangesKey => 12,
            Self::Operator(place) => 113 + *place as u64 * 16,
            Self::OldKey => 14,
            Self::Hurries(_) => 15,
        }
    }
}
