//! The decision table of a refund, whole, and random lives of one.

use std::time::Duration;

use proptest::prelude::*;

use super::{Refund, RefundEffect, RefundOutcome, RefundReport, RefundState, RefundStep};
use crate::id::Id;
use crate::schedule::{REFUND_PAUSE, refund_gap};
use crate::webhook::EventType;
use crate::{AttemptId, Failure, Grade, Money, RefundId, Source, Timestamp};

const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);

fn failure(code: &str) -> Failure {
    Failure {
        code: code.into(),
        detail: String::new(),
        platform_code: None,
    }
}

fn fresh() -> Refund {
    let (id, attempt) = (RefundId::from_bits(1), AttemptId::from_bits(1));
    Refund::new(id, "R1".into(), attempt, Money::fen(500), NOON)
}

/// `unknown`, `refused` (unknown, and told no), `refused closed`, `processing`, …
fn refund(word: &str) -> Refund {
    let mut refund = fresh();
    let (state, refused) = match word {
        "refused" => (RefundState::Unknown, true),
        "refused closed" => (RefundState::Closed, true),
        word => (RefundState::parse(word).expect(word), false),
    };
    (refund.state, refund.refused) = (state, refused);
    if refused {
        refund.failure = Some(failure("no"));
    } else if state != RefundState::Unknown {
        refund.refund_no = Some("5030".into());
    }
    if !state.is_open() {
        refund.ended_at = Some(NOON);
    }
    refund
}

fn outcome(word: &str) -> RefundOutcome {
    let refund_no = "5030".to_owned();
    match word {
        "processing" => RefundOutcome::Processing { refund_no },
        "succeeded" => RefundOutcome::Succeeded { refund_no },
        "abnormal" => RefundOutcome::Abnormal { refund_no },
        "closed" => RefundOutcome::Closed { refund_no },
        "refused" => RefundOutcome::Refused {
            failure: failure("no"),
        },
        "not yet" => RefundOutcome::NotYet {
            failure: failure("later"),
        },
        "not found" => RefundOutcome::NotFound,
        "silence" => RefundOutcome::Unknown { why: String::new() },
        _ => panic!("{word}"),
    }
}

fn report(source: Source, grade: Grade, outcome: RefundOutcome) -> RefundReport {
    RefundReport {
        refund: fresh().id,
        source,
        grade,
        outcome,
    }
}

fn spoken(step: &RefundStep) -> String {
    let state = step.refund.state.as_str();
    let refused = if step.refund.refused { "refused " } else { "" };
    let mut text = format!("{refused}{state}");
    if !step.changed {
        text = "same".to_owned();
    }
    let mut mark = "; ";
    for effect in &step.effects {
        let words = match effect {
            RefundEffect::Start { after } => format!("start {}s", after.as_secs()),
            RefundEffect::Query { after } => format!("query {}s", after.as_secs()),
            RefundEffect::Tell(kind) => format!("tell {}", kind.as_str()),
            RefundEffect::OpenCase => "case".to_owned(),
            RefundEffect::Waits => "waits".to_owned(),
        };
        text = text + mark + &words;
        mark = ", ";
    }
    text
}

const STATES: [&str; 7] = [
    "unknown",
    "refused",
    "processing",
    "abnormal",
    "succeeded",
    "closed",
    "refused closed",
];

/// What follows for each of [`STATES`], two minutes after the refund was sent.
type Row = (&'static str, [&'static str; 7]);

fn holds(source: Source, grade: Grade, rows: &[Row]) {
    let now = NOON + Duration::from_mins(2);
    for (comes, follows) in rows {
        for (stands, follows) in STATES.iter().zip(follows) {
            let step =
                refund(stands).on(&report(source, grade, outcome(comes)), now, Grade::Strong);
            assert_eq!(spoken(&step), *follows, "{stands} | {comes}");
        }
    }
}

#[rustfmt::skip]
#[test]
fn the_answer_to_the_request() {
    holds(Source::Answer, Grade::Strong, &[
        ("processing", [
            "processing; query 60s", "processing; query 60s", "same; query 60s", "same; query 60s",
            "succeeded", "closed", "processing; query 60s",
        ]),
        ("refused", [
            "refused unknown; query 1s", "same; query 1s", "same; query 60s", "same; query 60s",
            "same", "same", "same; query 180s",
        ]),
        ("not yet", [
            "unknown; start 60s", "same; query 60s", "same; query 60s", "same; query 60s",
            "same", "same", "same; query 180s",
        ]),
        ("silence", [
            "unknown; query 60s", "refused unknown; query 60s", "processing; query 60s", "abnormal; query 60s",
            "succeeded", "closed", "refused closed; query 60s",
        ]),
    ]);
}

