//! Refunds of a payment: what goes back never exceeds what came.

use std::time::Duration;

use proptest::prelude::*;

use super::words::{CAREFUL, NOON, PRICE, id, payment};
use crate::id::Id;
use crate::payment::MAX_REFUNDS;
use crate::refund::{RefundOutcome, RefundReport};
use crate::webhook::EventType;
use crate::{
    CaseKind, Effect, Event, Failure, Grade, Money, Payment, Refund, RefundId, RefundState,
    Refusal, Source, Step, Timestamp,
};

fn refund(number: u64, fen: i64) -> Refund {
    let id_of = RefundId::from_bits(u128::from(number));
    let mut refund = Refund::new(id_of, format!("R{number}"), id("a"), Money::fen(fen), NOON);
    refund.merchant_refund_no = Some(format!("M{number}"));
    refund
}

fn asked(payment: &Payment, refund: Refund, now: Timestamp) -> Result<Step, Refusal> {
    let refund = Box::new(refund);
    payment
        .clone()
        .on(Event::RefundRequested { refund }, now, CAREFUL)
}

fn heard(payment: &Payment, number: u64, outcome: RefundOutcome, now: Timestamp) -> Step {
    let report = RefundReport {
        refund: RefundId::from_bits(u128::from(number)),
        source: Source::Query,
        grade: Grade::Strong,
        outcome,
    };
    let report = Box::new(report);
    let event = Event::RefundReported { report };
    payment.clone().on(event, now, CAREFUL).unwrap()
}

fn succeeded(number: u64) -> RefundOutcome {
    RefundOutcome::Succeeded {
        refund_no: format!("P{number}"),
    }
}

#[test]
fn only_a_paid_payment_is_refunded() {
    for stands in [
        "created",
        "pending, a pending",
        "closing, a pending",
        "closed, a closed",
    ] {
        let refused = asked(&payment(stands), refund(1, 1), NOON);
        assert_eq!(refused, Err(Refusal::NotPaid), "{stands}");
    }
    // The money of an attempt that did not pay it belongs to a case.
    let refused = asked(
        &payment("paid by b, a failed, b succeeded"),
        refund(1, 1),
        NOON,
    );
    assert_eq!(refused, Err(Refusal::NotPaid));
}

#[test]
fn the_second_refund_of_the_whole_amount_is_refused() {
    let paid = payment("paid by a, a succeeded");
    let step = asked(&paid, refund(1, PRICE), NOON).unwrap();
    let start = Effect::StartRefund {
        refund: RefundId::from_bits(1),
        after: Duration::ZERO,
    };
    assert_eq!(step.effects, [start]);
    assert_eq!(step.payment.version, paid.version + 1);
    let rest = Money::fen(0);
    assert_eq!(
        asked(&step.payment, refund(2, PRICE), NOON),
        Err(Refusal::AboveRest { rest })
    );
}

#[test]
fn an_amount_is_at_least_one_fen_and_at_most_the_rest_of_the_same_currency() {
    let paid = payment("paid by a, a succeeded");
    let paid = asked(&paid, refund(1, 234), NOON).unwrap().payment;
    let rest = Money::fen(1000);
    for fen in [0, -1, 1001, i64::MAX, i64::MIN] {
        assert_eq!(
            asked(&paid, refund(2, fen), NOON),
            Err(Refusal::AboveRest { rest })
        );
    }
    let mut dollars = refund(2, 1);
    dollars.amount = Money::new(1, "USD".parse().unwrap());
    assert_eq!(
        asked(&paid, dollars, NOON),
        Err(Refusal::AboveRest { rest })
    );
    assert!(asked(&paid, refund(2, 1000), NOON).is_ok());
}

#[test]
fn the_same_number_is_the_same_refund() {
    let paid = payment("paid by a, a succeeded");
    let paid = asked(&paid, refund(1, 500), NOON).unwrap().payment;
    let mut again = refund(2, 500);
    again.merchant_refund_no = Some("M1".into());
    let known = RefundId::from_bits(1);
    assert_eq!(
        asked(&paid, again, NOON),
        Err(Refusal::AlreadyRefunded(known))
    );
}

#[test]
fn refunds_of_one_order_start_a_minute_apart() {
    let mut paid = payment("paid by a, a succeeded");
    for number in 0..3 {
        paid = asked(&paid, refund(number, 1), NOON).unwrap().payment;
    }
    let starts: Vec<_> = paid
        .refunds
        .iter()
        .map(|it| it.starts_at.since(NOON))
        .collect();
    assert_eq!(starts, [0, 1, 2].map(Duration::from_mins));
    // A clock that was set back does not put the next one off.
    let earlier = NOON - Duration::from_hours(9);
    let step = asked(&paid, refund(3, 1), earlier).unwrap();
    assert_eq!(step.payment.refunds[3].starts_at, earlier);
}

#[test]
fn platforms_take_fifty_refunds_of_an_order() {
    let mut paid = payment("paid by a, a succeeded");
    for number in 0..MAX_REFUNDS as u64 {
        paid = asked(&paid, refund(number, 1), NOON).unwrap().payment;
    }
    let refused = asked(&paid, refund(99, 1), NOON);
    assert_eq!(refused, Err(Refusal::TooManyRefunds));
}

