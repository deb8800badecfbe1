//! What is new since the last look.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};
use tongbao_core::PaymentId;

use super::super::api::Api;

/// The gateway's pages are as long as that at most.
const PAGE: usize = 100;

/// So many pages of new payments one look goes through; more come with the next.
const PAGES: usize = 20;

/// So many webhooks under way are asked about in one look.
const UNDER_WAY: usize = 20;

/// What is remembered of payments and events that ended long ago is let go.
const REMEMBERED: usize = 20_000;

pub(super) struct Feed {
    api: Api,
    only: Option<PaymentId>,
    /// Up to which sequence each payment has been told.
    told: BTreeMap<String, i64>,
    events: BTreeSet<String>,
    /// Webhooks on their way, with the tries that have been told at each endpoint.
    under_way: BTreeMap<String, Webhook>,
    begun: bool,
}

struct Webhook {
    kind: String,
    payment: Option<String>,
    order_no: Option<String>,
    tries: BTreeMap<String, usize>,
}

/// One thing that happened.
#[derive(Debug)]
pub(super) struct News {
    /// `payment`, `event` or `webhook`.
    pub(super) kind: &'static str,
    pub(super) payment: Option<String>,
    pub(super) order_no: Option<String>,
    /// The state before; of a payment.
    pub(super) before: Option<String>,
    /// As the API says it.
    pub(super) said: Map<String, Value>,
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Payment {
    id: String,
    merchant_order_no: String,
    amount: i64,
    subject: String,
    sequence: i64,
    attempts: Vec<Attempt>,
}

#[derive(Clone, Deserialize)]
struct Attempt {
    id: String,
    scene: String,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    r#type: String,
    payment: Option<String>,
    sequence: i64,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct Delivered {
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    endpoint: String,
    state: String,
    next_try_at: Option<String>,
    tries: Vec<Map<String, Value>>,
}

impl Feed {
    pub(super) fn new(api: Api, only: Option<PaymentId>) -> Self {
        Self {
            api,
            only,
            told: BTreeMap::new(),
            events: BTreeSet::new(),
            under_way: BTreeMap::new(),
            begun: false,
        }
    }

    /// What has happened since the last look; at the first look nothing, or all that
    /// has happened to the one payment. A look that fails has told nothing, and the
    /// next one tells it.
    pub(super) async fn look(&mut self) -> anyhow::Result<Vec<News>> {
        let silent = !self.begun && self.only.is_none();
        let mut news = Vec::new();
        let events = self.new_events().await?;
        let mut changed = self.changed_payments().await?;
        // An old payment is on no page, but what it leads to names it.
        for event in &events {
            let Some(id) = &event.payment else { continue };
            if silent || self.told.contains_key(id) || changed.iter().any(|it| it.id == *id) {
                continue;
            }
            self.told.insert(id.clone(), event.sequence - 1);
            changed.push(self.api.read(&format!("/v1/payments/{id}")).await?);
        }
        for payment in changed {
            if silent {
                self.told.insert(payment.id, payment.sequence);
            } else {
                news.extend(self.timeline(&payment).await?);
            }
        }
        for event in events {
            self.events.insert(event.id.clone());
            if !silent {
                news.push(self.event(event).await?);
            }
        }
        news.extend(self.deliveries().await?);
        self.begun = true;
        while self.told.len() > REMEMBERED {
            self.told.pop_first();
        }
        while self.events.len() > REMEMBERED {
            self.events.pop_first();
        }
        Ok(news)
    }

    /// Oldest first.
    async fn new_events(&self) -> anyhow::Result<Vec<Event>> {
        let of = self.only.map(|id| format!("&payment={id}"));
        let path = format!("/v1/events?limit={PAGE}{}", of.unwrap_or_default());
        let page: Page<Event> = self.api.read(&path).await?;
        let mut new = page.data;
        new.retain(|event| !self.events.contains(&event.id));
        new.reverse();
        Ok(new)
    }

    /// Payments that have moved on since they were last told, oldest first.
    async fn changed_payments(&self) -> anyhow::Result<Vec<Payment>> {
        if let Some(id) = self.only {
            let payment: Payment = self.api.read(&format!("/v1/payments/{id}")).await?;
            return Ok(self
                .is_news(&payment)
                .then_some(payment)
                .into_iter()
                .collect());
        }
        let mut changed = Vec::new();
        let mut path = format!("/v1/payments?limit={PAGE}");
        for _ in 0..PAGES {
            let page: Page<Payment> = self.api.read(&path).await?;
            let reaches_the_known = page
                .data
                .last()
                .is_none_or(|oldest| self.told.contains_key(&oldest.id));
            changed.extend(page.data.into_iter().filter(|it| self.is_news(it)));
            match page.next_cursor {
                Some(cursor) if self.begun && !reaches_the_known => {
                    path = format!("/v1/payments?limit={PAGE}&cursor={cursor}");
                }
                _ => break,
            }
        }
        changed.reverse();
        Ok(changed)
    }

