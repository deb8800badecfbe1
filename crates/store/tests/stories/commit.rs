use tongbao_core::{Event, Outcome, Timestamp};
use tongbao_store::{Change, IdempotencyRecord, Store, StoreError, Unique};

use super::people::*;
use super::stage::each_store;

async fn a_payment_reads_back_as_it_was_written(store: &impl Store) {
    open_shop(store).await;
    let mut expected = show_code(store, 1).await;
    for event in [paid(1)] {
        let (after, change) = decided(&expected, event);
        store.commit(change).await.unwrap();
        expected = after;
    }

    let expected = Some(expected);
    let found = store.payment(merchant(), id(1)).await.unwrap();
    assert_eq!(found, expected);
    let found = store.payment_by_order_no(merchant(), "order-1").await;
    assert_eq!(found.unwrap(), expected);
    let found = store.payment_by_out_trade_no(channel(), "trade-1").await;
    assert_eq!(found.unwrap(), expected);
    let found = store.payment_by_checkout_token("token-1-1").await;
    assert_eq!(found.unwrap(), expected);
}

async fn every_state_of_a_payment_reads_back(store: &impl Store) {
    open_shop(store).await;
    let mut expected = show_code(store, 1).await;
    for event in [Event::CloseRequested, reported(1, Outcome::Closed)] {
        let (after, change) = decided(&expected, event);
        store.commit(change).await.unwrap();
        let found = store.payment(merchant(), id(1)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&after));
        expected = after;
    }
    assert!(expected.is_final());
}

async fn attempts_come_back_in_the_order_in_which_they_were_started(store: &impl Store) {
    open_shop(store).await;
    let payment = payment(1);
    store.commit(created(&payment)).await.unwrap();
    let (mut payment, change) = decided(&payment, started(9));
    store.commit(change).await.unwrap();
    for event in [reported(9, Outcome::Closed), started(3)] {
        let (after, change) = decided(&payment, event);
        store.commit(change).await.unwrap();
        payment = after;
    }

    let found = store.payment(merchant(), id(1)).await.unwrap().unwrap();
    assert_eq!(found.attempts, payment.attempts);
    assert_eq!(found.attempts[0].id, id(9));
}

async fn a_payment_that_changed_since_it_was_read_is_a_conflict(store: &impl Store) {
    open_shop(store).await;
    let read = show_code(store, 1).await;
    let (first, change) = decided(&read, paid(1));
    store.commit(change).await.unwrap();

    let (_, mut change) = decided(&read, reported(1, Outcome::Closed));
    change.events = vec![event(7)];
    assert_eq!(store.commit(change).await, Err(StoreError::Conflict));
    let found = store.payment(merchant(), id(1)).await.unwrap();
    assert_eq!(found, Some(first));
    assert_eq!(store.event(merchant(), id(7)).await, Ok(None));
}

async fn a_payment_is_made_once(store: &impl Store) {
    open_shop(store).await;
    store.commit(created(&payment(1))).await.unwrap();

    let mut again = payment(1);
    again.order.merchant_order_no = "order-9".to_owned();
    again.checkout_token = "token-9".to_owned();
    let again = store.commit(created(&again)).await;
    assert_eq!(again, Err(StoreError::Conflict));
}

async fn an_order_number_is_taken_for_ever(store: &impl Store) {
    open_shop(store).await;
    store.commit(created(&payment(1))).await.unwrap();

    let mut other = payment(2);
    other.order.merchant_order_no = "order-1".to_owned();
    let taken = store.commit(created(&other)).await;
    assert_eq!(taken, Err(StoreError::Taken(Unique::MerchantOrderNo)));
    assert_eq!(store.payment(merchant(), id(2)).await, Ok(None));
}

async fn merchants_may_use_the_same_order_number(store: &impl Store) {
    open_shop(store).await;
    open_shop_of(store, 2).await;
    let mut other = payment_of(2, 2);
    other.order.merchant_order_no = "order-1".to_owned();

    store.commit(created(&payment(1))).await.unwrap();
    store.commit(created(&other)).await.unwrap();
}

async fn a_channel_knows_a_number_once(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    let other = payment(2);
    store.commit(created(&other)).await.unwrap();

    let mut twin = attempt(2);
    twin.out_trade_no = "trade-1".to_owned();
    let (_, change) = decided(
        &other,
        Event::AttemptStarted {
            attempt: Box::new(twin),
        },
    );
    let taken = store.commit(change).await;
    assert_eq!(taken, Err(StoreError::Taken(Unique::Other)));
    // Nor was the rest of the change kept.
    let found = store.payment(merchant(), id(2)).await.unwrap();
    assert_eq!(found, Some(other));
}

async fn an_idempotency_key_is_promised_once(store: &impl Store) {
    open_shop(store).await;
    let mut first = created(&payment(1));
    first.idempotency = Some(promise(1));
    store.commit(first).await.unwrap();

    let mut second = created(&payment(2));
    second.idempotency = Some(IdempotencyRecord {
        key: promise(1).key,
        ..promise(2)
    });
    let taken = store.commit(second).await;
    assert_eq!(taken, Err(StoreError::Taken(Unique::IdempotencyKey)));
    assert_eq!(store.payment(merchant(), id(2)).await, Ok(None));
    let kept = store.idempotency(merchant(), "key-1").await.unwrap();
    assert_eq!(kept, Some(promise(1)));
    assert_eq!(store.idempotency(merchant(), "other").await, Ok(None));
}

async fn an_empty_change_is_carried_out(store: &impl Store) {
    assert_eq!(store.commit(Change::default()).await, Ok(Vec::new()));
    let far = Timestamp::from_millis(i64::MAX);
    assert_eq!(store.claim_jobs(far, far, 10).await, Ok(Vec::new()));
}

each_store!(
    a_payment_reads_back_as_it_was_written,
    every_state_of_a_payment_reads_back,
    attempts_come_back_in_the_order_in_which_they_were_started,
    a_payment_that_changed_since_it_was_read_is_a_conflict,
    a_payment_is_made_once,
    an_order_number_is_taken_for_ever,
    merchants_may_use_the_same_order_number,
    a_channel_knows_a_number_once,
    an_idempotency_key_is_promised_once,
    an_empty_change_is_carried_out,
);
