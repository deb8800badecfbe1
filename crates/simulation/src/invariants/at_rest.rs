//! At rest: faults have stopped, and the bound has passed.

use std::collections::BTreeMap;
use std::time::Duration;

use tongbao_core::webhook::DeliveryState;
use tongbao_core::{
    AttemptState, AutoRefund, Case, CaseState, ChannelId, EndpointId, Money, Need, Refund,
    RefundState, Resolution, State, Timestamp,
};
use tongbao_simulator::{Books, Trade, TradeState};

use super::{Verdict, ensure};
use crate::model_store::Tables;
use crate::secrets::Secrets;
use crate::truth::Known;

/// Everything there is to look at when the world has come to rest.
pub struct Rest<'a> {
    /// The database.
    pub tables: &'a Tables,
    /// The platform's truth.
    pub books: &'a Books<'a>,
    /// The channel of whoever has the order at the platform, a sub-merchant of a
    /// service provider too.
    pub channel: &'a dyn Fn(&Trade) -> Option<ChannelId>,
    /// What the channel's account, or sub-merchant, has gained by the platform's books.
    pub gained: &'a dyn Fn(ChannelId) -> Option<i64>,
    /// No message that is believed states a wrong amount.
    pub amounts_are_true: bool,
    /// Queries are never answered in this run.
    pub queries_off: bool,
    /// Whether nothing went wrong between two moments.
    pub was_quiet: &'a dyn Fn(Timestamp, Timestamp) -> bool,
    /// What the merchant lets go back without a person.
    pub limits: AutoRefund,
    /// The end of all days.
    pub now: Timestamp,
    /// What the world knows beside the books.
    pub known: &'a Known,
    /// An endpoint that never answers.
    pub dead_endpoint: Option<EndpointId>,
    /// What nobody else may know.
    pub secrets: &'a Secrets,
}

