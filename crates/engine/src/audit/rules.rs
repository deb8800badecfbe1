//! What must hold for one payment, whatever the database and whoever looks: an
//! operator's audit, or a simulation after every commit.

use std::time::Duration;

use tongbao_core::job::{JobKey, Subject};
use tongbao_core::{
    AttemptState, Case, CaseState, Currency, Effect, JobKind, Money, Payment, Policy, Raised,
    Refund, RefundState, Resolution, State,
};
use tongbao_store::LogEntry;

/// What a rule says: what is wrong, in words.
pub type Verdict = Result<(), String>;

/// A job or a delivery that waits for longer than this waits for nobody.
pub const LATE: Duration = Duration::from_hours(1);

/// Fails with `what` unless `holds`.
pub fn ensure(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}

/// Amounts are in range, in a currency that is collected.
pub fn m1_amounts_are_in_range(payment: &Payment) -> Verdict {
    let amount = payment.order.amount;
    let fine = amount.currency() == Currency::CNY && (1..=Money::MAX_FEN).contains(&amount.minor());
    ensure(fine, || format!("{} asks for {amount}", payment.id))
}

/// What is asked back of an attempt never exceeds what it received: what was only
/// asked for may have gone.
pub fn m3_no_more_goes_back_than_came(payment: &Payment) -> Verdict {
    for attempt in &payment.attempts {
        let of_it = payment.refunds.iter().filter(|it| it.attempt == attempt.id);
        let held = of_it.clone().filter(|refund| refund.holds_money());
        let sum: i128 = held.map(|refund| i128::from(refund.amount.minor())).sum();
        let received = attempt
            .received
            .map_or(0, |money| i128::from(money.minor()));
        ensure(sum <= received, || {
            format!(
                "refunds of {sum} are asked of {}, which received {received}",
                attempt.id
            )
        })?;
        let fits = |refund: &Refund| {
            let currency = attempt.received.map(Money::currency);
            refund.amount.minor() > 0 && Some(refund.amount.currency()) == currency
        };
        ensure(of_it.clone().all(fits), || {
            format!(
                "a refund of {} is of no amount, or of another currency",
                attempt.id
            )
        })?;
    }
    let stray = payment
        .refunds
        .iter()
        .find(|refund| payment.attempt(refund.attempt).is_none());
    ensure(stray.is_none(), || {
        let id = stray.map(|refund| refund.id);
        format!("{id:?} is of an attempt that {} does not have", payment.id)
    })
}

/// At most one attempt is accepted, with the amount that was asked for; any
/// other money has a case of that very money.
pub fn m5_one_attempt_is_accepted_and_other_money_has_a_case<'a>(
    payment: &Payment,
    cases: impl Iterator<Item = &'a Case>,
) -> Verdict {
    let of_it = |case: &&Case| case.payment == Some(payment.id);
    let cases: Vec<_> = cases.filter(of_it).collect();
    let accepted = match payment.state {
        State::Paid { attempt, .. } => Some(attempt),
        State::Created | State::Pending | State::Closing { .. } | State::Closed { .. } => None,
    };
    if let Some(id) = accepted {
        let attempt = payment.attempt(id);
        let fits = attempt.is_some_and(|attempt| {
            attempt.state == AttemptState::Succeeded
                && attempt.received == Some(payment.order.amount)
        });
        ensure(fits, || {
            let received = attempt.and_then(|attempt| attempt.received);
            format!(
                "{} asks for {} and is paid by {id}, which received {}",
                payment.id,
                payment.order.amount,
                amount(received)
            )
        })?;
    }
    for attempt in &payment.attempts {
        let Some(received) = attempt.received else {
            ensure(attempt.state != AttemptState::Succeeded, || {
                format!("{} succeeded and received nothing", attempt.id)
            })?;
            continue;
        };
        if accepted == Some(attempt.id) {
            continue;
        }
        let has_case = cases.iter().any(|case| {
            case.attempt == Some(attempt.id)
                && case.receipt.amount == received
                && Some(&case.receipt.transaction_id) == attempt.transaction_id.as_ref()
        });
        ensure(has_case, || {
            format!(
                "{} received {received}, which is neither accepted nor a case",
                attempt.id
            )
        })?;
    }
    Ok(())
}

