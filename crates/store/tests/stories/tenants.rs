use tongbao_core::webhook::WebhookEvent;
use tongbao_store::{
    CaseFilter, Change, EventFilter, InboxFilter, PaymentFilter, Store, StoreError,
};

use super::people::*;
use super::stage::each_store;

async fn what_belongs_to_another_merchant_is_not_there(store: &impl Store) {
    open_shop(store).await;
    open_shop_of(store, 2).await;
    show_code(store, 1).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    tell(store, event(1)).await;
    receive(store, message(1, "paid")).await;
    let other = id(2);

    assert_eq!(store.payment(other, id(1)).await, Ok(None));
    assert_eq!(store.payment_by_order_no(other, "order-1").await, Ok(None));
    assert_eq!(store.timeline(other, id(1)).await, Ok(Vec::new()));
    assert_eq!(store.event(other, id(1)).await, Ok(None));
    assert_eq!(store.deliveries(other, id(1)).await, Ok(Vec::new()));
    assert_eq!(store.redeliver(other, id(1), NOON).await, Ok(0));
    assert_eq!(store.endpoint(other, id(1)).await, Ok(None));
    assert_eq!(store.endpoints(other).await, Ok(Vec::new()));
    assert_eq!(store.delete_endpoint(other, id(1)).await, Ok(false));
    let replayed = store.replay(other, id(1), NOON, NOON + LEASE, NOON).await;
    assert_eq!(replayed, Ok(0));
    let channels = store.channels(other).await.unwrap();
    assert!(channels.iter().all(|account| account.merchant == other));

    let payments = PaymentFilter {
        merchant: other,
        store: None,
        merchant_order_no: None,
        state: None,
        from: None,
        to: None,
        cursor: None,
        limit: 10,
    };
    assert_eq!(store.payments(payments).await.unwrap().rows, []);
    let events = EventFilter {
        merchant: other,
        kind: None,
        payment: None,
        cursor: None,
        limit: 10,
    };
    assert_eq!(store.events(events).await.unwrap().rows, []);
    let cases = CaseFilter {
        merchant: other,
        state: None,
        unresolved: false,
        payment: None,
        cursor: None,
        limit: 10,
    };
    assert_eq!(store.cases(cases).await.unwrap().rows, []);
    let inbox = InboxFilter {
        merchant: other,
        channel: Some(channel()),
        payment: None,
        cursor: None,
        limit: 10,
    };
    assert_eq!(store.inbox(inbox).await.unwrap().rows, []);
}

async fn a_row_cannot_refer_to_another_merchants(store: &impl Store) {
    open_shop(store).await;
    open_shop_of(store, 2).await;
    show_code(store, 1).await;
    let foreign_event = WebhookEvent {
        merchant: id(2),
        payment: Some(id(1)),
        ..event(1)
    };
    let mut foreign_message = message(1, "paid");
    foreign_message.merchant = id(2);
    let mut foreign_job = query(&payment(1), NOON);
    foreign_job.merchant = id(2);

    for change in [
        Change {
            events: vec![foreign_event],
            ..Change::default()
        },
        Change {
            inbox: Some(foreign_message),
            ..Change::default()
        },
        Change {
            jobs: vec![foreign_job],
            ..Change::default()
        },
    ] {
        let refused = store.commit(change).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
}

async fn an_attempt_cannot_use_another_merchants_channel(store: &impl Store) {
    open_shop(store).await;
    open_shop_of(store, 2).await;
    let payment = payment_of(2, 1);
    store.commit(created(&payment)).await.unwrap();

    // Attempt 1 is over channel 1, of merchant 1.
    let (_, change) = decided(&payment, started(1));
    let refused = store.commit(change).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
}

each_store!(
    what_belongs_to_another_merchant_is_not_there,
    a_row_cannot_refer_to_another_merchants,
    an_attempt_cannot_use_another_merchants_channel,
);
