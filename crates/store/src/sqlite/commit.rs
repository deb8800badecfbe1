//! A decision and everything that must follow from it.
//!
//! Texts and JSON are written on the caller's side, before the command is
//! queued: the writer's time is everybody's.

use rusqlite::Connection;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::webhook::Endpoint;
use tongbao_core::{EventId, Job, NotificationId, Timestamp};

use super::cases::CaseRow;
use super::events::EventRow;
use super::idempotency::IdempotencyRow;
use super::inbox::InboxMessage;
use super::jobs::{self, Asked, JobText};
use super::payments::PaymentRow;
use super::timeline::LogRow;
use super::{channels, endpoints};
use crate::{Change, StoreError};

pub(super) struct Commit {
    idempotency: Option<IdempotencyRow>,
    payment: Option<PaymentRow>,
    log: Vec<LogRow>,
    finish: Option<JobText>,
    jobs: Vec<Asked>,
    events: Vec<EventRow>,
    cases: Vec<(CaseRow, EventRow)>,
    inbox: Option<InboxMessage>,
    channel: Option<Box<ChannelAccount>>,
    endpoint: Option<Box<Endpoint>>,
}

impl Commit {
    pub(super) fn new(change: Change) -> Self {
        let now: Option<Timestamp> = change.log.last().map(|entry| entry.at);
        let (event, message) = linked(&change);
        Self {
            idempotency: change.idempotency.map(IdempotencyRow::new),
            payment: change.payment.map(PaymentRow::new),
            log: LogRow::all(&change.log, event, message),
            finish: change.finish.map(JobText::new),
            jobs: change
                .jobs
                .into_iter()
                .map(|job| Asked::new(job, now))
                .collect(),
            events: change
                .events
                .into_iter()
                .map(|told| EventRow::new(event == Some(told.id), told))
                .collect(),
            cases: change
                .cases
                .into_iter()
                .map(|opened| {
                    (
                        CaseRow::new(opened.case),
                        EventRow::new(false, opened.event),
                    )
                })
                .collect(),
            inbox: change
                .inbox
                .map(|entry| InboxMessage::new(message.is_some(), entry)),
            channel: change.channel,
            endpoint: change.endpoint,
        }
    }

    /// What can refuse comes first, so that a refusal seldom has anything to
    /// take back.
    pub(super) fn run(&self, db: &Connection) -> Result<Vec<Job>, StoreError> {
        if let Some(record) = &self.idempotency {
            record.insert(db)?;
        }
        if let Some(account) = &self.channel {
            channels::save(db, account)?;
        }
        if let Some(endpoint) = &self.endpoint {
            endpoints::save(db, endpoint)?;
        }
        if let Some(payment) = &self.payment {
            payment.write(db)?;
        }
        if let Some(job) = &self.finish {
            job.finish(db)?;
        }
        for entry in &self.log {
            entry.insert(db)?;
        }
        let claimed = jobs::ask(db, &self.jobs)?;
        for event in &self.events {
            event.insert(db)?;
        }
        for (case, event) in &self.cases {
            if case.insert(db)? {
                event.insert(db)?;
            }
        }
        if let Some(message) = &self.inbox {
            message.receive(db)?;
        }
        Ok(claimed)
    }
}

/// What the timeline's last line leads to: one event that it told, and the
/// message that it came from. The line is written anyway, where an index of
/// events by payment would be one more page for every payment.
fn linked(change: &Change) -> (Option<EventId>, Option<NotificationId>) {
    let Some(line) = change.log.last() else {
        return (None, None);
    };
    let of_line = |merchant, payment| merchant == line.merchant && payment == Some(line.payment);
    let mut events = change.events.iter();
    let event = events.find(|event| of_line(event.merchant, event.payment));
    let message = change.inbox.as_ref();
    let message = message.filter(|entry| of_line(entry.merchant, entry.payment));
    (event.map(|event| event.id), message.map(|entry| entry.id))
}
