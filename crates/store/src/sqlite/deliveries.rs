//! Telling merchants, each endpoint in its own lane.

use rusqlite::{Connection, params};
use tongbao_core::webhook::DeliveryState;
use tongbao_core::{EndpointId, EventId, MerchantId, Timestamp};

use super::column::{self, IdText};
use super::jobs::fences;
use super::{endpoints, events, statement};
use crate::snapshot::Standing;
use crate::{Delivery, DeliveryClaim, DeliveryOutcome, DeliveryResult, DeliveryTry, StoreError};

/// A delivery that has been leased; what is to be sent is read afterwards, off
/// the writer.
pub(super) struct Leased {
    event: i64,
    endpoint: i64,
    fence: i64,
}

/// One that may be leased. Sorts by the time that it has been due since.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    since: i64,
    event: i64,
    endpoint: i64,
}

/// What may be leased now, lane by lane, the longest due first.
pub(super) fn due(
    db: &Connection,
    now: Timestamp,
    per_endpoint: usize,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let mut due = Vec::new();
    for endpoint in lanes(db)? {
        let in_flight = in_flight(db, endpoint, now)?;
        let free = per_endpoint.saturating_sub(in_flight).min(limit);
        due.extend(of_lane(db, endpoint, now, free)?);
    }
    due.sort_unstable();
    due.truncate(limit);
    Ok(due)
}

/// The endpoints that are on and have something pending. Skips from one to the
/// next through the index, however much waits in a lane.
fn lanes(db: &Connection) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT endpoint_key FROM deliveries \
               WHERE state = 'pending' AND endpoint_key > ? ORDER BY endpoint_key LIMIT 1";
    let on = "SELECT enabled FROM endpoints WHERE key = ?";
    let (mut lanes, mut last) = (Vec::new(), i64::MIN);
    while let Some(endpoint) = statement::first(db, sql, params![last], column::int)? {
        last = endpoint;
        if statement::first(db, on, params![endpoint], column::flag)? == Some(true) {
            lanes.push(endpoint);
        }
    }
    Ok(lanes)
}

fn in_flight(db: &Connection, endpoint: i64, now: Timestamp) -> Result<usize, StoreError> {
    let sql = "SELECT count(*) FROM deliveries \
               WHERE endpoint_key = ? AND state = 'pending' AND lease_until > ?";
    let key = params![endpoint, now.as_millis()];
    Ok(statement::first(db, sql, key, column::number)?.unwrap_or(0))
}

fn of_lane(
    db: &Connection,
    endpoint: i64,
    now: Timestamp,
    free: usize,
) -> Result<Vec<Due>, StoreError> {
    if free == 0 {
        return Ok(Vec::new());
    }
    let waiting = "SELECT due, event_key FROM deliveries WHERE endpoint_key = ?1 \
                   AND state = 'pending' AND lease_until IS NULL AND due <= ?2 \
                   ORDER BY due, event_key LIMIT ?3";
    let abandoned = "SELECT due, event_key FROM deliveries WHERE endpoint_key = ?1 \
                     AND state = 'pending' AND lease_until <= ?2 AND due <= ?2 \
                     ORDER BY lease_until LIMIT ?3";
    let limit = i64::try_from(free).unwrap_or(i64::MAX);
    let mut due = Vec::new();
    for sql in [waiting, abandoned] {
        let key = params![endpoint, now.as_millis(), limit];
        due.extend(statement::all(db, sql, key, |row| {
            Ok(Due {
                since: row.int()?,
                event: row.int()?,
                endpoint,
            })
        })?);
    }
    due.sort_unstable();
    due.truncate(free);
    Ok(due)
}

/// Leases what is due.
pub(super) fn claim(
    db: &Connection,
    now: Timestamp,
    lease_until: Timestamp,
    per_endpoint: usize,
    limit: usize,
) -> Result<Vec<Leased>, StoreError> {
    let sql = "UPDATE deliveries SET lease_until = ?, fence = ? \
               WHERE event_key = ? AND endpoint_key = ?";
    let due = due(db, now, per_endpoint, limit)?;
    let fences = fences(db, due.len())?;
    let mut leased = Vec::with_capacity(due.len());
    for (due, fence) in due.into_iter().zip(fences) {
        let Due {
            event, endpoint, ..
        } = due;
        let row = params![lease_until.as_millis(), fence, event, endpoint];
        statement::run(db, sql, row)?;
        leased.push(Leased {
            event,
            endpoint,
            fence,
        });
    }
    Ok(leased)
}

