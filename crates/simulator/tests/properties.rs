//! What holds whatever people, merchants and fate do.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{HEARD, Merchant, NOON, NOTIFY_URL, post};
use proptest::prelude::*;
use tongbao_simulator::{
    Delivered, FaultKind, Funds, NewFault, NotificationKind, NotificationState, Outgoing, Platform,
    Reply, Target, Trade, TradeState, UnixMillis,
};

const PATHS: [&str; 6] = [
    "/pay/unifiedorder",
    "/pay/orderquery",
    "/pay/closeorder",
    "/pay/micropay",
    "/secapi/pay/reverse",
    "/secapi/pay/refund",
];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Move {
    Place(u8, u64),
    Query(u8),
    Close(u8),
    Scan(u8),
    Pay(u8, bool),
    Charge(u8, u64),
    Confirm(bool),
    Reverse(u8),
    Refund(u8, u8, u64),
    Settle,
    Fault(usize, u32),
    Heal,
    Pass(u32),
    /// Answers the oldest notification under way.
    Answer(bool),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let order = 0..4u8;
    let one = prop_oneof![
        4 => (order.clone(), prop_oneof![Just(100u64), Just(60_000)])
            .prop_map(|(order, fen)| Move::Place(order, fen)),
        1 => order.clone().prop_map(Move::Query),
        1 => order.clone().prop_map(Move::Close),
        1 => order.clone().prop_map(Move::Scan),
        4 => (order.clone(), any::<bool>()).prop_map(|(order, typed)| Move::Pay(order, typed)),
        3 => (order.clone(), prop_oneof![Just(100u64), Just(60_000)])
            .prop_map(|(order, fen)| Move::Charge(order, fen)),
        2 => any::<bool>().prop_map(Move::Confirm),
        1 => order.clone().prop_map(Move::Reverse),
        3 => (order.clone(), 0..3u8, prop_oneof![Just(100u64), Just(60_000), Just(40)])
            .prop_map(|(order, refund, fen)| Move::Refund(order, refund, fen)),
        1 => Just(Move::Settle),
        1 => (0..FaultKind::ALL.len(), 1..3u32).prop_map(|(kind, times)| Move::Fault(kind, times)),
        1 => Just(Move::Heal),
        3 => (0..40_000u32).prop_map(Move::Pass),
        3 => any::<bool>().prop_map(Move::Answer),
    ];
    prop::collection::vec(one, 1..60)
}

struct Walk {
    platform: Platform,
    merchant: Merchant,
    now: UnixMillis,
    under_way: Vec<Outgoing>,
}

impl Walk {
    fn new() -> Self {
        Self {
            platform: Platform::new(7),
            merchant: Merchant::ready_made(),
            now: NOON,
            under_way: Vec::new(),
        }
    }

    fn step(&mut self, step: &Move) {
        let (now, merchant) = (self.now, &self.merchant);
        let number = |order: u8| format!("T0000{order}");
        match *step {
            Move::Place(order, fen) => {
                let fields = Merchant::order(&number(order), fen);
                let request = merchant.request(PATHS[0], &fields);
                self.platform.handle(now, &request);
            }
            Move::Query(order) => {
                let request = merchant.request(PATHS[1], &Merchant::number(&number(order)));
                self.platform.handle(now, &request);
            }
            Move::Close(order) => {
                let request = merchant.request(PATHS[2], &Merchant::number(&number(order)));
                self.platform.handle(now, &request);
            }
            Move::Scan(order) => {
                if let Some(code) = self.code(&number(order)) {
                    let _ = self.platform.scan(now, "alice", &code);
                }
            }
            Move::Pay(order, typed) => {
                if let Some(code) = self.code(&number(order)) {
                    let password = typed.then_some("123456");
                    let _ = self.platform.pay(now, "alice", &code, password);
                }
            }
            Move::Charge(order, fen) => {
                let code = self
                    .platform
                    .auth_code(now, "alice")
                    .expect("alice is there")
                    .digits;
                let fields = Merchant::charge(&number(order), fen, &code);
                let request = merchant.request(PATHS[3], &fields);
                self.platform.handle(now, &request);
            }
            Move::Confirm(accept) => {
                let reply = if accept {
                    Reply::Accept { password: None }
                } else {
                    Reply::Decline
                };
                let _ = self.platform.confirm(now, "alice", None, reply);
            }
            Move::Reverse(order) => {
                let request = merchant.request(PATHS[4], &Merchant::number(&number(order)));
                self.platform.handle(now, &request);
            }
            Move::Refund(order, refund, fen) => {
                let trade = self
                    .platform
                    .truth()
                    .trade(&merchant.mch_id, &number(order));
                let total = trade.map_or(100, |trade| trade.amount_fen);
                let pairs = [
                    ("out_trade_no", number(order)),
                    ("out_refund_no", format!("R{order}-{refund}")),
                    ("total_fee", total.to_string()),
                    ("refund_fee", fen.to_string()),
                    ("notify_url", NOTIFY_URL.to_owned()),
                ];
                let request = merchant.request(PATHS[5], &pairs.into_iter().collect());
                self.platform.handle(now, &request);
            }
            Move::Settle => {
                let all = |funds: &mut Funds| funds.settle(funds.unsettled_fen);
                self.platform.move_funds(&merchant.mch_id, all);
            }
            Move::Fault(kind, times) => {
                let asked = NewFault {
                    times: Some(times),
                    ..NewFault::of(FaultKind::ALL[kind])
                };
                self.platform.add_fault(now, asked);
            }
            Move::Heal => self.platform.clear_faults(),
            Move::Pass(millis) => self.now = now + Duration::from_millis(millis.into()),
            Move::Answer(heard) => {
                if !self.under_way.is_empty() {
                    let outgoing = self.under_way.remove(0);
                    let (status, body) = if heard { (200, HEARD) } else { (500, &b""[..]) };
                    let body = Bytes::copy_from_slice(body);
                    let answer = Delivered::Http { status, body };
                    self.platform.answered(now, outgoing.id, answer);
                }
            }
        }
        self.under_way.extend(self.platform.fire(self.now));
    }

