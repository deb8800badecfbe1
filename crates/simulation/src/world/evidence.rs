//! What the rows say of the payments that a violation names.

use tongbao_core::Payment;
use tongbao_core::webhook::WebhookEvent;
use tongbao_store::LogEntry;

use crate::invariants::whereabouts::decided_by;
use crate::model_store::Tables;
use crate::story::Violation;

/// So many of a payment's last commits are shown, beside those that turned its
/// state.
const LAST: usize = 3;

/// The turning points of each payment that is named, and how its news fared.
pub(super) fn about(tables: &Tables, violations: &[Violation]) -> Vec<String> {
    let named = |payment: &&Payment| violations.iter().any(|seen| names(&seen.what, payment));
    let mut lines = Vec::new();
    for payment in tables.payments.values().filter(named) {
        let number = &payment.order.merchant_order_no;
        lines.push(format!("{} ({number}), {:?}", payment.id, payment.state));
        lines.push("  its commits that changed its state, and its last ones:".to_owned());
        let log = tables.log.get(&payment.id).map_or(&[][..], Vec::as_slice);
        lines.extend(turning_points(log).flat_map(commit));
        let mut news: Vec<_> = tables.events.values().collect();
        news.retain(|event| event.payment == Some(payment.id));
        news.sort_by_key(|event| event.sequence);
        if !news.is_empty() {
            let what = "  what was to be told (Engine::outcome in crates/engine/src/deliver.rs decides \
                        what a try came to):";
            lines.push(what.to_owned());
        }
        lines.extend(news.into_iter().flat_map(|event| told(tables, event)));
    }
    lines
}

fn names(what: &str, payment: &Payment) -> bool {
    what.contains(&payment.id.to_string())
        || payment
            .attempts
            .iter()
            .any(|one| what.contains(&one.id.to_string()) || what.contains(&one.out_trade_no))
}

fn turning_points(log: &[LogEntry]) -> impl Iterator<Item = &LogEntry> {
    let last = log.len().saturating_sub(LAST);
    log.iter().enumerate().filter_map(move |(place, entry)| {
        let before = place.checked_sub(1).map(|before| &log[before].state);
        (place >= last || before != Some(&entry.state)).then_some(entry)
    })
}

fn commit(entry: &LogEntry) -> [String; 2] {
    let what = entry
        .event
        .as_ref()
        .map_or_else(|| "created".to_owned(), |event| format!("{event:?}"));
    let function = decided_by(entry.event.as_ref());
    [
        format!(
            "    {} v{} {}: {what}",
            entry.at, entry.version, entry.state
        ),
        format!("        decided by {function}"),
    ]
}

fn told(tables: &Tables, event: &WebhookEvent) -> Vec<String> {
    let mut lines = vec![format!(
        "    {} no. {}, {}, made at {}",
        event.kind.as_str(),
        event.sequence,
        event.id,
        event.created_at
    )];
    let deliveries = tables.deliveries.iter();
    for ((_, endpoint), row) in deliveries.filter(|((id, _), _)| *id == event.id) {
        let tries = row.history.iter().map(|one| {
            let answer = one
                .status
                .map_or_else(|| one.answer.clone(), |status| status.to_string());
            format!("{answer} at {}", one.at)
        });
        let tries = tries.collect::<Vec<_>>().join(", ");
        let state = row.state.as_str();
        lines.push(format!("        {endpoint} {state}: tries {tries}"));
    }
    lines
}
