use std::time::Duration;

use tongbao_core::webhook::{DeliveryState, Endpoint, EventType, WebhookEvent};
use tongbao_core::{EndpointId, EventId, Timestamp};
use tongbao_store::{DeliveryClaim, DeliveryOutcome, DeliveryResult, Store, StoreError};

use super::people::*;
use super::stage::each_store;

/// After every event of these stories.
const LATER: Timestamp = Timestamp::from_secs(NOON.as_secs() + 100);

async fn claim(store: &impl Store, now: Timestamp) -> Vec<DeliveryClaim> {
    store
        .claim_deliveries(now, now + LEASE, 100, 100)
        .await
        .unwrap()
}

fn keys(claims: &[DeliveryClaim]) -> Vec<(EventId, EndpointId)> {
    let mut keys: Vec<_> = claims
        .iter()
        .map(|claim| (claim.event.id, claim.endpoint.id))
        .collect();
    keys.sort();
    keys
}

fn came_to(claim: DeliveryClaim, outcome: DeliveryOutcome) -> DeliveryResult {
    DeliveryResult {
        claim,
        at: LATER,
        request_headers: "webhook-id: evt".to_owned(),
        status: Some(200),
        answer: "ok".to_owned(),
        took_millis: 12,
        outcome,
    }
}

async fn an_event_goes_to_every_endpoint_that_listens(store: &impl Store) {
    open_shop(store).await;
    open_branch(store, 1).await;
    open_branch(store, 2).await;
    let to = |number, change: fn(&mut Endpoint)| {
        let mut endpoint = endpoint(number);
        change(&mut endpoint);
        endpoint
    };
    for endpoint in [
        to(1, |_| ()),
        to(2, |endpoint| endpoint.enabled = false),
        to(3, |endpoint| {
            endpoint.event_types = vec![EventType::CaseOpened];
        }),
        to(4, |endpoint| {
            endpoint.event_types = vec![EventType::CaseOpened, EventType::PaymentPaid];
        }),
        to(5, |endpoint| endpoint.store = Some(id(1))),
        to(6, |endpoint| endpoint.store = Some(id(2))),
    ] {
        store.save_endpoint(endpoint).await.unwrap();
    }
    tell(store, event(1)).await;
    let of_a_till = WebhookEvent {
        store: Some(id(1)),
        ..event(2)
    };
    tell(store, of_a_till).await;

    let claims = claim(store, LATER).await;
    let expected = [(1, 1), (1, 4), (2, 1), (2, 4), (2, 5)];
    let expected = expected.map(|(event, endpoint)| (id(event), id(endpoint)));
    assert_eq!(keys(&claims), expected);
    assert_eq!(claims[0].event, event(1));
    assert_eq!(claims[0].endpoint, endpoint(1));
    assert_eq!(claims[0].tries, 0);

    // What arose while it was off has waited for it.
    store.save_endpoint(endpoint(2)).await.unwrap();
    let waited = [(1, 2), (2, 2)].map(|(event, endpoint)| (id(event), id(endpoint)));
    assert_eq!(keys(&claim(store, LATER).await), waited);
}

