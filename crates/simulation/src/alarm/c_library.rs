//! What stands in the place of the C library's clocks and random numbers.

use libc::{c_int, c_uint, c_void, clockid_t, size_t, ssize_t, time_t, timespec, timeval};

use super::look;

/// In the place of the C library's.
///
/// # Safety
///
/// `now` points to a place for the time.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, now: *mut timespec) -> c_int {
    look("clock_gettime");
    kernel_time(clock, now)
}

/// In the place of the C library's.
///
/// # Safety
///
/// `now` points to a place for the time; what `zone` points to is not touched.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(now: *mut timeval, _zone: *mut c_void) -> c_int {
    look("gettimeofday");
    let mut precise = EPOCH;
    let done = kernel_time(libc::CLOCK_REALTIME, &raw mut precise);
    if !now.is_null() {
        // SAFETY: the caller's promise.
        unsafe {
            (*now).tv_sec = precise.tv_sec;
            (*now).tv_usec = precise.tv_nsec / 1_000;
        }
    }
    done
}

/// In the place of the C library's.
///
/// # Safety
///
/// `now` points to a place for the time, or is null.
#[unsafe(no_mangle)]
unsafe extern "C" fn time(now: *mut time_t) -> time_t {
    look("time");
    let mut precise = EPOCH;
    kernel_time(libc::CLOCK_REALTIME, &raw mut precise);
    if !now.is_null() {
        // SAFETY: the caller's promise.
        unsafe { *now = precise.tv_sec };
    }
    precise.tv_sec
}

/// In the place of the C library's.
///
/// # Safety
///
/// `out` points to a place for `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(out: *mut c_void, len: size_t, flags: c_uint) -> ssize_t {
    look("getrandom");
    // SAFETY: the caller's promise; the kernel checks the rest.
    let got = unsafe { libc::syscall(libc::SYS_getrandom, out, len, flags) };
    ssize_t::try_from(got).unwrap_or(-1)
}

const EPOCH: timespec = timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

fn kernel_time(clock: clockid_t, now: *mut timespec) -> c_int {
    // SAFETY: the kernel checks the address.
    let done = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, now) };
    c_int::try_from(done).unwrap_or(-1)
}
