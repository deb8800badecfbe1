//! What mistakes make of a change.

use tongbao_core::case::Remedy;
use tongbao_core::inbox::Verdict;
use tongbao_core::job::{JobKey, JobKind, NewJob, Subject};
use tongbao_core::refund::RefundReport;
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{
    AttemptState, Case, CaseKind, CaseState, CloseReason, Effect, Event, Failure, Money, Outcome,
    Payment, RefundId, RefundOutcome, RefundState, Source, State,
};
use tongbao_store::{Change, OpenedCase, PaymentChange};

mod cases;
mod till;

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
        Bug::LoginCodeMakesTwo => login_code_makes_two(change),
        Bug::PayerNotWritten => payer_not_written(change),
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
        Bug::ClosedTooYoung => closed_too_young(change),
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
        Bug::SilenceWrittenAsRefusal => silence_written_as_refusal(change, before),
        Bug::LateLooksEndEarly => late_looks_end_early(change, before),
        Bug::ForgeryWrittenAsGenuine => {
            if let Some(message) = &mut change.inbox
                && message.verdict == Verdict::Refused
            {
                message.verdict = Verdict::Applied;
            }
        }
        Bug::KeyInTheLog => tracing::warn!(key = crate::world::SECOND_KEY, "a commit"),
        Bug::CaseForAcceptedMoney => case_for_accepted_money(change),
        Bug::CodeSilenceTakenForFailure => {
            till::ends_on(change, Source::Answer, false, AttemptState::Failed);
        }
        Bug::ReverseGivenUp => till::ends_on(change, Source::Reverse, false, AttemptState::Closed),
        Bug::ReverseTakenForDone => {
            till::ends_on(change, Source::Reverse, true, AttemptState::Reversed);
        }
        Bug::UserPayingTakenForPaid => till::user_paying_taken_for_paid(change),
        Bug::ReverseWithoutQuery => till::reverse_without_query(change),
        Bug::TillNotHurried => till::not_hurried(change),
        Bug::ReversedMoneyTakenForPaid => till::reversed_money_taken_for_paid(change),
        Bug::TillForgotten => till::forgotten(change),
        _ => tamper_refunds(bug, change, before),
    }
}

fn tamper_refunds(bug: Bug, change: &mut Change, before: Option<&Payment>) {
    match bug {
        Bug::TakenForRefunded => refund_becomes(change, RefundState::Succeeded, |report| {
            matches!(report.outcome, RefundOutcome::Processing { .. })
        }),
        Bug::RefundMessageBelieved => refund_becomes(change, RefundState::Succeeded, |report| {
            report.source == Source::Notification
        }),
        Bug::UnknownRefundNotCounted => refund_becomes(change, RefundState::Closed, |report| {
            matches!(report.outcome, RefundOutcome::Unknown { .. })
        }),
        Bug::RefundNotFoundTakenForClosed => refund_not_found_taken_for_closed(change, before),
        Bug::RefundsNotAskedAbout => drop_jobs(change, JobKind::RefundQuery),
        // Those of the database, the wire and the deliveries are made elsewhere.
        _ => cases::tamper(bug, change, before),
    }
}

/// The refund that the change reports about ends so, where it should not.
fn refund_becomes(
    change: &mut Change,
    state: RefundState,
    when: impl FnOnce(&RefundReport) -> bool,
) {
    let event = change.log.last().and_then(|log| log.event.as_ref());
    let Some(Event::RefundReported { report }) = event else {
        return;
    };
    let id = report.refund;
    if when(report) {
        end_refund(change, id, state);
    }
}

fn end_refund(change: &mut Change, id: RefundId, state: RefundState) {
    with_payment(change, |payment| {
        for refund in payment.refunds.iter_mut().filter(|refund| refund.id == id) {
            refund.state = state;
        }
    });
    change.jobs.retain(|job| job.key.refund() != Some(id));
    if let Some(change) = &mut change.payment {
        change.refunds = vec![id];
    }
}