async fn a_claimed_delivery_is_hidden_until_its_lease_ends(store: &impl Store) {
    open_shop(store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    tell(store, event(1)).await;

    assert_eq!(store.next_due().await, Ok(Some(event(1).created_at)));
    let first = claim(store, LATER).await.remove(0);
    assert_eq!(claim(store, LATER).await, []);
    assert_eq!(store.next_due().await, Ok(Some(LATER + LEASE)));
    let second = claim(store, LATER + LEASE).await.remove(0);
    let late = store.record_delivery(came_to(first, DeliveryOutcome::Delivered));
    assert_eq!(late.await, Err(StoreError::Fenced));
    let delivered = came_to(second.clone(), DeliveryOutcome::Delivered);
    store.record_delivery(delivered).await.unwrap();
    assert_eq!(store.next_due().await, Ok(None));
    let twice = came_to(second, DeliveryOutcome::Delivered);
    assert_eq!(store.record_delivery(twice).await, Err(StoreError::Fenced));
}

async fn a_slow_endpoint_fills_its_own_lane_alone(store: &impl Store) {
    open_shop(store).await;
    for number in [1, 2] {
        let mut endpoint = endpoint(number);
        if number == 2 {
            endpoint.event_types = vec![EventType::PaymentClosed];
        }
        store.save_endpoint(endpoint).await.unwrap();
    }
    for number in 1..=5 {
        tell(store, event(number)).await;
    }
    let closed = WebhookEvent {
        kind: EventType::PaymentClosed,
        ..event(6)
    };
    tell(store, closed).await;

    let claims = store.claim_deliveries(LATER, LATER + LEASE, 2, 100).await;
    let expected = [(1, 1), (2, 1), (6, 2)].map(|(event, to)| (id(event), id(to)));
    assert_eq!(keys(&claims.unwrap()), expected);
    let more = store.claim_deliveries(LATER, LATER + LEASE, 2, 100).await;
    assert_eq!(more, Ok(Vec::new()));
    let more = store.claim_deliveries(LATER, LATER + LEASE, 3, 100).await;
    assert_eq!(keys(&more.unwrap()), [(id(3), id(1))]);
}

async fn a_claim_takes_no_more_than_it_was_asked_for(store: &impl Store) {
    open_shop(store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    for number in 1..=5 {
        tell(store, event(number)).await;
    }

    let claims = store.claim_deliveries(LATER, LATER + LEASE, 100, 2).await;
    assert_eq!(keys(&claims.unwrap()), [(id(1), id(1)), (id(2), id(1))]);
    let none = store.claim_deliveries(LATER, LATER + LEASE, 100, 0).await;
    assert_eq!(none, Ok(Vec::new()));
}

async fn a_failed_try_is_made_again_at_its_time(store: &impl Store) {
    open_shop(store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    tell(store, event(1)).await;
    let first = claim(store, LATER).await.remove(0);
    let due = LATER + SECOND;
    let failed = DeliveryResult {
        status: None,
        answer: "connection refused".to_owned(),
        ..came_to(first, DeliveryOutcome::Retry { due })
    };
    store.record_delivery(failed).await.unwrap();

    assert_eq!(store.next_due().await, Ok(Some(due)));
    assert_eq!(claim(store, LATER).await, []);
    let second = claim(store, due).await.remove(0);
    assert_eq!(second.tries, 1);
    let exhausted = came_to(second, DeliveryOutcome::Exhausted);
    store.record_delivery(exhausted).await.unwrap();
    assert_eq!(store.next_due().await, Ok(None));
    assert_eq!(store.pulse(LATER).await.unwrap().deliveries_exhausted, 1);

    let delivery = store.deliveries(merchant(), id(1)).await.unwrap().remove(0);
    assert_eq!(delivery.endpoint, id(1));
    assert_eq!(delivery.state, DeliveryState::Exhausted);
    let tries: Vec<_> = delivery.tries.iter().map(|one| one.status).collect();
    assert_eq!(tries, [None, Some(200)]);
    assert_eq!(delivery.tries[0].answer, "connection refused");
    assert_eq!(delivery.tries[1].request_headers, "webhook-id: evt");
}

async fn an_endpoint_that_wants_no_more_is_switched_off_and_its_deliveries_wait(
    store: &impl Store,
) {
    open_shop(store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    tell(store, event(1)).await;
    tell(store, event(2)).await;
    let gone = claim(store, LATER).await.remove(0);
    store
        .record_delivery(came_to(gone, DeliveryOutcome::Gone))
        .await
        .unwrap();

    let found = store.endpoint(merchant(), id(1)).await.unwrap().unwrap();
    assert!(!found.enabled);
    assert_eq!(store.next_due().await, Ok(None));
    assert_eq!(claim(store, LATER + LEASE).await, []);
    store.save_endpoint(endpoint(1)).await.unwrap();
    assert_eq!(claim(store, LATER + LEASE).await.len(), 2);
}

async fn sending_again_keeps_the_id_and_the_bytes(store: &impl Store) {
    open_shop(store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    tell(store, event(1)).await;
    let first = claim(store, LATER).await.remove(0);
    store
        .record_delivery(came_to(first, DeliveryOutcome::Delivered))
        .await
        .unwrap();

    let again = LATER + LEASE;
    assert_eq!(store.redeliver(merchant(), id(1), again).await, Ok(1));
    assert_eq!(store.next_due().await, Ok(Some(again)));
    let second = claim(store, again).await.remove(0);
    assert_eq!(second.event, event(1));
    assert_eq!(second.tries, 0);
    let history = store.deliveries(merchant(), id(1)).await.unwrap();
    assert_eq!(history[0].tries.len(), 1);
    assert_eq!(store.redeliver(merchant(), id(9), again).await, Ok(0));
}

async fn a_replay_sends_what_the_endpoint_listens_to_oldest_first(store: &impl Store) {
    open_shop(store).await;
    open_branch(store, 2).await;
    for number in 1..=6 {
        let mut event = event(number);
        if number == 3 {
            event.kind = EventType::CaseOpened;
        }
        if number == 4 {
            event.store = Some(id(2));
        }
        tell(store, event).await;
    }
    // It was not there when these things happened.
    let mut endpoint = endpoint(1);
    endpoint.event_types = vec![EventType::PaymentPaid];
    store.save_endpoint(endpoint.clone()).await.unwrap();
    let (from, to) = (event(2).created_at, event(6).created_at);

    let count = store.replay(merchant(), id(1), from, to, LATER).await;
    assert_eq!(count, Ok(3));
    let claims = claim(store, LATER).await;
    let order: Vec<_> = claims.iter().map(|claim| claim.event.clone()).collect();
    let of_a_till = WebhookEvent {
        store: Some(id(2)),
        ..event(4)
    };
    assert_eq!(order, [event(2), of_a_till, event(5)]);

    endpoint.store = Some(id(2));
    store.save_endpoint(endpoint).await.unwrap();
    let count = store.replay(merchant(), id(1), from, to, LATER).await;
    assert_eq!(count, Ok(1));
}

async fn a_removed_endpoint_takes_what_waits_for_it_along(store: &impl Store) {
    open_shop(store).await;
    for number in [1, 2] {
        store.save_endpoint(endpoint(number)).await.unwrap();
    }
    tell(store, event(1)).await;
    let claims = store.claim_deliveries(LATER, LATER + LEASE, 1, 1).await;
    let under_way = claims.unwrap().remove(0);
    assert_eq!(under_way.endpoint.id, id(1));

    assert_eq!(store.delete_endpoint(merchant(), id(1)).await, Ok(true));
    let result = came_to(under_way, DeliveryOutcome::Delivered);
    assert_eq!(store.record_delivery(result).await, Err(StoreError::Fenced));
    assert_eq!(keys(&claim(store, LATER).await), [(id(1), id(2))]);
    tell(store, event(2)).await;
    assert_eq!(store.deliveries(merchant(), id(2)).await.unwrap().len(), 1);
    assert_eq!(store.redeliver(merchant(), id(1), LATER).await, Ok(1));
}

async fn a_delivery_is_brought_forward_with_its_lease(store: &impl Store) {
    open_shop(store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    tell(store, event(1)).await;
    assert_eq!(claim(store, LATER).await.len(), 1);

    let hour = Duration::from_hours(1);
    let now = LATER - hour;
    assert_eq!(store.bring_forward(hour, now).await, Ok(1));
    assert_eq!(claim(store, now).await, []);
    assert_eq!(claim(store, now + LEASE).await.len(), 1);
}

async fn the_pulse_counts_what_is_late(store: &impl Store) {
    open_shop(store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    let payment = payment(1);
    store.commit(created(&payment)).await.unwrap();
    ask(store, query(&payment, LATER)).await;
    tell(store, event(1)).await;

    let pulse = store.pulse(NOON).await.unwrap();
    assert_eq!((pulse.jobs_due, pulse.deliveries_due), (0, 0));
    let pulse = store.pulse(LATER).await.unwrap();
    assert_eq!((pulse.jobs_due, pulse.deliveries_due), (1, 1));
}

each_store!(
    an_event_goes_to_every_endpoint_that_listens,
    a_claimed_delivery_is_hidden_until_its_lease_ends,
    a_slow_endpoint_fills_its_own_lane_alone,
    a_claim_takes_no_more_than_it_was_asked_for,
    a_failed_try_is_made_again_at_its_time,
    an_endpoint_that_wants_no_more_is_switched_off_and_its_deliveries_wait,
    sending_again_keeps_the_id_and_the_bytes,
    a_replay_sends_what_the_endpoint_listens_to_oldest_first,
    a_removed_endpoint_takes_what_waits_for_it_along,
    a_delivery_is_brought_forward_with_its_lease,
    the_pulse_counts_what_is_late,
);
