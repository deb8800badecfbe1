//! The engine's seams, made of the real world.

mod address;
mod clock;
mod labour;
mod mint;
mod transport;

pub use address::{AddressPolicy, Lane};
pub use clock::{SystemClock, stopwatch};
pub use labour::OwnThreads;
pub use mint::OsMint;
pub use transport::HttpTransport;
