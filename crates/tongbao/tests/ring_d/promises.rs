//! What the gateway promises, held against the platform's books and against
//! what the merchant has heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::Value;
use tongbao_simulator::server::Simulator;
use tongbao_simulator::{NotificationId, NotificationKind, TradeState};

use crate::endpoint::{Endpoint, Told};
use crate::merchant::Merchant;
use crate::pause;
use crate::platform::{AFTERMATH, acknowledged};

/// A message that was acknowledged before the kill has its effect after it.
pub(crate) async fn acknowledged_messages_had_their_effect(
    merchant: &Merchant,
    simulator: &Simulator,
    seen: &mut BTreeSet<NotificationId>,
) -> usize {
    let mut checked = 0;
    for (number, kind) in acknowledged(simulator, seen) {
        let payment = merchant
            .numbers
            .lock()
            .expect("nobody panicked")
            .get(&number)
            .cloned();
        // The merchant does not know the number yet; at the end all are known.
        let Some(id) = payment else { continue };
        let kept = merchant
            .list(&format!("/v1/notifications?payment={id}"))
            .await;
        let applied = kept.iter().find(|row| row["verdict"] != "refused");
        assert!(
            applied.is_some(),
            "a message of {number} was acknowledged and is not kept"
        );
        if kind == NotificationKind::Genuine && kept.iter().any(|row| row["verdict"] == "applied") {
            let (_, payment) = merchant.get(&format!("/v1/payments/{id}")).await;
            assert_eq!(payment["state"], "paid", "{payment}");
        }
        checked += 1;
    }
    checked
}

/// Everything as it stands when there is nothing left to be done.
pub(crate) struct End {
    payments: Vec<Value>,
    cases: Vec<Value>,
    events: Vec<Value>,
    told: BTreeMap<String, Told>,
}

impl End {
    /// Closes what nobody will pay, and waits until nothing is open and
    /// everything is told.
    pub(crate) async fn come(merchant: &Merchant, endpoint: &Endpoint) -> Self {
        for payment in merchant.list("/v1/payments").await {
            if !is_final(&payment) {
                let id = payment["id"].as_str().expect("an id");
                let path = format!("/v1/payments/{id}/close");
                merchant.post(&path, &Value::Null, None).await;
            }
        }
        let since = Instant::now();
        loop {
            let end = Self {
                payments: merchant.list("/v1/payments").await,
                cases: merchant.list("/v1/cases").await,
                events: merchant.list("/v1/events").await,
                told: endpoint.told(),
            };
            let left = end.left();
            if left.is_empty() {
                return end;
            }
            assert!(
                since.elapsed() < AFTERMATH,
                "this never ended:\n{}",
                left.join("\n")
            );
            pause(Duration::from_millis(500)).await;
        }
    }

    /// What is still to be done.
    fn left(&self) -> Vec<String> {
        let open = |payment: &&Value| !is_final(payment) || attempts(payment).any(is_open);
        let open = self.payments.iter().filter(open).map(Value::to_string);
        let unheard = |event: &&Value| {
            let id = event["id"].as_str().expect("an id");
            !self.told.get(id).is_some_and(|told| told.heard)
        };
        let unheard = self.events.iter().filter(unheard).map(Value::to_string);
        open.chain(unheard).collect()
    }

    /// Every order that was answered is there, under the id that was answered.
    pub(crate) async fn every_order_is_kept(&self, merchant: &Merchant) {
        let orders = merchant.orders.lock().expect("nobody panicked").clone();
        assert_eq!(self.payments.len(), orders.len(), "payments and orders");
        futures::stream::iter(orders.values())
            .for_each_concurrent(8, |order| merchant.ask_again(order))
            .await;
    }

    /// Whatever the platform has been paid is a paid payment or a case; and
    /// nothing is paid that the platform has not been paid.
    pub(crate) fn the_books_agree(&self, simulator: &Simulator) {
        let trades: BTreeMap<String, (bool, u64)> = simulator.look(|platform, _| {
            let trades = platform.truth().trades();
            trades
                .map(|trade| {
                    let paid = matches!(trade.state, TradeState::Success(_));
                    (trade.out_trade_no.clone(), (paid, trade.amount_fen))
                })
                .collect()
        });
        let mut known = 0;
        for payment in &self.payments {
            let mut received = Vec::new();
            for attempt in attempts(payment) {
                let number = attempt["out_trade_no"].as_str().expect("a number");
                let Some(&(paid, amount)) = trades.get(number) else {
                    continue;
                };
                known += 1;
                if paid {
                    received.push((number, amount));
                }
            }
            let is_paid = payment["state"] == "paid";
            for (number, amount) in &received {
                let succeeded = attempts(payment)
                    .any(|one| one["out_trade_no"] == *number && one["state"] == "succeeded");
                let has_case = self
                    .cases
                    .iter()
                    .any(|case| case["out_trade_no"] == *number);
                assert!(
                    is_paid && succeeded || has_case,
                    "{number} is paid: {payment}"
                );
                assert_eq!(payment["amount"], *amount);
            }
            assert!(
                !is_paid || !received.is_empty(),
                "nobody has paid {payment}"
            );
        }
        assert_eq!(
            known,
            trades.len(),
            "the platform has orders that no payment has"
        );
    }

    /// Each payment's end is told, under one id, and nothing else is.
    pub(crate) fn every_end_is_told_once(&self) {
        for payment in &self.payments {
            let id = payment["id"].as_str().expect("an id");
            let is_paid = payment["state"] == "paid";
            for (kind, wanted) in [
                ("payment.paid", usize::from(is_paid)),
                ("payment.closed", usize::from(!is_paid)),
            ] {
                let ids: Vec<_> = self
                    .told
                    .iter()
                    .filter(|(_, told)| told.kind == kind && told.subject == id)
                    .map(|(webhook, _)| webhook)
                    .collect();
                assert_eq!(ids.len(), wanted, "{kind} under {ids:?} of {payment}");
            }
        }
        assert_eq!(self.told.len(), self.events.len(), "told and recorded");
    }

    /// For whoever reads the test's output.
    pub(crate) fn counted(&self) -> String {
        let paid = self
            .payments
            .iter()
            .filter(|payment| payment["state"] == "paid");
        let tries: usize = self.told.values().map(|told| told.times).sum();
        format!(
            "{} payments, {} of them paid; {} cases; {} events told in {tries} tries",
            self.payments.len(),
            paid.count(),
            self.cases.len(),
            self.events.len(),
        )
    }
}

fn attempts(payment: &Value) -> impl Iterator<Item = &Value> {
    payment["attempts"].as_array().into_iter().flatten()
}

fn is_open(attempt: &Value) -> bool {
    ["unknown", "pending", "user_paying"].contains(&attempt["state"].as_str().unwrap_or_default())
}

fn is_final(payment: &Value) -> bool {
    ["paid", "closed"].contains(&payment["state"].as_str().unwrap_or_default())
}
