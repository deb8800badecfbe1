//! Random worlds: whatever comes, in whatever order, the rules hold; and when
//! the channel answers honestly again, everything comes to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::words::{ACCEPTS_LATE, CAREFUL, PRICE, TRUSTS_SIGNATURES, event, id, qr};
use super::world::{Call, World};
use crate::webhook::EventType;
use crate::{
    AttemptId, Event, Failure, Grade, Money, Outcome, Receipt, Report, Rules, Source, State,
};

const LETTERS: [&str; 3] = ["a", "b", "c"];

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

fn any_grade() -> impl Strategy<Value = Grade> {
    prop_oneof![4 => Just(Grade::Strong), 2 => Just(Grade::Shared), 1 => Just(Grade::Weak)]
}

pub(super) fn any_rules() -> impl Strategy<Value = Rules> {
    prop_oneof![Just(CAREFUL), Just(ACCEPTS_LATE), Just(TRUSTS_SIGNATURES)]
}

/// From a moment to a day; short ones more often.
fn any_wait() -> impl Strategy<Value = Duration> {
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

/// A channel that keeps its books.
#[derive(Default)]
struct Channel {
    trades: BTreeMap<AttemptId, Trade>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trade {
    NotPaid,
    UserPaying,
    Paid(i64),
    Closed,
}

impl Channel {
    fn answer(&mut self, call: Call) -> Outcome {
        let unknown = |ask_now| Outcome::Unknown {
            why: String::new(),
            ask_now,
        };
        let (Call::Start(id) | Call::Query(id) | Call::Close(id)) = call;
        let trade = self.trades.get(&id).copied();
        match (call, trade) {
            (Call::Start(_), None | Some(Trade::NotPaid)) => {
                self.trades.insert(id, Trade::NotPaid);
                Outcome::Accepted { action: qr("1") }
            }
            (Call::Start(_), Some(_)) | (Call::Close(_), Some(Trade::Paid(_))) => unknown(true),
            (Call::Query(_) | Call::Close(_), None) => Outcome::NotFound,
            (Call::Query(_), Some(Trade::NotPaid)) => Outcome::NotPaid,
            (Call::Query(_), Some(Trade::UserPaying)) => Outcome::UserPaying,
            (Call::Query(_), Some(Trade::Paid(fen))) => success(id, fen),
            (Call::Query(_) | Call::Close(_), Some(Trade::Closed)) => Outcome::Closed,
            (Call::Close(_), Some(Trade::NotPaid | Trade::UserPaying)) => {
                self.trades.insert(id, Trade::Closed);
                Outcome::Closed
            }
        }
    }
}

fn success(id: AttemptId, fen: i64) -> Outcome {
    Outcome::Success {
        receipt: Receipt {
            amount: Money::fen(fen),
            transaction_id: format!("T{id}"),
            payer: None,
            paid_at: None,
        },
    }
}

/// What happens where messages get lost and nobody lies.
#[derive(Clone, Debug)]
enum Honest {
    Run,
    /// The answer is lost; the call took effect, or it did not.
    Lose {
        took_effect: bool,
    },
    Wait(Duration),
    SetBack(Duration),
    Start(usize),
    Close,
    /// The payer opens the password prompt.
    Scan(usize),
    /// The payer pays what the channel asks for, or what it takes by mistake.
    Pay(usize, i64),
    /// The channel notifies of what has been paid.
    Notify(usize, Grade),
}

fn honest_move() -> impl Strategy<Value = Honest> {
    prop_oneof![
        8 => Just(Honest::Run),
        4 => any::<bool>().prop_map(|took_effect| Honest::Lose { took_effect }),
        2 => any_wait().prop_map(Honest::Wait),
        1 => any_wait().prop_map(Honest::SetBack),
        3 => (0..3_usize).prop_map(Honest::Start),
        1 => Just(Honest::Close),
        1 => (0..3_usize).prop_map(Honest::Scan),
        2 => (0..3_usize, prop_oneof![4 => Just(PRICE), 1 => Just(1)]).prop_map(|(who, fen)| Honest::Pay(who, fen)),
        2 => (0..3_usize, any_grade()).prop_map(|(who, grade)| Honest::Notify(who, grade)),
    ]
}

fn make_honestly(world: &mut World, channel: &mut Channel, step: &Honest) {
    match *step {
        Honest::Run => {
            world.run_next(|call| (Grade::Strong, channel.answer(call)));
        }
        Honest::Lose { took_effect } => {
            world.run_next(|call| {
                if took_effect {
                    channel.answer(call);
                }
                let why = String::new();
                (
                    Grade::Strong,
                    Outcome::Unknown {
                        why,
                        ask_now: false,
                    },
                )
            });
        }
        Honest::Wait(wait) => make(world, Move::Wait(wait)),
        Honest::SetBack(wait) => make(world, Move::SetBack(wait)),
        Honest::Start(letter) => make(world, Move::Start(letter)),
        Honest::Close => make(world, Move::Close),
        Honest::Scan(letter) => {
            if let Some(trade @ Trade::NotPaid) = channel.trades.get_mut(&id(LETTERS[letter])) {
                *trade = Trade::UserPaying;
            }
        }
        Honest::Pay(letter, fen) => {
            if let Some(trade @ (Trade::NotPaid | Trade::UserPaying)) =
                channel.trades.get_mut(&id(LETTERS[letter]))
            {
                *trade = Trade::Paid(fen);
            }
        }
        Honest::Notify(letter, grade) => {
            let attempt = id(LETTERS[letter]);
            if let Some(Trade::Paid(fen)) = channel.trades.get(&attempt) {
                make(
                    world,
                    Move::Hear(letter, Source::Notification, grade, success(attempt, *fen)),
                );
            }
        }
    }
}

/// Everything has come to its end, and agrees with the channel's books.
fn all_is_well(world: &World, channel: &Channel) {
    let payment = &world.payment;
    assert!(payment.is_final());
    for attempt in &payment.attempts {
        assert!(!attempt.state.is_open());
        let trade = channel.trades.get(&attempt.id);
        assert!(
            !matches!(trade, Some(Trade::NotPaid | Trade::UserPaying)),
            "left open there"
        );
        let accepted = matches!(payment.state, State::Paid { attempt: by, .. } if by == attempt.id);
        match trade {
            Some(Trade::Paid(fen)) => {
                assert_eq!(attempt.received, Some(Money::fen(*fen)));
                assert!(
                    accepted
                        != attempt
                            .raised
                            .iter()
                            .any(|case| case.amount == Money::fen(*fen))
                );
            }
            _ => assert_eq!(attempt.received, None, "money from nothing"),
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
    fn when_the_channel_answers_again_the_payment_is_final_within_ten_minutes_of_its_time(
        rules in any_rules(),
        jitter in any::<u64>(),
        moves in prop::collection::vec(honest_move(), 1..80),
    ) {
        let mut world = World::new(rules, Some(jitter));
        let mut channel = Channel::default();
        // Jobs are due by the clock; one that was set back has to catch up first.
        let mut latest = world.payment.expires_at;
        for step in &moves {
            make_honestly(&mut world, &mut channel, step);
            latest = latest.max(world.now);
        }
        let end = latest + Duration::from_mins(10);
        let mut runs = 0;
        while world.next().is_some() {
            world.run_next(|call| (Grade::Strong, channel.answer(call)));
            if world.now >= end {
                prop_assert!(world.payment.is_final(), "{:?} at {:?}", world.payment, world.now);
                prop_assert!(world.payment.attempts.iter().all(|attempt| !attempt.state.is_open()));
            }
            runs += 1;
            prop_assert!(runs < 1_000, "no end of it");
        }
        all_is_well(&world, &channel);
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
