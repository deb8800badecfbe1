//! What is new since the last look.

mod said;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tongbao_core::PaymentId;

use self::said::{Delivered, Delivery, Event, Page, Payment};
use self::seen::{Seen, Webhook};

/// The gateway's pages are as long as that at most.
const PAGE: usize = 100;

/// So many pages of open payments one look goes through; the next one goes on
/// where it stopped.
const OPEN_PAGES: usize = 3;

/// So many webhooks under way are asked about in one look.
const UNDER_WAY: usize = 20;

/// Whoever can be asked for a path of the merchant API.
pub(super) trait Read {
    async fn read<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T>;
}

pub(super) struct Feed<R> {
    api: R,
    only: Option<PaymentId>,
    seen: Seen,
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

impl<R: Read> Feed<R> {
    pub(super) fn new(api: R, only: Option<PaymentId>) -> Self {
        Self {
            api,
            only,
            seen: Seen::default(),
        }
    }

    /// What has happened since the last look; at the first look nothing, or all that
    /// has happened to the one payment. A look that fails has told nothing and
    /// remembers nothing, so the next one tells it.
    pub(super) async fn look(&mut self) -> anyhow::Result<Vec<News>> {
        let mut look = Look {
            api: &self.api,
            only: self.only,
            seen: &self.seen,
            told: BTreeMap::new(),
            under_way: self.seen.under_way.clone(),
            latest: self.seen.latest.clone(),
        };
        if self.only.is_none() && !self.seen.begun {
            self.seen = look.beginning().await?;
            return Ok(Vec::new());
        }
        let events = look.new_events().await?;
        let (changed, open_cursor) = look.changed_payments(&events).await?;
        let mut news = Vec::new();
        for payment in &changed {
            news.extend(look.timeline(payment).await?);
        }
        for event in &events {
            news.push(look.event(event).await?);
        }
        news.extend(look.deliveries().await?);
        let (told, under_way, latest) = (look.told, look.under_way, look.latest);
        let events = events.into_iter().map(|event| event.id);
        self.seen.tell(told, events, latest);
        self.seen.under_way = under_way;
        self.seen.open_cursor = open_cursor;
        Ok(news)
    }
}

/// One look while it is being made: what it learns counts once it is whole.
struct Look<'a, R> {
    api: &'a R,
    only: Option<PaymentId>,
    seen: &'a Seen,
    /// Up to which sequence each payment is told by this look.
    told: BTreeMap<String, i64>,
    under_way: BTreeMap<String, Webhook>,
    /// When the last thing happened that is told.
    latest: String,
}

