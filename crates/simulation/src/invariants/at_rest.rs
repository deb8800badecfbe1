//! At rest: faults have stopped, and the bound has passed.

use tongbao_core::webhook::DeliveryState;
use tongbao_core::{AttemptState, ChannelId, State};
use tongbao_simulator::Books;

use super::{Verdict, ensure};
use crate::model_store::Tables;

/// Everything there is to look at when the world has come to rest.
pub struct Rest<'a> {
    /// The database.
    pub tables: &'a Tables,
    /// The platform's truth.
    pub books: &'a Books<'a>,
    /// The channel of a merchant number.
    pub channel: &'a dyn Fn(&str) -> Option<ChannelId>,
    /// Queries are never answered in this run.
    pub queries_off: bool,
}

type Check = fn(&Rest<'_>) -> Verdict;

/// All of them, by id.
pub const ALL: [(&str, Check); 5] = [
    ("M8", m8_no_money_is_kept_unseen),
    ("M9", m9_no_money_from_nothing),
    ("L1", l1_every_payment_is_final),
    ("L9", l9_no_closed_payment_can_still_be_paid),
    ("W1", w1_everybody_was_told),
];

fn m8_no_money_is_kept_unseen(rest: &Rest<'_>) -> Verdict {
    for trade in rest.books.trades().filter(|trade| trade.paid().is_some()) {
        let number = &trade.out_trade_no;
        let channel = (rest.channel)(&trade.mch_id).ok_or("a trade of nobody's channel")?;
        let payment = rest.tables.by_out_trade_no(channel, number);
        let attempt = payment.and_then(|payment| payment.attempt_by_no(number));
        let (Some(payment), Some(attempt)) = (payment, attempt) else {
            return Err(format!("{number} is paid at the platform and unknown here"));
        };
        let accepted = matches!(payment.state, State::Paid { attempt: by, .. } if by == attempt.id);
        let in_case = rest
            .tables
            .cases
            .iter()
            .any(|case| case.attempt == Some(attempt.id));
        ensure(accepted || in_case, || {
            format!(
                "{number} is paid at the platform; here {} is {:?}, the payment {:?}",
                attempt.id, attempt.state, payment.state
            )
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

fn l9_no_closed_payment_can_still_be_paid(rest: &Rest<'_>) -> Verdict {
    if rest.queries_off {
        return Ok(());
    }
    for trade in rest.books.trades() {
        let unpaid = matches!(trade.state, tongbao_simulator::TradeState::NotPay);
        ensure(!unpaid, || {
            format!("{} is still open at the platform", trade.out_trade_no)
        })?;
    }
    Ok(())
}

fn w1_everybody_was_told(rest: &Rest<'_>) -> Verdict {
    for ((event, endpoint), row) in &rest.tables.deliveries {
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
