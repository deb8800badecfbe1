//! What mistakes make of a change.

use tongbao_core::job::JobKind;
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{
    AttemptState, CaseKind, CloseReason, Event, Failure, Money, Outcome, Payment, Source, State,
};
use tongbao_store::Change;

use super::Bug;

/// A month.
const MUCH_TOO_LATE: std::time::Duration = std::time::Duration::from_hours(720);

pub(super) fn tamper(bug: Bug, change: &mut Change, before: Option<&Payment>) {
    match bug {
        Bug::VersionSkips => {
            with_payment(change, |payment| {
                payment.version += i64::from(payment.version > 1);
            });
        }
        Bug::AttemptsNotWritten => {
            if let Some(change) = &mut change.payment
                && change.read_version.is_some_and(|version| version > 1)
            {
                change.attempts.clear();
            }
        }
        Bug::TimelineMissesReports if reported(change).is_some() => change.log.clear(),
        Bug::InboxNotWritten => change.inbox = None,
        Bug::PollingGivesUp if version(change) > 3 => drop_jobs(change, JobKind::Query),
        Bug::QueriesMuchTooLate => {
            for job in change
                .jobs
                .iter_mut()
                .filter(|job| job.key.kind == JobKind::Query)
            {
                job.due = job.due + MUCH_TOO_LATE;
            }
        }
        Bug::ExpiryForgotten => drop_jobs(change, JobKind::Expire),
        Bug::ClosesForgotten => drop_jobs(change, JobKind::Close),
        Bug::LateMoneyNotLookedFor => late_money_not_looked_for(change, before),
        Bug::CloseWithoutAsking => close_without_asking(change),
        Bug::SilenceTakenForFailure => silence_taken_for_failure(change),
        Bug::SilenceTakenForClosed => silence_taken_for_closed(change),
        Bug::NotFoundTakenForFailure => not_found_taken_for_failure(change, before),
        Bug::AcceptedTakenForPaid => accepted_taken_for_paid(change),
        Bug::StaleAnswerOverwritesPaid => {
            let stale = matches!(
                reported(change),
                Some((
                    _,
                    Outcome::Closed | Outcome::NotPaid | Outcome::Unknown { .. }
                ))
            );
            if stale && before.is_some_and(is_paid) {
                with_payment(change, |payment| payment.state = State::Pending);
            }
        }
        Bug::ClosedAttemptReopens => {
            with_payment(change, |payment| {
                for attempt in &mut payment.attempts {
                    let was = before.and_then(|before| before.attempt(attempt.id));
                    if was.is_some_and(|was| was.state == AttemptState::Closed) {
                        attempt.state = AttemptState::Pending;
                    }
                }
            });
            write_all_attempts(change);
        }
        Bug::LateMoneyAccepted => accept_instead_of_case(change, CaseKind::PaidAfterClose),
        Bug::AmountNotCompared => accept_instead_of_case(change, CaseKind::AmountMismatch),
        Bug::ReceivedOverwritten => received_overwritten(change),
        Bug::AmountChangesUnits if version(change) > 1 => with_payment(change, |payment| {
            payment.order.amount = Money::fen(payment.order.amount.minor() / 100);
        }),
        Bug::CaseNotOpened => change.cases.clear(),
        Bug::WebhookForgotten => change.events.clear(),
        Bug::WebhookUnderTwoIds => {
            let again: Vec<_> = change.events.iter().map(under_another_id).collect();
            change.events.extend(again);
        }
        Bug::WebhookTooEarly => webhook_too_early(change),
        Bug::ClosedToldAfterPaid => closed_told_after_paid(change),
        Bug::WebhookWithoutSequence => without_sequence(change),
        // Those of the database, the wire and the deliveries are made elsewhere.
        _ => {}
    }
}

fn version(change: &Change) -> i64 {
    change
        .payment
        .as_ref()
        .map_or(0, |change| change.payment.version)
}

fn is_paid(payment: &Payment) -> bool {
    matches!(payment.state, State::Paid { .. })
}

fn with_payment(change: &mut Change, edit: impl FnOnce(&mut Payment)) {
    if let Some(change) = &mut change.payment {
        edit(&mut change.payment);
    }
}

fn write_all_attempts(change: &mut Change) {
    if let Some(change) = &mut change.payment {
        change.attempts = change
            .payment
            .attempts
            .iter()
            .map(|attempt| attempt.id)
            .collect();
    }
}

fn drop_jobs(change: &mut Change, kind: JobKind) {
    change.jobs.retain(|job| job.key.kind != kind);
}

/// What a channel said, and how it came.
fn reported(change: &Change) -> Option<(tongbao_core::AttemptId, &Outcome)> {
    match change.log.last()?.event.as_ref()? {
        Event::Reported { report } => Some((report.attempt, &report.outcome)),
        Event::AttemptStarted { .. } | Event::CloseRequested | Event::Expired => None,
    }
}

fn late_money_not_looked_for(change: &mut Change, before: Option<&Payment>) {
    let after = change
        .payment
        .as_ref()
        .map(|change| &change.payment)
        .or(before);
    let Some(after) = after.cloned() else { return };
    change.jobs.retain(|job| {
        let attempt = job.key.attempt.and_then(|id| after.attempt(id));
        job.key.kind != JobKind::Query || attempt.is_none_or(|attempt| attempt.state.is_open())
    });
}

