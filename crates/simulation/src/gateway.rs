//! The gateway of a world: its database, its processes, and how they are spoken
//! to.
//!
//! The world knows nothing else of it, so that the same days can befall the
//! engine over a model of the database ([`direct`]) and the whole program over
//! a real one.

pub mod direct;

use std::sync::{Arc, MutexGuard};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use tongbao_core::merchant::Merchant;
use tongbao_core::{
    Action, AttemptId, CaseAction, CaseId, ChannelId, Order, PaymentId, RefundId, Scene, StoreId,
    TillId, Timestamp,
};
use tongbao_engine::Engine;
use tongbao_store::Store;

use crate::event::WorldKernel;
use crate::invariants::{Verdict, at_boundary};
use crate::kernel::NodeId;
use crate::model_store::{Tables, Witness};
use crate::seed::Plan;
use crate::story::Story;

/// What a gateway is built from.
pub struct Surroundings<'a> {
    /// What the seed decided.
    pub plan: &'a Plan,
    /// The world's time and tasks.
    pub kernel: WorldKernel,
    /// Looks at every commit.
    pub witness: Arc<dyn Witness>,
    /// What is told.
    pub story: Arc<Story>,
}

/// Builds the gateway of a new world.
pub type Build<'a> = &'a (dyn Fn(Surroundings<'_>) -> Arc<dyn Gateway> + Sync);

/// One database, and what runs on it.
pub trait Gateway: Send + Sync {
    /// A process starts: the database as it finds it. That of [`OPENING`]
    /// answers at once, for the world has no time yet.
    fn start(&self, node: NodeId) -> Arc<dyn Store>;

    /// How the world speaks to a process.
    fn face(&self, engine: Arc<Engine>) -> Arc<dyn Face>;

    /// The process that the last step killed by itself, if it did.
    fn fallen(&self) -> Option<NodeId> {
        None
    }

    /// A process was killed.
    fn died(&self, node: NodeId);

    /// From now on nothing goes wrong.
    fn heal(&self);

    /// The rows, for invariants.
    fn tables(&self) -> MutexGuard<'_, Tables>;

    /// Whether keys are looked at: the engine, called directly, believes its caller.
    fn asks_for_keys(&self) -> bool {
        false
    }

    /// E4, as an acknowledgement leaves.
    fn acknowledges(&self, channel: ChannelId, body_hash: [u8; 32]) -> Verdict {
        at_boundary::e4_commit_before_acknowledge(&self.tables(), channel, body_hash)
    }

    /// E5, as a merchant hears the answer to a call.
    fn replies(&self, call: &Call, heard: &Heard) -> Verdict {
        at_boundary::e5_commit_before_reply(&self.tables(), call, heard)
    }
}

/// Where payers' browsers are.
pub const PAYER_IP: &str = "203.0.113.7";

/// The process that opens the shop, before there is time.
pub const OPENING: NodeId = NodeId::MAX - 1;

/// A merchant who calls.
#[derive(Clone)]
pub struct Caller {
    /// As it is stored.
    pub merchant: Merchant,
    /// `sk_…`
    pub api_key: String,
    /// The till in whose name it is, where it is one.
    pub till: Option<Counter>,
}

/// A till in one of the merchant's shops.
#[derive(Clone)]
pub struct Counter {
    /// The till.
    pub id: TillId,
    /// Where it stands.
    pub store: StoreId,
    /// `tk_…`
    pub key: String,
}

/// Who alone is to pay.
#[derive(Clone, Debug)]
pub enum Payer {
    /// The platform's name.
    Openid(String),
    /// Whoever has this login code.
    Code(String),
}

/// What a merchant asks for.
#[derive(Clone, Debug)]
pub enum Call {
    /// A payment.
    Create {
        /// What is sold.
        order: Order,
        /// How long the payer has, in seconds.
        expires_in: i64,
        /// The payment comes with its first code.
        with_attempt: bool,
    },
    /// What the payer opens the wallet with.
    Start {
        /// For what.
        payment: PaymentId,
        /// Over this channel.
        channel: Option<String>,
        /// How the payer meets it.
        scene: Scene,
        /// Who alone is to pay.
        payer: Option<Payer>,
    },
    /// A code that the payer shows.
    Charge {
        /// For what.
        payment: PaymentId,
        /// Over this channel.
        channel: Option<String>,
        /// The digits.
        auth_code: String,
    },
    /// How the payment stands at the channel.
    Look(PaymentId),
    /// An end.
    Close(PaymentId),
    /// Money back.
    Refund {
        /// Out of what.
        payment: PaymentId,
        /// The merchant's own number.
        number: String,
        /// How much.
        amount: i64,
    },
    /// A person's decision about a case.
    Decide {
        /// Which.
        case: CaseId,
        /// What.
        action: CaseAction,
    },
    /// Another API key for a channel.
    ChangeKey {
        /// Which channel.
        channel: ChannelId,
        /// The new key.
        key: String,
        /// Until when the one before is believed.
        until: Timestamp,
    },
}

/// What the person gives as the reason.
pub const REASON: &str = "核对过了";

/// What the merchant hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The payment is there.
    Created(PaymentId),
    /// The attempt is there, with its code when the channel has given one.
    Started {
        /// What the payer scans.
        code: Option<(AttemptId, String)>,
    },
    /// Nobody knows whose login code it was.
    Unnamed,
    /// What has become of the payer's code.
    Charged {
        /// The attempt's state in the API's word.
        state: String,
    },
    /// What came of asking for an end.
    Closed {
        /// The API's word.
        state: String,
    },
    /// The refund is written down.
    Refunding {
        /// Which.
        refund: RefundId,
    },
    /// The decision about a case is written down.
    Decided {
        /// The API's word.
        state: String,
    },
    /// The channel has its new key.
    KeyChanged,
    /// For good.
    Refused,
    /// This time.
    Failed,
}

/// What an operator types in to change a key.
pub fn key_settings(key: &str, until: Timestamp) -> serde_json::Value {
    serde_json::json!({ "api_v2_key": key, "previous_api_v2_key_until": until.to_string() })
}

/// What the payer's side is given: a code's text, an address, or the object that
/// a page or an app hands over.
pub fn shown(action: &Action) -> Option<String> {
    match action {
        Action::QrCode { code_url } => Some(code_url.clone()),
        Action::WechatJsapi { params } | Action::WechatApp { params } => Some(params.to_string()),
        Action::Redirect { url, .. } => Some(url.clone()),
        Action::None => None,
    }
}

/// One process, from outside.
pub trait Face: Send + Sync {
    /// A merchant's request, under the merchant's own name for it.
    fn call(&self, caller: &Caller, call: Call, key: Option<String>) -> BoxFuture<'static, Heard>;

    /// A platform's notification; `None` is no answer.
    fn notify(
        &self,
        channel: ChannelId,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Option<Response<Bytes>>>;
}
