//! Every state of a payment, of an attempt and of another one, with everything
//! that may come: each is decided or refused, without panic, and within the
//! rules.

use std::time::Duration;

use super::step_rules::judged;
use super::words::{ACCEPTS_LATE, CAREFUL, LIFE, NOON, TRUSTS_SIGNATURES, event, payment};
use crate::{Payment, Timestamp};

const PAYMENTS: [&str; 5] = ["created", "pending", "closing", "paid by a", "closed"];
const ATTEMPTS: [&str; 9] = [
    "unknown",
    "pending",
    "pending without code",
    "user_paying",
    "succeeded",
    "failed",
    "mismatched",
    "closed",
    "reversed",
];
const OTHERS: [&str; 4] = ["", ", b pending", ", b closed", ", b succeeded"];
/// Of a payer at a till.
const AT_A_TILL: [&str; 10] = [
    "unknown",
    "user_paying",
    "user_paying reversing",
    "pending accepted",
    "pending refusing",
    "succeeded",
    "failed reversing",
    "closed reversing",
    "reversed",
    "reversed accepted",
];
const SOURCES: [&str; 7] = [
    "answer", "query", "closer", "reverser", "notice", "bill", "operator",
];
const OUTCOMES: [&str; 15] = [
    "accepted",
    "accepted anew",
    "success",
    "success 1",
    "success T9",
    "success USD",
    "not paid",
    "user paying",
    "closed",
    "revoked",
    "pay error",
    "refused",
    "not found",
    "silence",
    "ask me",
];

fn everything_that_may_come() -> Vec<String> {
    let mut all: Vec<String> = [
        "start a", "start b", "start p", "start q", "close", "expire",
    ]
    .map(String::from)
    .to_vec();
    for letter in ["a", "p"] {
        for source in SOURCES {
            for grade in ["", "?", "??"] {
                all.extend(OUTCOMES.map(|outcome| format!("{source}{grade} {letter}: {outcome}")));
            }
        }
    }
    all
}

/// `paid by a` with an attempt that brought nothing is no payment.
fn can_be(payment: &str, attempt: &str) -> bool {
    !payment.starts_with("paid") || attempt == "succeeded"
}

fn everything_that_may_stand() -> Vec<Payment> {
    let mut all = vec![payment("created"), payment("closed"), payment("pending")];
    for state in PAYMENTS {
        for attempt in ATTEMPTS
            .into_iter()
            .filter(|attempt| can_be(state, attempt))
        {
            all.extend(OTHERS.map(|other| payment(&format!("{state}, a {attempt}{other}"))));
        }
        let state = state.replace("by a", "by p");
        for attempt in AT_A_TILL
            .into_iter()
            .filter(|attempt| can_be(&state, attempt))
        {
            all.extend(OTHERS.map(|other| payment(&format!("{state}, p {attempt}{other}"))));
        }
    }
    all
}

#[test]
fn every_pair_is_decided_within_the_rules() {
    let clock = [
        NOON,
        NOON + Duration::from_mins(2),
        NOON + LIFE + Duration::from_mins(1),
        NOON + Duration::from_hours(30),
        // Set back.
        NOON - Duration::from_hours(1),
    ];
    let (stands, comes) = (everything_that_may_stand(), everything_that_may_come());
    let mut decided = 0;
    for now in clock {
        for text in &comes {
            let event = event(text, now);
            for rules in [CAREFUL, ACCEPTS_LATE, TRUSTS_SIGNATURES] {
                for before in &stands {
                    decided += u32::from(judged(before, &event, now, rules).is_some());
                }
            }
        }
    }
    assert!(decided > 500_000, "{decided}");
}

#[test]
fn a_clock_at_either_end_of_time_is_no_panic() {
    let ends = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX].map(Timestamp::from_millis);
    let (stands, comes) = (everything_that_may_stand(), everything_that_may_come());
    for now in ends {
        for text in &comes {
            let event = event(text, now);
            for before in &stands {
                let _ = judged(before, &event, now, CAREFUL);
            }
        }
    }
}
