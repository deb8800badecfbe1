//! Telling merchants, each endpoint in its own lane.

use rusqlite::{Connection, params};
use tongbao_core::webhook::DeliveryState;
use tongbao_core::{EndpointId, EventId, MerchantId, Timestamp};

use super::column::{self, IdText};
use super::jobs::fences;
use super::{endpoints, events, statement};
use crate::{Delivery, DeliveryClaim, DeliveryOutcome, DeliveryResult, DeliveryTry, StoreError};

/// A delivery that has been leased; what is to be sent is read afterwards, off
/// the writer.
pub(super) struct Leased {
    merchant: MerchantId,
    event: EventId,
    endpoint: EndpointId,
    fence: i64,
}

/// One that may be leased. Sorts by the time that it has been due since.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    since: i64,
    event: EventId,
    endpoint: EndpointId,
    merchant: MerchantId,
}

/// What may be leased now, lane by lane, the longest due first.
pub(super) fn due(
    db: &Connection,
    now: Timestamp,
    per_endpoint: usize,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let mut due = Vec::new();
    for (merchant, endpoint) in lanes(db)? {
        let in_flight = in_flight(db, endpoint, now)?;
        let free = per_endpoint.saturating_sub(in_flight).min(limit);
        due.extend(of_lane(db, merchant, endpoint, now, free)?);
    }
    due.sort_unstable();
    due.truncate(limit);
    Ok(due)
}

/// The endpoints that are on and have something pending. Skips from one to the
/// next through the index, however much waits in a lane.
fn lanes(db: &Connection) -> Result<Vec<(MerchantId, EndpointId)>, StoreError> {
    let sql = "SELECT merchant_id, endpoint_id FROM deliveries \
               WHERE state = 'pending' AND endpoint_id > ? ORDER BY endpoint_id LIMIT 1";
    let on = "SELECT enabled FROM endpoints WHERE merchant_id = ? AND id = ?";
    let (mut lanes, mut last) = (Vec::new(), IdText::NONE);
    while let Some((merchant, endpoint)) =
        statement::first(db, sql, params![last], |row| Ok((row.id()?, row.id()?)))?
    {
        last = IdText::of(endpoint);
        if statement::first(db, on, params![IdText::of(merchant), last], column::flag)?
            == Some(true)
        {
            lanes.push((merchant, endpoint));
        }
    }
    Ok(lanes)
}

fn in_flight(db: &Connection, endpoint: EndpointId, now: Timestamp) -> Result<usize, StoreError> {
    let sql = "SELECT count(*) FROM deliveries \
               WHERE endpoint_id = ? AND state = 'pending' AND lease_until > ?";
    let key = params![IdText::of(endpoint), now.as_millis()];
    Ok(statement::first(db, sql, key, column::number)?.unwrap_or(0))
}

