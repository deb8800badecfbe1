//! What merchants are told, and how it fares.

use tongbao_core::id::Id;
use tongbao_core::webhook::{DeliveryState, Endpoint, WebhookEvent};
use tongbao_core::{EndpointId, EventId, MerchantId, Timestamp};
use tongbao_store::{DeliveryClaim, DeliveryOutcome, DeliveryResult, DeliveryTry, StoreError};

use super::{DeliveryRow, Tables};
use crate::model_store::Map;
use crate::saboteur::Bug;

impl Tables {
    pub(super) fn tell(&mut self, event: WebhookEvent) {
        let listens = |endpoint: &&Endpoint| {
            endpoint.merchant == event.merchant
                && (endpoint.event_types.is_empty() || endpoint.event_types.contains(&event.kind))
                && (endpoint.store.is_none() || endpoint.store == event.store)
        };
        let listening: Vec<_> = self
            .endpoints
            .values()
            .filter(listens)
            .map(|row| row.id)
            .collect();
        for endpoint in listening {
            self.deliveries.insert(
                (event.id, endpoint),
                pending(event.created_at, 0, Vec::new()),
            );
        }
        self.events.insert(event.id, event);
    }

    pub(crate) fn claim_deliveries(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        per_endpoint: usize,
        limit: usize,
    ) -> Vec<DeliveryClaim> {
        let leased = |row: &DeliveryRow| row.lease_until.is_some_and(|until| until > now);
        let mut lanes: Map<EndpointId, usize> = Map::new();
        for ((_, endpoint), row) in &self.deliveries {
            if row.state == DeliveryState::Pending && leased(row) {
                *lanes.entry(*endpoint).or_default() += 1;
            }
        }
        let mut due: Vec<_> = self
            .deliveries
            .iter()
            .filter(|(_, row)| {
                row.state == DeliveryState::Pending && row.due <= now && !leased(row)
            })
            .map(|(key, row)| (row.due, *key))
            .collect();
        due.sort();
        let mut claims = Vec::new();
        let crowded = self.bug == Some(Bug::OneLaneForAll);
        for (_, key) in due {
            if crowded && lanes.values().sum::<usize>() >= 1 {
                break;
            }
            let Some(endpoint) = self.endpoints.get(&key.1).filter(|row| row.enabled) else {
                continue;
            };
            let lane = lanes.entry(key.1).or_default();
            if *lane >= per_endpoint || claims.len() >= limit {
                continue;
            }
            *lane += 1;
            let (Some(row), Some(event)) = (self.deliveries.get_mut(&key), self.events.get(&key.0))
            else {
                continue;
            };
            row.lease_until = Some(lease_until);
            row.fence += 1;
            claims.push(DeliveryClaim {
                event: event.clone(),
                endpoint: endpoint.clone(),
                tries: row.tries,
                fence: row.fence,
            });
        }
        claims
    }

    pub(crate) fn record_delivery(&mut self, result: DeliveryResult) -> Result<(), StoreError> {
        let key = (result.claim.event.id, result.claim.endpoint.id);
        let row = self.deliveries.get_mut(&key).ok_or(StoreError::Fenced)?;
        if row.fence != result.claim.fence {
            return Err(StoreError::Fenced);
        }
        row.lease_until = None;
        row.tries += 1;
        row.history.push(DeliveryTry {
            at: result.at,
            request_headers: result.request_headers,
            status: result.status,
            answer: result.answer,
            took_millis: result.took_millis,
        });
        match result.outcome {
            DeliveryOutcome::Delivered => row.state = DeliveryState::Delivered,
            DeliveryOutcome::Retry { due } => row.due = due,
            DeliveryOutcome::Exhausted => row.state = DeliveryState::Exhausted,
            DeliveryOutcome::Gone => {
                if let Some(endpoint) = self.endpoints.get_mut(&key.1) {
                    endpoint.enabled = false;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn redeliver(
        &mut self,
        merchant: MerchantId,
        event: EventId,
        now: Timestamp,
    ) -> usize {
        if self
            .events
            .get(&event)
            .is_none_or(|row| row.merchant != merchant)
        {
            return 0;
        }
        let mut count = 0;
        for (_, row) in self
            .deliveries
            .range_mut((event, lowest())..=(event, highest()))
        {
            *row = pending(now, row.fence, std::mem::take(&mut row.history));
            count += 1;
        }
        count
    }

    pub(crate) fn replay(
        &mut self,
        merchant: MerchantId,
        endpoint: EndpointId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> usize {
        let Some(listener) = self
            .endpoints
            .get(&endpoint)
            .filter(|row| row.merchant == merchant)
        else {
            return 0;
        };
        let wanted: Vec<_> = self
            .events
            .values()
            .filter(|event| {
                event.merchant == merchant
                    && (from..to).contains(&event.created_at)
                    && (listener.event_types.is_empty()
                        || listener.event_types.contains(&event.kind))
                    && (listener.store.is_none() || listener.store == event.store)
            })
            .map(|event| event.id)
            .collect();
        for event in &wanted {
            let old = self.deliveries.remove(&(*event, endpoint));
            let (fence, history) = old.map_or((0, Vec::new()), |row| (row.fence, row.history));
            self.deliveries
                .insert((*event, endpoint), pending(now, fence, history));
        }
        wanted.len()
    }
}

fn pending(due: Timestamp, fence: i64, history: Vec<DeliveryTry>) -> DeliveryRow {
    DeliveryRow {
        state: DeliveryState::Pending,
        due,
        lease_until: None,
        tries: 0,
        fence,
        history,
    }
}

fn lowest() -> EndpointId {
    EndpointId::from_bits(0)
}

fn highest() -> EndpointId {
    EndpointId::from_bits(u128::MAX)
}