fn close_without_asking(change: &mut Change) {
    let at = change.log.last().map(|entry| entry.at);
    if let (Some(row), Some(at)) = (&mut change.payment, at)
        && matches!(row.payment.state, State::Closing { .. })
    {
        row.payment.state = State::Closed {
            reason: CloseReason::Requested,
            at,
        };
        for attempt in &mut row.payment.attempts {
            if attempt.state.is_open() {
                attempt.state = AttemptState::Closed;
                attempt.ended_at = Some(at);
            }
        }
        change.jobs.clear();
        write_all_attempts(change);
    }
}

fn end_attempt(change: &mut Change, id: tongbao_core::AttemptId, state: AttemptState) {
    let at = change.log.last().map(|entry| entry.at);
    with_payment(change, |payment| {
        for attempt in payment
            .attempts
            .iter_mut()
            .filter(|attempt| attempt.id == id)
        {
            attempt.state = state;
            attempt.ended_at = at;
            attempt.failure = Some(Failure {
                code: "planted".to_owned(),
                detail: String::new(),
                platform_code: None,
            });
        }
    });
    change.jobs.retain(|job| job.key.attempt != Some(id));
    write_all_attempts(change);
}

fn silence_taken_for_failure(change: &mut Change) {
    if let Some((id, Outcome::Unknown { .. })) = reported(change) {
        end_attempt(change, id, AttemptState::Failed);
    }
}

fn silence_taken_for_closed(change: &mut Change) {
    let Some(Event::Reported { report }) = change.log.last().and_then(|log| log.event.as_ref())
    else {
        return;
    };
    if report.source == Source::Close && matches!(report.outcome, Outcome::Unknown { .. }) {
        end_attempt(change, report.attempt, AttemptState::Closed);
    }
}

fn not_found_taken_for_failure(change: &mut Change, before: Option<&Payment>) {
    // The report of "not found" changes no row; it shows in what is asked next.
    let starts: Vec<_> = change
        .jobs
        .iter()
        .filter(|job| job.key.kind == JobKind::Start)
        .map(|job| job.key)
        .collect();
    if change
        .finish
        .is_some_and(|job| job.key.kind == JobKind::Query)
        && let (Some(before), [key]) = (before, &starts[..])
        && let Some(attempt) = key.attempt
    {
        let mut payment = before.clone();
        payment.version += 1;
        change.payment = Some(tongbao_store::PaymentChange {
            read_version: Some(before.version),
            payment,
            attempts: Vec::new(),
        });
        end_attempt(change, attempt, AttemptState::Failed);
    }
}

fn accepted_taken_for_paid(change: &mut Change) {
    let at = change.log.last().map(|entry| entry.at);
    if let (Some((attempt, Outcome::Accepted { .. })), Some(at)) = (reported(change), at) {
        with_payment(change, |payment| {
            payment.state = State::Paid { attempt, at }
        });
    }
}

fn accept_instead_of_case(change: &mut Change, kind: CaseKind) {
    let at = change.log.last().map(|entry| entry.at);
    let opened = change
        .cases
        .iter()
        .position(|opened| opened.case.kind == kind);
    if let (Some(place), Some(at)) = (opened, at) {
        let case = change.cases.remove(place).case;
        if let Some(attempt) = case.attempt {
            with_payment(change, |payment| {
                payment.state = State::Paid { attempt, at };
                for row in payment.attempts.iter_mut().filter(|row| row.id == attempt) {
                    row.state = AttemptState::Succeeded;
                    row.received = Some(case.receipt.amount);
                }
            });
            write_all_attempts(change);
        }
    }
}

fn received_overwritten(change: &mut Change) {
    let Some((id, Outcome::Success { receipt })) = reported(change) else {
        return;
    };
    let receipt = receipt.clone();
    with_payment(change, |payment| {
        for attempt in payment
            .attempts
            .iter_mut()
            .filter(|attempt| attempt.id == id)
        {
            attempt.received = Some(receipt.amount);
            attempt.transaction_id = Some(receipt.transaction_id.clone());
        }
    });
    write_all_attempts(change);
}

fn under_another_id(event: &WebhookEvent) -> WebhookEvent {
    use tongbao_core::id::Id;
    WebhookEvent {
        id: Id::from_bits(event.id.bits().wrapping_add(1)),
        ..event.clone()
    }
}

fn told(change: &Change, kind: EventType, sequence: i64) -> Option<WebhookEvent> {
    use tongbao_core::id::Id;
    let row = change.payment.as_ref()?;
    let at = change.log.last()?.at;
    let body = serde_json::json!({
        "type": kind.as_str(),
        "sequence": sequence,
        "data": { "id": row.payment.id },
    });
    Some(WebhookEvent {
        id: Id::from_bits(
            row.payment
                .id
                .bits()
                .wrapping_add(u128::from(sequence.unsigned_abs())),
        ),
        merchant: row.payment.merchant,
        payment: Some(row.payment.id),
        store: None,
        kind,
        sequence,
        body: body.to_string(),
        created_at: at,
    })
}

fn webhook_too_early(change: &mut Change) {
    if matches!(reported(change), Some((_, Outcome::Accepted { .. })))
        && let Some(event) = told(change, EventType::PaymentPaid, version(change))
    {
        change.events.push(event);
    }
}

fn closed_told_after_paid(change: &mut Change) {
    if change
        .events
        .iter()
        .any(|event| event.kind == EventType::PaymentPaid)
        && let Some(event) = told(change, EventType::PaymentClosed, version(change) + 1)
    {
        change.events.push(event);
    }
}

fn without_sequence(change: &mut Change) {
    for event in &mut change.events {
        let Ok(mut body) = serde_json::from_str::<serde_json::Value>(&event.body) else {
            continue;
        };
        body["sequence"] = 0.into();
        event.body = body.to_string();
        event.sequence = 0;
    }
}
