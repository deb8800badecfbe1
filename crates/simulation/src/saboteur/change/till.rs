//! Mistakes about a payer at a till.

use std::time::Duration;

use tongbao_core::job::JobKind;
use tongbao_core::{
    Attempt, AttemptId, AttemptState, Event, Outcome, Report, Reversal, Source, State, Timestamp,
};
use tongbao_store::Change;

use super::{end_attempt, with_payment, write_all_attempts};

/// What was said of an attempt at a till, and when.
fn said(change: &Change) -> Option<(Report, Timestamp)> {
    let entry = change.log.last()?;
    let Some(Event::Reported { report }) = &entry.event else {
        return None;
    };
    let payment = &change.payment.as_ref()?.payment;
    let attempt = payment.attempt(report.attempt)?;
    attempt
        .is_reversed_not_closed()
        .then(|| ((**report).clone(), entry.at))
}

fn with_attempt(change: &mut Change, id: AttemptId, edit: impl Fn(&mut Attempt)) {
    with_payment(change, |payment| {
        let mut attempts = payment.attempts.iter_mut();
        if let Some(attempt) = attempts.find(|attempt| attempt.id == id) {
            edit(attempt);
        }
    });
    write_all_attempts(change);
}

/// An answer that says nothing, or one that only promises, is an end.
pub(super) fn ends_on(change: &mut Change, source: Source, promise: bool, state: AttemptState) {
    let Some((report, _)) = said(change) else {
        return;
    };
    let struck = match report.outcome {
        Outcome::Unknown { .. } => !promise,
        Outcome::Revoked => promise,
        _ => false,
    };
    if struck && report.source == source {
        end_attempt(change, report.attempt, state);
    }
}

pub(super) fn user_paying_taken_for_paid(change: &mut Change) {
    let Some((report, at)) = said(change) else {
        return;
    };
    if matches!(report.outcome, Outcome::UserPaying) {
        accept(change, report.attempt, at);
    }
}

pub(super) fn reversed_money_taken_for_paid(change: &mut Change) {
    let Some((report, at)) = said(change) else {
        return;
    };
    let open = change
        .payment
        .as_ref()
        .is_some_and(|row| !row.payment.is_final());
    if open && matches!(report.outcome, Outcome::Success { .. }) {
        accept(change, report.attempt, at);
        change.cases.clear();
    }
}

fn accept(change: &mut Change, id: AttemptId, at: Timestamp) {
    with_payment(change, |payment| {
        payment.state = State::Paid { attempt: id, at };
        let amount = payment.order.amount;
        let mut attempts = payment.attempts.iter_mut();
        if let Some(attempt) = attempts.find(|attempt| attempt.id == id) {
            attempt.state = AttemptState::Succeeded;
            attempt.received = Some(amount);
            attempt.ended_at = Some(at);
        }
    });
    write_all_attempts(change);
}

/// The answer to the code leads to a reverse, not to a question.
pub(super) fn reverse_without_query(change: &mut Change) {
    let Some((report, at)) = said(change) else {
        return;
    };
    let waits = matches!(
        report.outcome,
        Outcome::UserPaying | Outcome::Unknown { .. }
    );
    if report.source != Source::Answer || !waits {
        return;
    }
    with_attempt(change, report.attempt, |attempt| {
        attempt.reversal = Some(Reversal {
            since: at,
            asked_at: at,
            accepted_at: None,
            refused: false,
        });
    });
    for job in &mut change.jobs {
        if job.key.kind == JobKind::Query {
            job.key.kind = JobKind::Reverse;
            job.due = at;
        }
    }
}

/// A later look is as good as one now.
const LATER: Duration = Duration::from_secs(30);

pub(super) fn not_hurried(change: &mut Change) {
    let Some((_, at)) = said(change) else {
        return;
    };
    for job in &mut change.jobs {
        if job.key.kind == JobKind::Query {
            job.due = job.due.max(at + LATER);
        }
    }
}

/// Neither in the row nor in the timeline.
pub(super) fn forgotten(change: &mut Change) {
    with_payment(change, |payment| {
        for attempt in &mut payment.attempts {
            attempt.till = None;
        }
    });
    for line in &mut change.log {
        if let Some(Event::AttemptStarted { attempt }) = &mut line.event {
            attempt.till = None;
        }
    }
}