/// "Not found" changes no row; it shows in what is asked next.
fn refund_not_found_taken_for_closed(change: &mut Change, before: Option<&Payment>) {
    let mut starts = change
        .jobs
        .iter()
        .filter(|job| job.key.kind == JobKind::Refund);
    let asked = change
        .finish
        .is_some_and(|job| job.key.kind == JobKind::RefundQuery);
    let id = starts.next().and_then(|job| job.key.refund());
    if let (true, Some(before), Some(id)) = (asked, before, id) {
        let mut payment = before.clone();
        payment.version += 1;
        change.payment = Some(PaymentChange {
            read_version: Some(before.version),
            payment,
            attempts: Vec::new(),
            refunds: Vec::new(),
        });
        end_refund(change, id, RefundState::Closed);
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

/// The second attempt has a number of its own, as if the code had come again.
fn login_code_makes_two(change: &mut Change) {
    let of_a_login = matches!(
        change.log.last().and_then(|entry| entry.event.as_ref()),
        Some(Event::AttemptStarted { attempt })
            if attempt.code_digest.is_some() && attempt.payer.is_some()
    );
    if !of_a_login {
        return;
    }
    with_payment(change, |payment| {
        if let Some(mut twin) = payment.attempts.last().cloned() {
            use tongbao_core::id::Id;
            twin.id = tongbao_core::AttemptId::from_bits(twin.id.bits() ^ 1);
            twin.out_trade_no.push('2');
            payment.attempts.push(twin);
        }
    });
    write_all_attempts(change);
}

fn payer_not_written(change: &mut Change) {
    with_payment(change, |payment| {
        for attempt in &mut payment.attempts {
            attempt.payer = None;
        }
    });
    write_all_attempts(change);
}

fn drop_jobs(change: &mut Change, kind: JobKind) {
    change.jobs.retain(|job| job.key.kind != kind);
}

/// What a channel said, and how it came.
fn reported(change: &Change) -> Option<(tongbao_core::AttemptId, &Outcome)> {
    match change.log.last()?.event.as_ref()? {
        Event::Reported { report } => Some((report.attempt, &report.outcome)),
        Event::AttemptStarted { .. }
        | Event::RefundRequested { .. }
        | Event::RefundReported { .. }
        | Event::CaseDue { .. }
        | Event::CaseStopped { .. }
        | Event::CaseDecided { .. }
        | Event::CloseRequested
        | Event::Expired => None,
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
        let attempt = job.key.attempt().and_then(|id| after.attempt(id));
        job.key.kind != JobKind::Query || attempt.is_none_or(|attempt| attempt.state.is_open())
    });
}

/// What is to be asked about is closed.
fn closed_too_young(change: &mut Change) {
    let Some(row) = &change.payment else { return };
    if !matches!(row.payment.state, State::Closing { .. }) {
        return;
    }
    for job in &mut change.jobs {
        let attempt = job.key.attempt().and_then(|id| row.payment.attempt(id));
        let closes = attempt.is_some_and(|attempt| !attempt.is_reversed_not_closed());
        if job.key.kind == JobKind::Query && closes {
            job.key.kind = JobKind::Close;
        }
    }
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
    change.jobs.retain(|job| job.key.attempt() != Some(id));
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
        && let Some(attempt) = key.attempt()
    {
        let mut payment = before.clone();
        payment.version += 1;
        change.payment = Some(PaymentChange {
            read_version: Some(before.version),
            payment,
            attempts: Vec::new(),
            refunds: Vec::new(),
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

/// What is written hangs together: only the platform knows that it refused
/// nothing.
fn silence_written_as_refusal(change: &mut Change, before: Option<&Payment>) {
    let (Some(before), [line]) = (before, &mut change.log[..]) else {
        return;
    };
    let Some(Event::Reported { report }) = &mut line.event else {
        return;
    };
    if report.source != Source::Answer || !matches!(report.outcome, Outcome::Unknown { .. }) {
        return;
    }
    report.outcome = Outcome::Refused {
        failure: Failure {
            code: "channel_refused".to_owned(),
            detail: String::new(),
            platform_code: None,
        },
    };
    let event = Event::Reported {
        report: report.clone(),
    };
    let Ok(step) = before.clone().on(event, line.at, line.rules) else {
        return;
    };
    line.version = step.payment.version;
    step.payment.public_state().clone_into(&mut line.state);
    let at = line.at;
    let asked = |effect: &Effect| match effect {
        Effect::Query { attempt, after } => Some((JobKind::Query, *attempt, at + *after)),
        Effect::Start { attempt, after } => Some((JobKind::Start, *attempt, at + *after)),
        Effect::Close { attempt } => Some((JobKind::Close, *attempt, at)),
        Effect::Reverse { attempt, after } => Some((JobKind::Reverse, *attempt, at + *after)),
        Effect::Expire
        | Effect::Tell(_)
        | Effect::OpenCase { .. }
        | Effect::StartRefund { .. }
        | Effect::QueryRefund { .. }
        | Effect::MoveCase { .. }
        | Effect::SeeToCases { .. }
        | Effect::TellRefund { .. } => None,
    };
    let asked = step.effects.iter().filter_map(asked);
    change.jobs = asked
        .map(|(kind, attempt, due)| NewJob {
            key: JobKey {
                kind,
                payment: before.id,
                subject: Subject::Attempt(attempt),
            },
            merchant: before.merchant,
            due,
            lease_until: None,
        })
        .collect();
    change.payment = Some(PaymentChange {
        read_version: Some(before.version),
        payment: step.payment,
        attempts: Vec::new(),
        refunds: Vec::new(),
    });
    write_all_attempts(change);
}

/// So long after its end an attempt is still asked about, by mistake.
const TOO_SHORT: std::time::Duration = std::time::Duration::from_hours(4);

fn late_looks_end_early(change: &mut Change, before: Option<&Payment>) {
    let Some(before) = before else { return };
    change.jobs.retain(|job| {
        let attempt = job.key.attempt().and_then(|id| before.attempt(id));
        let ended = attempt.and_then(|attempt| attempt.ended_at);
        job.key.kind != JobKind::Query || ended.is_none_or(|at| job.due <= at + TOO_SHORT)
    });
}

fn case_for_accepted_money(change: &mut Change) {
    use tongbao_core::id::Id;
    let sequence = version(change);
    let (Some(line), Some(row)) = (change.log.last(), &change.payment) else {
        return;
    };
    let paid = change
        .events
        .iter()
        .any(|event| event.kind == EventType::PaymentPaid);
    let Some(Event::Reported { report }) = &line.event else {
        return;
    };
    let Outcome::Success { receipt } = &report.outcome else {
        return;
    };
    let (at, payment) = (line.at, &row.payment);
    let (Some(attempt), true) = (payment.attempt(report.attempt), paid) else {
        return;
    };
    let case = Case {
        id: Id::from_bits(attempt.id.bits()),
        merchant: payment.merchant,
        channel: attempt.channel,
        kind: CaseKind::PaidTwice,
        state: CaseState::Open,
        remedy: Remedy::Review,
        payment: Some(payment.id),
        attempt: Some(attempt.id),
        out_trade_no: attempt.out_trade_no.clone(),
        receipt: receipt.clone(),
        source: report.source,
        opened_at: at,
        need: None,
        refund: None,
        resolution: None,
        resolved_at: None,
        decision: None,
    };
    if let Some(mut event) = told(change, EventType::CaseOpened, sequence) {
        event.id = Id::from_bits(event.id.bits().wrapping_add(1 << 64));
        let told = serde_json::json!({
            "type": event.kind.as_str(),
            "sequence": sequence,
            "data": { "payment": case.payment },
        });
        event.body = told.to_string();
        change.cases.push(OpenedCase { case, event });
    }
}
