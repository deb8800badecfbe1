//! What a payment is and what may become of it: decisions, and nothing else.
//!
//! Everything here is pure. There is no clock (the time comes in as an
//! argument), no random number (ids come in minted), no socket, no database
//! and no async, and there never will be: this is the part that must be right,
//! so it is the part that can be run a million times a minute from a seed.
//!
//! The heart is [`Payment::on`]: one payment, one event, the next payment and
//! the effects that must follow. Answers, queries, notifications, bills and
//! operators all speak through one value, [`Report`], so that "paid" is decided
//! in one place.

pub mod attempt;
pub mod case;
pub mod channel;
pub mod id;
pub mod inbox;
pub mod job;
pub mod merchant;
pub mod money;
pub mod order;
pub mod payment;
pub mod report;
pub mod schedule;
pub mod time;
pub mod webhook;

pub use attempt::{Action, Attempt, AttemptState, Failure, Raised, Scene};
pub use case::{Case, CaseKind, CaseState};
pub use id::{
    ApiKeyId, AttemptId, CaseId, ChannelId, EndpointId, EventId, MerchantId, NotificationId,
    PaymentId,
};
pub use job::{Job, JobKind};
pub use merchant::Policy;
pub use money::{Currency, Money};
pub use order::Order;
pub use payment::{CloseReason, Effect, Event, Payment, Refusal, Rules, State, Step};
pub use report::{Grade, Outcome, Receipt, Report, Source};
pub use time::Timestamp;
