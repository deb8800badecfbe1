//! What the platform will do later.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::notification::{NotificationId, TryId};
use super::refund::RefundKey;
use super::trade::TradeId;
use crate::UnixMillis;

/// Fired once. A timer whose reason has gone does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Timer {
    /// An unpaid order turns to closed.
    CloseUnpaid(TradeId),
    /// Nobody has answered the prompt of a code payment.
    PromptEnds(TradeId),
    /// A refund reaches the payer, or does not.
    RefundDue(RefundKey),
    /// A notification is to be sent, for the first time or again.
    Notify(NotificationId),
    /// The merchant's time to answer is over.
    AnswerDeadline(TryId),
}

/// By due time inside, then by order of setting.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Timers {
    set: BTreeSet<Entry>,
    counter: u64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Entry {
    due: UnixMillis,
    counter: u64,
    timer: Timer,
}

impl Timers {
    pub(super) fn set(&mut self, due: UnixMillis, timer: Timer) {
        self.counter += 1;
        self.set.insert(Entry {
            due,
            counter: self.counter,
            timer,
        });
    }

    pub(super) fn next_due(&self) -> Option<UnixMillis> {
        self.set.first().map(|entry| entry.due)
    }

    pub(super) fn pop_due(&mut self, inside: UnixMillis) -> Option<Timer> {
        if self.next_due()? > inside {
            return None;
        }
        self.set.pop_first().map(|entry| entry.timer)
    }
}
