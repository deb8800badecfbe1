use tongbao_core::EventId;
use tongbao_core::webhook::EventType;
use tongbao_store::{EventFilter, Store};

use super::people::*;
use super::stage::each_store;

fn all() -> EventFilter {
    EventFilter {
        merchant: merchant(),
        kind: None,
        payment: None,
        cursor: None,
        limit: 10,
    }
}

async fn an_event_reads_back_in_the_same_bytes(store: &impl Store) {
    open_shop(store).await;
    let mut event = event(1);
    event.body = "{\"subject\":\"龙井\",\"b\":1,\"a\":2 }".to_owned();
    event.store = Some(id(2));
    open_branch(store, 2).await;
    tell(store, event.clone()).await;

    let found = store.event(merchant(), id(1)).await.unwrap();
    assert_eq!(found, Some(event));
}

async fn events_are_listed_newest_first_by_type_and_payment(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    for number in 1..=5 {
        let mut event = event(number);
        if number % 2 == 0 {
            event.kind = EventType::PaymentClosed;
        }
        if number < 4 {
            event.payment = Some(id(1));
        }
        tell(store, event).await;
    }
    let list = async |filter: EventFilter| -> Vec<EventId> {
        let page = store.events(filter).await.unwrap();
        page.rows.iter().map(|event| event.id).collect()
    };
    let ids = |numbers: &[u128]| -> Vec<EventId> { numbers.iter().map(|n| id(*n)).collect() };

    assert_eq!(list(all()).await, ids(&[5, 4, 3, 2, 1]));
    let kind = Some(EventType::PaymentClosed);
    assert_eq!(list(EventFilter { kind, ..all() }).await, ids(&[4, 2]));
    let payment = Some(id(1));
    assert_eq!(
        list(EventFilter { payment, ..all() }).await,
        ids(&[3, 2, 1])
    );
    let both = EventFilter {
        kind,
        payment,
        ..all()
    };
    assert_eq!(list(both).await, ids(&[2]));
    let page = store
        .events(EventFilter { limit: 2, ..all() })
        .await
        .unwrap();
    let cursor = page.next;
    assert_eq!(list(EventFilter { cursor, ..all() }).await, ids(&[3, 2, 1]));
}

each_store!(
    an_event_reads_back_in_the_same_bytes,
    events_are_listed_newest_first_by_type_and_payment
);
