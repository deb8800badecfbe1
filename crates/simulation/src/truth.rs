//! What the world knows and the gateway cannot: for invariants that hold the
//! gateway against more than the platform's books.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tongbao_core::job::JobKey;
use tongbao_core::{ChannelId, Payment, StoreId, TillId, Timestamp};

use crate::coverage::{Meeting, Meetings};

/// One run's.
#[derive(Default)]
pub struct Truth(Mutex<Known>);

/// What is known by now.
#[derive(Default)]
pub struct Known {
    /// When all faults stopped.
    pub healed_at: Option<Timestamp>,
    /// Numbers of which the platform has said, readably and within the gateway's
    /// hearing, that they are paid, over or not there.
    pub ended: BTreeSet<String>,
    /// When the platform was last asked about a number.
    pub asked: BTreeMap<String, Timestamp>,
    /// How often the platform was asked about a number.
    pub times_asked: BTreeMap<String, u32>,
    /// How often a number was reversed.
    pub reversed: BTreeMap<String, u32>,
    /// Payers' codes and numbers that have charged.
    pub charged: BTreeSet<String>,
    /// When a number charged, and when what came of it was written down.
    pub at_the_till: BTreeMap<String, AtTheTill>,
    /// SHA-256 of messages that nobody may believe at that channel's address: nobody
    /// with a key has signed them, or they are of another sub-merchant.
    pub forged: BTreeSet<(ChannelId, [u8; 32])>,
    /// When somebody heard that the channel's new key is written down.
    pub rotated: BTreeMap<ChannelId, Timestamp>,
    /// SHA-256 of the platform's own messages whose key is good at that channel.
    pub to_be_taken: BTreeSet<(ChannelId, [u8; 32])>,
    /// What only the world sees to meet.
    pub meetings: Meetings,
    /// In which shop an order is sold, and by which till, where by one.
    pub sold_at: BTreeMap<String, (Option<StoreId>, Option<TillId>)>,
    /// The fence of each job's last claim.
    pub fences: BTreeMap<JobKey, i64>,
}

/// A payer at a till.
pub struct AtTheTill {
    /// The platform was asked for the money.
    pub charged: Timestamp,
    /// The cashier was told an end.
    pub ended: Option<Timestamp>,
}

impl Known {
    /// Counts it.
    pub fn met(&mut self, meeting: Meeting) {
        *self.meetings.entry(meeting).or_default() += 1;
    }

    /// What a payment's row says of those who pay for it at a till.
    pub fn ended_at_the_till(&mut self, payment: &Payment, now: Timestamp) {
        for attempt in &payment.attempts {
            if !attempt.state.is_open()
                && let Some(till) = self.at_the_till.get_mut(&attempt.out_trade_no)
            {
                till.ended.get_or_insert(now);
            }
        }
    }
}

impl AtTheTill {
    /// The money was asked for.
    pub const fn began(charged: Timestamp) -> Self {
        Self {
            charged,
            ended: None,
        }
    }
}

impl Truth {
    /// All of it.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
