//! What wakes the worker before its time.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;
use tongbao_core::Timestamp;

/// Rings when a row was written that is due before the worker looks anyway: most
/// rows are due later, and need not wake it.
pub(crate) struct Bell {
    rung: Notify,
    /// When the worker looks anyway, in milliseconds.
    looks_at: AtomicI64,
}

/// The worker is looking just now and may miss what is written meanwhile; or
/// there is no worker yet.
const EVERYTHING_RINGS: i64 = i64::MAX;

impl Default for Bell {
    fn default() -> Self {
        Self {
            rung: Notify::new(),
            looks_at: AtomicI64::new(EVERYTHING_RINGS),
        }
    }
}

impl Bell {
    /// Something was written that is due at once.
    pub(crate) fn ring(&self) {
        self.rung.notify_one();
    }

    /// Something was written that is due then, or whose lease ends then.
    pub(crate) fn ring_for(&self, due: Timestamp) {
        if due.as_millis() < self.looks_at.load(Ordering::SeqCst) {
            self.ring();
        }
    }

    /// The worker begins to look: whatever is written from here on rings.
    pub(crate) fn looking(&self) {
        self.looks_at.store(EVERYTHING_RINGS, Ordering::SeqCst);
    }

    /// The worker has looked, and looks again at that time.
    pub(crate) fn looks_again_at(&self, at: Timestamp) {
        self.looks_at.store(at.as_millis(), Ordering::SeqCst);
    }

    /// Waits for a ring. One that came before is kept.
    pub(crate) async fn rung(&self) {
        self.rung.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(43_200);
    const ONE: Timestamp = Timestamp::from_secs(46_800);

    fn has_rung(bell: &Bell) -> bool {
        bell.rung().now_or_never().is_some()
    }

    #[test]
    fn what_is_due_after_the_next_look_does_not_ring() {
        let bell = Bell::default();
        bell.looks_again_at(NOON);
        bell.ring_for(ONE);
        assert!(!has_rung(&bell));

        bell.looks_again_at(ONE);
        bell.ring_for(NOON);
        assert!(has_rung(&bell));
        assert!(!has_rung(&bell));
    }

    #[test]
    fn what_is_written_during_a_look_rings_afterwards() {
        let bell = Bell::default();
        bell.looks_again_at(NOON);
        bell.looking();
        bell.ring_for(ONE);
        bell.looks_again_at(NOON);
        assert!(has_rung(&bell));
    }
}