#[rustfmt::skip]
#[test]
fn the_answer_to_a_query() {
    holds(Source::Query, Grade::Strong, &[
        ("processing", [
            "processing; query 60s", "processing; query 60s", "same; query 60s", "same; query 60s",
            "succeeded", "closed", "processing; query 60s",
        ]),
        ("succeeded", [
            "succeeded; tell refund.succeeded", "refused succeeded; tell refund.succeeded",
            "succeeded; tell refund.succeeded", "succeeded; tell refund.succeeded",
            "same", "succeeded; tell refund.succeeded", "refused succeeded; tell refund.succeeded",
        ]),
        ("abnormal", [
            "abnormal; query 60s, case", "abnormal; query 60s, case", "abnormal; query 60s, case", "same; query 60s",
            "succeeded", "closed", "abnormal; query 60s, case",
        ]),
        ("closed", [
            "closed; tell refund.failed", "closed; tell refund.failed", "closed; tell refund.failed",
            "closed; tell refund.failed", "succeeded", "same", "closed",
        ]),
        ("not found", [
            "same; start 60s", "refused closed; query 60s, tell refund.failed", "same; query 60s", "same; query 60s",
            "same", "same", "same; query 180s",
        ]),
        ("silence", [
            "same; query 60s", "same; query 60s", "same; query 60s", "same; query 60s",
            "same", "same", "same; query 60s",
        ]),
    ]);
}

#[rustfmt::skip]
#[test]
fn a_message_only_ever_makes_us_ask() {
    let hinted = [
        "unknown; query 0s", "refused unknown; query 0s", "processing; query 0s", "abnormal; query 0s",
        "same", "same", "refused closed; query 0s",
    ];
    let words = ["processing", "succeeded", "abnormal", "closed", "refused", "not yet", "not found", "silence"];
    for source in [Source::Notification, Source::Bill, Source::Operator] {
        holds(source, Grade::Weak, &words.map(|word| (word, hinted)));
        holds(source, Grade::Shared, &words.map(|word| (word, hinted)));
    }
}

#[test]
fn an_answer_that_proves_too_little_is_no_answer() {
    for stands in STATES {
        let now = NOON + Duration::from_mins(2);
        let weak = report(Source::Query, Grade::Weak, outcome("succeeded"));
        let none = report(Source::Query, Grade::Strong, outcome("silence"));
        assert_eq!(
            refund(stands).on(&weak, now, Grade::Strong),
            refund(stands).on(&none, now, Grade::Strong)
        );
    }
}

#[test]
fn one_that_was_refused_and_is_not_found_is_closed_after_a_minute_and_not_before() {
    let not_found = report(Source::Query, Grade::Strong, outcome("not found"));
    let minute = NOON + Duration::from_mins(1);
    let young = refund("refused").on(&not_found, minute - Duration::from_millis(1), Grade::Strong);
    assert_eq!(spoken(&young), "same; query 10s");
    let old = refund("refused").on(&not_found, minute, Grade::Strong);
    assert_eq!(old.refund.state, RefundState::Closed);
    assert_eq!(old.refund.failure, Some(failure("no")));
}

#[test]
fn one_that_waits_for_its_turn_is_not_sent_before() {
    let mut waits = refund("unknown");
    waits.starts_at = NOON + REFUND_PAUSE * 3;
    let not_found = report(Source::Query, Grade::Strong, outcome("not found"));
    let step = waits.clone().on(&not_found, NOON, Grade::Strong);
    assert_eq!(spoken(&step), "same; start 180s");
    // A clock that was set back by more than the longest queue puts nothing off.
    let step = waits.on(&not_found, NOON - Duration::from_hours(5), Grade::Strong);
    assert_eq!(spoken(&step), "same; start 60s");
}

#[test]
fn a_second_hint_within_the_minute_asks_when_it_is_over_and_a_third_does_not() {
    let hint = report(Source::Notification, Grade::Weak, outcome("succeeded"));
    let first = refund("processing").on(&hint, NOON, Grade::Strong);
    assert_eq!(spoken(&first), "processing; query 0s");
    let now = NOON + Duration::from_secs(5);
    let second = first.refund.on(&hint, now, Grade::Strong);
    assert_eq!(spoken(&second), "processing; query 55s");
    let third = second.refund.clone().on(&hint, now, Grade::Strong);
    assert_eq!(spoken(&third), "same");
    // The query of the first hint leaves the second one's standing.
    let mut asked = second.refund;
    asked.starts_at = NOON - Duration::from_hours(3);
    let still = report(Source::Query, Grade::Strong, outcome("processing"));
    assert_eq!(
        spoken(&asked.on(&still, now, Grade::Strong)),
        "same; query 55s"
    );
}

