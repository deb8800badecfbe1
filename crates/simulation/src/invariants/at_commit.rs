//! After every commit that changed a payment.

use tongbao_core::{
    AttemptId, AttemptState, AutoRefund, Case, ChannelId, Payment, Refund, RefundState, Resolution,
    Scene, State,
};
use tongbao_engine::audit::rules;
use tongbao_simulator::Trade;

use super::{Verdict, ensure};
use crate::model_store::Tables;

/// One change of one payment, with the database and the platform's own books.
pub struct Commit<'a> {
    /// None for a new payment.
    pub before: Option<&'a Payment>,
    /// As it is now.
    pub after: &'a Payment,
    /// The database after the commit.
    pub tables: &'a Tables,
    /// Whether the platform has said of a number that it is paid or over.
    pub ended: &'a dyn Fn(&str) -> bool,
    /// The merchant keeps late money.
    pub accept_late: bool,
    /// What the merchant lets go back without a person.
    pub limits: AutoRefund,
    /// The order under that number at the platform, if it is the channel's account's
    /// and, of a service provider, its sub-merchant's.
    pub trade: &'a dyn Fn(ChannelId, &str) -> Option<&'a Trade>,
}

type Check = fn(&Commit<'_>) -> Verdict;

/// All of them, by id.
pub const ALL: [(&str, Check); 19] = [
    ("M1", m1_amounts_are_in_range),
    ("M3", m3_no_more_goes_back_than_came),
    ("M4", m4_money_is_the_account_s_that_asked_for_it),
    ("M5", m5_one_attempt_is_accepted_and_other_money_has_a_case),
    ("M6", m6_what_was_ordered_never_changes),
    ("M9", m9_nothing_is_paid_that_the_platform_has_not),
    ("M6", m6_what_is_to_go_back_never_changes),
    ("M7", m7_a_refund_is_what_the_platform_made_of_it),
    ("M12", m12_a_case_sends_its_money_back_once),
    ("M13", m13_what_goes_back_by_itself_stays_within_the_limits),
    ("C1", c1_cases_are_what_their_payment_says),
    ("M10", m10_what_was_received_is_written_once),
    ("M11", m11_accepted_money_has_no_case),
    ("E6", e6_unknown_is_not_an_end),
    ("E12", e12_a_login_code_is_one_attempt_of_a_known_payer),
    ("S1", s1_states_never_move_backward),
    ("S3", s3_versions_rise_by_one),
    ("S4", s4_numbers_are_unique),
    ("L0", l0_no_open_attempt_is_forgotten),
];

fn m1_amounts_are_in_range(commit: &Commit<'_>) -> Verdict {
    rules::m1_amounts_are_in_range(commit.after)
}

fn m3_no_more_goes_back_than_came(commit: &Commit<'_>) -> Verdict {
    rules::m3_no_more_goes_back_than_came(commit.after)
}

fn m6_what_is_to_go_back_never_changes(commit: &Commit<'_>) -> Verdict {
    let before = commit.before.map_or(&[][..], |before| &before.refunds);
    for old in before {
        let same = commit.after.refund(old.id).is_some_and(|new| {
            new.out_refund_no == old.out_refund_no
                && new.merchant_refund_no == old.merchant_refund_no
                && new.amount == old.amount
                && new.attempt == old.attempt
        });
        ensure(same, || {
            format!("{} was changed in what was asked for", old.id)
        })?;
    }
    Ok(())
}

/// Only what the platform has done is done, and only what it gave up, or never
/// took, is closed.
fn m7_a_refund_is_what_the_platform_made_of_it(commit: &Commit<'_>) -> Verdict {
    for refund in &commit.after.refunds {
        let was = commit.before.and_then(|before| before.refund(refund.id));
        if was.is_some_and(|was| was.state == refund.state) {
            continue;
        }
        let attempt = commit.after.attempt(refund.attempt);
        let trade =
            attempt.and_then(|attempt| (commit.trade)(attempt.channel, &attempt.out_trade_no));
        let theirs = trade.and_then(|trade| {
            let mut refunds = trade.refunds.iter();
            refunds.find(|it| it.out_refund_no == refund.out_refund_no)
        });
        let word = theirs.map(|theirs| theirs.state.word());
        let fits = match refund.state {
            RefundState::Unknown => true,
            RefundState::Processing => word.is_some(),
            RefundState::Abnormal => word.is_some_and(|word| word != "PROCESSING"),
            RefundState::Succeeded => word == Some("SUCCESS"),
            RefundState::Closed => matches!(word, None | Some("REFUNDCLOSE")),
        };
        ensure(fits, || {
            let state = refund.state.as_str();
            format!("{} is {state}, and {word:?} at the platform", refund.id)
        })?;
    }
    Ok(())
}

/// E12: of a login code there is one attempt, for the payer whose code it was.
fn e12_a_login_code_is_one_attempt_of_a_known_payer(commit: &Commit<'_>) -> Verdict {
    let attempts = &commit.after.attempts;
    for (place, attempt) in attempts.iter().enumerate() {
        if !matches!(attempt.scene, Scene::Jsapi | Scene::MiniProgram) {
            continue;
        }
        ensure(attempt.payer.is_some(), || {
            format!("{} is for one payer, and for nobody", attempt.id)
        })?;
        let twin = attempts[..place]
            .iter()
            .find(|it| it.code_digest.is_some() && it.code_digest == attempt.code_digest);
        if let Some(twin) = twin {
            return Err(format!(
                "{} and {} are of one login code",
                twin.id, attempt.id
            ));
        }
    }
    Ok(())
}

/// Of whatever is received here the platform has the payment, in favour of the same
/// account and, of a service provider, of the same sub-merchant.
fn m4_money_is_the_account_s_that_asked_for_it(commit: &Commit<'_>) -> Verdict {
    for attempt in &commit.after.attempts {
        let was = commit.before.and_then(|before| before.attempt(attempt.id));
        let known = was.is_some_and(|was| was.received.is_some());
        if attempt.received.is_none() || known {
            continue;
        }
        let trade = (commit.trade)(attempt.channel, &attempt.out_trade_no);
        ensure(
            trade.is_some_and(|trade| trade.ever_paid().is_some()),
            || format!("{} received what its account has not", attempt.id),
        )?;
    }
    Ok(())
}

fn m5_one_attempt_is_accepted_and_other_money_has_a_case(commit: &Commit<'_>) -> Verdict {
    let cases = commit.tables.cases.iter();
    rules::m5_one_attempt_is_accepted_and_other_money_has_a_case(commit.after, cases)
}

fn m6_what_was_ordered_never_changes(commit: &Commit<'_>) -> Verdict {
    let Some(before) = commit.before else {
        return Ok(());
    };
    let after = commit.after;
    let same = before.order == after.order
        && before.merchant == after.merchant
        && before.attempts.iter().all(|old| {
            after.attempt(old.id).is_some_and(|new| {
                new.out_trade_no == old.out_trade_no
                    && new.channel == old.channel
                    && new.scene == old.scene
            })
        });
    ensure(same, || {
        format!("{} was changed in what was ordered", after.id)
    })
}

fn m9_nothing_is_paid_that_the_platform_has_not(commit: &Commit<'_>) -> Verdict {
    let State::Paid { attempt, .. } = commit.after.state else {
        return Ok(());
    };
    let attempt = commit
        .after
        .attempt(attempt)
        .ok_or("paid by an attempt that is not there")?;
    let trade = (commit.trade)(attempt.channel, &attempt.out_trade_no);
    let truth = trade
        .filter(|trade| trade.paid().is_some())
        .map(|trade| trade.amount_fen);
    let ours = u64::try_from(commit.after.order.amount.minor()).ok();
    ensure(
        truth.is_some() && truth == ours && attempt.state == AttemptState::Succeeded,
        || {
            format!(
                "{} is paid with {ours:?}, the platform has {truth:?}",
                commit.after.id
            )
        },
    )
}

fn m12_a_case_sends_its_money_back_once(commit: &Commit<'_>) -> Verdict {
    rules::m12_a_case_sends_its_money_back_once(commit.after)
}

fn c1_cases_are_what_their_payment_says(commit: &Commit<'_>) -> Verdict {
    let cases = &commit.tables.cases;
    rules::c1_cases_are_what_their_payment_says(commit.after, cases.iter())?;
    // Here nothing is older than the rule that a mere claim has a case of its own.
    rules::every_receipt_has_its_case(commit.after, &cases.iter(), |_| true)
}

/// Counted from the rows of all payments, by the day of China in which each refund
/// was written down.
fn m13_what_goes_back_by_itself_stays_within_the_limits(commit: &Commit<'_>) -> Verdict {
    let known = |refund: &&Refund| {
        let mut before = commit.before.iter().flat_map(|before| &before.refunds);
        before.any(|old| old.id == refund.id)
    };
    let fresh = commit.after.refunds.iter().filter(|it| it.automatic);
    for refund in fresh.filter(|refund| !known(refund)) {
        let AutoRefund {
            enabled,
            per_case_fen,
            per_day_fen,
        } = commit.limits;
        let id = refund.id;
        ensure(enabled && refund.amount.minor() <= per_case_fen, || {
            format!("{id} of {} went back without a person", refund.amount)
        })?;
        let (from, to) = refund.created_at.china_day();
        let all = commit.tables.payments.values();
        let sum: i64 = all
            .flat_map(|payment| &payment.refunds)
            .filter(|it| it.automatic && (from..to).contains(&it.created_at))
            .map(|it| it.amount.minor())
            .sum();
        ensure(sum <= per_day_fen, || {
            format!("with {id}, {sum} fen went back in a day without a person")
        })?;
    }
    Ok(())
}

fn m10_what_was_received_is_written_once(commit: &Commit<'_>) -> Verdict {
    let Some(before) = commit.before else {
        return Ok(());
    };
    for old in &before.attempts {
        if let (Some(received), Some(new)) = (old.received, commit.after.attempt(old.id)) {
            ensure(
                new.received == Some(received) && new.transaction_id == old.transaction_id,
                || format!("{} received {received} and now {:?}", old.id, new.received),
            )?;
        }
    }
    Ok(())
}

fn rank(state: State) -> u8 {
    match state {
        State::Created => 0,
        State::Pending => 1,
        State::Closing { .. } => 2,
        State::Closed { .. } => 3,
        State::Paid { .. } => 4,
    }
}

/// Somebody has decided that this attempt's money stays.
fn by_a_person(payment: &Payment, attempt: AttemptId) -> bool {
    let raised = payment.attempt(attempt).map_or(&[][..], |it| &it.raised);
    raised
        .iter()
        .any(|raised| raised.resolution == Some(Resolution::Accepted) && raised.decision.is_some())
}

fn s1_states_never_move_backward(commit: &Commit<'_>) -> Verdict {
    let Some(before) = commit.before else {
        return Ok(());
    };
    let (old, new) = (before.state, commit.after.state);
    let settled = matches!(old, State::Paid { .. }) && old != new;
    let reopened = matches!((old, new), (State::Closed { .. }, State::Paid { .. }));
    let decided = matches!(new, State::Paid { attempt, .. } if by_a_person(commit.after, attempt));
    let unwanted = reopened && !commit.accept_late && !decided;
    ensure(rank(new) >= rank(old) && !settled && !unwanted, || {
        format!("{} went from {old:?} to {new:?}", commit.after.id)
    })?;
    for was in &before.attempts {
        let now = commit.after.attempt(was.id).map(|attempt| attempt.state);
        let back = was.state == AttemptState::Succeeded && now != Some(AttemptState::Succeeded);
        let reopened = !was.state.is_open() && now.is_some_and(AttemptState::is_open);
        ensure(!back && !reopened, || {
            format!("{} went from {:?} to {now:?}", was.id, was.state)
        })?;
    }
    Ok(())
}

fn s3_versions_rise_by_one(commit: &Commit<'_>) -> Verdict {
    let (id, version) = (commit.after.id, commit.after.version);
    // One that is made with its first attempt takes two steps at once.
    let steps = commit.tables.log.get(&id).map_or(0, Vec::len);
    let expected = match commit.before {
        Some(before) => before.version + 1,
        None => i64::try_from(steps).unwrap_or(i64::MAX),
    };
    ensure(version == expected, || {
        format!("{id} has version {version}, not {expected}")
    })
}

fn m11_accepted_money_has_no_case(commit: &Commit<'_>) -> Verdict {
    let State::Paid { attempt, .. } = commit.after.state else {
        return Ok(());
    };
    if by_a_person(commit.after, attempt) {
        return Ok(());
    }
    let accepted = commit.after.attempt(attempt);
    let accepted = accepted.and_then(|attempt| attempt.transaction_id.as_ref());
    let mut cases = commit.tables.cases.iter();
    let twice = cases.find(|case| {
        case.attempt == Some(attempt)
            && case.receipt.amount == commit.after.order.amount
            && Some(&case.receipt.transaction_id) == accepted
    });
    ensure(twice.is_none(), || {
        format!("{attempt} is accepted, and its money has a case: {twice:?}")
    })
}

fn e6_unknown_is_not_an_end(commit: &Commit<'_>) -> Verdict {
    for attempt in &commit.after.attempts {
        let was = commit.before.and_then(|before| before.attempt(attempt.id));
        let over = |state| {
            matches!(
                state,
                AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed
            )
        };
        if !over(attempt.state) || was.is_some_and(|was| over(was.state)) {
            continue;
        }
        ensure((commit.ended)(&attempt.out_trade_no), || {
            format!(
                "{} is {}, and the platform never said so",
                attempt.id,
                attempt.state.as_str()
            )
        })?;
    }
    Ok(())
}

fn s4_numbers_are_unique(commit: &Commit<'_>) -> Verdict {
    for attempt in &commit.after.attempts {
        let owner = commit
            .tables
            .by_out_trade_no(attempt.channel, &attempt.out_trade_no);
        ensure(
            owner.is_some_and(|owner| owner.id == commit.after.id),
            || format!("{} is not found by its own number", attempt.id),
        )?;
    }
    Ok(())
}

/// The last of all cases is not one of the others.
pub fn s4_one_receipt_is_one_case(cases: &[Case]) -> Verdict {
    let receipt = |case: &Case| {
        (
            case.channel,
            case.out_trade_no.clone(),
            case.kind,
            case.receipt.transaction_id.clone(),
            case.receipt.amount.minor(),
        )
    };
    let Some((last, others)) = cases.split_last() else {
        return Ok(());
    };
    let twice = others.iter().find(|other| receipt(other) == receipt(last));
    ensure(twice.is_none(), || {
        format!("two cases of one receipt: {last:?} and {twice:?}")
    })
}

fn l0_no_open_attempt_is_forgotten(commit: &Commit<'_>) -> Verdict {
    let jobs = commit.tables.jobs_of(commit.after.id);
    rules::l0_no_open_attempt_is_forgotten(commit.after, jobs)
}
