//! Use cases, one a file, and the worker that runs jobs.
//!
//! The engine is the only writer of payments: it loads, lets `core` decide,
//! commits with the version it read, and then carries out the effects, which
//! are rows by then. Three rules hold everywhere: the intent is committed before
//! the call, the effect before the acknowledgement, and every retry bears the
//! same number.
//!
//! Nothing here reads a clock, draws a random number, spawns a task or opens a
//! socket: time, chance and the world come in through [`seams`].

pub mod audit;
mod auth_code;
mod authenticate;
mod bell;
mod case;
mod channel;
mod clock_step;
mod close;
mod commit;
mod create;
mod deliver;
mod endpoint;
mod engine;
mod error;
mod idempotency;
mod job;
mod lane;
mod login;
mod mint;
mod notification;
mod open_channel;
mod policy;
mod refresh;
mod refund;
mod renew;
mod retell;
mod said;
pub mod seams;
mod shop;
mod start;
mod takings;
mod vault;
pub mod view;
mod way_back;
mod webhook_url;
mod worker;

pub use auth_code::AuthCode;
pub use authenticate::Caller;
pub use case::NewDecision;
pub use channel::{ChannelPatch, NewChannel, diagnose};
pub use create::{CreatedPayment, NewPayment};
pub use endpoint::{EndpointPatch, NewEndpoint, SECRET_SHOWN_FOR, Secretive, event_types};
pub use engine::{Engine, EngineConfig};
pub use error::EngineError;
pub use idempotency::{Answered, IdempotencyKey};
pub use login::LoginCode;
pub use refund::{NewRefund, RequestedRefund};
pub use seams::{
    AtOnce, Clock, Faults, Labour, Mint, NoFaults, Seams, SendError, Target, Transport,
};
pub use shop::{MadeTill, TILL_KEY_PREFIX, unknown_store};
pub use start::{NewAttempt, NewPayer, StartedAttempt, Way};
pub use takings::DayTakings;
pub use tongbao_channels::{
    Addresses, ChannelError, ClientIdentity, Diagnosis, Kind, NoPayer, SettingsError, Site, kind,
    kinds,
};
pub use view::{AttemptView, CaseView, PaymentView, RefundView};
pub use way_back::Departure;
