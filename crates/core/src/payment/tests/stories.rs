//! Longer stories, one line a step: when, what comes, what follows.
//!
//! An answer to a call of ours is told only where a job for it was due.

use std::time::Duration;

use super::words::{ACCEPTS_LATE, CAREFUL, NOON, TRUSTS_SIGNATURES, event, id, spoken};
use super::world::World;
use crate::job::Subject;
use crate::{JobKind, Rules};

type Line = (&'static str, &'static str, &'static str);

fn told(rules: Rules, lines: &[Line]) {
    let mut world = World::new(rules, None);
    for (clock, comes, follows) in lines {
        world.now = NOON + at(clock);
        take_due_job(&mut world, comes, clock);
        let step = world.happens(event(comes, world.now));
        let text = step.map_or_else(|| "refused".to_owned(), |step| spoken(&step));
        assert_eq!(text, *follows, "{clock} {comes}");
    }
    assert_eq!(world.folded(), world.payment);
}

/// `mm:ss` or `hh:mm:ss` past noon.
fn at(clock: &str) -> Duration {
    let secs = clock.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    Duration::from_secs(secs)
}

fn take_due_job(world: &mut World, comes: &str, clock: &str) {
    let kind = match comes.split([' ', '?', ':']).next() {
        Some("answer") => JobKind::Start,
        Some("query") => JobKind::Query,
        Some("closer") => JobKind::Close,
        _ => return,
    };
    let from = comes.split_once(": ").expect("it says whose").0;
    let attempt = Subject::Attempt(id(&from[from.len() - 1..]));
    let due = world.jobs.remove(&(kind, attempt));
    let is_due = due.is_some_and(|due| due <= world.now);
    assert!(is_due, "{clock} {comes}: due {due:?}");
}

#[test]
fn an_order_whose_answer_is_lost_is_found_by_a_query() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: silence", "pending, a unknown; query a 5s"),
        ("00:05", "query a: silence", "same; query a 5s"),
        ("00:10", "query a: not found", "same; start a 5s"),
        ("00:15", "answer a: silence", "pending, a unknown; query a 15s"),
        ("00:30", "query a: not paid", "pending, a pending; start a now, query a 15s"),
        ("00:30", "answer a: accepted", "pending, a pending; query a 15s"),
        ("00:45", "query a: not paid", "same; query a 15s"),
        ("01:00", "query a: success", "paid by a, a succeeded; tell payment.paid"),
    ]);
}

#[test]
fn a_notification_under_a_shared_key_is_confirmed_by_a_query() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        // It may come before the answer to the order.
        ("00:01", "notice? a: success", "pending, a unknown; query a now"),
        ("00:01", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:02", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("00:16", "notice? a: success", "same"),
        ("00:31", "notice? a: success", "same"),
    ]);
}

#[test]
fn a_signed_notification_is_paid_at_once_and_confirmed_later() {
    told(TRUSTS_SIGNATURES, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:03", "notice? a: success", "paid by a, a succeeded; tell payment.paid, query a 30s"),
        // The query of the order comes before the one that confirms, and serves.
        ("00:05", "query a: silence", "same; query a 58s"),
        ("01:05", "query a: success", "same"),
    ]);
}

#[test]
fn at_most_one_query_a_minute_for_however_many_hints() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("20:00", "query a: not paid", "same; query a 60s"),
        ("20:10", "notice? a: success", "pending, a pending; query a now"),
        ("20:10", "query a: not paid", "same; query a 60s"),
        ("20:20", "notice? a: success", "pending, a pending; query a 50s"),
        ("20:30", "notice? a: success", "same"),
        ("20:40", "notice?? a: success", "same"),
        ("21:10", "query a: not paid", "same; query a 60s"),
        ("22:10", "notice? a: success", "pending, a pending; query a now"),
        ("22:10", "notice? a: success", "pending, a pending; query a 60s"),
        ("22:10", "notice? a: success", "same"),
    ]);
}

#[test]
fn a_hint_that_waits_is_not_lost_when_a_look_comes_before_it() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: refused", "pending, a failed; query a 60s"),
        ("00:50", "notice? a: success", "pending, a failed; query a now"),
        ("00:50", "query a: closed", "same; query a 10s"),
        ("00:55", "notice? a: success", "pending, a failed; query a 55s"),
        ("01:00", "query a: closed", "same; query a 50s"),
        ("01:20", "notice? a: success", "same"),
        ("01:50", "query a: success", "paid by a, a succeeded; tell payment.paid"),
    ]);
}

#[test]
fn a_close_finds_that_the_payer_was_faster() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("01:00", "close", "closing, a pending; query a now"),
        ("01:00", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("01:10", "close", "refused"),
    ]);
}