fn of_lane(
    db: &Connection,
    merchant: MerchantId,
    endpoint: EndpointId,
    now: Timestamp,
    free: usize,
) -> Result<Vec<Due>, StoreError> {
    if free == 0 {
        return Ok(Vec::new());
    }
    let waiting = "SELECT due, event_id FROM deliveries WHERE endpoint_id = ?1 \
                   AND state = 'pending' AND lease_until IS NULL AND due <= ?2 \
                   ORDER BY due, event_id LIMIT ?3";
    let abandoned = "SELECT due, event_id FROM deliveries WHERE endpoint_id = ?1 \
                     AND state = 'pending' AND lease_until <= ?2 AND due <= ?2 \
                     ORDER BY lease_until LIMIT ?3";
    let limit = i64::try_from(free).unwrap_or(i64::MAX);
    let mut due = Vec::new();
    for sql in [waiting, abandoned] {
        let key = params![IdText::of(endpoint), now.as_millis(), limit];
        due.extend(statement::all(db, sql, key, |row| {
            Ok(Due {
                since: row.int()?,
                event: row.id()?,
                endpoint,
                merchant,
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
               WHERE merchant_id = ? AND event_id = ? AND endpoint_id = ?";
    let due = due(db, now, per_endpoint, limit)?;
    let fences = fences(db, due.len())?;
    let mut leased = Vec::with_capacity(due.len());
    for (due, fence) in due.into_iter().zip(fences) {
        let row = params![
            lease_until.as_millis(),
            fence,
            IdText::of(due.merchant),
            IdText::of(due.event),
            IdText::of(due.endpoint)
        ];
        statement::run(db, sql, row)?;
        leased.push(Leased {
            merchant: due.merchant,
            event: due.event,
            endpoint: due.endpoint,
            fence,
        });
    }
    Ok(leased)
}

/// What is to be sent; `None` when the lease has been taken away meanwhile, or
/// the endpoint has been removed.
pub(super) fn load(db: &Connection, leased: &Leased) -> Result<Option<DeliveryClaim>, StoreError> {
    let sql = "SELECT tries FROM deliveries \
               WHERE merchant_id = ? AND event_id = ? AND endpoint_id = ? AND fence = ?";
    let key = params![
        IdText::of(leased.merchant),
        IdText::of(leased.event),
        IdText::of(leased.endpoint),
        leased.fence
    ];
    let Some(tries) = statement::first(db, sql, key, column::number)? else {
        return Ok(None);
    };
    let event = events::by_id(db, leased.merchant, leased.event)?;
    let endpoint = endpoints::by_id(db, leased.merchant, leased.endpoint)?;
    Ok(event.zip(endpoint).map(|(event, endpoint)| DeliveryClaim {
        event,
        endpoint,
        tries,
        fence: leased.fence,
    }))
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
        let sql = "UPDATE deliveries SET state = ?, due = coalesce(?, due), tries = tries + 1, \
                   lease_until = NULL \
                   WHERE merchant_id = ? AND event_id = ? AND endpoint_id = ? AND fence = ? \
                   AND lease_until IS NOT NULL";
        let row = params![
            state.as_str(),
            due.map(Timestamp::as_millis),
            self.merchant,
            self.event,
            self.endpoint,
            self.result.claim.fence
        ];
        if statement::run(db, sql, row)? == 0 {
            return Err(StoreError::Fenced);
        }
        if self.result.outcome == DeliveryOutcome::Gone {
            let sql = "UPDATE endpoints SET enabled = 0 WHERE merchant_id = ? AND id = ?";
            statement::run(db, sql, params![self.merchant, self.endpoint])?;
        }
        self.insert_try(db)
    }

    fn insert_try(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "INSERT INTO delivery_tries (merchant_id, event_id, endpoint_id, at, \
                   request_headers, status, answer, took_millis) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            self.merchant,
            self.event,
            self.endpoint,
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
    let waiting = "SELECT due FROM deliveries WHERE endpoint_id = ? AND state = 'pending' \
                   AND lease_until IS NULL ORDER BY due LIMIT 1";
    let leased = "SELECT max(due, lease_until) FROM deliveries WHERE endpoint_id = ? \
                  AND state = 'pending' AND lease_until IS NOT NULL ORDER BY lease_until LIMIT 1";
    let mut next = None;
    for (_, endpoint) in lanes(db)? {
        for sql in [waiting, leased] {
            let head = statement::first(db, sql, params![IdText::of(endpoint)], column::time)?;
            next = [next, head].into_iter().flatten().min();
        }
    }
    Ok(next)
}

/// How many should have gone out by now, counted up to `most` a lane.
pub(super) fn count_due(db: &Connection, now: Timestamp, most: i64) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE endpoint_id = ?1 \
               AND state = 'pending' AND lease_until IS NULL AND due <= ?2 LIMIT ?3)";
    let mut count = 0;
    for (_, endpoint) in lanes(db)? {
        let key = params![IdText::of(endpoint), now.as_millis(), most];
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
               fence = ? WHERE merchant_id = ? AND event_id = ? \
               AND endpoint_id NOT IN (SELECT id FROM endpoints WHERE merchant_id = ?3 AND deleted)";
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
    pub(super) next: Option<(i64, String)>,
}

impl Replay {
    /// Schedules the events of `kind` behind `after`, oldest first.
    pub(super) fn step(
        &self,
        db: &Connection,
        kind: tongbao_core::webhook::EventType,
        after: &(i64, String),
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
        let sql = "SELECT created_at, id, store FROM events \
                   WHERE merchant_id = ?1 AND type = ?2 AND created_at < ?3 \
                   AND (created_at, id) > (?4, ?5) ORDER BY created_at, id LIMIT ?6";
        let key = params![
            IdText::of(self.merchant),
            kind.as_str(),
            self.to.as_millis(),
            after.0,
            after.1,
            REPLAYED_AT_ONCE
        ];
        let events = statement::all(db, sql, key, |row| {
            Ok((row.int()?, row.id::<EventId>()?, row.opt_text()?))
        })?;
        let next = events
            .last()
            .map(|(created_at, id, _)| (*created_at, id.to_string()));
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

    fn schedule(&self, db: &Connection, event: EventId, fence: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO deliveries \
                   (merchant_id, event_id, endpoint_id, state, due, tries, fence) \
                   VALUES (?, ?, ?, 'pending', ?, 0, ?) \
                   ON CONFLICT DO UPDATE SET state = 'pending', due = excluded.due, \
                   lease_until = NULL, tries = 0, fence = excluded.fence";
        let row = params![
            IdText::of(self.merchant),
            IdText::of(event),
            IdText::of(self.endpoint),
            self.now.as_millis(),
            fence
        ];
        statement::run(db, sql, row).map(|_| ())
    }
}

/// How an event fared, endpoint by endpoint.
pub(super) fn of_event(
    db: &Connection,
    merchant: MerchantId,
    event: EventId,
) -> Result<Vec<Delivery>, StoreError> {
    let sql = "SELECT endpoint_id, state, due FROM deliveries \
               WHERE merchant_id = ? AND event_id = ? ORDER BY endpoint_id";
    let (merchant, event) = (IdText::of(merchant), IdText::of(event));
    let mut deliveries = statement::all(db, sql, params![merchant, event], |row| {
        Ok(Delivery {
            endpoint: row.id()?,
            state: row.word(DeliveryState::parse)?,
            due: row.time()?,
            tries: Vec::new(),
        })
    })?;
    let sql = "SELECT at, request_headers, status, answer, took_millis FROM delivery_tries \
               WHERE merchant_id = ? AND event_id = ? AND endpoint_id = ? ORDER BY id";
    for delivery in &mut deliveries {
        let key = params![merchant, event, IdText::of(delivery.endpoint)];
        delivery.tries = statement::all(db, sql, key, |row| {
            Ok(DeliveryTry {
                at: row.time()?,
                request_headers: row.text()?,
                status: row.opt_number()?,
                answer: row.text()?,
                took_millis: row.int()?,
            })
        })?;
    }
    Ok(deliveries)
}