type Check = fn(&Rest<'_>) -> Verdict;

/// All of them, by id.
pub const ALL: [(&str, Check); 15] = [
    ("M7", m7_the_books_agree_about_refunds),
    ("M14", m14_each_account_has_gained_what_its_payments_say),
    ("L2", l2_every_refund_is_final_or_a_case),
    ("M8", m8_no_money_is_kept_unseen),
    ("M9", m9_no_money_from_nothing),
    ("L1", l1_every_payment_is_final),
    ("L3", l3_a_cashier_soon_knows),
    ("L10", l10_no_case_is_left_where_it_could_go_on),
    ("L9", l9_no_closed_payment_can_still_be_paid),
    ("L4", l4_nothing_lies_about),
    ("E8", e8_late_money_was_looked_for),
    ("W1", w1_everybody_was_told),
    ("W6", w6_a_dead_endpoint_delays_nobody),
    ("X1", x1_no_secret_is_in_a_row),
    ("X5", x5_what_a_till_did_bears_its_name),
];

fn x5_what_a_till_did_bears_its_name(rest: &Rest<'_>) -> Verdict {
    for payment in rest.tables.payments.values() {
        let number = &payment.order.merchant_order_no;
        let Some((store, till)) = rest.known.sold_at.get(number) else {
            continue;
        };
        let attempts = payment.attempts.iter().map(|attempt| attempt.till);
        // The money of a case goes back by itself.
        let asked = |refund: &&Refund| refund.merchant_refund_no.is_some();
        let refunds = payment.refunds.iter().filter(asked);
        let mut tills = attempts.chain(refunds.map(|refund| refund.till));
        ensure(
            payment.order.store == *store && tills.all(|by| by == *till),
            || format!("{number} is sold at {store:?} by {till:?}, and {payment:?} says otherwise"),
        )?;
    }
    Ok(())
}

fn m8_no_money_is_kept_unseen(rest: &Rest<'_>) -> Verdict {
    for trade in rest.books.trades().filter(|trade| trade.paid().is_some()) {
        let number = &trade.out_trade_no;
        let channel = (rest.channel)(trade).ok_or("a trade of nobody's channel")?;
        let payment = rest.tables.by_out_trade_no(channel, number);
        let attempt = payment.and_then(|payment| payment.attempt_by_no(number));
        let (Some(payment), Some(attempt)) = (payment, attempt) else {
            return Err(format!("{number} is paid at the platform and unknown here"));
        };
        let accepted = matches!(payment.state, State::Paid { attempt: by, .. } if by == attempt.id);
        let cases: Vec<_> = rest
            .tables
            .cases
            .iter()
            .filter(|case| case.attempt == Some(attempt.id))
            .collect();
        ensure(accepted || !cases.is_empty(), || {
            format!(
                "{number} is paid at the platform; here {} is {:?}, the payment {:?}",
                attempt.id, attempt.state, payment.state
            )
        })?;
        // It has gone back, somebody has decided, or somebody must.
        let seen = |case: &&Case| {
            case.state == CaseState::NeedsPerson
                || matches!(
                    case.resolution,
                    Some(Resolution::Accepted | Resolution::Dismissed)
                )
        };
        let back = trade.refunded_fen() == trade.amount_fen;
        let settled = accepted || back || cases.iter().any(seen);
        ensure(settled || rest.queries_off, || {
            format!("{number} is paid at the platform, kept, and nobody is to look: {cases:?}")
        })?;
    }
    Ok(())
}

/// Every refund that the platform knows was asked for here, under its number, and
/// once.
fn m7_the_books_agree_about_refunds(rest: &Rest<'_>) -> Verdict {
    for (trade, theirs) in rest.books.refunds() {
        let number = &theirs.out_refund_no;
        let channel = (rest.channel)(trade).ok_or("a refund of nobody's channel")?;
        let payment = rest.tables.by_out_trade_no(channel, &trade.out_trade_no);
        let ours = payment.and_then(|payment| {
            let mut refunds = payment.refunds.iter();
            refunds.find(|refund| refund.out_refund_no == *number)
        });
        let ours = ours.ok_or(format!("{number} goes back, and nobody here asked for it"))?;
        let fits = match ours.state {
            RefundState::Succeeded => theirs.state.word() == "SUCCESS",
            RefundState::Closed => theirs.state.word() == "REFUNDCLOSE",
            RefundState::Abnormal => theirs.state.word() == "CHANGE",
            RefundState::Unknown | RefundState::Processing => false,
        };
        ensure(
            fits && u64::try_from(ours.amount.minor()) == Ok(theirs.fen),
            || {
                let (here, there) = (ours.state.as_str(), theirs.state.word());
                format!("{} is {here} here, and {there} at the platform", ours.id)
            },
        )?;
    }
    rest.books.check()
}

/// Account by account, and sub-merchant by sub-merchant: what came here and has not
/// gone back is there, no more and no less.
fn m14_each_account_has_gained_what_its_payments_say(rest: &Rest<'_>) -> Verdict {
    if rest.queries_off || !rest.amounts_are_true {
        return Ok(());
    }
    let mut here: BTreeMap<ChannelId, i64> =
        rest.tables.channels.keys().map(|id| (*id, 0)).collect();
    for payment in rest.tables.payments.values() {
        for attempt in &payment.attempts {
            // What was reversed has gone back without a refund.
            let stays = attempt
                .received
                .filter(|_| attempt.state != AttemptState::Reversed);
            *here.entry(attempt.channel).or_default() += stays.map_or(0, Money::minor);
        }
        let gone = |refund: &&Refund| refund.state != RefundState::Closed;
        for refund in payment.refunds.iter().filter(gone) {
            if let Some(attempt) = payment.attempt(refund.attempt) {
                *here.entry(attempt.channel).or_default() -= refund.amount.minor();
            }
        }
    }
    for (channel, here) in here {
        let there = (rest.gained)(channel);
        ensure(there == Some(here), || {
            format!("{channel} has gained {here} fen here, and {there:?} at the platform")
        })?;
    }
    Ok(())
}

fn l2_every_refund_is_final_or_a_case(rest: &Rest<'_>) -> Verdict {
    let refunds = rest
        .tables
        .payments
        .values()
        .flat_map(|payment| &payment.refunds);
    for refund in refunds {
        let in_case = || {
            let mut cases = rest.tables.cases.iter();
            cases.any(|case| case.refund == Some(refund.id))
        };
        let fine = match refund.state {
            RefundState::Succeeded | RefundState::Closed => true,
            RefundState::Abnormal => in_case(),
            RefundState::Unknown | RefundState::Processing => false,
        };
        ensure(fine, || {
            format!("{} is still {}", refund.id, refund.state.as_str())
        })?;
    }
    Ok(())
}

fn m9_no_money_from_nothing(rest: &Rest<'_>) -> Verdict {
    let paid_there: std::collections::BTreeSet<_> = rest
        .books
        .trades()
        .filter(|trade| trade.paid().is_some())
        .map(|trade| trade.out_trade_no.as_str())
        .collect();
    let claims = rest
        .tables
        .payments
        .values()
        .flat_map(|payment| &payment.attempts)
        .filter(|attempt| attempt.state == AttemptState::Succeeded);
    for attempt in claims {
        ensure(paid_there.contains(attempt.out_trade_no.as_str()), || {
            format!(
                "{} succeeded here, and is not paid at the platform",
                attempt.id
            )
        })?;
    }
    Ok(())
}

fn l1_every_payment_is_final(rest: &Rest<'_>) -> Verdict {
    if rest.queries_off {
        // Without a query nothing unpaid can be known to be closed.
        return Ok(());
    }
    for payment in rest.tables.payments.values() {
        ensure(payment.is_final(), || {
            format!("{} is still {:?}", payment.id, payment.state)
        })?;
        let open = payment
            .attempts
            .iter()
            .find(|attempt| attempt.state.is_open());
        ensure(open.is_none(), || {
            format!("{:?} is still open", open.map(|attempt| attempt.id))
        })?;
    }
    Ok(())
}

/// So long a cashier waits at most for a payment or an end, where nothing goes wrong.
const AT_THE_TILL: Duration = Duration::from_secs(45);

/// What went wrong so long before is over: a process has started again, and what
/// it held has been taken up.
const OVER: Duration = Duration::from_secs(90);

fn l3_a_cashier_soon_knows(rest: &Rest<'_>) -> Verdict {
    if rest.queries_off {
        return Ok(());
    }
    for (number, till) in &rest.known.at_the_till {
        let by = till.charged + AT_THE_TILL;
        // A disk that fails is counted by nobody: what was before may be its doing.
        let sound = rest
            .known
            .healed_at
            .is_some_and(|at| till.charged > at + OVER);
        if !sound || !(rest.was_quiet)(till.charged - OVER, by) {
            continue;
        }
        ensure(till.ended.is_some_and(|ended| ended <= by), || {
            let ended = till.ended.map(|ended| ended.since(till.charged));
            format!("{number} was charged at a till and came to its end after {ended:?}")
        })?;
    }
    Ok(())
}

/// What may go back has gone, what was claimed is decided, and whoever must look has
/// a reason that is true.
fn l10_no_case_is_left_where_it_could_go_on(rest: &Rest<'_>) -> Verdict {
    if rest.queries_off {
        // Nothing is known to have gone back.
        return Ok(());
    }
    for case in &rest.tables.cases {
        let limits = rest.limits;
        let fen = case.receipt.amount.minor();
        let fine = match (case.state, case.need) {
            (CaseState::Resolved, _) => true,
            (CaseState::NeedsPerson, Some(Need::Off)) => !limits.enabled,
            (CaseState::NeedsPerson, Some(Need::CaseLimit)) => {
                limits.enabled && fen > limits.per_case_fen
            }
            (CaseState::NeedsPerson, Some(need)) => {
                // Every channel has a certificate, every order is in CNY, and what
                // kept a refund waiting has passed.
                !matches!(
                    need,
                    Need::ChannelCannot | Need::Currency | Need::RefundWaits
                )
            }
            (CaseState::NeedsPerson, None) | (CaseState::Open | CaseState::Refunding, _) => false,
        };
        ensure(fine, || format!("nobody goes on with {case:?}"))?;
    }
    Ok(())
}

fn l9_no_closed_payment_can_still_be_paid(rest: &Rest<'_>) -> Verdict {
    if rest.queries_off {
        return Ok(());
    }
    for trade in rest.books.trades() {
        let unpaid = matches!(
            trade.state,
            TradeState::NotPay | TradeState::UserPaying { .. }
        );
        ensure(!unpaid, || {
            format!("{} is still open at the platform", trade.out_trade_no)
        })?;
    }
    Ok(())
}

fn w1_everybody_was_told(rest: &Rest<'_>) -> Verdict {
    for ((event, endpoint), row) in &rest.tables.deliveries {
        if rest.dead_endpoint == Some(*endpoint) {
            continue;
        }
        ensure(row.state == DeliveryState::Delivered, || {
            format!(
                "{event} at {endpoint} is {:?} after {} tries",
                row.state, row.tries
            )
        })?;
    }
    for payment in rest
        .tables
        .payments
        .values()
        .filter(|payment| payment.is_final())
    {
        let told = rest
            .tables
            .events
            .values()
            .any(|event| event.payment == Some(payment.id));
        ensure(told, || format!("nobody was told of {}", payment.id))?;
    }
    Ok(())
}

fn l4_nothing_lies_about(rest: &Rest<'_>) -> Verdict {
    let overdue = rest.tables.overdue(rest.now);
    ensure(overdue.is_none(), || format!("nobody came for {overdue:?}"))
}

/// So long a platform may still tell of money.
const WATCHED_FOR: Duration = Duration::from_hours(25);

/// The last look is planned for 28 hours after an end, when eight of them have
/// passed, and jitter moves it by a tenth of what is left.
const LAST_LOOK: Duration = Duration::from_hours(31);

fn e8_late_money_was_looked_for(rest: &Rest<'_>) -> Verdict {
    if rest.queries_off {
        return Ok(());
    }
    let attempts = rest
        .tables
        .payments
        .values()
        .flat_map(|payment| &payment.attempts);
    for attempt in attempts.filter(|attempt| attempt.received.is_none()) {
        let Some(ended) = attempt.ended_at.filter(|at| *at + LAST_LOOK < rest.now) else {
            continue;
        };
        let asked = rest.known.asked.get(&attempt.out_trade_no);
        ensure(asked.is_some_and(|at| *at > ended + WATCHED_FOR), || {
            format!(
                "{} ended at {ended}, and was last asked about at {asked:?}",
                attempt.id
            )
        })?;
    }
    Ok(())
}

/// When the database and the nodes are well again, nobody waits longer.
const AT_ONCE: Duration = Duration::from_secs(5);

/// What the faults left behind is done by then.
const CALM_AFTER: Duration = Duration::from_mins(3);

fn w6_a_dead_endpoint_delays_nobody(rest: &Rest<'_>) -> Verdict {
    let calm = rest.known.healed_at.map(|at| at + CALM_AFTER);
    for ((event, endpoint), row) in &rest.tables.deliveries {
        let Some(event) = rest.tables.events.get(event) else {
            continue;
        };
        let calm = calm.is_some_and(|calm| event.created_at > calm);
        if !calm || rest.dead_endpoint == Some(*endpoint) {
            continue;
        }
        let first = row.history.first().map(|first| first.at);
        let waited = first.map(|first| first.since(event.created_at));
        ensure(waited.is_some_and(|waited| waited <= AT_ONCE), || {
            format!("{} waited {waited:?} for its first try", event.id)
        })?;
    }
    Ok(())
}

/// Printing every row takes long; one day in sixteen is enough.
const PRINTED_EVERY: usize = 16;

fn x1_no_secret_is_in_a_row(rest: &Rest<'_>) -> Verdict {
    if !rest.known.asked.len().is_multiple_of(PRINTED_EVERY) {
        return Ok(());
    }
    let rows = format!("{:?}", rest.tables);
    let mut messages = rest.tables.inbox.values();
    let found = rest
        .secrets
        .in_bytes(rows.as_bytes())
        .or_else(|| messages.find_map(|row| rest.secrets.in_bytes(&row.entry.body)));
    ensure(found.is_none(), || {
        format!("{} is in the database", found.unwrap_or_default())
    })
}