#[test]
fn a_payer_may_be_faster_than_the_close_itself() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("01:00", "close", "closing, a pending; query a now"),
        ("01:00", "query a: not paid", "same; close a"),
        ("01:01", "closer a: ask me", "closing, a pending; query a 1s"),
        ("01:02", "query a: success", "paid by a, a succeeded; tell payment.paid"),
    ]);
}

#[test]
fn a_channel_that_says_paid_to_a_close_and_not_paid_to_a_query_is_not_asked_in_a_circle() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("10:00", "close", "closing, a pending; query a now"),
        ("10:00", "query a: not paid", "same; close a"),
        ("10:00", "closer a: ask me", "closing, a pending; query a 1s"),
        ("10:01", "query a: not paid", "same; close a"),
        ("10:01", "closer a: ask me", "closing, a pending; query a 60s"),
        ("11:01", "query a: not paid", "same; close a"),
        ("11:01", "closer a: ask me", "closing, a pending; query a 1s"),
        ("11:02", "query a: closed", "closed, a closed; query a 60s, tell payment.closed"),
    ]);
}

#[test]
fn an_ended_attempt_is_watched_for_more_than_25_hours() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("10:00", "close", "closing, a pending; query a now"),
        ("10:00", "query a: not paid", "same; close a"),
        ("10:00", "closer a: closed", "closed, a closed; query a 60s, tell payment.closed"),
        ("11:00", "query a: closed", "same; query a 240s"),
        ("15:00", "query a: closed", "same; query a 1500s"),
        ("40:00", "query a: closed", "same; query a 5400s"),
        ("02:10:00", "query a: closed", "same; query a 21600s"),
        ("08:10:00", "query a: closed", "same; query a 72000s"),
        ("28:10:00", "query a: closed", "same"),
    ]);
}

#[test]
fn a_close_that_did_not_stick_is_repeated() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("01:00", "close", "closing, a pending; query a now"),
        ("01:00", "query a: not paid", "same; close a"),
        ("01:00", "closer a: closed", "closed, a closed; query a 60s, tell payment.closed"),
        ("02:00", "query a: not paid", "closed, a closed; close a, query a 240s"),
        ("02:00", "closer a: silence", "closed, a closed; query a 60s"),
        ("03:00", "query a: not paid", "closed, a closed; close a, query a 180s"),
        ("03:00", "closer a: closed", "same; query a 180s"),
        ("06:00", "query a: closed", "same; query a 1500s"),
    ]);
}

#[test]
fn money_after_the_close_goes_back() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("01:00", "close", "closing, a pending; query a now"),
        ("01:00", "query a: closed", "closed, a closed; query a 60s, tell payment.closed"),
        ("01:30", "notice? a: success", "closed, a closed; query a now"),
        ("01:30", "query a: success", "closed, a succeeded; case paid_after_close of a, refund"),
        ("01:45", "notice? a: success", "same"),
        ("02:00", "notice a: success", "same"),
    ]);
}

#[test]
fn money_after_the_close_is_kept_where_the_merchant_wants_it() {
    told(ACCEPTS_LATE, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:10", "start b", "pending, a pending, b unknown; start b now"),
        ("00:10", "answer b: accepted", "pending, a pending, b pending; query b 5s"),
        ("01:00", "close", "closing, a pending, b pending; query a now, query b now"),
        ("01:00", "query a: closed", "closing, a closed, b pending; query a 60s"),
        ("01:00", "query b: closed", "closed, a closed, b closed; query b 60s, tell payment.closed"),
        ("01:30", "notice a: success", "paid by a, a succeeded, b closed; tell payment.paid, query a 30s"),
        ("01:40", "notice b: success", "paid by a, a succeeded, b succeeded; case paid_twice of b, refund"),
    ]);
}

#[test]
fn money_that_comes_by_two_ways_is_kept_once() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:04", "start b", "pending, a pending, b unknown; start b now"),
        ("00:04", "answer b: accepted", "pending, a pending, b pending; query b 5s"),
        ("00:05", "query a: success", "paid by a, a succeeded, b pending; tell payment.paid, close b"),
        ("00:05", "closer b: ask me", "paid by a, a succeeded, b pending; query b 1s"),
        ("00:06", "query b: success", "paid by a, a succeeded, b succeeded; case paid_twice of b, refund"),
        ("00:07", "notice? b: success", "same"),
    ]);
}

