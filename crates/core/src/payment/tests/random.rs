//! Random worlds: whatever comes, in whatever order, the rules hold.

use std::time::Duration;

use proptest::prelude::*;

use super::honest::success;
use super::words::{ACCEPTS_LATE, CAREFUL, PRICE, TRUSTS_SIGNATURES, event, id, qr};
use super::world::World;
use crate::webhook::EventType;
use crate::{Event, Failure, Grade, Money, Outcome, Receipt, Report, Rules, Source};

pub(super) const LETTERS: [&str; 3] = ["a", "m", "p"];

/// What a channel can say at all, sense or not.
fn any_outcome() -> impl Strategy<Value = Outcome> {
    let failure = Failure {
        code: "channel_refused".into(),
        detail: String::new(),
        platform_code: None,
    };
    let receipt = (
        prop_oneof![3 => Just(PRICE), 1 => 0..3_i64],
        prop_oneof![3 => Just("T1"), 1 => Just("T2")],
    );
    let receipt = receipt.prop_map(|(fen, transaction_id)| Receipt {
        amount: Money::fen(fen),
        transaction_id: transaction_id.into(),
        payer: None,
        paid_at: None,
    });
    prop_oneof![
        2 => prop_oneof![Just("1"), Just("2")].prop_map(|code| Outcome::Accepted { action: qr(code) }),
        2 => receipt.prop_map(|receipt| Outcome::Success { receipt }),
        3 => Just(Outcome::NotPaid),
        1 => Just(Outcome::UserPaying),
        1 => Just(Outcome::Closed),
        1 => Just(Outcome::Revoked),
        1 => Just(Outcome::PayError { failure: failure.clone() }),
        1 => Just(Outcome::Refused { failure }),
        2 => Just(Outcome::NotFound),
        3 => any::<bool>().prop_map(|ask_now| Outcome::Unknown { why: String::new(), ask_now }),
    ]
}

pub(super) fn any_grade() -> impl Strategy<Value = Grade> {
    prop_oneof![4 => Just(Grade::Strong), 2 => Just(Grade::Shared), 1 => Just(Grade::Weak)]
}

pub(super) fn any_rules() -> impl Strategy<Value = Rules> {
    prop_oneof![Just(CAREFUL), Just(ACCEPTS_LATE), Just(TRUSTS_SIGNATURES)]
}

/// From a moment to a day; short ones more often.
pub(super) fn any_wait() -> impl Strategy<Value = Duration> {
    (0..17_u32).prop_flat_map(|power| (0..1_000_u64 << power).prop_map(Duration::from_millis))
}

#[derive(Clone, Debug)]
pub(super) enum Move {
    /// The next job runs, and this is its answer.
    Run(Grade, Outcome),
    /// Nothing runs: the process is down, or slow.
    Wait(Duration),
    SetBack(Duration),
    Start(usize),
    Close,
    Expire,
    Hear(usize, Source, Grade, Outcome),
    /// Platforms repeat themselves.
    HearAgain,
}

pub(super) fn any_move() -> impl Strategy<Value = Move> {
    let source = prop_oneof![
        4 => Just(Source::Notification),
        1 => Just(Source::Bill),
        1 => Just(Source::Operator),
        // The answer of another process, whose lease had run out.
        1 => Just(Source::Query),
    ];
    prop_oneof![
        12 => (any_grade(), any_outcome()).prop_map(|(grade, outcome)| Move::Run(grade, outcome)),
        2 => any_wait().prop_map(Move::Wait),
        1 => any_wait().prop_map(Move::SetBack),
        3 => (0..3_usize).prop_map(Move::Start),
        1 => Just(Move::Close),
        1 => Just(Move::Expire),
        4 => (0..3_usize, source, any_grade(), any_outcome())
            .prop_map(|(attempt, source, grade, outcome)| Move::Hear(attempt, source, grade, outcome)),
        1 => Just(Move::HearAgain),
    ]
}

fn report(attempt: usize, source: Source, grade: Grade, outcome: Outcome) -> Event {
    let attempt = id(LETTERS[attempt]);
    Event::Reported {
        report: Box::new(Report {
            attempt,
            source,
            grade,
            outcome,
        }),
    }
}

