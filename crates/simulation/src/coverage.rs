//! What the workload reaches: which reports meet an attempt in which state. A
//! bug that needs two conditions to meet is not found by a workload in which
//! they never do.

use std::collections::BTreeMap;

use tongbao_core::{AttemptState, Event, Outcome, Payment, Source};

use crate::model_store::Tables;

/// `attempt's state, outcome, how it came`.
pub type Meeting = (&'static str, &'static str, &'static str);

/// How often each happened.
pub type Meetings = BTreeMap<Meeting, u64>;

/// What must be met in a run of many seeds; each changes a row or is kept in a
/// timeline.
pub const EXPECTED: &[Meeting] = &[
    ("unknown", "accepted", "answer"),
    ("unknown", "refused", "answer"),
    ("unknown", "unknown", "answer"),
    ("unknown", "not_paid", "query"),
    ("unknown", "not_found", "query"),
    ("unknown", "closed", "query"),
    ("pending", "accepted", "answer"),
    ("pending", "unknown", "answer"),
    ("pending", "success", "query"),
    ("pending", "success", "notification"),
    ("pending", "closed", "query"),
    ("pending", "closed", "close"),
    ("pending", "unknown", "close"),
    ("closed", "not_paid", "query"),
    ("closed", "success", "query"),
    ("closed", "success", "notification"),
    ("closed", "unknown", "close"),
    ("succeeded", "success", "notification"),
    ("failed", "success", "query"),
    ("unknown", "success", "answer"),
    ("unknown", "user_paying", "answer"),
    ("unknown", "success", "query"),
    ("user_paying", "success", "query"),
    ("user_paying", "pay_error", "query"),
    ("user_paying", "revoked", "reverse"),
    ("user_paying", "revoked", "query"),
    ("user_paying", "unknown", "reverse"),
];

/// Adds what one world's timelines tell.
pub fn collect(tables: &Tables, meetings: &mut Meetings) {
    for (id, entries) in &tables.log {
        let Some(stored) = tables.payments.get(id) else {
            continue;
        };
        let Some(first) = entries.first() else {
            continue;
        };
        let mut payment = Payment::create(
            *id,
            stored.merchant,
            stored.order.clone(),
            stored.checkout_token.clone(),
            first.at,
            stored.expires_at,
        )
        .payment;
        for entry in entries.iter().skip(1) {
            let Some(event) = &entry.event else { continue };
            if let Event::Reported { report } = event
                && let Some(attempt) = payment.attempt(report.attempt)
            {
                let key = (
                    state(attempt.state),
                    outcome(&report.outcome),
                    source(report.source),
                );
                *meetings.entry(key).or_default() += 1;
            }
            match payment.clone().on(event.clone(), entry.at, entry.rules) {
                Ok(step) => payment = step.payment,
                // S6 says what is wrong.
                Err(_) => break,
            }
        }
    }
}

/// What should have been met and was not, but for what is spared.
pub fn missing(meetings: &Meetings, spared: &[Meeting]) -> Vec<String> {
    let missed = EXPECTED
        .iter()
        .filter(|expected| !meetings.contains_key(*expected) && !spared.contains(expected));
    missed
        .map(|(state, outcome, source)| format!("{outcome} by {source} of a {state} attempt"))
        .collect()
}

const fn state(state: AttemptState) -> &'static str {
    state.as_str()
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Success { .. } => "success",
        Outcome::NotPaid => "not_paid",
        Outcome::UserPaying => "user_paying",
        Outcome::Closed => "closed",
        Outcome::Revoked => "revoked",
        Outcome::PayError { .. } => "pay_error",
        Outcome::Refused { .. } => "refused",
        Outcome::NotFound => "not_found",
        Outcome::Unknown { .. } => "unknown",
    }
}

const fn source(source: Source) -> &'static str {
    match source {
        Source::Answer => "answer",
        Source::Query => "query",
        Source::Close => "close",
        Source::Reverse => "reverse",
        Source::Notification => "notification",
        Source::Bill => "bill",
        Source::Operator => "operator",
    }
}