/// What has become of a delivery that was leased.
pub(super) enum Loaded {
    /// It is to be sent.
    Claim(Box<DeliveryClaim>),
    /// The lease has been taken away meanwhile, or the endpoint removed.
    Gone,
    /// One that cannot be read stands in no other one's way.
    Unreadable(Unreadable),
}

/// A row that a delivery needs and that cannot be read.
pub(super) enum Unreadable {
    Event { event: i64, endpoint: i64 },
    Endpoint { endpoint: i64 },
}

pub(super) fn load(db: &Connection, leased: &Leased) -> Result<Loaded, StoreError> {
    let (event, endpoint, fence) = (leased.event, leased.endpoint, leased.fence);
    let sql = "SELECT tries FROM deliveries WHERE event_key = ? AND endpoint_key = ? AND fence = ?";
    let key = params![event, endpoint, fence];
    let Some(tries) = statement::first(db, sql, key, column::number)? else {
        return Ok(Loaded::Gone);
    };
    let to = match endpoints::by_key(db, endpoint) {
        Err(StoreError::Corrupt(why)) => {
            tracing::error!(
                endpoint,
                why,
                "an endpoint cannot be read and is switched off"
            );
            return Ok(Loaded::Unreadable(Unreadable::Endpoint { endpoint }));
        }
        found => found?,
    };
    let told = match events::by_key(db, event) {
        Err(StoreError::Corrupt(why)) => {
            tracing::error!(event, why, "an event cannot be read and is not sent");
            return Ok(Loaded::Unreadable(Unreadable::Event { event, endpoint }));
        }
        found => found?,
    };
    let claim = told.zip(to).map(|(event, endpoint)| DeliveryClaim {
        event,
        endpoint,
        tries,
        fence,
    });
    Ok(claim.map_or(Loaded::Gone, |claim| Loaded::Claim(Box::new(claim))))
}

impl Unreadable {
    /// An endpoint's deliveries wait until it is switched on again; an event's
    /// delivery counts as exhausted, and can be sent again.
    pub(super) fn park(&self, db: &Connection) -> Result<(), StoreError> {
        match self {
            Self::Endpoint { endpoint } => {
                let off = "UPDATE endpoints SET enabled = 0 WHERE key = ?";
                statement::run(db, off, params![endpoint])?;
                let wait = "UPDATE deliveries SET lease_until = NULL \
                            WHERE endpoint_key = ? AND state = 'pending' AND lease_until IS NOT NULL";
                statement::run(db, wait, params![endpoint])?;
            }
            Self::Event { event, endpoint } => {
                let sql = "UPDATE deliveries SET state = 'exhausted', lease_until = NULL \
                           WHERE event_key = ? AND endpoint_key = ?";
                statement::run(db, sql, params![event, endpoint])?;
            }
        }
        Ok(())
    }
}

/// Keys of a merchant's event and endpoint: two ids that belong together.
macro_rules! delivery {
    () => {
        "event_key = (SELECT events.key FROM events \
         JOIN merchants ON merchants.key = merchant_key \
         WHERE merchants.id = ?1 AND events.id = ?2) \
         AND endpoint_key = (SELECT endpoints.key FROM endpoints \
         JOIN merchants ON merchants.key = merchant_key \
         WHERE merchants.id = ?1 AND endpoints.id = ?3)"
    };
}

/// A try and what it came to, ready to be written.
pub(super) struct Record {
    merchant: IdText,
    event: IdText,
    endpoint: IdText,
    result: DeliveryResult,
}

impl Record {
    pub(super) fn new(result: DeliveryResult) -> Self {
        Self {
            merchant: IdText::of(result.claim.event.merchant),
            event: IdText::of(result.claim.event.id),
            endpoint: IdText::of(result.claim.endpoint.id),
            result,
        }
    }

