//! Where messages get lost and nobody lies: when the channel answers again,
//! everything comes to its end, and agrees with the channel's books.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::random::{LETTERS, Move, any_grade, any_rules, any_wait, make};
use super::words::{PRICE, id, qr};
use super::world::{Call, World};
use crate::{AttemptId, Grade, Money, Outcome, Receipt, Source, State};

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
    Revoked,
}

impl Channel {
    fn answer(&mut self, call: Call) -> Outcome {
        let unknown = |ask_now| Outcome::Unknown {
            why: String::new(),
            ask_now,
        };
        let (Call::Start(id) | Call::Query(id) | Call::Close(id) | Call::Reverse(id)) = call;
        let at_a_till = id == super::words::id("p");
        let trade = self.trades.get(&id).copied();
        match (call, trade) {
            // It asks for a password.
            (Call::Start(_), None) if at_a_till => {
                self.trades.insert(id, Trade::UserPaying);
                Outcome::UserPaying
            }
            (Call::Start(_), None | Some(Trade::NotPaid)) => {
                self.trades.insert(id, Trade::NotPaid);
                Outcome::Accepted { action: qr("1") }
            }
            (Call::Start(_), Some(_)) | (Call::Close(_), Some(Trade::Paid(_))) => unknown(true),
            (Call::Query(_) | Call::Close(_) | Call::Reverse(_), None) => Outcome::NotFound,
            (Call::Query(_), Some(Trade::NotPaid)) => Outcome::NotPaid,
            (Call::Query(_), Some(Trade::UserPaying)) => Outcome::UserPaying,
            (Call::Query(_), Some(Trade::Paid(fen))) => success(id, fen),
            (Call::Query(_) | Call::Close(_), Some(Trade::Closed)) => Outcome::Closed,
            (Call::Query(_) | Call::Close(_), Some(Trade::Revoked)) => Outcome::Revoked,
            (Call::Reverse(_), Some(_)) => {
                self.trades.insert(id, Trade::Revoked);
                Outcome::Revoked
            }
            (Call::Close(_), Some(Trade::NotPaid | Trade::UserPaying)) => {
                self.trades.insert(id, Trade::Closed);
                Outcome::Closed
            }
        }
    }
}

pub(super) fn success(id: AttemptId, fen: i64) -> Outcome {
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
            // What was reversed was returned, and is nobody's.
            _ => assert_eq!(attempt.received, None, "money from nothing"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

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
        // Until the clock has caught up, each attempt is asked about once a minute.
        let behind = usize::try_from(latest.since(world.now).as_secs() / 60).unwrap();
        let most = 1_000 + LETTERS.len() * behind;
        let mut runs = 0;
        while world.next().is_some() {
            world.run_next(|call| (Grade::Strong, channel.answer(call)));
            if world.now >= end {
                prop_assert!(world.payment.is_final(), "{:?} at {:?}", world.payment, world.now);
                prop_assert!(world.payment.attempts.iter().all(|attempt| !attempt.state.is_open()));
            }
            runs += 1;
            prop_assert!(runs < most, "no end of it");
        }
        all_is_well(&world, &channel);
    }
}
