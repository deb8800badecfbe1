//! A decision and everything that must follow from it.
//!
//! Texts and JSON are written on the caller's side, before the command is
//! queued: the writer's time is everybody's.

use rusqlite::Connection;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::Endpoint;
use tongbao_core::{Job, Timestamp};

use super::cases::{CaseRow, MovedRow};
use super::events::EventRow;
use super::heads::Heads;
use super::idempotency::IdempotencyRow;
use super::inbox::InboxMessage;
use super::jobs::{self, Asked, JobText};
use super::payments::PaymentRow;
use super::timeline::LogRow;
use super::{channels, endpoints, refunds, shops};
use crate::{Change, DayLimit, StoreError};

pub(super) struct Commit {
    idempotency: Option<IdempotencyRow>,
    payment: Option<PaymentRow>,
    log: Vec<LogRow>,
    finish: Option<JobText>,
    jobs: Vec<Asked>,
    events: Vec<EventRow>,
    cases: Vec<(CaseRow, EventRow)>,
    moved: Vec<(MovedRow, Option<EventRow>)>,
    limit: Option<DayLimit>,
    inbox: Option<InboxMessage>,
    channel: Option<Box<ChannelAccount>>,
    endpoint: Option<Box<Endpoint>>,
    shop: Option<Box<Shop>>,
    till: Option<Box<Till>>,
}

impl Commit {
    pub(super) fn new(change: Change) -> Self {
        let now: Option<Timestamp> = change.log.last().map(|entry| entry.at);
        Self {
            idempotency: change.idempotency.map(IdempotencyRow::new),
            payment: change.payment.map(PaymentRow::new),
            log: change.log.into_iter().map(LogRow::new).collect(),
            finish: change.finish.map(JobText::new),
            jobs: change
                .jobs
                .into_iter()
                .map(|job| Asked::new(job, now))
                .collect(),
            events: change.events.into_iter().map(EventRow::new).collect(),
            cases: change
                .cases
                .into_iter()
                .map(|opened| (CaseRow::new(opened.case), EventRow::new(opened.event)))
                .collect(),
            moved: change
                .moved
                .into_iter()
                .map(|moved| {
                    let event = moved.event.map(EventRow::new);
                    (MovedRow::new(moved.read_state, moved.case), event)
                })
                .collect(),
            limit: change.limit,
            inbox: change.inbox.map(InboxMessage::new),
            channel: change.channel,
            endpoint: change.endpoint,
            shop: change.shop,
            till: change.till,
        }
    }

    /// What can refuse comes first, so that a refusal seldom has anything to
    /// take back.
    pub(super) fn run(&self, db: &Connection) -> Result<Vec<Job>, StoreError> {
        let mut heads = Heads::default();
        if let Some(record) = &self.idempotency {
            record.insert(db)?;
        }
        if let Some(account) = &self.channel {
            channels::save(db, account)?;
        }
        if let Some(endpoint) = &self.endpoint {
            endpoints::save(db, endpoint)?;
        }
        if let Some(shop) = &self.shop {
            shops::insert(db, shop)?;
        }
        if let Some(till) = &self.till {
            shops::save_till(db, till)?;
        }
        if let Some(payment) = &self.payment {
            payment.begin(db, &mut heads)?;
        }
        if let Some(limit) = &self.limit {
            refunds::keep_limit(db, limit)?;
        }
        if let Some(job) = &self.finish {
            job.finish(db, &mut heads)?;
        }
        for entry in &self.log {
            entry.insert(db, &mut heads)?;
        }
        let claimed = jobs::ask(db, &self.jobs, &mut heads)?;
        for event in &self.events {
            event.insert(db, &mut heads)?;
        }
        if let Some(message) = &self.inbox {
            message.receive(db, &mut heads)?;
        }
        if let Some(payment) = &self.payment {
            payment.end(db, &mut heads)?;
        }
        // After the attempts and the refunds that they are about.
        for (case, event) in &self.moved {
            case.update(db)?;
            if let Some(event) = event {
                event.insert(db, &mut heads)?;
            }
        }
        for (case, event) in &self.cases {
            if case.insert(db, &mut heads)? {
                event.insert(db, &mut heads)?;
            }
        }
        heads.write(db)?;
        Ok(claimed)
    }
}
