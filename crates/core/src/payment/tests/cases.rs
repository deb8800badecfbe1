//! Cases, from the first word of them to their end.

use std::time::Duration;

use super::words::{CAREFUL, NOON, PRICE, event, id, key, payment};
use crate::case::{CaseAction, Decision, Need, Resolution};
use crate::id::Id;
use crate::refund::{RefundOutcome, RefundReport};
use crate::webhook::EventType;
use crate::{
    AutoRefund, CaseState, Effect, Event, Grade, Money, Payment, Policy, Refund, RefundId, Refusal,
    Rules, Source, State, Step,
};

fn limits(enabled: bool, per_case_fen: i64) -> Rules {
    let auto_refund = AutoRefund {
        enabled,
        per_case_fen,
        ..AutoRefund::OFF
    };
    Rules {
        policy: Policy {
            auto_refund,
            ..CAREFUL.policy
        },
        ..CAREFUL
    }
}

/// Closed, and then paid.
fn late() -> Payment {
    let step = payment("closed, a closed").on(event("query a: success", NOON), NOON, CAREFUL);
    step.unwrap().payment
}

fn refund(number: u128) -> Box<Refund> {
    let name = RefundId::from_bits(number);
    let refund = Refund::new(name, format!("R{number}"), id("a"), Money::fen(1), NOON);
    Box::new(refund)
}

fn due(payment: &Payment, rules: Rules) -> Step {
    let event = Event::CaseDue {
        attempt: id("a"),
        refund: Some(refund(1)),
    };
    payment.clone().on(event, NOON, rules).unwrap()
}

fn decided(payment: &Payment, action: CaseAction, number: u128) -> Result<Step, Refusal> {
    let event = Event::CaseDecided {
        case: Box::new(key()),
        decision: Box::new(Decision {
            action,
            by: "key".into(),
            reason: format!("reason {number}"),
            at: NOON,
        }),
        refund: Some(refund(number)),
    };
    payment.clone().on(event, NOON, CAREFUL)
}

fn stands(payment: &Payment) -> (CaseState, Option<Need>, Option<Resolution>) {
    let raised = payment.raised(&key()).unwrap();
    (raised.state, raised.need, raised.resolution)
}

fn told(step: &Step) -> Vec<EventType> {
    let told = step.effects.iter().filter_map(|effect| match effect {
        Effect::Tell(kind) | Effect::TellRefund { kind, .. } => Some(*kind),
        Effect::MoveCase { tell, .. } => *tell,
        _ => None,
    });
    told.collect()
}

fn heard(payment: &Payment, number: u128, outcome: RefundOutcome) -> Step {
    let report = RefundReport {
        refund: RefundId::from_bits(number),
        source: Source::Query,
        grade: Grade::Strong,
        outcome,
    };
    let report = Box::new(report);
    let event = Event::RefundReported { report };
    payment.clone().on(event, NOON, CAREFUL).unwrap()
}

#[test]
fn what_keeps_it_from_going_back_by_itself_is_said() {
    for (rules, need) in [
        (limits(false, PRICE), Some(Need::Off)),
        (limits(true, PRICE - 1), Some(Need::CaseLimit)),
        (limits(true, PRICE), None),
    ] {
        let step = due(&late(), rules);
        let expected = match need {
            Some(need) => (CaseState::NeedsPerson, Some(need), None),
            None => (CaseState::Refunding, None, None),
        };
        assert_eq!(stands(&step.payment), expected);
        // A second look finds nothing to do.
        assert!(!due(&step.payment, rules).changed);
    }
}

