use tongbao_core::shop::Till;
use tongbao_core::webhook::{Endpoint, WebhookEvent};
use tongbao_core::{Money, Payment};
use tongbao_store::{Change, PaymentFilter, Store, StoreError, Takings, Unique};

use super::people::*;
use super::stage::each_store;

async fn a_shop_is_found_and_its_name_is_its_own(store: &impl Store) {
    open_shop(store).await;
    for number in [2, 1] {
        open_branch(store, number).await;
    }

    assert_eq!(
        store.shops(merchant()).await,
        Ok(vec![branch(1), branch(2)])
    );
    assert_eq!(store.shop(merchant(), id(2)).await, Ok(Some(branch(2))));
    assert_eq!(store.shop(merchant(), id(3)).await, Ok(None));
    let mut same_name = branch(3);
    same_name.name = branch(1).name;
    let refused = store.commit(with_shop(same_name)).await;
    assert_eq!(refused, Err(StoreError::Taken(Unique::Name)));
    assert_eq!(store.shop(merchant(), id(3)).await, Ok(None));
}

async fn a_till_is_found_by_its_key_and_revoked_for_ever(store: &impl Store) {
    open_shop(store).await;
    open_branch(store, 1).await;
    open_branch(store, 2).await;
    for number in [1, 2] {
        store.commit(with_till(till(1, number))).await.unwrap();
    }

    assert_eq!(store.till_by_hash([2; 32]).await, Ok(Some(till(1, 2))));
    assert_eq!(store.till_by_hash([9; 32]).await, Ok(None));
    let tills = store.tills(merchant(), id(1)).await;
    assert_eq!(tills, Ok(vec![till(1, 1), till(1, 2)]));
    assert_eq!(store.tills(merchant(), id(2)).await, Ok(Vec::new()));

    let revoked = Till {
        revoked_at: Some(NOON + LEASE),
        ..till(1, 1)
    };
    store.commit(with_till(revoked.clone())).await.unwrap();
    let later = Till {
        revoked_at: Some(NOON + LEASE * 2),
        ..till(1, 1)
    };
    for again in [later, till(1, 1)] {
        store.commit(with_till(again)).await.unwrap();
    }
    assert_eq!(store.till(merchant(), id(1)).await, Ok(Some(revoked)));
}

async fn a_tills_name_is_free_again_when_its_key_is_revoked(store: &impl Store) {
    open_shop(store).await;
    open_branch(store, 1).await;
    open_branch(store, 2).await;
    let named = |number, store| Till {
        name: "1 号".to_owned(),
        ..till(store, number)
    };
    store.commit(with_till(named(1, 1))).await.unwrap();
    let refused = store.commit(with_till(named(2, 1))).await;
    assert_eq!(refused, Err(StoreError::Taken(Unique::Name)));
    store.commit(with_till(named(3, 2))).await.unwrap();

    let revoked = Till {
        revoked_at: Some(NOON),
        ..named(1, 1)
    };
    store.commit(with_till(revoked)).await.unwrap();
    store.commit(with_till(named(2, 1))).await.unwrap();
}

async fn payments_are_listed_shop_by_shop(store: &impl Store) {
    open_shop(store).await;
    open_branch(store, 1).await;
    open_branch(store, 2).await;
    for (number, branch) in [
        (1, Some(1)),
        (2, Some(2)),
        (3, None),
        (4, Some(1)),
        (5, Some(1)),
    ] {
        store.commit(created(&sold(number, branch))).await.unwrap();
    }
    take(store, 6, 1).await;

    let list = |number, state: Option<&str>| PaymentFilter {
        merchant: merchant(),
        store: Some(id(number)),
        merchant_order_no: None,
        state: state.map(str::to_owned),
        from: None,
        to: None,
        cursor: None,
        limit: 2,
    };
    let page = store.payments(list(1, None)).await.unwrap();
    let ids = |rows: &[Payment]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&page.rows), [id(6), id(5)]);
    let next = PaymentFilter {
        cursor: page.next,
        ..list(1, None)
    };
    let page = store.payments(next).await.unwrap();
    assert_eq!((ids(&page.rows), page.next), (vec![id(4), id(1)], None));
    let paid = store.payments(list(1, Some("paid"))).await.unwrap();
    assert_eq!(ids(&paid.rows), [id(6)]);
    let other = store.payments(list(2, None)).await.unwrap();
    assert_eq!(ids(&other.rows), [id(2)]);
    let by_number = PaymentFilter {
        merchant_order_no: Some("order-2".to_owned()),
        ..list(1, None)
    };
    assert_eq!(store.payments(by_number).await.unwrap().rows, []);
}

