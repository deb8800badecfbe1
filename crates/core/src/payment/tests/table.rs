//! The decision table, one row a line: what stands, what comes, what follows.
//!
//! The payment was made at noon with all its attempts, and the clock says two
//! minutes past: an open attempt is asked about every 30 seconds, one that
//! ended at noon is looked at next five minutes past.

use std::time::Duration;

use super::words::{
    ACCEPTS_LATE, CAREFUL, NOON, TRUSTS_SIGNATURES, event, payment, spoken,
};
use crate::Rules;

type Row = (&'static str, &'static str, &'static str);

fn holds(rules: Rules, rows: &[Row]) {
    let now = NOON + Duration::from_mins(2);
    for (stands, comes, follows) in rows {
        let step = payment(stands).on(event(comes, now), now, rules);
        let text = step.map_or_else(|refusal| format!("refused: {refusal}"), |s| spoken(&s));
        assert_eq!(text, *follows, "{stands} | {comes}");
    }
}

#[test]
fn success_of_the_right_amount_is_paid() {
    holds(CAREFUL, &[
        ("pending, a unknown", "answer a: success", "paid by a, a succeeded; tell payment.paid"),
        ("pending, a pending", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("pending, a user_paying", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("pending, a pending", "bill a: success", "paid by a, a succeeded; tell payment.paid"),
        ("pending, a pending", "operator a: success", "paid by a, a succeeded; tell payment.paid"),
        ("pending, a pending", "notice a: success", "paid by a, a succeeded; tell payment.paid, query a 30s"),
        ("pending, a failed", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("pending, a closed", "query a: success", "paid by a, a succeeded; tell payment.paid"),
    ]);
}

#[test]
fn when_one_attempt_is_paid_the_other_open_ones_are_closed() {
    holds(CAREFUL, &[
        ("pending, a pending, b pending", "query a: success", "paid by a, a succeeded, b pending; tell payment.paid, close b"),
        ("pending, a pending, b unknown, c user_paying", "query a: success", "paid by a, a succeeded, b unknown, c user_paying; tell payment.paid, close b, close c"),
        ("pending, a pending, b closed, c failed", "query a: success", "paid by a, a succeeded, b closed, c failed; tell payment.paid"),
        ("closing, a pending, b pending", "query a: success", "paid by a, a succeeded, b pending; tell payment.paid, close b"),
    ]);
}

#[test]
fn success_of_a_wrong_amount_is_a_case_and_the_payment_stays_as_it_was() {
    holds(CAREFUL, &[
        ("pending, a pending", "query a: success 1", "pending, a failed; case amount_mismatch of a, refund"),
        ("pending, a pending", "query a: success 1235", "pending, a failed; case amount_mismatch of a, refund"),
        ("pending, a pending", "query a: success 0", "pending, a failed; case amount_mismatch of a, refund"),
        ("pending, a pending", "query a: success USD", "pending, a failed; case amount_mismatch of a, refund"),
        ("pending, a pending", "notice a: success 1", "pending, a failed; case amount_mismatch of a, refund"),
        ("pending, a pending, b pending", "query a: success 1", "pending, a failed, b pending; case amount_mismatch of a, refund"),
        ("closed, a closed", "query a: success 1", "closed, a failed; case amount_mismatch of a, refund"),
        ("paid by a, a succeeded, b pending", "query b: success 1", "paid by a, a succeeded, b failed; case amount_mismatch of b, refund"),
        // The case and the close are told one after the other.
        ("closing, a pending", "query a: success 1", "closing, a failed; case amount_mismatch of a, refund, query a 30s"),
        ("closing, a mismatched", "query a: success 1", "closed, a failed; tell payment.closed"),
        ("closing, a mismatched", "query a: silence", "closed, a failed; query a 60s, tell payment.closed"),
    ]);
}

#[test]
fn success_again_changes_nothing() {
    holds(CAREFUL, &[
        ("paid by a, a succeeded", "query a: success", "same"),
        ("paid by a, a succeeded", "notice a: success", "same"),
        ("paid by a, a succeeded", "notice? a: success", "same"),
        ("paid by a, a succeeded", "notice?? a: success", "same"),
        ("paid by b, a succeeded, b succeeded", "query a: success", "same"),
        ("closed, a succeeded", "query a: success", "same"),
        ("pending, a mismatched", "query a: success 1", "same"),
    ]);
}

#[test]
fn success_of_a_second_attempt_goes_back() {
    holds(CAREFUL, &[
        ("paid by a, a succeeded, b pending", "query b: success", "paid by a, a succeeded, b succeeded; case paid_twice of b, refund"),
        ("paid by a, a succeeded, b unknown", "notice b: success", "paid by a, a succeeded, b succeeded; case paid_twice of b, refund"),
        ("paid by a, a succeeded, b closed", "bill b: success", "paid by a, a succeeded, b succeeded; case paid_twice of b, refund"),
    ]);
}

#[test]
fn success_after_the_close_goes_back_unless_the_merchant_accepts_it() {
    let rows = [
        ("closed, a closed", "query a: success", "closed, a succeeded; case paid_after_close of a, refund"),
        ("closed, a failed", "notice a: success", "closed, a succeeded; case paid_after_close of a, refund"),
        ("closed, a succeeded, b closed", "query b: success", "closed, a succeeded, b succeeded; case paid_after_close of b, refund"),
    ];
    holds(CAREFUL, &rows);
    holds(ACCEPTS_LATE, &[
        ("closed, a closed", "query a: success", "paid by a, a succeeded; tell payment.paid"),
        ("closed, a closed", "notice a: success", "paid by a, a succeeded; tell payment.paid, query a 30s"),
        ("closed, a closed", "query a: success 1", "closed, a failed; case amount_mismatch of a, refund"),
        ("paid by a, a succeeded, b closed", "query b: success", "paid by a, a succeeded, b succeeded; case paid_twice of b, refund"),
        // Its money is on its way back.
        ("closed, a succeeded", "query a: success", "same"),
    ]);
}

#[test]
fn a_second_receipt_of_one_number_is_for_a_person_and_changes_nothing() {
    for rules in [CAREFUL, ACCEPTS_LATE] {
        holds(rules, &[
            ("paid by a, a succeeded", "query a: success T9", "paid by a, a succeeded; case paid_twice of a, review"),
            ("paid by a, a succeeded", "query a: success 1", "paid by a, a succeeded; case amount_mismatch of a, review"),
            ("closed, a succeeded", "query a: success T9", "closed, a succeeded; case paid_after_close of a, review"),
            ("pending, a mismatched", "query a: success", "pending, a failed; case paid_twice of a, review"),
            ("pending, a mismatched", "query a: success T9", "pending, a failed; case paid_twice of a, review"),
            ("pending, a mismatched", "query a: success 2", "pending, a failed; case amount_mismatch of a, review"),
        ]);
    }
}

#[test]
fn a_claim_that_proves_too_little_asks_a_query() {
    holds(CAREFUL, &[
        ("pending, a pending", "notice? a: success", "pending, a pending; query a now"),
        ("pending, a pending", "notice?? a: success", "pending, a pending; query a now"),
        ("closing, a pending", "notice? a: success", "closing, a pending; query a now"),
        ("closed, a closed", "notice? a: success", "closed, a closed; query a now"),
        ("paid by a, a succeeded, b closed", "notice? b: success", "paid by a, a succeeded, b closed; query b now"),
        ("pending, a pending", "notice? a: success 1", "pending, a pending; case amount_mismatch of a, review, query a now"),
        ("pending, a pending", "notice?? a: success 1", "pending, a pending; query a now"),
        ("paid by a, a succeeded", "notice? a: success T9", "paid by a, a succeeded; case paid_twice of a, review, query a now"),
        ("paid by a, a succeeded", "notice?? a: success T9", "paid by a, a succeeded; query a now"),
        ("closed, a succeeded", "notice? a: success T9", "closed, a succeeded; case paid_after_close of a, review, query a now"),
        ("pending, a pending", "notice? a: closed", "pending, a pending; query a now"),
        ("pending, a pending", "notice?? a: revoked", "pending, a pending; query a now"),
        ("pending, a pending", "bill? a: not paid", "pending, a pending; query a now"),
        // The answer to our own call: as good as none.
        ("pending, a pending", "query? a: success", "same; query a 30s"),
        ("pending, a pending", "query? a: closed", "same; query a 30s"),
        ("pending, a unknown", "answer?? a: accepted", "pending, a unknown; query a 30s"),
        ("closing, a pending", "closer? a: closed", "closing, a pending; query a 30s"),
    ]);
    holds(TRUSTS_SIGNATURES, &[
        ("pending, a pending", "notice? a: success", "paid by a, a succeeded; tell payment.paid, query a 30s"),
        ("pending, a pending", "notice? a: success 1", "pending, a failed; case amount_mismatch of a, refund"),
        ("pending, a pending", "notice?? a: success", "pending, a pending; query a now"),
    ]);
}

#[test]
fn what_was_received_is_not_unsaid() {
    holds(CAREFUL, &[
        ("paid by a, a succeeded", "query a: not paid", "paid by a, a succeeded; query a 180s"),
        ("paid by a, a succeeded", "query a: user paying", "paid by a, a succeeded; query a 180s"),
        ("paid by a, a succeeded", "query a: closed", "paid by a, a succeeded; query a 180s"),
        ("paid by a, a succeeded", "notice a: revoked", "paid by a, a succeeded; query a 180s"),
        ("paid by a, a succeeded", "query a: pay error", "paid by a, a succeeded; query a 180s"),
        ("paid by a, a succeeded", "answer a: refused", "paid by a, a succeeded; query a 180s"),
        ("paid by a, a succeeded", "query a: not found", "paid by a, a succeeded; query a 180s"),
        ("closed, a succeeded", "query a: not paid", "closed, a succeeded; query a 180s"),
        // No contradiction: an old answer, or none.
        ("paid by a, a succeeded", "answer a: accepted", "same; query a 180s"),
        ("paid by a, a succeeded", "query a: silence", "same; query a 60s"),
    ]);
}

#[test]
fn the_end_of_an_attempt_is_not_the_end_of_the_payment() {
    holds(CAREFUL, &[
        ("pending, a pending", "query a: closed", "pending, a closed; query a 60s"),
        ("pending, a user_paying", "query a: revoked", "pending, a reversed; query a 60s"),
        ("pending, a user_paying", "query a: pay error", "pending, a failed; query a 60s"),
        ("pending, a unknown", "answer a: refused", "pending, a failed; query a 60s"),
        ("pending, a pending, b pending", "query a: closed", "pending, a closed, b pending; query a 60s"),
        ("paid by a, a succeeded, b pending", "closer b: closed", "paid by a, a succeeded, b closed; query b 60s"),
        ("closed, a closed", "query a: closed", "same; query a 180s"),
        ("pending, a failed", "query a: pay error", "same; query a 180s"),
        ("pending, a failed", "query a: not found", "same; query a 180s"),
        ("pending, a reversed", "query a: revoked", "same; query a 180s"),
        ("pending, a reversed", "query a: not paid", "same; query a 180s"),
    ]);
}

#[test]
fn a_closing_payment_is_closed_with_its_last_open_attempt() {
    holds(CAREFUL, &[
        ("closing, a pending", "closer a: closed", "closed, a closed; query a 60s, tell payment.closed"),
        ("closing, a pending", "query a: closed", "closed, a closed; query a 60s, tell payment.closed"),
        ("closing, a user_paying", "query a: pay error", "closed, a failed; query a 60s, tell payment.closed"),
        ("closing, a unknown", "answer a: refused", "closed, a failed; query a 60s, tell payment.closed"),
        ("closing, a pending, b pending", "closer a: closed", "closing, a closed, b pending; query a 60s"),
        ("closing, a closed, b pending", "closer b: closed", "closed, a closed, b closed; query b 60s, tell payment.closed"),
    ]);
}

#[test]
fn silence_leaves_the_question_open() {
    holds(CAREFUL, &[
        ("pending, a unknown", "answer a: silence", "pending, a unknown; query a 30s"),
        ("pending, a unknown", "query a: silence", "same; query a 30s"),
        ("pending, a pending", "query a: silence", "same; query a 30s"),
        ("pending, a user_paying", "query a: silence", "same; query a 30s"),
        ("closing, a pending", "query a: silence", "same; query a 30s"),
        ("closing, a pending", "closer a: silence", "closing, a pending; query a 30s"),
        ("paid by a, a succeeded, b pending", "closer b: silence", "paid by a, a succeeded, b pending; query b 30s"),
        ("closed, a closed", "query a: silence", "same; query a 60s"),
        ("pending, a unknown", "answer a: ask me", "pending, a unknown; query a 1s"),
        ("closing, a pending", "closer a: ask me", "closing, a pending; query a 1s"),
        ("closed, a closed", "closer a: ask me", "closed, a closed; query a 1s"),
    ]);
}

#[test]
fn an_order_that_stands_is_asked_about_while_the_payment_wants_money_and_closed_after() {
    holds(CAREFUL, &[
        ("pending, a unknown", "answer a: accepted", "pending, a pending; query a 30s"),
        ("pending, a pending", "answer a: accepted", "same; query a 30s"),
        ("pending, a pending", "answer a: accepted anew", "pending, a pending; query a 30s"),
        ("pending, a user_paying", "answer a: accepted", "same; query a 30s"),
        ("pending, a pending", "query a: not paid", "same; query a 30s"),
        ("pending, a pending", "query a: user paying", "pending, a user_paying; query a 30s"),
        ("pending, a user_paying", "query a: not paid", "pending, a pending; query a 30s"),
        ("closing, a unknown", "answer a: accepted", "closing, a pending; close a"),
        ("closing, a pending", "query a: not paid", "same; close a"),
        ("closing, a user_paying", "query a: not paid", "closing, a pending; close a"),
        ("closing, a pending", "query a: user paying", "closing, a user_paying; query a 30s"),
        ("paid by a, a succeeded, b unknown", "answer b: accepted", "paid by a, a succeeded, b pending; close b"),
        ("paid by a, a succeeded, b pending", "query b: not paid", "same; close b"),
        ("paid by a, a succeeded, b pending", "query b: user paying", "paid by a, a succeeded, b user_paying; query b 30s"),
        // The answer to a close is not closed again at once.
        ("closing, a pending", "closer a: not paid", "same; query a 30s"),
        ("closing, a pending", "closer a: accepted", "same; query a 30s"),
    ]);
}

#[test]
fn an_order_whose_code_was_lost_is_sent_again() {
    holds(CAREFUL, &[
        ("pending, a unknown", "query a: not paid", "pending, a pending; start a now, query a 30s"),
        ("pending, a pending without code", "query a: not paid", "same; start a now, query a 30s"),
        ("pending, a pending without code", "answer a: not paid", "same; start a 60s, query a 30s"),
        ("closing, a unknown", "query a: not paid", "closing, a pending; close a"),
        // Who is paying has what he needs.
        ("pending, a unknown", "answer a: user paying", "pending, a user_paying; query a 30s"),
    ]);
}

#[test]
fn an_order_that_stands_after_its_end_is_closed_again() {
    holds(CAREFUL, &[
        ("closed, a closed", "query a: not paid", "closed, a closed; close a, query a 180s"),
        ("closed, a closed", "query a: user paying", "closed, a closed; close a, query a 180s"),
        ("pending, a failed", "query a: not paid", "pending, a failed; close a, query a 180s"),
        ("closed, a closed", "answer a: accepted", "closed, a closed; close a, query a 180s"),
        ("closed, a closed", "closer a: not paid", "closed, a closed; query a 60s"),
    ]);
}

#[test]
fn not_found_is_sent_again_or_closed_after_a_grace() {
    holds(CAREFUL, &[
        ("pending, a unknown", "query a: not found", "same; start a 60s"),
        ("pending, a unknown", "answer a: not found", "same; start a 60s"),
        ("pending, a pending", "query a: not found", "same; query a 30s"),
        ("closing, a unknown", "query a: not found", "closed, a closed; query a 60s, tell payment.closed"),
        ("closing, a unknown", "closer a: not found", "closed, a closed; query a 60s, tell payment.closed"),
        ("closing, a pending", "query a: not found", "same; close a"),
        ("closing, a pending", "closer a: not found", "closed, a closed; query a 60s, tell payment.closed"),
        ("closing, a user_paying", "closer a: not found", "closed, a closed; query a 60s, tell payment.closed"),
        ("paid by a, a succeeded, b unknown", "closer b: not found", "paid by a, a succeeded, b closed; query b 60s"),
    ]);
}

#[test]
fn closing_asks_before_it_closes() {
    holds(CAREFUL, &[
        ("created", "close", "closed; tell payment.closed"),
        ("pending, a pending", "close", "closing, a pending; query a now"),
        ("pending, a unknown, b user_paying, c closed", "close", "closing, a unknown, b user_paying, c closed; query a now, query b now"),
        ("pending, a closed, b failed", "close", "closed, a closed, b failed; tell payment.closed"),
        ("closing, a pending", "close", "same; query a now"),
        ("closed, a closed", "close", "same"),
        ("paid by a, a succeeded", "close", "refused: the payment is already paid"),
    ]);
}

#[test]
fn what_has_not_expired_is_not_closed_for_it() {
    holds(CAREFUL, &[
        ("created", "expire", "same; expire"),
        ("pending, a pending", "expire", "same; expire"),
        ("closing, a pending", "expire", "same; expire"),
        ("paid by a, a succeeded", "expire", "same"),
        ("closed, a closed", "expire", "same"),
    ]);
}

#[test]
fn an_attempt_is_started_once_for_every_way_of_paying() {
    holds(CAREFUL, &[
        ("created", "start a", "pending, a unknown; start a now"),
        ("pending, a pending", "start b", "pending, a pending, b unknown; start b now"),
        ("pending, a closed", "start b", "pending, a closed, b unknown; start b now"),
        ("pending, a pending", "start a", "refused: this way of paying is already open as att_00000000000000000000000001"),
        ("pending, a failed", "start a", "refused: this way of paying is already open as att_00000000000000000000000001"),
        ("paid by a, a succeeded", "start b", "refused: the payment is already paid"),
        ("closing, a pending", "start b", "refused: the payment is closed, or being closed; make a new one"),
        ("closed, a closed", "start b", "refused: the payment is closed, or being closed; make a new one"),
        ("pending, a pending", "query b: success", "refused: the report is of an attempt that this payment does not have"),
    ]);
}
