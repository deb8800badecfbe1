//! Nothing takes longer because the store is full: counted in the steps of
//! SQLite's machine, which no other load on the computer can change.

use std::cell::Cell;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Statement, StatementStatus};
use tongbao_core::webhook::WebhookEvent;
use tongbao_core::{CaseState, Timestamp};

use super::commit::Commit;
use super::deliveries::{Record, Replay};
use super::{
    cases, channels, deliveries, endpoints, events, idempotency, inbox, jobs, merchants, migrate,
    payments, pulse, timeline,
};
use crate::{
    CaseFilter, Change, DeliveryOutcome, DeliveryResult, EventFilter, InboxFilter, PaymentFilter,
};
use people::*;

#[allow(dead_code, reason = "the stories use the rest")]
#[path = "../../tests/stories/people.rs"]
mod people;

thread_local! {
    static STEPS: Cell<i64> = const { Cell::new(0) };
}

/// Adds what the statement has taken since it was last counted.
pub(super) fn count(statement: &Statement<'_>) {
    // The schema does not change while these tests run.
    let planned_again = statement.get_status(StatementStatus::RePrepare);
    assert_eq!(planned_again, 0, "{:?}", statement.expanded_sql());
    let steps = statement.reset_status(StatementStatus::VmStep);
    STEPS.set(STEPS.get() + i64::from(steps));
}

fn steps_of(work: impl FnOnce()) -> i64 {
    STEPS.set(0);
    work();
    STEPS.get()
}

const LATER: Timestamp = Timestamp::from_secs(NOON.as_secs() + 1_000_000);

/// A store with so many payments, each paid, told, and with a job to come.
fn filled(payments: u64) -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    migrate::apply(&mut db).unwrap();
    db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .unwrap();
    merchants::insert(&db, &merchant_row(1)).unwrap();
    channels::save(&db, &account(1, 1)).unwrap();
    endpoints::save(&db, &endpoint(1)).unwrap();
    for number in 1..=payments {
        pay(&db, number);
    }
    db
}

fn commit(db: &Connection, change: Change) {
    Commit::new(change).run(db).unwrap();
}

fn make(db: &Connection, number: u64) -> tongbao_core::Payment {
    let payment = payment(number);
    let mut change = created(&payment);
    change.idempotency = Some(promise(number));
    commit(db, change);
    let (payment, change) = decided(&payment, started(number));
    commit(db, change);
    payment
}

fn pay(db: &Connection, number: u64) {
    let payment = make(db, number);
    commit(db, notified(&payment, number));
}

/// What a notification writes.
fn notified(payment: &tongbao_core::Payment, number: u64) -> Change {
    let (payment, mut change) = decided(payment, paid(number));
    change.events = vec![WebhookEvent {
        payment: Some(payment.id),
        ..event(number)
    }];
    let mut message = message(number, &format!("paid {number}"));
    message.payment = Some(payment.id);
    change.inbox = Some(message);
    change.jobs = vec![query(&payment, NOON)];
    change
}

fn writes(db: &Connection, number: u64) -> Vec<(&'static str, i64)> {
    let mut payment = None;
    let mut claimed = Vec::new();
    let mut leased = Vec::new();
    let until = LATER + LEASE;
    vec![
        (
            "making a payment",
            steps_of(|| payment = Some(make(db, number))),
        ),
        (
            "a notification",
            steps_of(|| commit(db, notified(payment.as_ref().unwrap(), number))),
        ),
        (
            "a message for nobody",
            steps_of(|| {
                let change = Change {
                    inbox: Some(message(number + 1, "for nobody")),
                    ..Change::default()
                };
                commit(db, change);
            }),
        ),
        (
            "claiming jobs",
            steps_of(|| claimed = jobs::claim(db, LATER, until, 5).unwrap()),
        ),
        (
            "finishing a job",
            steps_of(|| {
                let change = Change {
                    finish: Some(claimed[0]),
                    ..Change::default()
                };
                commit(db, change);
            }),
        ),
        (
            "claiming deliveries",
            steps_of(|| leased = deliveries::claim(db, LATER, until, 5, 5).unwrap()),
        ),
        (
            "recording a delivery",
            steps_of(|| {
                let loaded = deliveries::load(db, &leased[0]).unwrap();
                let deliveries::Loaded::Claim(claim) = loaded else {
                    panic!("it was leased");
                };
                let result = DeliveryResult {
                    claim: *claim,
                    at: LATER,
                    request_headers: String::new(),
                    status: Some(200),
                    answer: String::new(),
                    took_millis: 1,
                    outcome: DeliveryOutcome::Delivered,
                };
                Record::new(result).write(db).unwrap();
            }),
        ),
        (
            "sending again",
            steps_of(|| {
                deliveries::redeliver(db, merchant(), id(1), LATER).unwrap();
            }),
        ),
        (
            "replaying the last second",
            steps_of(|| {
                let replay = Replay {
                    merchant: merchant(),
                    endpoint: id(1),
                    from: event(number).created_at,
                    to: LATER,
                    now: LATER,
                };
                let kind = event(1).kind;
                let after = (replay.from.as_millis(), 0);
                assert_eq!(replay.step(db, kind, after).unwrap().scheduled, 1);
            }),
        ),
    ]
}