/// The money of a case goes back whole and once, and no money that somebody has
/// accepted.
pub fn m12_a_case_sends_its_money_back_once(payment: &Payment) -> Verdict {
    let of_cases = payment.refunds.iter().filter(|it| it.case.is_some());
    for refund in of_cases.clone().filter(|refund| refund.holds_money()) {
        let twice = of_cases
            .clone()
            .find(|it| it.id != refund.id && it.attempt == refund.attempt && it.holds_money());
        ensure(twice.is_none(), || {
            let other = twice.map(|other| other.id);
            format!("{} and {other:?} send the same money back", refund.id)
        })?;
        let paid =
            matches!(payment.state, State::Paid { attempt, .. } if attempt == refund.attempt);
        ensure(!paid, || {
            format!("{} sends back what was accepted", refund.id)
        })?;
        let attempt = payment.attempt(refund.attempt);
        let known = attempt.is_some_and(|attempt| {
            // One that went although it had been refused may have a successor.
            let named = |raised: &Raised| {
                let successor = raised.refund.and_then(|id| payment.refund(id));
                let same = successor.is_some_and(|it| it.id == refund.id || it.case == refund.case);
                same && raised.state != CaseState::Open
            };
            attempt.received == Some(refund.amount) && attempt.raised.iter().any(named)
        });
        ensure(known, || {
            format!("{} is of no case, or not of its money", refund.id)
        })?;
    }
    for attempt in &payment.attempts {
        for raised in &attempt.raised {
            let state = raised.refund.and_then(|id| payment.refund(id));
            let state = state.map(|refund| refund.state);
            let early = raised.resolution == Some(Resolution::Refunded)
                && state != Some(RefundState::Succeeded);
            ensure(!early, || {
                let trade = &raised.transaction_id;
                format!("the case of {trade} is resolved as refunded, and its refund is {state:?}")
            })?;
        }
    }
    Ok(())
}

/// The row of each case is what its payment says of it, and there is no other.
pub fn c1_cases_are_what_their_payment_says<'a>(
    payment: &Payment,
    cases: impl Iterator<Item = &'a Case>,
) -> Verdict {
    let of_it = |case: &&Case| case.payment == Some(payment.id);
    let cases: Vec<_> = cases.filter(of_it).collect();
    for case in &cases {
        let raised = case.key().and_then(|key| payment.raised(&key).cloned());
        let raised =
            raised.ok_or_else(|| format!("{} is a case that its payment never had", case.id))?;
        ensure(case.kind == raised.kind && case.follows(&raised), || {
            format!(
                "{} is {}, and its payment says {}",
                case.id,
                case.state.as_str(),
                raised.state.as_str()
            )
        })?;
    }
    // Until schema 6 a mere claim could name a trade that had its case elsewhere.
    every_receipt_has_its_case(payment, &cases.iter().copied(), |raised| raised.proven)
}

/// What a payment has raised, as far as it is looked at, is shown as a case.
pub fn every_receipt_has_its_case<'c>(
    payment: &Payment,
    cases: &(impl Iterator<Item = &'c Case> + Clone),
    looked_at: impl Fn(&Raised) -> bool,
) -> Verdict {
    for attempt in &payment.attempts {
        for raised in attempt.raised.iter().filter(|raised| looked_at(raised)) {
            let known = cases.clone().any(|case| {
                case.attempt == Some(attempt.id)
                    && raised.is_of(&case.receipt.transaction_id, case.receipt.amount)
            });
            ensure(known, || {
                let trade = &raised.transaction_id;
                format!(
                    "{} has led to a case of {trade} that is not there",
                    attempt.id
                )
            })?;
        }
    }
    Ok(())
}

/// The timeline counts from one to the payment's version.
pub fn s3_versions_have_no_gap(payment: &Payment, timeline: &[LogEntry]) -> Verdict {
    for (expected, line) in (1..).zip(timeline) {
        ensure(line.version == expected, || {
            format!(
                "line {expected} of the timeline of {} is missing: {} follows",
                payment.id, line.version
            )
        })?;
    }
    let last = timeline.last().map_or(0, |line| line.version);
    ensure(last == payment.version, || {
        format!(
            "{} has version {}, and its timeline ends with {last}",
            payment.id, payment.version
        )
    })
}

/// Folding the timeline from nothing gives the stored row.
pub fn s6_state_is_a_fold(payment: &Payment, timeline: &[LogEntry]) -> Verdict {
    let folded = fold(payment, timeline, |_, _| {})?;
    ensure(folded == *payment, || {
        format!(
            "{}: {} is stored, its timeline says otherwise",
            payment.id,
            difference(payment, &folded)
        )
    })
}

