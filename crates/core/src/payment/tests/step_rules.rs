//! What is true of every single decision.

use std::time::Duration;

use crate::case::{Raised, Remedy};
use crate::webhook::EventType;
use crate::{
    Attempt, AttemptState, CaseAction, Effect, Event, Grade, Outcome, Payment, Report, Rules,
    Source, State, Step, Timestamp,
};

/// Decides, and holds the decision against every rule. `None` for a refusal.
pub(super) fn judged(
    before: &Payment,
    event: &Event,
    now: Timestamp,
    rules: Rules,
) -> Option<Step> {
    let step = before.clone().on(event.clone(), now, rules).ok()?;
    let after = &step.payment;
    versions_rise_by_one(before, &step);
    what_was_ordered_never_changes(before, after);
    states_never_move_backward(before, after);
    what_was_received_is_written_once(before, after);
    only_proven_money_of_the_right_amount_is_paid(before, event, after, rules);
    a_till_is_never_closed_and_nothing_else_reversed(&step);
    nothing_is_closed_too_young(&step, now);
    what_is_taken_back_stays_taken_back(before, &step);
    a_reverse_follows_a_question(event, &step);
    other_money_is_a_case(before, &step);
    each_fact_is_told_with_a_number_of_its_own(before, &step);
    if let Event::Reported { report } = event {
        an_open_question_stays_asked(report, &step);
        no_answer_asks_itself_again_at_once(report, &step);
        the_same_again_is_no_news(event, &step, now, rules);
    }
    Some(step)
}

fn versions_rise_by_one(before: &Payment, step: &Step) {
    assert_eq!(
        step.payment.version,
        before.version + i64::from(step.changed)
    );
    assert!(
        step.changed || step.payment == *before,
        "forgotten: {step:?}"
    );
}

fn what_was_ordered_never_changes(before: &Payment, after: &Payment) {
    let of_payment = |payment: &Payment| {
        let Payment {
            id,
            merchant,
            order,
            state: _,
            version: _,
            attempts: _,
            refunds: _,
            checkout_token,
            created_at,
            expires_at,
        } = payment.clone();
        (id, merchant, order, checkout_token, created_at, expires_at)
    };
    assert_eq!(of_payment(before), of_payment(after));
    let of_attempt = |attempt: &Attempt| {
        let number = attempt.out_trade_no.clone();
        (
            attempt.id,
            number,
            attempt.channel,
            attempt.scene,
            attempt.created_at,
        )
    };
    for (old, new) in before.attempts.iter().zip(&after.attempts) {
        assert_eq!(of_attempt(old), of_attempt(new));
    }
    assert!(before.attempts.len() <= after.attempts.len());
}

fn states_never_move_backward(before: &Payment, after: &Payment) {
    let rank = |state: State| match state {
        State::Created => 0,
        State::Pending => 1,
        State::Closing { .. } => 2,
        State::Closed { .. } => 3,
        State::Paid { .. } => 4,
    };
    assert!(rank(after.state) >= rank(before.state));
    if before.is_final() && rank(after.state) == rank(before.state) {
        assert_eq!(before.state, after.state);
    }
    for (old, new) in before.attempts.iter().zip(&after.attempts) {
        let unheard = new.state == AttemptState::Unknown && old.state != AttemptState::Unknown;
        let reopened = new.state.is_open() && !old.state.is_open();
        let unpaid = old.received.is_some() && new.state != old.state;
        assert!(!unheard && !reopened && !unpaid, "{old:?} became {new:?}");
    }
}

fn what_was_received_is_written_once(before: &Payment, after: &Payment) {
    for (old, new) in before.attempts.iter().zip(&after.attempts) {
        if old.received.is_some() {
            let receipt = |attempt: &Attempt| {
                let attempt = attempt.clone();
                (attempt.received, attempt.transaction_id, attempt.payer)
            };
            assert_eq!(receipt(old), receipt(new));
        }
    }
}