    fn code(&self, number: &str) -> Option<Target> {
        let trade = self.platform.truth().trade(&self.merchant.mch_id, number)?;
        trade
            .code_url()
            .map(|code| Target::CodeUrl(code.to_owned()))
    }

    fn states(&self) -> Vec<TradeState> {
        let state = |trade: &Trade| trade.state.clone();
        self.platform.truth().trades().map(state).collect()
    }
}

/// What is paid can only be reversed; what is reversed or closed stays so.
fn may_follow(was: &TradeState, is: &TradeState) -> bool {
    match was {
        TradeState::NotPay | TradeState::UserPaying { .. } | TradeState::PayError { .. } => true,
        TradeState::Success(_) => was == is || matches!(is, TradeState::Revoked { .. }),
        TradeState::Closed { .. } | TradeState::Revoked { .. } => was == is,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn money_moves_once_and_what_is_over_stays_over(moves in moves()) {
        let mut walk = Walk::new();
        let total = walk.platform.truth().total_fen();
        for step in &moves {
            let before = walk.states();
            walk.step(step);

            let books = walk.platform.truth();
            prop_assert_eq!(books.total_fen(), total);
            prop_assert_eq!(books.check(), Ok(()));
            for (was, is) in before.iter().zip(walk.states()) {
                prop_assert!(may_follow(was, &is), "{was:?} → {is:?}");
            }
        }
    }

    #[test]
    fn only_a_forgery_tells_of_a_payment_that_was_not_made(moves in moves()) {
        let mut walk = Walk::new();
        for step in &moves {
            walk.step(step);
        }
        let books = walk.platform.truth();
        for told in walk.platform.notifications() {
            let paid = books.trades().any(|trade| trade.id == told.trade && trade.paid().is_some());
            prop_assert!(paid || told.kind == NotificationKind::Forged);
        }
    }

    /// Once faults are over and the merchant answers, every payment is told within a day.
    #[test]
    fn every_payment_is_told_in_the_end(moves in moves()) {
        let mut walk = Walk::new();
        for step in &moves {
            walk.step(step);
        }
        walk.platform.clear_faults();
        for _ in 0..200 {
            while !walk.under_way.is_empty() {
                walk.step(&Move::Answer(true));
            }
            let Some(due) = walk.platform.next_due() else { break };
            walk.now = walk.now.max(due);
            walk.under_way.extend(walk.platform.fire(walk.now));
        }
        for told in walk.platform.notifications() {
            let lie = [NotificationKind::Forged, NotificationKind::Garbage].contains(&told.kind);
            let ended = lie
                || told.state == NotificationState::Accepted;
            prop_assert!(ended, "{:?}", told);
        }
    }

    #[test]
    fn a_snapshot_is_the_platform(moves in moves()) {
        let mut walk = Walk::new();
        let (first, rest) = moves.split_at(moves.len() / 2);
        for step in first {
            walk.step(step);
        }
        let text = serde_json::to_string(&walk.platform).unwrap();
        let mut other = Walk {
            platform: serde_json::from_str(&text).unwrap(),
            now: walk.now,
            under_way: walk.under_way.clone(),
            ..Walk::new()
        };
        for step in rest {
            walk.step(step);
            other.step(step);
        }
        let text = |walk: &Walk| serde_json::to_string(&walk.platform).unwrap();
        prop_assert_eq!(text(&walk), text(&other));
    }

    #[test]
    fn no_bytes_are_too_strange(path in 0..PATHS.len(), body in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut platform = Platform::new(7);
        let response = platform.handle(NOON, &post(PATHS[path], body));

        prop_assert_eq!(response.answer().unwrap().status(), 200);
        prop_assert_eq!(platform.truth().trades().count(), 0);
    }
}