#[test]
fn what_was_closed_can_be_asked_for_again_and_what_has_gone_is_counted() {
    let paid = payment("paid by a, a succeeded");
    let paid = asked(&paid, refund(1, PRICE), NOON).unwrap().payment;
    let closed = RefundOutcome::Closed {
        refund_no: "P1".into(),
    };
    let paid = heard(&paid, 1, closed, NOON).payment;
    assert_eq!(paid.refunded(), Money::fen(0));
    let paid = asked(&paid, refund(2, PRICE), NOON).unwrap().payment;
    let step = heard(&paid, 2, succeeded(2), NOON);
    let tell = Effect::TellRefund {
        kind: EventType::RefundSucceeded,
        refund: RefundId::from_bits(2),
    };
    assert_eq!(step.effects, [tell]);
    assert_eq!(step.payment.refunded(), Money::fen(PRICE));
    assert_eq!(step.payment.refundable(id("a")), Some(Money::fen(0)));
}

#[test]
fn one_that_the_payer_cannot_take_is_a_case_of_its_own() {
    let paid = payment("paid by a, a succeeded");
    let paid = asked(&paid, refund(1, 7), NOON).unwrap().payment;
    let abnormal = |refund_no: &str| RefundOutcome::Abnormal {
        refund_no: refund_no.into(),
    };
    let step = heard(&paid, 1, abnormal("P1"), NOON);
    let opened = |effect: &&Effect| {
        matches!(
            effect,
            Effect::OpenCase { kind: CaseKind::RefundAbnormal, receipt, .. }
                if receipt.transaction_id == "P1" && receipt.amount == Money::fen(7)
        )
    };
    assert_eq!(step.effects.iter().filter(opened).count(), 1, "{step:?}");
    let again = heard(&step.payment, 1, abnormal("P1"), NOON);
    assert!(
        !again.effects.iter().any(|effect| opened(&effect)),
        "{again:?}"
    );
}

#[test]
fn a_report_of_a_stranger_is_refused() {
    let report = RefundReport {
        refund: RefundId::from_bits(9),
        source: Source::Query,
        grade: Grade::Strong,
        outcome: succeeded(9),
    };
    let event = Event::RefundReported {
        report: Box::new(report),
    };
    let refused = payment("paid by a, a succeeded").on(event, NOON, CAREFUL);
    assert_eq!(refused, Err(Refusal::UnknownRefund));
}

#[derive(Clone, Debug)]
enum Move {
    Ask(u64, i64),
    Hear(u64, RefundOutcome),
}

fn any_move() -> impl Strategy<Value = Move> {
    let number = || 0..6_u64;
    let outcome = number().prop_flat_map(|number| {
        let refund_no = format!("P{number}");
        let failure = Failure {
            code: "no".into(),
            detail: String::new(),
            platform_code: None,
        };
        prop_oneof![
            Just(RefundOutcome::Processing {
                refund_no: refund_no.clone()
            }),
            Just(RefundOutcome::Succeeded {
                refund_no: refund_no.clone()
            }),
            Just(RefundOutcome::Abnormal {
                refund_no: refund_no.clone()
            }),
            Just(RefundOutcome::Closed { refund_no }),
            Just(RefundOutcome::Refused { failure }),
            Just(RefundOutcome::NotFound),
            Just(RefundOutcome::Unknown { why: String::new() }),
        ]
        .prop_map(move |outcome| Move::Hear(number, outcome))
    });
    prop_oneof![
        (number(), -5..PRICE + 5).prop_map(|(number, fen)| Move::Ask(number, fen)),
        outcome,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn what_is_asked_for_never_exceeds_what_came(
        moves in prop::collection::vec(any_move(), 1..80),
    ) {
        let mut paid = payment("paid by a, a succeeded");
        let (mut now, mut disowned) = (NOON, false);
        for next in moves {
            now = now + Duration::from_secs(20);
            let before = paid.clone();
            let step = match next {
                Move::Ask(number, fen) => match asked(&paid, refund(number, fen), now) {
                    Ok(step) => step,
                    Err(_) => continue,
                },
                Move::Hear(number, _) if number >= paid.refunds.len() as u64 => continue,
                Move::Hear(number, outcome) => {
                    let id = paid.refunds[usize::try_from(number).unwrap()].id;
                    let report = RefundReport { refund: id, source: Source::Query, grade: Grade::Strong, outcome };
                    let event = Event::RefundReported { report: Box::new(report) };
                    paid.clone().on(event, now, CAREFUL).unwrap()
                }
            };
            paid = step.payment;
            prop_assert_eq!(paid.version, before.version + i64::from(step.changed));
            prop_assert!(step.changed || paid == before);
            prop_assert_eq!(paid.state, before.state);
            let told = step.effects.iter().filter(|effect| {
                matches!(effect, Effect::TellRefund { .. } | Effect::OpenCase { .. })
            });
            prop_assert!(told.count() <= 1, "two facts under one number");
            // One that a platform disowned and then did after all is its word
            // against ours; without such, never a fen too much.
            disowned |= before.refunds.iter().any(|it| it.refused || it.state == RefundState::Closed);
            if !disowned {
                let held: i64 = paid.refunds.iter().filter(|it| it.holds_money()).map(|it| it.amount.minor()).sum();
                prop_assert!((0..=PRICE).contains(&held), "{held}");
            }
            prop_assert!(paid.refunds.iter().all(|it| it.amount.minor() > 0));
        }
    }
}