fn only_proven_money_of_the_right_amount_is_paid(
    before: &Payment,
    event: &Event,
    after: &Payment,
    rules: Rules,
) {
    let State::Paid { attempt, .. } = after.state else {
        return;
    };
    let payer = after.attempt(attempt).expect("paid by an attempt");
    assert_eq!(payer.state, AttemptState::Succeeded);
    assert_eq!(payer.received, Some(after.order.amount));
    if before.state == after.state {
        return;
    }
    if let Event::CaseDecided { decision, .. } = event {
        assert_eq!(decision.action, CaseAction::Accept);
        return;
    }
    let Event::Reported { report } = event else {
        panic!("paid by {event:?}");
    };
    let Outcome::Success { receipt } = &report.outcome else {
        panic!("paid by {report:?}");
    };
    assert!(report.grade >= rules.trust && report.grade > Grade::Weak);
    assert_eq!(
        (report.attempt, receipt.amount),
        (attempt, after.order.amount)
    );
}

fn a_till_is_never_closed_and_nothing_else_reversed(step: &Step) {
    for effect in &step.effects {
        let (id, by_reverse) = match effect {
            Effect::Close { attempt } => (*attempt, false),
            Effect::Reverse { attempt, .. } => (*attempt, true),
            _ => continue,
        };
        let attempt = step.payment.attempt(id).expect("it was found");
        assert_eq!(attempt.is_reversed_not_closed(), by_reverse, "{step:?}");
    }
}

fn nothing_is_closed_too_young(step: &Step, now: Timestamp) {
    for effect in &step.effects {
        if let Effect::Close { attempt } = effect {
            let attempt = step.payment.attempt(*attempt).expect("it was found");
            let least = Duration::from_secs(attempt.close_after_secs.into());
            let from_the_future = attempt.created_at > now;
            assert!(from_the_future || now.since(attempt.created_at) >= least);
        }
    }
}

/// A reverse that has gone out may arrive at any later time.
fn what_is_taken_back_stays_taken_back(before: &Payment, step: &Step) {
    for old in before
        .attempts
        .iter()
        .filter(|old| old.reversal.is_some() || old.state == AttemptState::Reversed)
    {
        let new = step.payment.attempt(old.id).expect("it stays");
        assert!(new.reversal.is_some() || old.reversal.is_none());
        let paid = |payment: &Payment| matches!(payment.state, State::Paid { attempt, .. } if attempt == old.id);
        assert!(paid(before) || !paid(&step.payment), "{step:?}");
    }
}

/// The channel was asked a moment ago whether it was paid, and it was not; or it
/// was, and is being taken back already.
fn a_reverse_follows_a_question(event: &Event, step: &Step) {
    let reverses = |effect: &Effect| matches!(effect, Effect::Reverse { .. });
    if !step.effects.iter().any(reverses) {
        return;
    }
    let Event::Reported { report } = event else {
        panic!("reversed by {event:?}");
    };
    let failed = matches!(report.outcome, Outcome::PayError { .. });
    let answered = !matches!(report.outcome, Outcome::Unknown { .. });
    assert!(
        failed || (report.source == Source::Query && answered),
        "{report:?} reverses"
    );
}

/// Money that an attempt brings is accepted, or a case in the same step; and
/// there is a case for nothing else but a receipt.
fn other_money_is_a_case(before: &Payment, step: &Step) {
    for new in &step.payment.attempts {
        let old = before.attempt(new.id);
        let came = new.received.is_some() && old.is_none_or(|old| old.received.is_none());
        let accepted =
            matches!(step.payment.state, State::Paid { attempt, .. } if attempt == new.id);
        let refunds = step.effects.iter().filter(|effect| match effect {
            Effect::OpenCase {
                attempt,
                remedy: Remedy::Refund,
                ..
            } => *attempt == new.id,
            Effect::MoveCase {
                case,
                remedy: Some(Remedy::Refund),
                ..
            } => case.attempt == new.id,
            _ => false,
        });
        assert_eq!(refunds.count(), usize::from(came && !accepted), "{step:?}");
        let raised = old.map_or(0, |old| old.raised.len());
        assert!(new.raised.len() <= raised + 1);
        for (n, case) in new.raised.iter().enumerate() {
            let of_it = |known: &Raised| known.is_of(&case.transaction_id, case.amount);
            assert!(!new.raised[..n].iter().any(of_it), "twice: {case:?}");
        }
    }
}

