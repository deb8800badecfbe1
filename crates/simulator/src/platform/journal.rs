//! The last requests, for a developer who wonders why one was refused.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::UnixMillis;

/// How many are kept.
const KEPT: usize = 100;

/// One request and its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it arrived.
    pub at: UnixMillis,
    /// Where to.
    pub path: String,
    /// Which order it named.
    pub out_trade_no: Option<String>,
    /// `SUCCESS`, an error code, or the text of an unsigned refusal.
    pub outcome: String,
    /// What to look at, for a refusal that often puzzles.
    pub hint: Option<String>,
    /// The fault that befell it.
    pub fault: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
}

impl Journal {
    pub(super) fn push(&mut self, entry: Entry) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }
}