    pub(super) fn write(&self, db: &Connection) -> Result<(), StoreError> {
        let (state, due) = match self.result.outcome {
            DeliveryOutcome::Delivered => (DeliveryState::Delivered, None),
            DeliveryOutcome::Retry { due } => (DeliveryState::Pending, Some(due)),
            DeliveryOutcome::Exhausted => (DeliveryState::Exhausted, None),
            DeliveryOutcome::Gone => (DeliveryState::Pending, None),
        };
        let key = concat!(
            "SELECT event_key, endpoint_key FROM deliveries WHERE ",
            delivery!()
        );
        let ids = params![self.merchant, self.event, self.endpoint];
        let found = statement::first(db, key, ids, |row| Ok((row.int()?, row.int()?)))?;
        let Some((event, endpoint)) = found else {
            return Err(StoreError::Fenced);
        };
        let sql = "UPDATE deliveries SET state = ?, due = coalesce(?, due), tries = tries + 1, \
                   lease_until = NULL \
                   WHERE event_key = ? AND endpoint_key = ? AND fence = ? \
                   AND lease_until IS NOT NULL";
        let row = params![
            state.as_str(),
            due.map(Timestamp::as_millis),
            event,
            endpoint,
            self.result.claim.fence
        ];
        if statement::run(db, sql, row)? == 0 {
            return Err(StoreError::Fenced);
        }
        if self.result.outcome == DeliveryOutcome::Gone {
            let sql = "UPDATE endpoints SET enabled = 0 WHERE key = ?";
            statement::run(db, sql, params![endpoint])?;
        }
        self.insert_try(db, event, endpoint)
    }

    fn insert_try(&self, db: &Connection, event: i64, endpoint: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO delivery_tries (event_key, endpoint_key, at, \
                   request_headers, status, answer, took_millis) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            event,
            endpoint,
            self.result.at.as_millis(),
            self.result.request_headers,
            self.result.status,
            self.result.answer,
            self.result.took_millis
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

/// When the next one can be claimed: the head of each lane that is on.
pub(super) fn next_ready(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let waiting = "SELECT due FROM deliveries WHERE endpoint_key = ? AND state = 'pending' \
                   AND lease_until IS NULL ORDER BY due LIMIT 1";
    let leased = "SELECT max(due, lease_until) FROM deliveries WHERE endpoint_key = ? \
                  AND state = 'pending' AND lease_until IS NOT NULL ORDER BY lease_until LIMIT 1";
    let mut next = None;
    for endpoint in lanes(db)? {
        for sql in [waiting, leased] {
            let head = statement::first(db, sql, params![endpoint], column::time)?;
            next = [next, head].into_iter().flatten().min();
        }
    }
    Ok(next)
}

/// How many should have gone out by now, counted up to `most` a lane.
pub(super) fn count_due(db: &Connection, now: Timestamp, most: i64) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE endpoint_key = ?1 \
               AND state = 'pending' AND lease_until IS NULL AND due <= ?2 LIMIT ?3)";
    let mut count = 0;
    for endpoint in lanes(db)? {
        let key = params![endpoint, now.as_millis(), most];
        count += statement::first(db, sql, key, column::int)?.unwrap_or(0);
    }
    Ok(count)
}

/// Schedules an event anew wherever it was meant to go. A try that is under way
/// is fenced off: it may have begun before somebody asked for this one.
pub(super) fn redeliver(
    db: &Connection,
    merchant: MerchantId,
    event: EventId,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let sql = "UPDATE deliveries SET state = 'pending', due = ?, lease_until = NULL, tries = 0, \
               fence = ? \
               WHERE event_key = (SELECT events.key FROM events \
                                  JOIN merchants ON merchants.key = merchant_key \
                                  WHERE merchants.id = ? AND events.id = ?) \
               AND endpoint_key NOT IN (SELECT key FROM endpoints WHERE deleted)";
    let fence = fences(db, 1)?.start;
    let row = params![
        now.as_millis(),
        fence,
        IdText::of(merchant),
        IdText::of(event)
    ];
    statement::run(db, sql, row)
}

/// Events that one command of a replay schedules: what other writers wait for.
const REPLAYED_AT_ONCE: i64 = 500;

/// A place between two events: when the one before it was made, and its key.
pub(super) type After = (i64, i64);

/// Which events an endpoint is to hear again.
#[derive(Clone)]
pub(super) struct Replay {
    pub(super) merchant: MerchantId,
    pub(super) endpoint: EndpointId,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) now: Timestamp,
}

/// One step of a replay.
pub(super) struct Replayed {
    /// How many of the events that were looked at go out.
    pub(super) scheduled: usize,
    /// Where the next step begins; `None` after the last.
    pub(super) next: Option<After>,
}