#[test]
fn another_way_of_paying_is_closed_when_the_first_is_paid() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: silence", "pending, a unknown; query a 5s"),
        ("00:04", "start b", "pending, a unknown, b unknown; start b now"),
        ("00:04", "answer b: accepted", "pending, a unknown, b pending; query b 5s"),
        ("00:05", "query a: silence", "same; query a 5s"),
        ("00:09", "query b: success", "paid by b, a unknown, b succeeded; tell payment.paid, close a"),
        ("00:09", "closer a: not found", "same; query a 5s"),
        // It was on its way all the time.
        ("00:14", "query a: not paid", "paid by b, a pending, b succeeded; close a"),
        ("00:14", "closer a: closed", "paid by b, a closed, b succeeded; query a 60s"),
    ]);
}

#[test]
fn a_wrong_amount_that_only_a_message_claims_keeps_nobody_from_paying() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:01", "notice? a: success 1", "pending, a pending; case amount_mismatch of a, review, query a now"),
        // The query may have been under way when the message came.
        ("00:01", "query a: success", "paid by a, a succeeded; tell payment.paid, query a 60s"),
        ("00:02", "notice? a: success 1", "paid by a, a succeeded; query a 59s"),
        ("00:03", "notice? a: success", "same"),
        ("01:01", "query a: success", "paid by a, a succeeded; see to a"),
    ]);
}

#[test]
fn a_wrong_amount_that_a_query_confirms_goes_back_and_another_attempt_may_pay() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:01", "notice? a: success 1", "pending, a pending; case amount_mismatch of a, review, query a now"),
        ("00:01", "query a: success 1", "pending, a failed; case amount_mismatch of a, refund"),
        ("00:02", "notice? a: success 1", "same"),
        ("00:10", "start b", "pending, a failed, b unknown; start b now"),
        ("00:10", "answer b: accepted", "pending, a failed, b pending; query b 5s"),
        ("00:15", "query b: success", "paid by b, a failed, b succeeded; tell payment.paid"),
    ]);
}

#[test]
fn the_same_money_told_before_and_after_a_close_is_one_case() {
    told(TRUSTS_SIGNATURES, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:01", "notice a: success 1", "pending, a failed; case amount_mismatch of a, refund"),
        ("00:02", "notice a: success", "pending, a failed; case paid_twice of a, review"),
        ("00:03", "close", "closed, a failed; tell payment.closed"),
        ("00:04", "notice a: success", "same"),
    ]);
}

#[test]
fn who_holds_the_key_makes_only_so_many_cases_of_mere_claims() {
    let mut world = World::new(CAREFUL, None);
    world.happens(event("start a", NOON));
    for fen in 1..=100 {
        world.happens(event(&format!("notice? a: success {fen}"), NOON));
    }
    assert_eq!(world.payment.attempts[0].raised.len(), 8);
    // What the platform says itself is kept all the same.
    world.happens(event("query a: success 50", NOON));
    assert_eq!(world.payment.attempts[0].raised.len(), 9);
}

#[test]
fn an_expired_payment_is_asked_about_closed_at_its_channel_and_then_here() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("30:00", "expire", "closing, a pending; query a now"),
        ("30:00", "query a: not paid", "same; close a"),
        ("30:00", "closer a: closed", "closed, a closed; query a 60s, tell payment.closed"),
    ]);
    told(CAREFUL, &[("30:00", "expire", "closed; tell payment.closed")]);
}

#[test]
fn who_types_a_password_when_the_time_is_up_may_finish_but_not_sit_there() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: user paying", "pending, a user_paying; query a 5s"),
        ("29:59", "query a: user paying", "same; query a 60s"),
        ("30:00", "expire", "closing, a user_paying; query a now"),
        ("30:00", "query a: user paying", "same; query a 180s"),
        ("33:00", "query a: user paying", "same; close a"),
        ("33:00", "closer a: silence", "closing, a user_paying; query a 180s"),
        ("36:00", "query a: not paid", "closing, a pending; close a"),
        ("36:00", "closer a: closed", "closed, a closed; query a 60s, tell payment.closed"),
    ]);
}