async fn a_shops_takings_are_what_was_paid_there_in_time(store: &impl Store) {
    open_shop(store).await;
    open_branch(store, 1).await;
    open_branch(store, 2).await;
    let none = store.takings(merchant(), id(1), NOON, NOON + LEASE).await;
    assert_eq!(none, Ok(Takings::default()));
    let mut paid_at = Vec::new();
    for number in [1, 2, 3] {
        paid_at.push(take(store, number, 1).await);
    }
    take(store, 4, 2).await;
    store.commit(created(&sold(5, Some(1)))).await.unwrap();

    let all = store.takings(merchant(), id(1), NOON - LEASE, NOON + LEASE * 60);
    let sum = |payments, fen| {
        Ok(Takings {
            payments,
            amount: fen,
        })
    };
    assert_eq!(all.await, sum(3, 3 * 1234));
    let end = *paid_at.iter().max().unwrap();
    let before = store.takings(merchant(), id(1), NOON - LEASE, end).await;
    let last = paid_at.iter().filter(|at| **at == end).count();
    let earlier = i64::try_from(3 - last).unwrap();
    assert_eq!(before, sum(earlier, earlier * 1234));
    let after = store
        .takings(merchant(), id(1), end + SECOND, end + LEASE)
        .await;
    assert_eq!(after, Ok(Takings::default()));
}

async fn nothing_names_a_shop_that_is_not_the_merchants(store: &impl Store) {
    open_shop(store).await;
    open_shop_of(store, 2).await;
    let foreign = tongbao_core::shop::Shop {
        merchant: id(2),
        ..branch(1)
    };
    store.commit(with_shop(foreign)).await.unwrap();

    for store_id in [id(1), id(7)] {
        let mut payment = payment(1);
        payment.order.store = Some(store_id);
        let endpoint = Endpoint {
            store: Some(store_id),
            ..endpoint(1)
        };
        let event = WebhookEvent {
            store: Some(store_id),
            ..event(1)
        };
        let till = Till {
            store: store_id,
            ..till(1, 1)
        };
        for change in [
            created(&payment),
            Change {
                endpoint: Some(Box::new(endpoint)),
                ..Change::default()
            },
            Change {
                events: vec![event],
                ..Change::default()
            },
            with_till(till),
        ] {
            let refused = store.commit(change).await;
            assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
        }
    }
    let other = merchant();
    assert_eq!(store.shops(other).await, Ok(Vec::new()));
    assert_eq!(store.shop(other, id(1)).await, Ok(None));
    let till = Till {
        merchant: id(2),
        ..till(1, 1)
    };
    store.commit(with_till(till)).await.unwrap();
    assert_eq!(store.tills(other, id(1)).await, Ok(Vec::new()));
    assert_eq!(store.till(other, id(1)).await, Ok(None));
}

/// A payment for ¥12.34 in one of the merchant's shops.
fn sold(number: u64, branch: Option<u128>) -> Payment {
    let mut payment = payment(number);
    assert_eq!(payment.order.amount, Money::fen(1234));
    payment.order.store = branch.map(id);
    payment
}

/// It is made and paid. Answers when.
async fn take(store: &impl Store, number: u64, branch: u128) -> tongbao_core::Timestamp {
    let payment = sold(number, Some(branch));
    store.commit(created(&payment)).await.unwrap();
    let (payment, change) = decided(&payment, started(number));
    store.commit(change).await.unwrap();
    let (payment, change) = decided(&payment, paid(number));
    store.commit(change).await.unwrap();
    match payment.state {
        tongbao_core::State::Paid { at, .. } => at,
        other => panic!("{other:?}"),
    }
}

each_store!(
    a_shop_is_found_and_its_name_is_its_own,
    a_till_is_found_by_its_key_and_revoked_for_ever,
    a_tills_name_is_free_again_when_its_key_is_revoked,
    payments_are_listed_shop_by_shop,
    a_shops_takings_are_what_was_paid_there_in_time,
    nothing_names_a_shop_that_is_not_the_merchants,
);
