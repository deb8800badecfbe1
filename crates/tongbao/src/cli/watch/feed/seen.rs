//! What has been told.

use std::collections::{BTreeMap, BTreeSet};

use super::OpenCursor;

/// What is remembered of payments and events that ended long ago is let go.
const REMEMBERED: usize = 20_000;

#[derive(Default)]
pub(super) struct Seen {
    /// The first look has been.
    pub(super) begun: bool,
    /// Of a payment that is not known, what happened before this has been told, or
    /// happened before the watching began; RFC 3339, as the gateway writes it.
    pub(super) since: String,
    /// When the last thing happened that has been told.
    pub(super) latest: String,
    /// Up to which sequence each payment has been told.
    pub(super) told: BTreeMap<String, i64>,
    pub(super) events: BTreeSet<String>,
    /// Webhooks on their way.
    pub(super) under_way: BTreeMap<String, Webhook>,
    pub(super) open_cursor: OpenCursor,
}

#[derive(Clone)]
pub(super) struct Webhook {
    pub(super) kind: String,
    pub(super) payment: Option<String>,
    pub(super) order_no: Option<String>,
    /// How many have been told at each endpoint.
    pub(super) tries: BTreeMap<String, usize>,
}

impl Seen {
    /// These are no news from now on.
    pub(super) fn tell(
        &mut self,
        told: BTreeMap<String, i64>,
        events: impl Iterator<Item = String>,
        latest: String,
    ) {
        self.told.extend(told);
        self.events.extend(events);
        // Ids begin with the time at which they were made.
        while self.told.len() > REMEMBERED {
            self.told.pop_first();
            self.since.clone_from(&self.latest);
        }
        self.latest = latest;
        while self.events.len() > REMEMBERED {
            self.events.pop_first();
        }
    }
}
