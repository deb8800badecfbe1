//! Mistakes about money that should not be there.

use tongbao_core::case::Raised;
use tongbao_core::id::Id;
use tongbao_core::job::{JobKey, JobKind, Subject};
use tongbao_core::{CaseState, Payment, RefundId, Resolution, State};
use tongbao_store::Change;

use super::{drop_jobs, with_payment, write_all_attempts};
use crate::saboteur::Bug;

pub(super) fn tamper(bug: Bug, change: &mut Change, before: Option<&Payment>) {
    match bug {
        Bug::CasesNotSeenTo => drop_jobs(change, JobKind::Case),
        Bug::CaseRefundedTwice => refunded_twice(change, before),
        Bug::CaseRefundedOutOfThePaidAttempt => out_of_the_paid_attempt(change, before),
        Bug::LateMoneyAcceptedAndRefunded => accepted_as_well(change, before),
        Bug::CaseResolvedBeforeItsRefund => resolved_early(change, before),
        Bug::DeniedClaimStaysOpen => denied_claim_stays_open(change),
        _ => {}
    }
}

/// The refund of a case's money that this change begins.
fn begun(change: &Change, before: Option<&Payment>) -> Option<RefundId> {
    let after = &change.payment.as_ref()?.payment;
    let fresh = after.refunds.iter().find(|refund| {
        let known = before.is_some_and(|before| before.refund(refund.id).is_some());
        refund.case.is_some() && !known
    });
    fresh.map(|refund| refund.id)
}

/// The timer's, and a person's.
fn refunded_twice(change: &mut Change, before: Option<&Payment>) {
    let Some(id) = begun(change, before) else {
        return;
    };
    let second = RefundId::from_bits(id.bits() ^ 1);
    with_payment(change, |payment| {
        let twin = payment.refund(id).cloned();
        payment.refunds.extend(twin.map(|mut twin| {
            twin.id = second;
            twin.out_refund_no.push('2');
            twin
        }));
    });
    if let Some(change) = &mut change.payment {
        change.refunds.push(second);
    }
    let again = change.jobs.iter().find(|job| job.key.refund() == Some(id));
    let again = again.map(|job| {
        let mut job = *job;
        job.key = JobKey {
            subject: Subject::Refund(second),
            ..job.key
        };
        job.lease_until = None;
        job
    });
    change.jobs.extend(again);
}

fn out_of_the_paid_attempt(change: &mut Change, before: Option<&Payment>) {
    let id = begun(change, before);
    with_payment(change, |payment| {
        let State::Paid { attempt, .. } = payment.state else {
            return;
        };
        for refund in payment.refunds.iter_mut().filter(|it| Some(it.id) == id) {
            refund.attempt = attempt;
        }
    });
}

fn accepted_as_well(change: &mut Change, before: Option<&Payment>) {
    let id = begun(change, before);
    let at = change.log.last().map(|line| line.at);
    with_payment(change, |payment| {
        let refund = id.and_then(|id| payment.refund(id));
        if let (Some(refund), Some(at), State::Closed { .. }) = (refund, at, payment.state) {
            payment.state = State::Paid {
                attempt: refund.attempt,
                at,
            };
        }
    });
}

fn resolved_early(change: &mut Change, before: Option<&Payment>) {
    let id = begun(change, before);
    let at = change.log.last().map(|line| line.at);
    let resolve = |raised: &mut Raised| {
        raised.state = CaseState::Resolved;
        raised.resolution = Some(Resolution::Refunded);
        raised.resolved_at = at;
    };
    with_payment(change, |payment| {
        let all = payment.attempts.iter_mut().flat_map(|it| &mut it.raised);
        all.filter(|raised| id.is_some() && raised.refund == id)
            .for_each(resolve);
    });
    for moved in change.moved.iter_mut().filter(|_| id.is_some()) {
        moved.case.state = CaseState::Resolved;
        moved.case.resolution = Some(Resolution::Refunded);
        moved.case.resolved_at = at;
    }
}

fn denied_claim_stays_open(change: &mut Change) {
    let mut denied = false;
    with_payment(change, |payment| {
        let all = payment.attempts.iter_mut().flat_map(|it| &mut it.raised);
        for raised in all.filter(|raised| raised.state == CaseState::Open) {
            denied |= raised.resolution == Some(Resolution::Disproved);
            raised.resolution = None;
        }
    });
    if denied {
        drop_jobs(change, JobKind::Case);
        write_all_attempts(change);
    }
}
