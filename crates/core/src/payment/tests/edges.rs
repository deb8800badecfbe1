//! To the millisecond.

use std::time::Duration;

use super::words::{CAREFUL, LIFE, NOON, event, id, payment, spoken};
use crate::{Attempt, Timestamp};

/// What follows just before, and at the moment.
fn edge(at: Timestamp, stands: &str, comes: &str, follows: [&str; 2]) {
    for (now, follows) in [at - Duration::from_millis(1), at].into_iter().zip(follows) {
        let step = payment(stands).on(event(comes, now), now, CAREFUL).unwrap();
        assert_eq!(spoken(&step), follows, "{comes} at {} ms", now.as_millis());
    }
}

#[test]
fn a_payment_expires_when_its_time_is_up() {
    let closed = "closed; tell payment.closed";
    edge(NOON + LIFE, "created", "expire", ["same; expire", closed]);
}

#[test]
fn not_found_is_believed_after_a_minute() {
    let asks = "same; query a 15s";
    let closed = "closed, a closed; query a 60s, tell payment.closed";
    let minute = NOON + Duration::from_mins(1);
    edge(
        minute,
        "closing, a unknown",
        "query a: not found",
        [asks, closed],
    );
}

#[test]
fn a_password_is_waited_for_until_two_minutes_past_the_time() {
    let end = NOON + LIFE + Duration::from_mins(2);
    let asks = "same; query a 180s";
    edge(
        end,
        "closing, a user_paying",
        "query a: user paying",
        [asks, "same; close a"],
    );
}

#[test]
fn a_clock_set_back_by_a_minute_is_an_ordinary_clock() {
    // Before that an order from the future is no young order.
    let minute = NOON - Duration::from_mins(1);
    let follows = ["same; query a 60s", "same; query a 5s"];
    edge(minute, "pending, a pending", "query a: not paid", follows);
}

#[test]
fn a_channel_that_asks_to_be_asked_is_heard_once_a_minute() {
    let mut stands = payment("closing, a pending");
    stands.attempts[0].hinted_at = Some(NOON);
    let minute = NOON + Duration::from_mins(1);
    for (now, follows) in [
        (
            minute - Duration::from_millis(1),
            "closing, a pending; query a 15s",
        ),
        (minute, "closing, a pending; query a 1s"),
    ] {
        let step = stands
            .clone()
            .on(event("closer a: ask me", now), now, CAREFUL);
        assert_eq!(spoken(&step.unwrap()), follows);
    }
}

#[test]
fn a_query_that_a_hint_asked_for_is_never_more_than_a_minute_away() {
    let mut stands = payment("paid by a, a succeeded");
    let now = NOON + Duration::from_hours(48);
    for (ahead, follows) in [
        (
            Duration::from_hours(1),
            "paid by a, a succeeded; query a 60s",
        ),
        (
            Duration::from_mins(1),
            "paid by a, a succeeded; query a 60s",
        ),
        // So close that the query which brought this answer was it.
        (Duration::from_millis(6_666), "paid by a, a succeeded"),
        (
            Duration::from_millis(6_667),
            "paid by a, a succeeded; query a 6667ms",
        ),
    ] {
        stands.attempts[0].hinted_at = Some(now + ahead);
        let step = stands
            .clone()
            .on(event("query a: closed", now), now, CAREFUL);
        assert_eq!(spoken(&step.unwrap()), follows, "{ahead:?}");
    }
}

#[test]
fn an_attempt_is_found_by_its_id_and_by_its_number() {
    let stands = payment("pending, a pending, b unknown");
    let ours = |attempt: Option<&Attempt>| attempt.map(|attempt| attempt.id);
    assert_eq!(ours(stands.attempt(id("b"))), Some(id("b")));
    assert_eq!(ours(stands.attempt_by_no("NOb")), Some(id("b")));
    assert_eq!(ours(stands.attempt(id("c"))), None);
    assert_eq!(ours(stands.attempt_by_no("NO")), None);
}

#[test]
fn paid_and_closed_are_the_ends() {
    for (stands, is_final) in [
        ("created", false),
        ("pending, a pending", false),
        ("closing, a pending", false),
        ("paid by a, a succeeded", true),
        ("closed, a closed", true),
    ] {
        assert_eq!(payment(stands).is_final(), is_final, "{stands}");
    }
}
