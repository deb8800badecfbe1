use tongbao_store::{Store, StoreError};

use super::people::*;
use super::stage::{Stage, each_stage};

async fn everything_is_there_after_a_restart(stage: &mut impl Stage) {
    let store = stage.store();
    open_shop(store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    let payment = show_code(store, 1).await;
    ask(store, query(&payment, NOON)).await;
    let (payment, mut change) = decided(&payment, paid(1));
    change.events = vec![event(1)];
    change.inbox = Some(message(1, "paid"));
    change.idempotency = Some(promise(1));
    store.commit(change).await.unwrap();
    let lines = store.timeline(merchant(), id(1)).await.unwrap();

    stage.reopen();
    let store = stage.store();
    let found = store.payment(merchant(), id(1)).await.unwrap();
    assert_eq!(found, Some(payment));
    assert_eq!(store.timeline(merchant(), id(1)).await, Ok(lines));
    assert_eq!(store.event(merchant(), id(1)).await, Ok(Some(event(1))));
    let later = NOON + LEASE;
    assert_eq!(store.claim_jobs(later, later, 9).await.unwrap().len(), 1);
    let claims = store.claim_deliveries(later, later, 9, 9).await.unwrap();
    assert_eq!(claims.len(), 1);
    let kept = store.idempotency(merchant(), "key-1").await.unwrap();
    assert_eq!(kept, Some(promise(1)));
}

async fn a_restart_hands_out_no_lease_twice(stage: &mut impl Stage) {
    let store = stage.store();
    open_shop(store).await;
    let payment = payment(1);
    store.commit(created(&payment)).await.unwrap();
    ask(store, query(&payment, NOON)).await;
    let before = store.claim_jobs(NOON, NOON + LEASE, 1).await.unwrap()[0];
    finish(store, before).await.unwrap();

    stage.reopen();
    let store = stage.store();
    ask(store, query(&payment, NOON)).await;
    let after = store.claim_jobs(NOON, NOON + LEASE, 1).await.unwrap()[0];
    assert!(after.fence > before.fence);
    assert_eq!(finish(store, before).await, Err(StoreError::Fenced));
}

each_stage!(
    everything_is_there_after_a_restart,
    a_restart_hands_out_no_lease_twice
);