    fn is_news(&self, payment: &Payment) -> bool {
        self.told.get(&payment.id).copied().unwrap_or(0) < payment.sequence
    }

    /// What happened to the payment since it was last told.
    async fn timeline(&mut self, payment: &Payment) -> anyhow::Result<Vec<News>> {
        let path = format!("/v1/payments/{}/events", payment.id);
        let page: Page<Map<String, Value>> = self.api.read(&path).await?;
        let told = self.told.get(&payment.id).copied().unwrap_or(0);
        let mut news = Vec::new();
        let (mut before, mut last) = (None, told);
        for mut said in page.data {
            let sequence = said.get("sequence").and_then(Value::as_i64).unwrap_or(0);
            let state = said.get("state").and_then(Value::as_str).map(str::to_owned);
            if sequence > told {
                last = last.max(sequence);
                payment.add_to(&mut said);
                news.push(News {
                    kind: "payment",
                    payment: Some(payment.id.clone()),
                    order_no: Some(payment.merchant_order_no.clone()),
                    before: before.clone(),
                    said,
                });
            }
            before = state;
        }
        self.told.insert(payment.id.clone(), last);
        Ok(news)
    }

    async fn event(&mut self, event: Event) -> anyhow::Result<News> {
        let order_no = match &event.payment {
            Some(id) => {
                let payment: Payment = self.api.read(&format!("/v1/payments/{id}")).await?;
                Some(payment.merchant_order_no)
            }
            None => None,
        };
        let webhook = Webhook {
            kind: event.r#type.clone(),
            payment: event.payment.clone(),
            order_no: order_no.clone(),
            tries: BTreeMap::new(),
        };
        self.under_way.insert(event.id.clone(), webhook);
        let mut said = event.rest;
        said.insert("id".to_owned(), event.id.into());
        said.insert("event".to_owned(), event.r#type.into());
        said.insert("sequence".to_owned(), event.sequence.into());
        Ok(News {
            kind: "event",
            payment: event.payment,
            order_no,
            before: None,
            said,
        })
    }

    /// The tries since the last look of what is on its way to the merchant.
    async fn deliveries(&mut self) -> anyhow::Result<Vec<News>> {
        let mut news = Vec::new();
        let newest: Vec<_> = self
            .under_way
            .keys()
            .rev()
            .take(UNDER_WAY)
            .cloned()
            .collect();
        for id in newest {
            let event: Delivered = self.api.read(&format!("/v1/events/{id}")).await?;
            let Some(webhook) = self.under_way.get_mut(&id) else {
                continue;
            };
            for delivery in &event.deliveries {
                let told = webhook.tries.entry(delivery.endpoint.clone()).or_default();
                let last = delivery.tries.len();
                for (place, one) in delivery.tries.iter().enumerate().skip(*told) {
                    let mut said = one.clone();
                    said.remove("request_headers");
                    said.insert("id".to_owned(), id.clone().into());
                    said.insert("event".to_owned(), webhook.kind.clone().into());
                    said.insert("endpoint".to_owned(), delivery.endpoint.clone().into());
                    if place + 1 == last {
                        said.insert("state".to_owned(), delivery.state.clone().into());
                        if let Some(next) = &delivery.next_try_at {
                            said.insert("next_try_at".to_owned(), next.clone().into());
                        }
                    }
                    news.push(News {
                        kind: "webhook",
                        payment: webhook.payment.clone(),
                        order_no: webhook.order_no.clone(),
                        before: None,
                        said,
                    });
                }
                *told = last;
            }
            let pending = |delivery: &Delivery| delivery.state == "pending";
            if !event.deliveries.iter().any(pending) {
                self.under_way.remove(&id);
            }
        }
        Ok(news)
    }
}

impl Payment {
    /// What a line of the timeline leaves to the payment to say.
    fn add_to(&self, said: &mut Map<String, Value>) {
        if said.get("type").and_then(Value::as_str) == Some("created") {
            said.insert("amount".to_owned(), self.amount.into());
            said.insert("subject".to_owned(), self.subject.clone().into());
        }
        let id = said.get("attempt").and_then(Value::as_str);
        let attempt = self.attempts.iter().find(|it| Some(&*it.id) == id);
        if let Some(scene) = attempt.map(|it| it.scene.clone()) {
            said.insert("scene".to_owned(), scene.into());
        }
    }
}