/// Decides again on everything that happened. What the merchant ordered is not
/// in the timeline and comes from the row. `step` sees every payment on the way
/// with what had to follow from it.
pub fn fold(
    stored: &Payment,
    timeline: &[LogEntry],
    mut step: impl FnMut(&Payment, &[Effect]),
) -> Result<Payment, String> {
    let id = stored.id;
    let (first, rest) = timeline
        .split_first()
        .ok_or_else(|| format!("{id} has no timeline"))?;
    ensure(first.event.is_none(), || {
        format!("the timeline of {id} does not begin with its creation")
    })?;
    let created = Payment::create(
        id,
        stored.merchant,
        stored.order.clone(),
        stored.checkout_token.clone(),
        first.at,
        stored.expires_at,
    );
    step(&created.payment, &created.effects);
    let mut payment = created.payment;
    for line in rest {
        let event = line
            .event
            .clone()
            .ok_or_else(|| format!("{id} was made twice"))?;
        let next = payment.on(event, line.at, line.rules).map_err(|refusal| {
            format!(
                "line {} of the timeline of {id} cannot be: {refusal}",
                line.version
            )
        })?;
        payment = next.payment;
        ensure(
            payment.version == line.version && payment.public_state() == line.state,
            || {
                format!(
                    "line {} of the timeline of {id} leads to version {}, {}, and says {}",
                    line.version,
                    payment.version,
                    payment.public_state(),
                    line.state
                )
            },
        )?;
        step(&payment, &next.effects);
    }
    Ok(payment)
}

/// The first thing in which a row differs from its fold, for people.
fn difference(stored: &Payment, folded: &Payment) -> String {
    if stored.state != folded.state {
        return format!("{:?} where it should be {:?},", stored.state, folded.state);
    }
    if stored.attempts.len() != folded.attempts.len() {
        return format!(
            "{} attempts where there should be {},",
            stored.attempts.len(),
            folded.attempts.len()
        );
    }
    let mut refunds = stored.refunds.iter().zip(&folded.refunds);
    if let Some((ours, theirs)) = refunds.find(|(ours, theirs)| ours != theirs) {
        return format!(
            "{} {} where it should be {},",
            ours.id,
            ours.state.as_str(),
            theirs.state.as_str()
        );
    }
    if stored.refunds.len() != folded.refunds.len() {
        return format!(
            "{} refunds where there should be {},",
            stored.refunds.len(),
            folded.refunds.len()
        );
    }
    let mut pairs = stored.attempts.iter().zip(&folded.attempts);
    match pairs.find(|(ours, theirs)| ours != theirs) {
        Some((ours, theirs)) if ours.state != theirs.state => format!(
            "{} {} where it should be {},",
            ours.id,
            ours.state.as_str(),
            theirs.state.as_str()
        ),
        Some((ours, theirs)) if ours.received != theirs.received => format!(
            "{}, which received {} where it should be {},",
            ours.id,
            amount(ours.received),
            amount(theirs.received)
        ),
        Some((ours, _)) => format!("{}, not as it should be,", ours.id),
        None => "another time or token".to_owned(),
    }
}

fn amount(money: Option<Money>) -> String {
    money.map_or("nothing".to_owned(), |money| money.to_string())
}

/// Every open attempt, and every payment that wants money, has a row that will
/// ask about it.
pub fn l0_no_open_attempt_is_forgotten(
    payment: &Payment,
    jobs: impl Iterator<Item = JobKey> + Clone,
) -> Verdict {
    let open = payment.attempts.iter().filter(|one| one.state.is_open());
    for attempt in open {
        let asked = jobs.clone().any(|key| key.attempt() == Some(attempt.id));
        ensure(asked, || {
            format!("{} is open and nothing will ask about it", attempt.id)
        })?;
    }
    for refund in payment.refunds.iter().filter(|one| one.state.is_open()) {
        let asked = jobs.clone().any(|key| key.refund() == Some(refund.id));
        ensure(asked, || {
            format!("{} is open and nothing will ask about it", refund.id)
        })?;
    }
    for attempt in &payment.attempts {
        let has = |kinds: &[JobKind]| {
            let mut jobs = jobs.clone();
            jobs.any(|key| key.attempt() == Some(attempt.id) && kinds.contains(&key.kind))
        };
        let due = payment.case_due(attempt.id, &Policy::default());
        ensure(due.is_none() || has(&[JobKind::Case]), || {
            format!("a case of {} can go on and nobody sees to it", attempt.id)
        })?;
        let claim = attempt.raised.iter().any(Raised::is_claim);
        let asks = [
            JobKind::Query,
            JobKind::Start,
            JobKind::Close,
            JobKind::Reverse,
        ];
        ensure(!claim || has(&asks), || {
            format!("a claim about {} is open and nothing will ask", attempt.id)
        })?;
    }
    let mut of_it = jobs.filter(|key| key.payment == payment.id);
    match payment.state {
        State::Created | State::Pending => {
            ensure(of_it.any(|key| key.subject == Subject::Payment), || {
                format!("{} will never expire", payment.id)
            })
        }
        State::Closing { .. } => ensure(of_it.next().is_some(), || {
            format!("{} is being closed and nothing goes on with it", payment.id)
        }),
        State::Paid { .. } | State::Closed { .. } => Ok(()),
    }
}