#[test]
fn it_is_asked_about_every_half_hour_for_a_week_and_then_four_times_a_day() {
    let mut age = Duration::ZERO;
    let mut queries = 0;
    while age < Duration::from_hours(48) {
        let gap = refund_gap(age);
        assert!(gap <= Duration::from_mins(30));
        age += gap;
        queries += 1;
    }
    assert!(queries < 130, "{queries}");
    assert_eq!(
        refund_gap(Duration::from_hours(24 * 7)),
        Duration::from_hours(6)
    );
}

#[test]
fn what_cannot_be_asked_for_is_named() {
    let asked = |change: fn(&mut Refund)| {
        let mut refund = fresh();
        refund.merchant_refund_no = Some("R-1".into());
        change(&mut refund);
        refund.validate().map_err(|invalid| invalid.field)
    };
    assert_eq!(asked(|_| {}), Ok(()));
    assert_eq!(asked(|it| it.reason = Some("茶".repeat(26))), Ok(()));
    assert_eq!(asked(|it| it.amount = Money::fen(0)), Err("amount"));
    assert_eq!(asked(|it| it.amount = Money::fen(-5)), Err("amount"));
    for reason in ["", " x", "a&b", "a=b", "a\nb", &"茶".repeat(27)] {
        let mut refund = fresh();
        refund.reason = Some(reason.into());
        assert_eq!(refund.validate().unwrap_err().field, "reason", "{reason}");
    }
    for number in ["", "a b", "退1", &"a".repeat(65)] {
        let mut refund = fresh();
        refund.merchant_refund_no = Some(number.into());
        assert_eq!(refund.validate().unwrap_err().field, "merchant_refund_no");
    }
}

fn any_report() -> impl Strategy<Value = RefundReport> {
    let word = prop::sample::select(vec![
        "processing",
        "succeeded",
        "abnormal",
        "closed",
        "refused",
        "not yet",
        "not found",
        "silence",
    ]);
    let source = prop::sample::select(vec![
        Source::Answer,
        Source::Query,
        Source::Notification,
        Source::Bill,
    ]);
    let grade = prop::sample::select(vec![Grade::Weak, Grade::Shared, Grade::Strong]);
    (source, grade, word).prop_map(|(source, grade, word)| report(source, grade, outcome(word)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn whatever_is_said_the_rules_hold(
        moves in prop::collection::vec((any_report(), 0..100_000_u64), 1..60),
    ) {
        let (mut refund, mut now) = (fresh(), NOON);
        for (report, wait) in moves {
            now = now + Duration::from_millis(wait);
            let before = refund.clone();
            let step = refund.on(&report, now, Grade::Strong);
            refund = step.refund;

            // What was asked for never changes, its number least of all.
            prop_assert_eq!(
                (refund.id, &refund.out_refund_no, refund.amount, refund.attempt),
                (before.id, &before.out_refund_no, before.amount, before.attempt)
            );
            prop_assert!(step.changed || refund == before);
            // Only a proven word of the platform ends it.
            if before.state.is_open() && !refund.state.is_open() {
                prop_assert_eq!(report.grade, Grade::Strong);
                let says_so = matches!(
                    report.outcome,
                    RefundOutcome::Succeeded { .. } | RefundOutcome::Closed { .. } | RefundOutcome::NotFound
                );
                prop_assert!(says_so);
            }
            if report.outcome == RefundOutcome::NotFound && refund.state != before.state {
                prop_assert!(before.refused && now.since(refund.starts_at) >= Duration::from_mins(1));
            }
            // Nothing leads out of success, and back to where nothing was heard.
            prop_assert!(before.state != RefundState::Succeeded || refund.state == before.state);
            prop_assert!(refund.state != RefundState::Unknown || before.state == refund.state);
            // An end is told when it comes, and once.
            let tells = |kind| step.effects.contains(&RefundEffect::Tell(kind));
            let became = |state| refund.state == state && before.state != state;
            prop_assert_eq!(tells(EventType::RefundSucceeded), became(RefundState::Succeeded));
            prop_assert_eq!(tells(EventType::RefundFailed), became(RefundState::Closed));
            let opens = step.effects.contains(&RefundEffect::OpenCase);
            prop_assert_eq!(opens, became(RefundState::Abnormal));
            // The answer to a call of ours leaves another call, while it is open.
            let ours = matches!(report.source, Source::Answer | Source::Query);
            let asks = step.effects.iter().any(|effect| {
                matches!(effect, RefundEffect::Start { .. } | RefundEffect::Query { .. })
            });
            prop_assert!(!ours || !refund.state.is_open() || asks, "forgotten: {:?}", refund);
            // And none of them at once.
            if ours {
                for effect in &step.effects {
                    if let RefundEffect::Start { after } | RefundEffect::Query { after } = effect {
                        prop_assert!(!after.is_zero(), "{:?} asks itself", report);
                    }
                }
            }
        }
        let json = serde_json::to_string(&refund).unwrap();
        prop_assert_eq!(serde_json::from_str::<Refund>(&json).unwrap(), refund);
    }
}
