//! Rings when a run reads a clock or draws a random number outside the seams.
//!
//! On Linux the C library's functions for both are replaced in every binary that
//! this crate is linked into. While a thread lives through a [`Watch`] they print
//! a backtrace and abort; otherwise they ask the kernel, as ever. So a library
//! that nobody thought of is found before two runs of one seed differ and nobody
//! can tell why.
#![expect(
    unsafe_code,
    reason = "the C library's functions can be replaced, and the kernel asked, in no other way"
)]

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::hint::black_box;
use std::marker::PhantomData;
use std::ptr::null_mut;

#[cfg(target_os = "linux")]
mod c_library;

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// While this lives, its thread has no clock and no chance of its own.
pub struct Watch(PhantomData<*const ()>);

impl Watch {
    /// From here on.
    pub fn begin() -> Self {
        WATCHED.set(true);
        Self(PhantomData)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.set(false);
    }
}

/// A mistake that is made on purpose, to see that the alarm rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stray {
    /// The standard library's wall clock.
    WallClock,
    /// The standard library's other clock.
    Monotonic,
    /// An older call for the wall clock.
    TimeOfDay,
    /// An older one still.
    Seconds,
    /// A map whose order nobody knows.
    UnorderedMap,
    /// Bytes from the kernel.
    #[cfg(target_os = "linux")]
    Entropy,
}

impl Stray {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::WallClock,
        Self::Monotonic,
        Self::TimeOfDay,
        Self::Seconds,
        Self::UnorderedMap,
        #[cfg(target_os = "linux")]
        Self::Entropy,
    ];

    /// Makes the mistake.
    #[expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "what the lints would find, made on purpose"
    )]
    pub fn happen(self) {
        match self {
            Self::WallClock => {
                black_box(std::time::SystemTime::now());
            }
            Self::Monotonic => {
                black_box(std::time::Instant::now());
            }
            Self::TimeOfDay => {
                let mut now = libc::timeval {
                    tv_sec: 0,
                    tv_usec: 0,
                };
                // SAFETY: `now` is ours, and the zone may be null.
                unsafe { libc::gettimeofday(&raw mut now, null_mut()) };
            }
            Self::Seconds => {
                // SAFETY: the place to write to may be null.
                unsafe { libc::time(null_mut()) };
            }
            Self::UnorderedMap => {
                black_box(std::collections::HashMap::from([(1, 2)]));
            }
            #[cfg(target_os = "linux")]
            Self::Entropy => {
                let mut bytes = [0_u8; 8];
                // SAFETY: eight bytes of ours.
                unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn look(function: &str) {
    if WATCHED.replace(false) {
        eprintln!(
            "the run called {function}: time and chance come in through the seams\n{}",
            Backtrace::force_capture()
        );
        std::process::abort();
    }
}
