use tongbao_core::refund::{RefundOutcome, RefundReport};
use tongbao_core::{Event, Failure, Grade, Money, Payment, Refund, RefundState, Source};
use tongbao_store::{RefundFilter, Store, StoreError, Unique};

use super::people::*;
use super::stage::each_store;

fn refund(payment: &Payment, number: u64, fen: i64) -> Refund {
    let attempt = payment.attempts[0].id;
    let number_text = format!("out-{number}");
    let mut refund = Refund::new(
        id(u128::from(number)),
        number_text,
        attempt,
        Money::fen(fen),
        NOON,
    );
    refund.merchant_refund_no = Some(format!("refund-{number}"));
    refund.reason = Some("少了一杯".to_owned());
    refund
}

fn asked(refund: Refund) -> Event {
    Event::RefundRequested {
        refund: Box::new(refund),
    }
}

fn heard(number: u128, outcome: RefundOutcome) -> Event {
    let report = RefundReport {
        refund: id(number),
        source: Source::Query,
        grade: Grade::Strong,
        outcome,
    };
    Event::RefundReported {
        report: Box::new(report),
    }
}

/// A paid payment.
async fn bought(store: &impl Store, number: u64) -> Payment {
    let payment = show_code(store, number).await;
    let (payment, change) = decided(&payment, paid(number));
    store.commit(change).await.unwrap();
    payment
}

async fn happens(store: &impl Store, payment: &Payment, event: Event) -> Payment {
    let (after, change) = decided(payment, event);
    store.commit(change).await.unwrap();
    after
}

async fn a_refund_reads_back_as_it_was_written(store: &impl Store) {
    open_shop(store).await;
    let mut expected = bought(store, 1).await;
    let failure = Failure {
        code: "merchant_balance".to_owned(),
        detail: "余额不足".to_owned(),
        platform_code: Some("NOTENOUGH".to_owned()),
    };
    let refund_no = "5030".to_owned();
    let events = [
        asked(refund(&expected, 1, 500)),
        asked(refund(&expected, 2, 734)),
        heard(1, RefundOutcome::NotYet { failure }),
        heard(
            2,
            RefundOutcome::Abnormal {
                refund_no: refund_no.clone(),
            },
        ),
        heard(
            1,
            RefundOutcome::Succeeded {
                refund_no: refund_no.clone(),
            },
        ),
        heard(2, RefundOutcome::Closed { refund_no }),
    ];
    for event in events {
        expected = happens(store, &expected, event).await;
        let found = store.payment(merchant(), id(1)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&expected));
    }
    assert_eq!(expected.refunds[0].state, RefundState::Succeeded);
}

async fn a_refund_is_found_by_its_id_and_by_the_merchants_number(store: &impl Store) {
    open_shop(store).await;
    open_shop_of(store, 2).await;
    let payment = bought(store, 1).await;
    let payment = happens(store, &payment, asked(refund(&payment, 7, 1))).await;

    let found = store.payment_by_refund(merchant(), id(7)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&payment));
    let found = store.payment_by_refund_no(merchant(), "refund-7").await;
    assert_eq!(found.unwrap().as_ref(), Some(&payment));
    for (merchant, refund) in [(id(2), id(7)), (merchant(), id(8))] {
        assert_eq!(
            store.payment_by_refund(merchant, refund).await.unwrap(),
            None
        );
    }
    let none = store.payment_by_refund_no(id(2), "refund-7").await;
    assert_eq!(none.unwrap(), None);
}

async fn a_merchants_refund_number_is_used_once(store: &impl Store) {
    open_shop(store).await;
    let (first, second) = (bought(store, 1).await, bought(store, 2).await);
    happens(store, &first, asked(refund(&first, 7, 1))).await;

    let mut same = refund(&second, 8, 1);
    same.merchant_refund_no = Some("refund-7".to_owned());
    let (_, change) = decided(&second, asked(same));
    let taken = StoreError::Taken(Unique::MerchantRefundNo);
    assert_eq!(store.commit(change).await, Err(taken));
    // Nothing of it was written.
    let found = store.payment(merchant(), id(2)).await.unwrap();
    assert_eq!(found, Some(second));
}

async fn two_refunds_decided_on_the_same_version_are_a_conflict(store: &impl Store) {
    open_shop(store).await;
    let payment = bought(store, 1).await;
    let (after, first) = decided(&payment, asked(refund(&payment, 1, 1234)));
    let (_, second) = decided(&payment, asked(refund(&payment, 2, 1234)));
    store.commit(first).await.unwrap();

    assert_eq!(store.commit(second).await, Err(StoreError::Conflict));
    let found = store.payment(merchant(), id(1)).await.unwrap();
    assert_eq!(found, Some(after));
}

async fn refunds_are_listed_newest_first_and_by_their_state(store: &impl Store) {
    open_shop(store).await;
    let mut payment = bought(store, 1).await;
    for number in 1..=3 {
        payment = happens(store, &payment, asked(refund(&payment, number, 1))).await;
    }
    let refund_no = "5030".to_owned();
    happens(
        store,
        &payment,
        heard(2, RefundOutcome::Processing { refund_no }),
    )
    .await;

    let all = RefundFilter {
        merchant: merchant(),
        store: None,
        state: None,
        cursor: None,
        limit: 2,
    };
    let ids = |page: &tongbao_store::Page<tongbao_store::RefundRow>| {
        let rows = page.rows.iter();
        rows.map(|row| (row.payment, row.refund.id))
            .collect::<Vec<_>>()
    };
    let first = store.refunds(all.clone()).await.unwrap();
    assert_eq!(ids(&first), [(id(1), id(3)), (id(1), id(2))]);
    let cursor = first.next.clone();
    let rest = store
        .refunds(RefundFilter {
            cursor,
            ..all.clone()
        })
        .await
        .unwrap();
    assert_eq!((ids(&rest), rest.next), (vec![(id(1), id(1))], None));
    let state = Some(RefundState::Processing);
    let some = store
        .refunds(RefundFilter {
            state,
            ..all.clone()
        })
        .await
        .unwrap();
    assert_eq!(ids(&some), [(id(1), id(2))]);
    let merchant = id(2);
    let none = store
        .refunds(RefundFilter { merchant, ..all })
        .await
        .unwrap();
    assert_eq!(ids(&none), []);
}

each_store!(
    a_refund_reads_back_as_it_was_written,
    a_refund_is_found_by_its_id_and_by_the_merchants_number,
    a_merchants_refund_number_is_used_once,
    two_refunds_decided_on_the_same_version_are_a_conflict,
    refunds_are_listed_newest_first_and_by_their_state,
);
