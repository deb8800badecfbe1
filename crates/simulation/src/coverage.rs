//! What the workload reaches: which reports meet an attempt in which state, and
//! what meets cases, sub-merchants' money and keys that are being changed. A bug
//! that needs two conditions to meet is not found by a workload in which they
//! never do.

use std::collections::BTreeMap;

use tongbao_core::{Attempt, AttemptId, AttemptState, Event, Outcome, Payment, Source};
use tongbao_store::Change;

use crate::model_store::Tables;

/// What stood how, what it met, and how that came: `attempt's state, outcome, source`.
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
    ("case's refund", "succeeded", "query"),
    ("case's refund", "closed", "query"),
    ("case's refund", "abnormal", "query"),
    ("case", "refund_failed", "waits"),
    ("case", "refund_abnormal", "waits"),
    ("case", "off", "waits"),
    ("case", "case_limit", "waits"),
    ("case", "day_limit", "waits"),
    ("case", "sent back", "by itself"),
    ("case", "refund", "person"),
    ("case", "accept", "person"),
    ("case", "dismiss", "person"),
    PERSON_AND_JOB,
    ("late look", "opens a case", "query"),
    ("late look", "at a case", "query"),
    ("sub-merchant's refund", "succeeded", "query"),
    ("sub-merchant's refund", "closed", "query"),
    ("sub-merchant's refund", "abnormal", "query"),
    OLD_KEY_TAKEN,
    OLD_KEY_REFUSED,
];

/// A person and a job decide about a case at the same instant, and one of them
/// has to look again.
pub const PERSON_AND_JOB: Meeting = ("case", "person and job", "at once");

/// A message written with the old key arrives when the new one is known here.
pub const OLD_KEY_TAKEN: Meeting = ("old key", "taken", "notification");

/// One arrives when the old key has ended.
pub const OLD_KEY_REFUSED: Meeting = ("old key", "refused", "notification");

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
                Ok(step) => {
                    let of_a_sub = |attempt: AttemptId| {
                        let attempt = stored.attempt(attempt);
                        attempt.is_some_and(|attempt| tables.is_of_a_sub_merchant(attempt.channel))
                    };
                    befallen(&payment, &step.payment, event, &of_a_sub, &mut |meeting| {
                        *meetings.entry(meeting).or_default() += 1;
                    });
                    payment = step.payment;
                }
                // S6 says what is wrong.
                Err(_) => break,
            }
        }
    }
}

/// What befell the payment's cases and refunds.
fn befallen(
    before: &Payment,
    after: &Payment,
    event: &Event,
    of_a_sub: &dyn Fn(AttemptId) -> bool,
    meet: &mut dyn FnMut(Meeting),
) {
    for refund in &after.refunds {
        let was = before.refund(refund.id);
        let how = match event {
            Event::RefundReported { report } => source(report.source),
            _ => "decision",
        };
        if was.is_none() && refund.automatic {
            meet(("case", "sent back", "by itself"));
        }
        if was.is_none_or(|was| was.state == refund.state) {
            continue;
        }
        if refund.case.is_some() {
            meet(("case's refund", refund.state.as_str(), how));
        }
        if of_a_sub(refund.attempt) {
            meet(("sub-merchant's refund", refund.state.as_str(), how));
        }
    }
    for attempt in &after.attempts {
        let was = before.attempt(attempt.id);
        let was = was.map_or(&[][..], |was| &was.raised);
        for raised in &attempt.raised {
            let mut was = was.iter();
            let was = was.find(|was| was.is_of(&raised.transaction_id, raised.amount));
            if let Some(need) = raised.need
                && was.is_none_or(|was| was.need != Some(need))
            {
                meet(("case", need.as_str(), "waits"));
            }
        }
    }
    match event {
        Event::CaseDecided { decision, .. } => meet(("case", decision.action.as_str(), "person")),
        Event::Reported { report } if report.source == Source::Query => {
            let late = |attempt: &&Attempt| attempt.ended_at.is_some();
            let was = before.attempt(report.attempt).filter(late);
            let is = after.attempt(report.attempt);
            if let (Some(was), Some(is)) = (was, is) {
                if is.raised.len() > was.raised.len() {
                    meet(("late look", "opens a case", "query"));
                } else if !was.raised.is_empty() {
                    meet(("late look", "at a case", "query"));
                }
            }
        }
        _ => {}
    }
}

/// Whether the change lost against one that was made at the same time, where one of
/// them is a person's decision about a case and the other a job's.
pub(crate) fn is_overtaken(tables: &Tables, change: &Change) -> Option<Meeting> {
    let row = change.payment.as_ref()?;
    let ours = change.log.last()?.event.as_ref()?;
    let by_person = |event: &Event| matches!(event, Event::CaseDecided { .. });
    let by_job = |event: &Event| matches!(event, Event::CaseDue { .. } | Event::CaseStopped { .. });
    let entries = tables.log.get(&row.payment.id)?.iter().rev();
    let mut newer = entries
        .take_while(|entry| Some(entry.version) > row.read_version)
        .filter_map(|entry| entry.event.as_ref());
    let met = newer
        .any(|theirs| (by_person(ours) && by_job(theirs)) || (by_job(ours) && by_person(theirs)));
    met.then_some(PERSON_AND_JOB)
}

/// What should have been met and was not, but for what is spared.
pub fn missing(meetings: &Meetings, spared: &[Meeting]) -> Vec<String> {
    let missed = EXPECTED
        .iter()
        .filter(|expected| !meetings.contains_key(*expected) && !spared.contains(expected));
    missed
        .map(|(what, met, how)| format!("{what} × {met} ({how})"))
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