#[test]
fn a_clock_that_is_set_back_closes_nothing_early_and_loses_no_question() {
    told(CAREFUL, &[
        ("20:00", "start a", "pending, a unknown; start a now"),
        ("20:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("20:05", "notice? a: success", "pending, a pending; query a now"),
        // Ten minutes are taken back; the clock had passed the end before.
        ("10:00", "expire", "same; expire"),
        ("10:00", "notice? a: success", "pending, a pending; query a now"),
        ("10:00", "query a: not paid", "same; query a 60s"),
        ("10:30", "close", "closing, a pending; query a now"),
        ("10:30", "query a: closed", "closed, a closed; query a 60s, tell payment.closed"),
        ("02:00", "notice? a: success", "closed, a closed; query a now"),
        ("02:00", "query a: closed", "closed, a closed; query a 60s"),
        ("03:00", "query a: closed", "same; query a 240s"),
    ]);
}

#[test]
fn a_claim_after_the_last_look_is_followed_until_the_platform_answers() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: refused", "pending, a failed; query a 60s"),
        ("30:00", "expire", "closed, a failed; tell payment.closed"),
        ("40:00:00", "query a: closed", "same"),
        ("40:00:00", "notice? a: success", "closed, a failed; query a now"),
        ("40:00:00", "query a: silence", "same; query a 18000s"),
        ("45:00:00", "query a: silence", "same; query a 20250s"),
        ("51:00:00", "query a: success", "closed, a succeeded; case paid_after_close of a, refund"),
    ]);
}

#[test]
fn a_claim_about_money_that_has_come_is_asked_about_whatever_was_planned_before() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:01", "notice? a: success", "pending, a pending; query a now"),
        ("00:02", "notice? a: success", "pending, a pending; query a 59s"),
        ("00:03", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("00:50", "notice? a: success 1", "paid by a, a succeeded; case amount_mismatch of a, review, query a 11s"),
    ]);
}

#[test]
fn an_answer_that_proves_too_little_leaves_a_claim_to_be_asked_about() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:05", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("10:00", "notice? a: success 1", "paid by a, a succeeded; case amount_mismatch of a, review, query a now"),
        ("10:00", "query? a: success", "same; query a 74375ms"),
        ("12:00", "query a: success", "paid by a, a succeeded; see to a"),
    ]);
}

#[test]
fn an_answer_that_may_mean_anything_has_a_claim_asked_about_ever_more_rarely() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:05", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("01:00", "notice? a: success 1", "paid by a, a succeeded; case amount_mismatch of a, review, query a now"),
        ("01:00", "query a: user paying", "paid by a, a succeeded; query a 60s"),
        ("33:00", "query a: user paying", "paid by a, a succeeded; query a 240s"),
    ]);
}

#[test]
fn a_contradiction_after_the_last_look_is_asked_about_once() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:05", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("40:00:00", "bill a: closed", "paid by a, a succeeded; query a now"),
        ("40:00:00", "query a: closed", "paid by a, a succeeded"),
    ]);
}

#[test]
fn an_order_that_is_too_young_to_be_closed_is_asked_about_until_it_is_not() {
    told(CAREFUL, &[
        ("00:00", "start m", "pending, m unknown; start m now"),
        ("00:00", "answer m: accepted", "pending, m pending; query m 5s"),
        ("00:05", "close", "closing, m pending; query m now"),
        ("00:05", "query m: not paid", "same; query m 5s"),
        ("00:10", "query m: not paid", "same; query m 5s"),
        ("00:15", "query m: silence", "same; query m 15s"),
        ("04:45", "query m: not paid", "same; query m 15s"),
        ("05:00", "query m: not paid", "same; close m"),
        ("05:00", "closer m: closed", "closed, m closed; query m 60s, tell payment.closed"),
    ]);
}

#[test]
fn money_that_comes_while_an_order_is_too_young_to_be_closed_is_paid() {
    told(CAREFUL, &[
        ("00:00", "start m", "pending, m unknown; start m now"),
        ("00:00", "answer m: accepted", "pending, m pending; query m 5s"),
        ("00:05", "close", "closing, m pending; query m now"),
        ("00:05", "query m: not paid", "same; query m 5s"),
        ("00:07", "notice? m: success", "closing, m pending; query m now"),
        ("00:07", "query m: success", "paid by m, m succeeded; tell payment.paid"),
    ]);
}

/// `a` is closed as soon as nobody wants it, `m` is not.
#[test]
fn an_orders_own_channel_says_when_it_is_old_enough_to_be_closed() {
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:00", "start m", "pending, a pending, m unknown; start m now"),
        ("00:00", "answer m: accepted", "pending, a pending, m pending; query m 5s"),
        ("00:05", "query a: success", "paid by a, a succeeded, m pending; tell payment.paid, query m 5s"),
    ]);
    told(CAREFUL, &[
        ("00:00", "start a", "pending, a unknown; start a now"),
        ("00:00", "answer a: accepted", "pending, a pending; query a 5s"),
        ("00:00", "start m", "pending, a pending, m unknown; start m now"),
        ("00:00", "answer m: accepted", "pending, a pending, m pending; query m 5s"),
        ("00:05", "query m: success", "paid by m, a pending, m succeeded; tell payment.paid, close a"),
    ]);
}