fn reads(db: &Connection) -> Vec<(&'static str, i64)> {
    let list = PaymentFilter {
        merchant: merchant(),
        store: None,
        merchant_order_no: None,
        state: None,
        from: None,
        to: None,
        cursor: None,
        limit: 5,
    };
    let told = EventFilter {
        merchant: merchant(),
        kind: None,
        payment: None,
        cursor: None,
        limit: 5,
    };
    let heard = InboxFilter {
        merchant: merchant(),
        channel: None,
        payment: None,
        cursor: None,
        limit: 5,
    };
    let open = CaseFilter {
        merchant: merchant(),
        state: Some(CaseState::Open),
        unresolved: false,
        payment: None,
        cursor: None,
        limit: 5,
    };
    let payment = Some(id(3));
    macro_rules! each {
        ($($name:literal: $read:expr),+ $(,)?) => {
            vec![$(($name, steps_of(|| { let _ = $read.unwrap(); }))),+]
        };
    }
    each![
        "a payment": payments::by_id(db, merchant(), id(3)),
        "its order number": payments::by_order_no(db, merchant(), "order-3"),
        "its channel's number": payments::by_out_trade_no(db, channel(), "trade-3"),
        "its page": payments::by_checkout_token(db, "token-1-3"),
        "its timeline": timeline::of(db, merchant(), id(3)),
        "payments": payments::list(db, &list),
        "paid payments": payments::list(db, &PaymentFilter { state: Some("paid".into()), ..list.clone() }),
        "closed payments": payments::list(db, &PaymentFilter { state: Some("closed".into()), ..list.clone() }),
        "the first payments": payments::list(db, &PaymentFilter { to: Some(NOON + SECOND * 9), ..list.clone() }),
        "events": events::list(db, &told),
        "a payment's events": events::list(db, &EventFilter { payment, ..told.clone() }),
        "messages": inbox::list(db, &heard),
        "a payment's messages": inbox::list(db, &InboxFilter { payment, ..heard.clone() }),
        "open cases": cases::list(db, &open),
        "a promise": idempotency::of(db, merchant(), "key-3"),
        "an event's deliveries": deliveries::of_event(db, merchant(), id(3)),
        "the next job": jobs::next_ready(db),
        "the next delivery": deliveries::next_ready(db),
        "whether a job is due": jobs::any_ready(db, LATER),
        "which deliveries are due": deliveries::due(db, LATER, 5, 5),
        "the pulse before anything is due": pulse::take(db, NOON - Duration::from_secs(1)),
    ]
}

#[test]
fn nothing_takes_longer_because_the_store_is_full() {
    let (small, large) = (filled(20), filled(1_000));
    let before = [reads(&small), writes(&small, 21)].concat();
    let after = [reads(&large), writes(&large, 1_001)].concat();
    for ((name, before), (_, after)) in before.into_iter().zip(after) {
        assert!(before > 0, "{name} was not counted");
        let most = before + before / 5;
        assert!(after <= most, "{name}: {before} steps, then {after}");
    }
}
