use std::time::Duration;

use tongbao_core::id::Id;
use tongbao_core::refund::RefundReport;
use tongbao_core::shop::Till;
use tongbao_core::webhook::{Endpoint, WebhookEvent};
use tongbao_core::{Event, Grade, Money, Payment, Refund, RefundOutcome, Source, State, Timestamp};
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
    assert_eq!(none, Ok(Vec::new()));
    let mut paid_at = Vec::new();
    for number in [1, 2, 3] {
        paid_at.push(take(store, number, 1).await);
    }
    take(store, 4, 2).await;
    store.commit(created(&sold(5, Some(1)))).await.unwrap();

    let all = store.takings(merchant(), id(1), NOON - LEASE, NOON + LEASE * 60);
    let sum = |payments, fen| {
        Ok(vec![Takings {
            payments,
            amount: fen,
            ..Takings::default()
        }])
    };
    assert_eq!(all.await, sum(3, 3 * 1234));
    let end = *paid_at.iter().max().unwrap();
    let before = store.takings(merchant(), id(1), NOON - LEASE, end).await;
    assert_eq!(paid_at, [end; 3]);
    assert_eq!(before, Ok(Vec::new()));
    let after = store
        .takings(merchant(), id(1), end + SECOND, end + LEASE)
        .await;
    assert_eq!(after, Ok(Vec::new()));
}

async fn a_shops_day_is_told_till_by_till(store: &impl Store) {
    open_shop(store).await;
    for number in [1, 2] {
        open_branch(store, number).await;
        store
            .commit(with_till(till(number, u8::try_from(number).unwrap())))
            .await
            .unwrap();
    }
    store.commit(with_till(till(1, 3))).await.unwrap();
    take(store, 1, 1).await;
    for (number, at) in [(2, 1), (3, 1), (4, 3)] {
        take_at(store, number, 1, at).await;
    }
    take_at(store, 5, 2, 2).await;
    // What till 1 took, till 3 gives back in part, an hour later.
    let read = store.payment(merchant(), id(2)).await.unwrap().unwrap();
    let (asked, change) = decided(&read, refund_at(&read, 3));
    store.commit(change).await.unwrap();
    let hour = NOON + Duration::from_hours(1);
    let day = || store.takings(merchant(), id(1), NOON - LEASE, hour);
    let of = |till: Option<u128>, payments, amount| Takings {
        till: till.map(id),
        payments,
        amount,
        ..Takings::default()
    };
    let took = [
        of(None, 1, 1234),
        of(Some(1), 2, 2468),
        of(Some(3), 1, 1234),
    ];
    assert_eq!(day().await, Ok(took.to_vec()), "asked for is not gone");
    let (_, change) = decided_at(&asked, refunded(), hour);
    store.commit(change).await.unwrap();
    assert_eq!(day().await, Ok(took.to_vec()), "it went later");
    let next = store.takings(merchant(), id(1), hour, hour + LEASE).await;
    let gave = Takings {
        till: Some(id(3)),
        refunds: 1,
        amount_refunded: 34,
        ..Takings::default()
    };
    assert_eq!(next, Ok(vec![gave]));
}

async fn a_till_takes_money_in_its_own_shop_alone(store: &impl Store) {
    open_shop(store).await;
    open_branch(store, 1).await;
    open_branch(store, 2).await;
    store.commit(with_till(till(1, 1))).await.unwrap();
    for (number, branch) in [(1, Some(2)), (2, None)] {
        let payment = sold(number, branch);
        store.commit(created(&payment)).await.unwrap();
        let (_, change) = decided(&payment, started_at(number, 1));
        let refused = store.commit(change).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
    take(store, 3, 2).await;
    let read = store.payment(merchant(), id(3)).await.unwrap().unwrap();
    let (_, change) = decided(&read, refund_at(&read, 1));
    let refused = store.commit(change).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    let kept = store.payment(merchant(), id(3)).await.unwrap();
    assert_eq!(kept, Some(read));
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
async fn take(store: &impl Store, number: u64, branch: u128) -> Timestamp {
    collect(store, &sold(number, Some(branch)), started(number)).await
}

/// The same, at a till.
async fn take_at(store: &impl Store, number: u64, branch: u128, till: u128) -> Timestamp {
    let payment = sold(number, Some(branch));
    collect(store, &payment, started_at(number, till)).await
}

async fn collect(store: &impl Store, payment: &Payment, start: Event) -> Timestamp {
    store.commit(created(payment)).await.unwrap();
    let (started, change) = decided(payment, start);
    store.commit(change).await.unwrap();
    let attempt = u64::try_from(payment.id.bits()).unwrap();
    let (payment, change) = decided(&started, paid(attempt));
    store.commit(change).await.unwrap();
    let read = store.payment(merchant(), payment.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&payment));
    match payment.state {
        State::Paid { at, .. } => at,
        other => panic!("{other:?}"),
    }
}

fn started_at(number: u64, till: u128) -> Event {
    let mut attempt = attempt(number);
    attempt.till = Some(id(till));
    Event::AttemptStarted {
        attempt: Box::new(attempt),
    }
}

/// Refund 1, of 34 fen, that a till asks for.
fn refund_at(payment: &Payment, till: u128) -> Event {
    let number = "out-1".to_owned();
    let attempt = payment.attempts[0].id;
    let mut refund = Refund::new(id(1), number, attempt, Money::fen(34), NOON);
    refund.till = Some(id(till));
    Event::RefundRequested {
        refund: Box::new(refund),
    }
}

/// It has reached the payer.
fn refunded() -> Event {
    let report = RefundReport {
        refund: id(1),
        source: Source::Query,
        grade: Grade::Strong,
        outcome: RefundOutcome::Succeeded {
            refund_no: "5030".to_owned(),
        },
    };
    Event::RefundReported {
        report: Box::new(report),
    }
}

each_store!(
    a_shop_is_found_and_its_name_is_its_own,
    a_till_is_found_by_its_key_and_revoked_for_ever,
    a_tills_name_is_free_again_when_its_key_is_revoked,
    payments_are_listed_shop_by_shop,
    a_shops_takings_are_what_was_paid_there_in_time,
    a_shops_day_is_told_till_by_till,
    a_till_takes_money_in_its_own_shop_alone,
    nothing_names_a_shop_that_is_not_the_merchants,
);