#[test]
fn it_goes_back_whole_and_is_told_of_as_the_case() {
    let sent = due(&late(), limits(true, PRICE)).payment;
    assert_eq!(sent.refunds[0].amount, Money::fen(PRICE));
    for action in CaseAction::ALL {
        let refused = decided(&sent, action, 2).err();
        assert_eq!(
            refused,
            Some(Refusal::CaseRefunding(RefundId::from_bits(1)))
        );
    }
    let refund_no = "P1".to_owned();
    let done = heard(&sent, 1, RefundOutcome::Succeeded { refund_no });
    assert_eq!(told(&done), []);
    assert!(
        done.effects
            .contains(&Effect::SeeToCases { attempt: id("a") })
    );
    let resolved = due(&done.payment, limits(true, PRICE));
    assert_eq!(told(&resolved), [EventType::CaseResolved]);
    let end = (CaseState::Resolved, None, Some(Resolution::Refunded));
    assert_eq!(stands(&resolved.payment), end);
    for action in CaseAction::ALL {
        let refused = decided(&resolved.payment, action, 2).err();
        assert_eq!(refused, Some(Refusal::CaseResolved(Resolution::Refunded)));
    }
}

#[test]
fn what_came_to_nothing_needs_a_person_who_may_send_it_again() {
    let sent = due(&late(), limits(true, PRICE)).payment;
    let refund_no = "P1".to_owned();
    let failed = heard(&sent, 1, RefundOutcome::Closed { refund_no }).payment;
    let waits = due(&failed, limits(true, PRICE));
    assert_eq!(told(&waits), [EventType::CaseNeedsPerson]);
    let need = (CaseState::NeedsPerson, Some(Need::RefundFailed), None);
    assert_eq!(stands(&waits.payment), need);
    let again = decided(&waits.payment, CaseAction::Refund, 2).unwrap();
    assert_eq!(stands(&again.payment).0, CaseState::Refunding);
    assert_eq!(again.payment.refunds.len(), 2);
}

#[test]
fn an_accepted_late_payment_is_paid_first_and_the_case_ends_after() {
    let paid = decided(&late(), CaseAction::Accept, 1).unwrap();
    assert!(matches!(paid.payment.state, State::Paid { attempt, .. } if attempt == id("a")));
    assert_eq!(told(&paid), [EventType::PaymentPaid]);
    assert_eq!(paid.payment.refunds, []);
    let resolved = due(&paid.payment, limits(true, PRICE));
    assert_eq!(told(&resolved), [EventType::CaseResolved]);
    assert_eq!(resolved.payment.refunds, []);
    assert_eq!(stands(&resolved.payment).2, Some(Resolution::Accepted));
    // The same decision, written down before.
    let again = decided(&resolved.payment, CaseAction::Accept, 1).unwrap();
    assert!(!again.changed && again.effects.is_empty());
}

#[test]
fn a_claim_is_disproved_by_a_younger_question_alone_and_opens_again_when_it_is_proven() {
    let open = payment("pending, a pending");
    let claim = event("notice? a: success 1", NOON);
    let claimed = open.on(claim, NOON, CAREFUL).unwrap().payment;
    let mut case = key();
    case.amount = Money::fen(1);
    let soon = NOON + Duration::from_secs(59);
    let asked = claimed
        .clone()
        .on(event("query a: not paid", soon), soon, CAREFUL);
    let asked = asked.unwrap().payment;
    assert_eq!(asked.raised(&case).unwrap().resolution, None);
    let later = NOON + Duration::from_mins(1);
    let denied = asked
        .on(event("query a: not paid", later), later, CAREFUL)
        .unwrap();
    let disproved = Some(Resolution::Disproved);
    assert_eq!(denied.payment.raised(&case).unwrap().resolution, disproved);
    let resolved = due(&denied.payment, CAREFUL).payment;
    assert_eq!(resolved.raised(&case).unwrap().state, CaseState::Resolved);
    let proven = resolved
        .on(event("query a: success 1", later), later, CAREFUL)
        .unwrap();
    assert_eq!(told(&proven), [EventType::CaseOpened]);
    let raised = proven.payment.raised(&case).unwrap();
    assert_eq!((raised.state, raised.proven), (CaseState::Open, true));
}