pub(super) fn make(world: &mut World, step: Move) {
    match step {
        Move::Run(grade, outcome) => {
            world.run_next(|_| (grade, outcome));
        }
        Move::Wait(wait) => world.now = world.now + wait,
        Move::SetBack(wait) => {
            world.now = world.now - wait;
            world.steady &= wait.is_zero();
        }
        Move::Start(letter) => {
            world.happens(event(&format!("start {}", LETTERS[letter]), world.now));
        }
        Move::Close => {
            world.happens(Event::CloseRequested);
        }
        Move::Expire => {
            world.happens(Event::Expired);
        }
        Move::Hear(letter, source, grade, outcome) => {
            world.happens(report(letter, source, grade, outcome));
        }
        Move::HearAgain => {
            if let Some((event @ Event::Reported { .. }, _)) = world.log.last().cloned() {
                world.happens(event);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn whatever_comes_the_rules_hold_and_nothing_is_forgotten(
        rules in any_rules(),
        jitter in any::<u64>(),
        moves in prop::collection::vec(any_move(), 1..120),
    ) {
        let mut world = World::new(rules, Some(jitter));
        for step in moves {
            make(&mut world, step);
        }
        prop_assert_eq!(world.folded(), world.payment.clone());
        let mut facts: Vec<_> = world.told.iter().map(|(_, sequence)| *sequence).collect();
        facts.dedup();
        prop_assert_eq!(facts.len(), world.told.len(), "two facts under one number");
        for kind in [EventType::PaymentPaid, EventType::PaymentClosed] {
            prop_assert!(world.told.iter().filter(|(told, _)| *told == kind).count() <= 1);
        }
    }

    #[test]
    fn a_channel_that_contradicts_itself_for_a_day_is_asked_a_bounded_number_of_times(
        rules in any_rules(),
        jitter in any::<u64>(),
        set_back in prop_oneof![Just(Duration::ZERO), any_wait()],
        closed_after in 0..40_usize,
        answers in prop::collection::vec((any_grade(), any_outcome()), 1..7),
    ) {
        let mut world = World::new(rules, Some(jitter));
        make(&mut world, Move::Start(0));
        make(&mut world, Move::SetBack(set_back));
        let end = world.now + Duration::from_hours(24);
        let mut answers = answers.into_iter().cycle();
        while world.next().is_some_and(|(_, due)| due < end) {
            world.run_next(|_| answers.next().expect("a cycle"));
            if world.calls.len() == closed_after {
                make(&mut world, Move::Close);
            }
            prop_assert!(world.calls.len() < MOST_CALLS_A_DAY, "{:?}", &world.calls[MOST_CALLS_A_DAY - 20..]);
        }
        prop_assert!(world.log.len() < MOST_CALLS_A_DAY);
    }

    #[test]
    fn a_flood_of_hints_asks_one_query_a_minute(
        jitter in any::<u64>(),
        gaps in prop::collection::vec(0..9_000_u64, 200),
        state in 0..3_usize,
    ) {
        let mut world = World::new(CAREFUL, Some(jitter));
        let answer = [Outcome::NotPaid, Outcome::Closed, Outcome::NotFound][state].clone();
        make(&mut world, Move::Start(0));
        world.run_next(|_| (Grade::Strong, Outcome::Accepted { action: qr("1") }));
        // Past the first minutes, in which we ask often by ourselves.
        world.now = world.payment.expires_at - Duration::from_mins(1);
        world.run_next(|_| (Grade::Strong, answer.clone()));
        let (since, calls, lines) = (world.now, world.calls.len(), world.log.len());
        for gap in gaps {
            let at = world.now + Duration::from_millis(gap);
            while world.next().is_some_and(|(_, due)| due <= at) {
                world.run_next(|_| (Grade::Strong, answer.clone()));
            }
            world.now = at;
            make(&mut world, Move::Hear(0, Source::Notification, Grade::Shared, success(id("a"), PRICE)));
        }
        let minutes = usize::try_from(world.now.since(since).as_secs() / 60).unwrap() + 1;
        // One for the hint, one of our own, and the end of the payment.
        prop_assert!(world.calls.len() - calls <= 2 * minutes + 4, "{} in {minutes}", world.calls.len() - calls);
        prop_assert!(world.log.len() - lines <= 2 * minutes + 4);
    }
}

/// For one attempt: some 1,300 when every answer asks for one more call.
const MOST_CALLS_A_DAY: usize = 1_500;
