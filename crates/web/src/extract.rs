//! What handlers are given, checked.

mod address;
mod body;
mod caller;
mod command;
mod id;
mod json;
mod query;
mod signer;

pub use address::Peer;
pub(crate) use address::address_of;
pub(crate) use body::{Unread, read_body};
pub(crate) use caller::{Caller, Seller};
pub(crate) use command::{Bare, Command, Key};
pub(crate) use id::Id;
pub(crate) use query::{Asked, limit, timestamp};
pub(crate) use signer::Signer;
