//! The clock outside, and waiting by it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::UnixMillis;

/// What the machine's clock shows.
pub fn system_clock() -> UnixMillis {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server's one reading of the clock; the platforms get it handed in"
    )]
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Waits; not at all when there is nothing to wait for.
pub(super) async fn wait(duration: Duration) {
    if duration.is_zero() {
        return;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the server's one way of waiting; the platforms set timers instead"
    )]
    tokio::time::sleep(duration).await;
}