impl Replay {
    /// Schedules the events of `kind` behind `after`, oldest first.
    pub(super) fn step(
        &self,
        db: &Connection,
        kind: tongbao_core::webhook::EventType,
        after: After,
    ) -> Result<Replayed, StoreError> {
        let done = |scheduled| Replayed {
            scheduled,
            next: None,
        };
        let Some(endpoint) = endpoints::by_id(db, self.merchant, self.endpoint)? else {
            return Ok(done(0));
        };
        if !endpoint.event_types.is_empty() && !endpoint.event_types.contains(&kind) {
            return Ok(done(0));
        }
        let sql = "SELECT created_at, key, store FROM events \
                   WHERE merchant_key = (SELECT key FROM merchants WHERE id = ?1) \
                   AND type = ?2 AND created_at < ?3 \
                   AND (created_at, key) > (?4, ?5) ORDER BY created_at, key LIMIT ?6";
        let key = params![
            IdText::of(self.merchant),
            kind.as_str(),
            self.to.as_millis(),
            after.0,
            after.1,
            REPLAYED_AT_ONCE
        ];
        let events = statement::all(db, sql, key, |row| {
            Ok((row.int()?, row.int()?, row.opt_id()?))
        })?;
        let next = events
            .last()
            .map(|(created_at, key, _)| (*created_at, *key));
        let fence = fences(db, 1)?.start;
        let mut scheduled = 0;
        for (_, event, store) in events {
            if endpoint.store.is_none() || endpoint.store == store {
                self.schedule(db, event, fence)?;
                scheduled += 1;
            }
        }
        Ok(Replayed { scheduled, next })
    }

    fn schedule(&self, db: &Connection, event: i64, fence: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO deliveries \
                   (merchant_key, event_key, endpoint_key, state, due, tries, fence) \
                   SELECT merchant_key, ?, endpoints.key, 'pending', ?, 0, ? \
                   FROM endpoints JOIN merchants ON merchants.key = merchant_key \
                   WHERE merchants.id = ? AND endpoints.id = ? \
                   ON CONFLICT DO UPDATE SET state = 'pending', due = excluded.due, \
                   lease_until = NULL, tries = 0, fence = excluded.fence";
        let row = params![
            event,
            self.now.as_millis(),
            fence,
            IdText::of(self.merchant),
            IdText::of(self.endpoint),
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

/// How an event stands, endpoint by endpoint.
pub(super) fn standings(
    db: &Connection,
    merchant: MerchantId,
    event: EventId,
) -> Result<Vec<Standing>, StoreError> {
    let sql = "SELECT endpoints.id, state, due, tries \
               FROM deliveries JOIN endpoints ON endpoints.key = endpoint_key \
               WHERE event_key = (SELECT events.key FROM events \
                                  JOIN merchants ON merchants.key = merchant_key \
                                  WHERE merchants.id = ? AND events.id = ?) \
               ORDER BY endpoints.id";
    let key = params![IdText::of(merchant), IdText::of(event)];
    statement::all(db, sql, key, |row| {
        Ok(Standing {
            endpoint: row.id()?,
            state: row.word(DeliveryState::parse)?,
            due: row.time()?,
            tries: row.number()?,
        })
    })
}

/// How an event fared, endpoint by endpoint.
pub(super) fn of_event(
    db: &Connection,
    merchant: MerchantId,
    event: EventId,
) -> Result<Vec<Delivery>, StoreError> {
    let sql = "SELECT endpoints.id, state, due, event_key, endpoint_key \
               FROM deliveries JOIN endpoints ON endpoints.key = endpoint_key \
               WHERE event_key = (SELECT events.key FROM events \
                                  JOIN merchants ON merchants.key = merchant_key \
                                  WHERE merchants.id = ? AND events.id = ?) \
               ORDER BY endpoints.id";
    let (merchant, event) = (IdText::of(merchant), IdText::of(event));
    statement::all(db, sql, params![merchant, event], |row| {
        Ok(Delivery {
            endpoint: row.id()?,
            state: row.word(DeliveryState::parse)?,
            due: row.time()?,
            tries: tries(db, row.int()?, row.int()?)?,
        })
    })
}

/// Oldest first.
fn tries(db: &Connection, event: i64, endpoint: i64) -> Result<Vec<DeliveryTry>, StoreError> {
    let sql = "SELECT at, request_headers, status, answer, took_millis FROM delivery_tries \
               WHERE event_key = ? AND endpoint_key = ? ORDER BY key";
    statement::all(db, sql, params![event, endpoint], |row| {
        Ok(DeliveryTry {
            at: row.time()?,
            request_headers: row.text()?,
            status: row.opt_number()?,
            answer: row.text()?,
            took_millis: row.int()?,
        })
    })
}
