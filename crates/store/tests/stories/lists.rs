use tongbao_core::{Event, PaymentId};
use tongbao_store::{PaymentFilter, Store};

use super::people::*;
use super::stage::each_store;

fn all() -> PaymentFilter {
    PaymentFilter {
        merchant: merchant(),
        store: None,
        merchant_order_no: None,
        state: None,
        from: None,
        to: None,
        cursor: None,
        limit: 10,
    }
}

async fn list(store: &impl Store, filter: PaymentFilter) -> Vec<PaymentId> {
    let page = store.payments(filter).await.unwrap();
    page.rows.iter().map(|payment| payment.id).collect()
}

fn ids(numbers: &[u128]) -> Vec<PaymentId> {
    numbers.iter().map(|number| id(*number)).collect()
}

async fn payments_are_listed_newest_first_page_by_page(store: &impl Store) {
    open_shop(store).await;
    for number in 1..=7 {
        show_code(store, number).await;
    }
    let (_, change) = decided(
        &store.payment(merchant(), id(4)).await.unwrap().unwrap(),
        paid(4),
    );
    store.commit(change).await.unwrap();

    let mut filter = PaymentFilter { limit: 3, ..all() };
    let mut pages = Vec::new();
    loop {
        let page = store.payments(filter.clone()).await.unwrap();
        pages.push(
            page.rows
                .iter()
                .map(|payment| payment.id)
                .collect::<Vec<_>>(),
        );
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, [ids(&[7, 6, 5]), ids(&[4, 3, 2]), ids(&[1])]);
    let whole = store.payments(PaymentFilter { limit: 7, ..all() }).await;
    assert_eq!(whole.unwrap().next, None);
}

async fn payments_are_found_by_what_the_api_calls_their_state(store: &impl Store) {
    open_shop(store).await;
    store.commit(created(&payment(1))).await.unwrap();
    show_code(store, 2).await;
    let closing = show_code(store, 3).await;
    let (_, change) = decided(&closing, Event::CloseRequested);
    store.commit(change).await.unwrap();
    let (_, change) = decided(&show_code(store, 4).await, paid(4));
    store.commit(change).await.unwrap();

    for (state, expected) in [
        ("created", ids(&[1])),
        ("pending", ids(&[3, 2])),
        ("paid", ids(&[4])),
        ("closed", ids(&[])),
        ("nonsense", ids(&[])),
    ] {
        let filter = PaymentFilter {
            state: Some(state.to_owned()),
            ..all()
        };
        assert_eq!(list(store, filter).await, expected, "{state}");
    }
}

async fn payments_are_found_by_when_they_were_made(store: &impl Store) {
    open_shop(store).await;
    for number in 1..=5 {
        store.commit(created(&payment(number))).await.unwrap();
    }

    let filter = PaymentFilter {
        from: Some(NOON + SECOND * 2),
        to: Some(NOON + SECOND * 4),
        ..all()
    };
    assert_eq!(list(store, filter.clone()).await, ids(&[3, 2]));
    // A cursor outside of the time that is asked for does not widen it.
    let cursor = |number: u128| Some(id::<PaymentId>(number).to_string());
    let behind_5 = PaymentFilter {
        cursor: cursor(5),
        ..filter.clone()
    };
    assert_eq!(list(store, behind_5).await, ids(&[3, 2]));
    let behind_3 = PaymentFilter {
        cursor: cursor(3),
        ..filter
    };
    assert_eq!(list(store, behind_3).await, ids(&[2]));
}

async fn a_payment_is_found_by_its_order_number(store: &impl Store) {
    open_shop(store).await;
    store.commit(created(&payment(1))).await.unwrap();

    for (number, state, expected) in [
        ("order-1", None, ids(&[1])),
        ("order-1", Some("created"), ids(&[1])),
        ("order-1", Some("paid"), ids(&[])),
        ("order-2", None, ids(&[])),
    ] {
        let filter = PaymentFilter {
            merchant_order_no: Some(number.to_owned()),
            state: state.map(str::to_owned),
            ..all()
        };
        assert_eq!(list(store, filter).await, expected, "{number} {state:?}");
    }
}

async fn an_unknown_cursor_ends_the_list(store: &impl Store) {
    open_shop(store).await;
    store.commit(created(&payment(1))).await.unwrap();

    let filter = PaymentFilter {
        cursor: Some("pay_'; DROP TABLE payments; --".to_owned()),
        ..all()
    };
    assert_eq!(list(store, filter).await, ids(&[]));
}

each_store!(
    payments_are_listed_newest_first_page_by_page,
    payments_are_found_by_what_the_api_calls_their_state,
    payments_are_found_by_when_they_were_made,
    a_payment_is_found_by_its_order_number,
    an_unknown_cursor_ends_the_list,
);
