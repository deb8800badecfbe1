//! Lists.

use tongbao_core::job::NEVER;
use tongbao_core::webhook::{DeliveryState, WebhookEvent};
use tongbao_core::{
    Case, CaseState, EventId, MerchantId, Payment, PaymentId, RefundState, State, StoreId, TillId,
    Timestamp,
};
use tongbao_store::{
    CaseFilter, Delivery, EventFilter, InboxFilter, InboxRow, LogEntry, Page, PaymentFilter, Pulse,
    RefundFilter, RefundRow, Takings,
};

use super::{Map, Tables};

/// Newest first, behind the cursor, at most `limit`.
fn page<T>(
    rows: impl Iterator<Item = T>,
    id: impl Fn(&T) -> String,
    cursor: Option<&String>,
    limit: usize,
) -> Page<T> {
    let mut rows: Vec<_> = rows
        .filter(|row| cursor.is_none_or(|cursor| id(row) < *cursor))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(id(row)));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(&id);
    Page { rows, next }
}

pub(super) fn payments(tables: &Tables, filter: &PaymentFilter) -> Page<Payment> {
    let wanted = |payment: &&Payment| {
        payment.merchant == filter.merchant
            && filter
                .store
                .is_none_or(|store| payment.order.store == Some(store))
            && filter
                .merchant_order_no
                .as_ref()
                .is_none_or(|number| payment.order.merchant_order_no == *number)
            && filter
                .state
                .as_ref()
                .is_none_or(|state| payment.public_state() == state)
            && filter.from.is_none_or(|from| payment.created_at >= from)
            && filter.to.is_none_or(|to| payment.created_at < to)
    };
    let rows = tables.payments.values().filter(wanted).cloned();
    page(
        rows,
        |row| row.id.to_string(),
        filter.cursor.as_ref(),
        filter.limit,
    )
}

/// What a shop took by each till, and gave back.
pub(super) fn takings(
    tables: &Tables,
    merchant: MerchantId,
    store: StoreId,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Takings> {
    let mut of_tills: Map<Option<TillId>, Takings> = Map::new();
    let day = from..to;
    let own =
        |payment: &&Payment| payment.merchant == merchant && payment.order.store == Some(store);
    for payment in tables.payments.values().filter(own) {
        let State::Paid { attempt, at } = payment.state else {
            continue;
        };
        if day.contains(&at) {
            let takings = of_tills.entry(payment.till()).or_default();
            takings.payments += 1;
            takings.amount += payment.order.amount.minor();
        }
        for refund in &payment.refunds {
            if refund.state == RefundState::Succeeded
                && refund.attempt == attempt
                && refund.ended_at.is_some_and(|at| day.contains(&at))
            {
                let takings = of_tills.entry(refund.till).or_default();
                takings.refunds += 1;
                takings.amount_refunded += refund.amount.minor();
            }
        }
    }
    let named = |(till, takings)| Takings { till, ..takings };
    of_tills.into_iter().map(named).collect()
}

pub(super) fn timeline(tables: &Tables, merchant: MerchantId, payment: PaymentId) -> Vec<LogEntry> {
    let entries = tables.log.get(&payment).into_iter().flatten();
    entries
        .filter(|entry| entry.merchant == merchant)
        .cloned()
        .collect()
}

pub(super) fn refunds(tables: &Tables, filter: &RefundFilter) -> Page<RefundRow> {
    let own = |payment: &&Payment| {
        payment.merchant == filter.merchant
            && filter
                .store
                .is_none_or(|store| payment.order.store == Some(store))
    };
    let rows = tables.payments.values().filter(own).flat_map(|payment| {
        payment.refunds.iter().map(|refund| RefundRow {
            payment: payment.id,
            refund: refund.clone(),
        })
    });
    page(
        rows.filter(|row| filter.state.is_none_or(|state| row.refund.state == state)),
        |row| row.refund.id.to_string(),
        filter.cursor.as_ref(),
        filter.limit,
    )
}

pub(super) fn cases(tables: &Tables, filter: &CaseFilter) -> Page<Case> {
    let wanted = |case: &&Case| {
        case.merchant == filter.merchant
            && filter.state.is_none_or(|state| case.state == state)
            && !(filter.unresolved && case.state == CaseState::Resolved)
            && filter
                .payment
                .is_none_or(|payment| case.payment == Some(payment))
    };
    let rows = tables.cases.iter().filter(wanted).cloned();
    page(
        rows,
        |row| row.id.to_string(),
        filter.cursor.as_ref(),
        filter.limit,
    )
}

pub(super) fn events(tables: &Tables, filter: &EventFilter) -> Page<WebhookEvent> {
    let wanted = |event: &&WebhookEvent| {
        event.merchant == filter.merchant
            && filter.kind.is_none_or(|kind| event.kind == kind)
            && filter
                .payment
                .is_none_or(|payment| event.payment == Some(payment))
    };
    let rows = tables.events.values().filter(wanted).cloned();
    page(
        rows,
        |row| row.id.to_string(),
        filter.cursor.as_ref(),
        filter.limit,
    )
}

pub(super) fn deliveries(tables: &Tables, merchant: MerchantId, event: EventId) -> Vec<Delivery> {
    let own = tables
        .events
        .get(&event)
        .is_some_and(|row| row.merchant == merchant);
    let rows = tables
        .deliveries
        .iter()
        .filter(|((of, _), _)| own && *of == event);
    rows.map(|((_, endpoint), row)| Delivery {
        endpoint: *endpoint,
        state: row.state,
        due: row.due,
        tries: row.history.clone(),
    })
    .collect()
}

pub(super) fn inbox(tables: &Tables, filter: &InboxFilter) -> Page<InboxRow> {
    let wanted = |row: &&InboxRow| {
        row.entry.merchant == filter.merchant
            && filter
                .channel
                .is_none_or(|channel| row.entry.channel == channel)
            && filter
                .payment
                .is_none_or(|payment| row.entry.payment == Some(payment))
    };
    let rows = tables.inbox.values().filter(wanted).cloned();
    page(
        rows,
        |row| row.entry.id.to_string(),
        filter.cursor.as_ref(),
        filter.limit,
    )
}

pub(super) fn pulse(tables: &Tables, now: Timestamp) -> Pulse {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let deliveries = |state| {
        tables
            .deliveries
            .values()
            .filter(move |row| row.state == state)
    };
    let cases = |stands: &dyn Fn(CaseState) -> bool| {
        let rows = tables.cases.iter();
        rows.filter(|row| stands(row.state)).count()
    };
    Pulse {
        jobs_due: count(tables.jobs.values().filter(|row| row.due <= now).count()),
        jobs_laid_aside: count(tables.jobs.values().filter(|row| row.due >= NEVER).count()),
        deliveries_due: count(
            deliveries(DeliveryState::Pending)
                .filter(|row| row.due <= now)
                .count(),
        ),
        deliveries_exhausted: count(deliveries(DeliveryState::Exhausted).count()),
        cases_open: count(cases(&|state| state != CaseState::Resolved)),
        cases_waiting: count(cases(&|state| state == CaseState::NeedsPerson)),
    }
}