impl<R: Read> Look<'_, R> {
    /// How everything stands; nothing of it is news. What may still change without
    /// an event is all gone through, other payments are known by the newest ones.
    async fn beginning(&self) -> anyhow::Result<Seen> {
        let events: Page<Event> = self.api.read(&self.events(None)).await?;
        let newest: Page<Payment> = self.api.read(&payments("", None)).await?;
        let mut all = newest.data;
        for state in OPEN_STATES {
            let mut cursor = None;
            loop {
                let page: Page<Payment> = self.api.read(&payments(state, cursor)).await?;
                all.extend(page.data);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
        }
        let made = all.iter().map(|payment| &payment.created_at);
        let since = made.chain(events.data.iter().map(|event| &event.created_at));
        let since = since.max().cloned().unwrap_or_default();
        let mut seen = Seen {
            begun: true,
            since: since.clone(),
            latest: since.clone(),
            ..Seen::default()
        };
        let told = all.into_iter().map(|it| (it.id, it.sequence)).collect();
        let events = events.data.into_iter().map(|event| event.id);
        seen.tell(told, events, since);
        Ok(seen)
    }

    fn events(&self, cursor: Option<&str>) -> String {
        let of = self.only.map(|id| format!("&payment={id}"));
        let behind = cursor.map(|cursor| format!("&cursor={cursor}"));
        format!(
            "/v1/events?limit={PAGE}{}{}",
            of.unwrap_or_default(),
            behind.unwrap_or_default()
        )
    }

    /// Back to the page on which the last look's events are; oldest first. An event
    /// that was written a little late stands behind younger ones, on that page.
    async fn new_events(&self) -> anyhow::Result<Vec<Event>> {
        let mut new = Vec::new();
        let mut path = self.events(None);
        loop {
            let page: Page<Event> = self.api.read(&path).await?;
            let (known, fresh): (Vec<_>, Vec<_>) = page
                .data
                .into_iter()
                .partition(|event| self.seen.events.contains(&event.id));
            new.extend(fresh);
            match page.next_cursor {
                Some(cursor) if known.is_empty() => path = self.events(Some(&cursor)),
                _ => break,
            }
        }
        new.reverse();
        Ok(new)
    }

    /// Payments that have moved on since they were last told, oldest first; and
    /// where the next look goes on among the open ones.
    async fn changed_payments(
        &self,
        events: &[Event],
    ) -> anyhow::Result<(Vec<Payment>, OpenCursor)> {
        if let Some(id) = self.only {
            let payment: Payment = self.api.read(&format!("/v1/payments/{id}")).await?;
            let changed = self.is_news(&payment).then_some(payment);
            return Ok((changed.into_iter().collect(), OpenCursor::default()));
        }
        let mut changed = BTreeMap::new();
        self.newest_payments(&mut changed).await?;
        let open_cursor = self.open_payments(&mut changed).await?;
        // One that is over is on no page, but what it leads to names it.
        for id in events.iter().filter_map(|event| event.payment.as_ref()) {
            if !changed.contains_key(id) {
                let payment: Payment = self.api.read(&format!("/v1/payments/{id}")).await?;
                self.keep_news(vec![payment], &mut changed);
            }
        }
        let mut changed: Vec<_> = changed.into_values().collect();
        changed.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
        Ok((changed, open_cursor))
    }

    /// Back to the page on which the last look's payments are.
    async fn newest_payments(&self, changed: &mut Changed) -> anyhow::Result<()> {
        let mut path = payments("", None);
        loop {
            let page: Page<Payment> = self.api.read(&path).await?;
            let is_known = |payment: &Payment| self.seen.told.contains_key(&payment.id);
            let reaches_the_known = page.data.iter().any(is_known);
            self.keep_news(page.data, changed);
            match page.next_cursor {
                Some(cursor) if !reaches_the_known => path = payments("", Some(cursor)),
                _ => return Ok(()),
            }
        }
    }

    /// However old they are, these may change: round and round, some pages a look.
    async fn open_payments(&self, changed: &mut Changed) -> anyhow::Result<OpenCursor> {
        let mut at = self.seen.open_cursor.clone();
        for _ in 0..OPEN_PAGES {
            let state = OPEN_STATES[at.state];
            let path = payments(state, at.cursor.take());
            let page: Page<Payment> = self.api.read(&path).await?;
            self.keep_news(page.data, changed);
            at.cursor = page.next_cursor;
            if at.cursor.is_none() {
                at.state = (at.state + 1) % OPEN_STATES.len();
                if at.state == 0 {
                    break;
                }
            }
        }
        Ok(at)
    }

    fn keep_news(&self, page: Vec<Payment>, changed: &mut Changed) {
        for payment in page.into_iter().filter(|it| self.is_news(it)) {
            changed.insert(payment.id.clone(), payment);
        }
    }

    fn is_news(&self, payment: &Payment) -> bool {
        let told = self.seen.told.get(&payment.id);
        told.is_none_or(|told| *told < payment.sequence)
    }

    /// What happened to the payment since it was last told; of one that was never
    /// looked at, since the watching began.
    async fn timeline(&mut self, payment: &Payment) -> anyhow::Result<Vec<News>> {
        let path = format!("/v1/payments/{}/events", payment.id);
        let page: Page<Map<String, Value>> = self.api.read(&path).await?;
        let told = self.seen.told.get(&payment.id).copied();
        let mut news = Vec::new();
        let (mut before, mut last) = (None, told.unwrap_or(0));
        for mut said in page.data {
            let sequence = said.get("sequence").and_then(Value::as_i64).unwrap_or(0);
            let state = said.get("state").and_then(Value::as_str).map(str::to_owned);
            let at = said.get("at").and_then(Value::as_str).unwrap_or_default();
            let is_new = told.map_or(*at >= *self.seen.since, |told| sequence > told);
            last = last.max(sequence);
            if is_new {
                if *at > *self.latest {
                    at.clone_into(&mut self.latest);
                }
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

    async fn event(&mut self, event: &Event) -> anyhow::Result<News> {
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
        let mut said = event.rest.clone();
        said.insert("id".to_owned(), event.id.clone().into());
        said.insert("event".to_owned(), event.r#type.clone().into());
        said.insert("sequence".to_owned(), event.sequence.into());
        said.insert("created_at".to_owned(), event.created_at.clone().into());
        Ok(News {
            kind: "event",
            payment: event.payment.clone(),
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
                news.extend(webhook.news(&id, delivery));
            }
            let pending = |delivery: &Delivery| delivery.state == "pending";
            if !event.deliveries.iter().any(pending) {
                self.under_way.remove(&id);
            }
        }
        Ok(news)
    }
}

type Changed = BTreeMap<String, Payment>;

/// A payment in one of these may change without an event.
const OPEN_STATES: [&str; 2] = ["created", "pending"];

/// How far a round through the open payments has come.
#[derive(Clone, Debug, Default)]
struct OpenCursor {
    /// Which of [`OPEN_STATES`].
    state: usize,
    /// Behind which of its pages.
    cursor: Option<String>,
}

/// The path of a page of payments: all, or those of one state.
fn payments(state: &str, cursor: Option<String>) -> String {
    let with = |name: &str, value: &str| match value {
        "" => String::new(),
        _ => format!("&{name}={value}"),
    };
    let (of, behind) = (
        with("state", state),
        with("cursor", &cursor.unwrap_or_default()),
    );
    format!("/v1/payments?limit={PAGE}{of}{behind}")
}

impl Webhook {
    /// The tries at one endpoint that have not been told.
    fn news(&mut self, id: &str, delivery: &Delivery) -> Vec<News> {
        let told = self.tries.entry(delivery.endpoint.clone()).or_default();
        let last = delivery.tries.len();
        let mut news = Vec::new();
        for (place, one) in delivery.tries.iter().enumerate().skip(*told) {
            let mut said = one.clone();
            said.remove("request_headers");
            said.insert("id".to_owned(), id.into());
            said.insert("event".to_owned(), self.kind.clone().into());
            said.insert("endpoint".to_owned(), delivery.endpoint.clone().into());
            if place + 1 == last {
                said.insert("state".to_owned(), delivery.state.clone().into());
                if let Some(next) = &delivery.next_try_at {
                    said.insert("next_try_at".to_owned(), next.clone().into());
                }
            }
            news.push(News {
                kind: "webhook",
                payment: self.payment.clone(),
                order_no: self.order_no.clone(),
                before: None,
                said,
            });
        }
        *told = last;
        news
    }
}