fn each_fact_is_told_with_a_number_of_its_own(before: &Payment, step: &Step) {
    let tells = |kind| step.effects.contains(&Effect::Tell(kind));
    let is = |payment: &Payment| {
        (
            payment.public_state() == "paid",
            payment.public_state() == "closed",
        )
    };
    let ((was_paid, was_closed), (is_paid, is_closed)) = (is(before), is(&step.payment));
    assert_eq!(tells(EventType::PaymentPaid), is_paid && !was_paid);
    assert_eq!(tells(EventType::PaymentClosed), is_closed && !was_closed);
    let told = step
        .effects
        .iter()
        .filter(|effect| {
            matches!(
                effect,
                Effect::Tell(_) | Effect::OpenCase { .. } | Effect::MoveCase { tell: Some(_), .. }
            )
        })
        .count();
    assert!(told == 0 || (told == 1 && step.changed), "{step:?}");
}

fn about(effect: &Effect) -> Option<crate::AttemptId> {
    match effect {
        Effect::Start { attempt, .. }
        | Effect::Query { attempt, .. }
        | Effect::Reverse { attempt, .. }
        | Effect::Close { attempt } => Some(*attempt),
        Effect::Expire
        | Effect::Tell(_)
        | Effect::OpenCase { .. }
        | Effect::StartRefund { .. }
        | Effect::QueryRefund { .. }
        | Effect::MoveCase { .. }
        | Effect::SeeToCases { .. }
        | Effect::TellRefund { .. } => None,
    }
}

/// The answer to a job of ours leaves another job while the attempt is open: the
/// row of the first is gone.
fn an_open_question_stays_asked(report: &Report, step: &Step) {
    let attempt = step.payment.attempt(report.attempt).expect("it was found");
    let ours = matches!(
        report.source,
        Source::Answer | Source::Query | Source::Close | Source::Reverse
    );
    if ours && attempt.state.is_open() {
        let asked = step
            .effects
            .iter()
            .any(|effect| about(effect) == Some(attempt.id));
        assert!(asked, "nothing will ask: {report:?} {step:?}");
    }
    // An answer without content does not end the watch over late money.
    if ours && matches!(report.outcome, Outcome::Unknown { .. }) {
        assert!(
            step.effects
                .iter()
                .any(|effect| about(effect) == Some(attempt.id))
        );
    }
}

fn no_answer_asks_itself_again_at_once(report: &Report, step: &Step) {
    let breath = Duration::from_secs(1);
    for effect in &step.effects {
        let circle = match effect {
            Effect::Start { after, .. } => report.source == Source::Answer && *after < breath,
            // A hint's minute may be over any moment.
            Effect::Query { attempt, after } => {
                report.source == Source::Query && after.is_zero() && *attempt == report.attempt
            }
            Effect::Close { attempt } => {
                report.source == Source::Close && *attempt == report.attempt
            }
            Effect::Reverse { .. } => report.source == Source::Reverse,
            Effect::Expire
            | Effect::Tell(_)
            | Effect::OpenCase { .. }
            | Effect::StartRefund { .. }
            | Effect::QueryRefund { .. }
            | Effect::MoveCase { .. }
            | Effect::SeeToCases { .. }
            | Effect::TellRefund { .. } => false,
        };
        assert!(!circle, "{report:?} asks {effect:?} at once");
    }
    let mut asked: Vec<_> = step.effects.iter().filter(|e| about(e).is_some()).collect();
    let all = asked.len();
    asked.dedup_by_key(|effect| (std::mem::discriminant(*effect), about(effect)));
    assert_eq!(asked.len(), all, "asked twice in one step: {step:?}");
}

/// Platforms repeat themselves.
fn the_same_again_is_no_news(event: &Event, step: &Step, now: Timestamp, rules: Rules) {
    let again = step
        .payment
        .clone()
        .on(event.clone(), now, rules)
        .expect("it was taken");
    let news = again.effects.iter().find(|effect| {
        matches!(
            effect,
            Effect::OpenCase { .. } | Effect::Tell(EventType::PaymentPaid)
        )
    });
    assert_eq!(news, None, "told again");
    for (once, twice) in step.payment.attempts.iter().zip(&again.payment.attempts) {
        assert_eq!((once.state, &once.received), (twice.state, &twice.received));
    }
}
