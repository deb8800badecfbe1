//! The decision table of a payer at a till, one row a line. The attempt was made
//! at noon; it is asked about every 5 seconds and reversed after 30.

use std::time::Duration;

use super::words::{CAREFUL, NOON, event, payment, spoken};
use crate::{Event, Refusal};

type Row = (u64, &'static str, &'static str, &'static str);

/// So many seconds past noon: what stands, what comes, what follows.
fn holds(rows: &[Row]) {
    for (secs, stands, comes, follows) in rows {
        let now = NOON + Duration::from_secs(*secs);
        let step = payment(stands).on(event(comes, now), now, CAREFUL);
        let text = step.map_or_else(|refusal| format!("refused: {refusal}"), |s| spoken(&s));
        assert_eq!(text, *follows, "{secs} s: {stands} | {comes}");
    }
}

#[test]
fn the_answer_to_the_code_is_paid_refused_or_a_question() {
    holds(&[
        (0, "created", "start p", "pending, p unknown; start p now, query p 5s"),
        (1, "pending, p unknown", "answer p: success", "paid by p, p succeeded; tell payment.paid"),
        (1, "pending, p unknown", "answer p: refused", "pending, p failed; query p 60s"),
        (1, "pending, p unknown", "answer p: user paying", "pending, p user_paying; query p 5s"),
        (9, "pending, p unknown", "answer p: silence", "pending, p unknown; query p 5s"),
        (9, "pending, p unknown", "answer p: ask me", "pending, p unknown; query p 1s"),
        (9, "pending, p unknown", "answer p: success 1", "pending, p failed; case amount_mismatch of p, refund"),
    ]);
}

#[test]
fn while_one_code_may_still_be_paid_no_second_one_is_sent() {
    holds(&[
        (9, "pending, p user_paying", "start q", "refused: this way of paying is already open as att_0000000000000000000000000g"),
        (9, "pending, p failed", "start q", "pending, p failed, q unknown; start q now, query q 5s"),
        (9, "pending, p reversed", "start q", "pending, p reversed, q unknown; start q now, query q 5s"),
        (9, "pending, p user_paying", "start a", "pending, p user_paying, a unknown; start a now"),
    ]);
}

#[test]
fn the_payer_is_asked_about_every_five_seconds_and_waited_for_half_a_minute() {
    holds(&[
        (5, "pending, p user_paying", "query p: user paying", "same; query p 5s"),
        (5, "pending, p unknown", "query p: not paid", "pending, p pending; query p 5s"),
        (5, "pending, p unknown", "query p: not found", "same; query p 5s"),
        (5, "pending, p user_paying", "query p: silence", "same; query p 5s"),
        (28, "pending, p user_paying", "query p: user paying", "same; query p 2s"),
        (28, "pending, p user_paying", "query p: silence", "same; query p 2s"),
        (20, "pending, p user_paying", "query p: success", "paid by p, p succeeded; tell payment.paid"),
        (20, "pending, p user_paying", "query p: pay error", "pending, p failed; query p 60s, reverse p now"),
        (5, "pending, p user_paying", "query p: pay error", "pending, p failed; query p 60s, reverse p 10s"),
        (20, "pending, p user_paying", "query p: revoked", "pending, p reversed; query p 60s"),
        (20, "pending, p user_paying", "query p: closed", "pending, p closed; query p 60s"),
    ]);
}

#[test]
fn only_an_answered_question_leads_to_a_reverse() {
    holds(&[
        (30, "pending, p user_paying", "query p: user paying", "pending, p user_paying; reverse p now"),
        (30, "pending, p unknown", "query p: not paid", "pending, p pending; reverse p now"),
        (30, "pending, p unknown", "query p: not found", "pending, p unknown; reverse p now"),
        (30, "pending, p user_paying", "query p: silence", "same; query p 5s"),
        (30, "pending, p user_paying", "query? p: not paid", "same; query p 5s"),
        (30, "pending, p user_paying", "query p: success", "paid by p, p succeeded; tell payment.paid"),
        (90, "pending, p user_paying", "query p: silence", "same; query p 30s"),
        (90, "pending, p user_paying", "query p: user paying", "pending, p user_paying; reverse p now"),
        // The answer to the code was long on its way; that is no question.
        (40, "pending, p unknown", "answer p: user paying", "pending, p user_paying; query p 5s"),
    ]);
}

#[test]
fn every_answer_to_a_reverse_is_followed_by_a_question() {
    holds(&[
        (31, "pending, p user_paying reversing", "reverser p: revoked", "pending, p user_paying; query p 1s"),
        (31, "pending, p user_paying reversing", "reverser p: silence", "pending, p user_paying; query p 5s"),
        (31, "pending, p user_paying reversing", "reverser p: user paying", "pending, p user_paying; query p 5s"),
        (31, "pending, p user_paying reversing", "reverser p: refused", "pending, p user_paying; query p 1s"),
        (31, "pending, p unknown reversing", "reverser p: not found", "pending, p unknown; query p 5s"),
        (31, "pending, p user_paying reversing", "reverser? p: revoked", "pending, p user_paying; query p 5s"),
        (90, "pending, p user_paying reversing", "reverser p: silence", "pending, p user_paying; query p 30s"),
        (90, "pending, p failed reversing", "reverser p: revoked", "pending, p failed; query p 1s"),
        (90, "pending, p failed reversing", "reverser p: silence", "pending, p failed; query p 60s"),
    ]);
}

#[test]
fn a_reverse_is_repeated_until_a_question_shows_it() {
    holds(&[
        (36, "pending, p user_paying reversing", "query p: revoked", "pending, p reversed; query p 60s"),
        (36, "pending, p user_paying reversing", "query p: closed", "pending, p closed; query p 60s"),
        (36, "pending, p user_paying reversing", "query p: user paying", "pending, p user_paying; reverse p now"),
        (36, "pending, p user_paying reversing", "query p: silence", "same; query p 5s"),
        // Accepted: it may need a while to show.
        (36, "pending, p pending accepted", "query p: not paid", "same; query p 5s"),
        (90, "pending, p pending accepted", "query p: not paid", "pending, p pending; reverse p now"),
        (36, "pending, p pending accepted", "query p: revoked", "pending, p reversed; query p 60s"),
        // Refused: perhaps not for good.
        (36, "pending, p pending refusing", "query p: not paid", "pending, p pending; reverse p now"),
    ]);
}

#[test]
fn what_cannot_be_found_is_over_when_its_code_is_dead() {
    holds(&[
        (36, "pending, p unknown reversing", "query p: not found", "same; query p 5s"),
        (61, "pending, p unknown reversing", "query p: not found", "pending, p closed; query p 60s"),
        (61, "pending, p unknown reversing", "reverser p: not found", "pending, p unknown; query p 30s"),
        (61, "pending, p unknown", "query p: not found", "pending, p unknown; reverse p now"),
    ]);
}

#[test]
fn money_that_comes_by_what_is_being_reversed_is_never_paid() {
    holds(&[
        // The reverse may not have arrived: again.
        (36, "pending, p user_paying reversing", "query p: success", "pending, p user_paying; reverse p now"),
        (36, "closing, p user_paying reversing", "query p: success", "closing, p user_paying; reverse p now"),
        (90, "pending, p closed reversing", "query p: success", "pending, p closed; reverse p now"),
        // It says that it is done: an old answer, perhaps.
        (36, "pending, p pending accepted", "query p: success", "pending, p pending; query p 5s"),
        (36, "pending, p reversed", "query p: success", "pending, p reversed; query p 5s"),
        (36, "pending, p user_paying reversing", "answer p: success", "pending, p user_paying; query p 1s"),
        // It was none: the money goes back in the other way.
        (90, "pending, p pending accepted", "query p: success", "pending, p failed; case paid_after_close of p, refund"),
        (90, "pending, p reversed", "query p: success", "pending, p failed; case paid_after_close of p, refund"),
        (90, "pending, p pending refusing", "query p: success", "pending, p failed; case paid_after_close of p, refund"),
        (90, "closed, p reversed accepted", "query p: success", "closed, p failed; case paid_after_close of p, refund"),
        (90, "pending, p pending accepted", "query p: success 1", "pending, p failed; case amount_mismatch of p, refund"),
        (599, "pending, p user_paying reversing", "query p: success", "pending, p user_paying; reverse p now"),
        (600, "pending, p user_paying reversing", "query p: success", "pending, p failed; case paid_after_close of p, refund"),
    ]);
}

#[test]
fn closing_asks_and_then_reverses() {
    holds(&[
        (5, "pending, p user_paying", "close", "closing, p user_paying; query p now"),
        // Who types a password is waited for.
        (6, "closing, p user_paying", "query p: user paying", "same; query p 5s"),
        (30, "closing, p user_paying", "query p: user paying", "closing, p user_paying; reverse p now"),
        // A channel refuses to reverse in the first 15 seconds.
        (6, "closing, p pending", "query p: not paid", "same; query p 5s"),
        (13, "closing, p pending", "query p: not paid", "same; query p 2s"),
        (15, "closing, p pending", "query p: not paid", "closing, p pending; reverse p now"),
        (15, "closing, p pending reversing", "reverser p: revoked", "closing, p pending; query p 1s"),
        (16, "closing, p pending accepted", "query p: revoked", "closed, p reversed; query p 60s, tell payment.closed"),
        (16, "closing, p user_paying", "query p: success", "paid by p, p succeeded; tell payment.paid"),
    ]);
}

#[test]
fn what_is_paid_in_another_way_is_taken_back_here() {
    holds(&[
        (9, "pending, a pending, p user_paying", "query a: success", "paid by a, a succeeded, p user_paying; tell payment.paid, query p now"),
        (30, "paid by a, a succeeded, p user_paying", "query p: user paying", "paid by a, a succeeded, p user_paying; reverse p now"),
        (20, "paid by a, a succeeded, p user_paying", "query p: success", "paid by a, a succeeded, p succeeded; case paid_twice of p, refund"),
    ]);
}

#[test]
fn what_was_over_and_stands_all_the_same_is_reversed() {
    holds(&[
        (120, "closed, p closed", "query p: not paid", "closed, p closed; reverse p now, query p 180s"),
        (120, "pending, p failed", "query p: user paying", "pending, p failed; reverse p now, query p 180s"),
        (120, "closed, p closed reversing", "reverser p: silence", "closed, p closed; query p 60s"),
    ]);
}

#[test]
fn the_same_code_is_the_same_try_however_it_ended() {
    for stands in ["pending, p user_paying", "pending, p failed", "paid by p, p succeeded", "closed, p reversed"] {
        let (mut payment, now) = (payment(stands), NOON + Duration::from_secs(9));
        payment.attempts[0].code_digest = Some("1f".into());
        let Event::AttemptStarted { mut attempt } = event("start q", now) else {
            panic!("it starts an attempt");
        };
        attempt.code_digest = Some("1f".into());
        let refusal = payment.clone().on(Event::AttemptStarted { attempt }, now, CAREFUL).unwrap_err();
        assert_eq!(refusal, Refusal::AlreadyOpen(payment.attempts[0].id), "{stands}");
    }
}
