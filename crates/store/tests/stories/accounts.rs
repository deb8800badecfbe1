use futures::future::join;
use tongbao_core::merchant::{ApiKey, PolicyPatch};
use tongbao_core::webhook::EventType;
use tongbao_core::{AutoRefund, Policy};
use tongbao_store::{DataKey, Store, StoreError, Unique};

use super::people::*;
use super::stage::each_store;

async fn merchants_are_listed_oldest_first(store: &impl Store) {
    open_shop_of(store, 2).await;
    open_shop_of(store, 1).await;

    let names: Vec<_> = store.merchants().await.unwrap();
    let names: Vec<_> = names.iter().map(|merchant| &merchant.name).collect();
    assert_eq!(names, ["茶馆 1", "茶馆 2"]);
    let one = store.merchant(merchant()).await.unwrap().unwrap();
    assert_eq!(one.name, "茶馆 1");
    assert_eq!(store.merchant(id(3)).await, Ok(None));
    let again = store.insert_merchant(one).await;
    assert_eq!(again, Err(StoreError::Taken(Unique::Other)));
}

async fn who_changes_a_limit_does_not_undo_an_off_switch(store: &impl Store) {
    open_shop(store).await;
    let policy = || async { store.merchant(merchant()).await.unwrap().unwrap().policy };
    let on = PolicyPatch {
        accept_late: Some(true),
        auto_refund: Some(true),
        ..PolicyPatch::default()
    };
    let off = PolicyPatch {
        auto_refund: Some(false),
        ..PolicyPatch::default()
    };
    let limits = PolicyPatch {
        refund_per_case_fen: Some(100),
        refund_per_day_fen: Some(0),
        ..PolicyPatch::default()
    };
    assert_eq!(store.change_policy(merchant(), on).await, Ok(true));
    // Two people who have seen the same page.
    let both = join(
        store.change_policy(merchant(), off),
        store.change_policy(merchant(), limits),
    );
    assert_eq!(both.await, (Ok(true), Ok(true)));
    let auto_refund = AutoRefund {
        enabled: false,
        per_case_fen: 100,
        per_day_fen: 0,
    };
    let both = Policy {
        accept_late: true,
        auto_refund,
    };
    assert_eq!(policy().await, both);
    let nothing = PolicyPatch::default();
    assert_eq!(store.change_policy(merchant(), nothing).await, Ok(true));
    assert_eq!(policy().await, both);
    assert_eq!(store.change_policy(id(9), off).await, Ok(false));
}

async fn an_api_key_is_found_by_its_hash(store: &impl Store) {
    open_shop(store).await;
    let key = ApiKey {
        id: id(1),
        merchant: merchant(),
        hash: [5; 32],
        hint: "sk_abcd".to_owned(),
        created_at: NOON,
    };
    store.insert_api_key(key.clone()).await.unwrap();

    assert_eq!(store.api_key([5; 32]).await, Ok(Some(key)));
    assert_eq!(store.api_key([6; 32]).await, Ok(None));
}

async fn a_channel_is_changed_version_by_version(store: &impl Store) {
    open_shop(store).await;
    let mut account = account(1, 1);
    assert_eq!(
        store.save_channel(account.clone()).await,
        Err(StoreError::Conflict)
    );
    account.version = 3;
    assert_eq!(
        store.save_channel(account.clone()).await,
        Err(StoreError::Conflict)
    );
    account.version = 2;
    account.enabled = false;
    account.sealed_secrets = vec![0, 255];
    store.save_channel(account.clone()).await.unwrap();

    assert_eq!(store.channel(id(1)).await, Ok(Some(account.clone())));
    assert_eq!(store.channels(merchant()).await, Ok(vec![account]));
    assert_eq!(store.channel(id(2)).await, Ok(None));
}

async fn an_endpoint_can_be_changed_and_removed(store: &impl Store) {
    open_shop(store).await;
    open_branch(store, 2).await;
    let mut endpoint = endpoint(1);
    store.save_endpoint(endpoint.clone()).await.unwrap();
    endpoint.event_types = vec![EventType::PaymentPaid, EventType::CaseOpened];
    endpoint.store = Some(id(2));
    endpoint.enabled = false;
    store.save_endpoint(endpoint.clone()).await.unwrap();

    assert_eq!(
        store.endpoint(merchant(), id(1)).await,
        Ok(Some(endpoint.clone()))
    );
    assert_eq!(store.endpoints(merchant()).await, Ok(vec![endpoint]));
    assert_eq!(store.delete_endpoint(merchant(), id(1)).await, Ok(true));
    assert_eq!(store.delete_endpoint(merchant(), id(1)).await, Ok(false));
    assert_eq!(store.endpoint(merchant(), id(1)).await, Ok(None));
    assert_eq!(store.endpoints(merchant()).await, Ok(Vec::new()));
}

async fn data_keys_are_kept_under_their_seal(store: &impl Store) {
    open_shop(store).await;
    let key = DataKey {
        id: u32::MAX,
        merchant: merchant(),
        wrapped: vec![1; 60],
        created_at: NOON,
    };
    store.insert_data_key(key.clone()).await.unwrap();

    assert_eq!(store.data_keys().await, Ok(vec![key.clone()]));
    assert_eq!(
        store.insert_data_key(key).await,
        Err(StoreError::Taken(Unique::Other))
    );
}

each_store!(
    merchants_are_listed_oldest_first,
    who_changes_a_limit_does_not_undo_an_off_switch,
    an_api_key_is_found_by_its_hash,
    a_channel_is_changed_version_by_version,
    an_endpoint_can_be_changed_and_removed,
    data_keys_are_kept_under_their_seal,
);
