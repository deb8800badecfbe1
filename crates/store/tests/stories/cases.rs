use tongbao_core::case::Remedy;
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{Case, CaseKind, CaseState, Money, Source};
use tongbao_store::{CaseFilter, Change, OpenedCase, Store};

use super::people::*;
use super::stage::each_store;

fn opened(number: u64, transaction_id: &str) -> OpenedCase {
    let case = Case {
        id: id(u128::from(number)),
        merchant: merchant(),
        channel: channel(),
        kind: CaseKind::PaidTwice,
        state: CaseState::Open,
        remedy: Remedy::Refund,
        payment: Some(id(1)),
        attempt: Some(id(1)),
        out_trade_no: "trade-1".to_owned(),
        receipt: receipt(transaction_id),
        source: Source::Bill,
        opened_at: NOON,
    };
    let event = WebhookEvent {
        kind: EventType::CaseOpened,
        ..event(number)
    };
    OpenedCase { case, event }
}

async fn open(store: &impl Store, case: OpenedCase) {
    let change = Change {
        cases: vec![case],
        ..Change::default()
    };
    store.commit(change).await.unwrap();
}

fn all() -> CaseFilter {
    CaseFilter {
        merchant: merchant(),
        state: None,
        payment: None,
        cursor: None,
        limit: 10,
    }
}

async fn a_case_is_opened_once_and_told_once(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    open(store, opened(1, "4200001")).await;
    open(store, opened(2, "4200001")).await;

    let cases = store.cases(all()).await.unwrap().rows;
    assert_eq!(cases, [opened(1, "4200001").case]);
    let told = store.event(merchant(), id(1)).await.unwrap();
    assert_eq!(told, Some(opened(1, "4200001").event));
    assert_eq!(store.event(merchant(), id(2)).await, Ok(None));
}

async fn a_case_that_a_query_confirms_is_to_be_refunded_and_told_no_second_time(
    store: &impl Store,
) {
    open_shop(store).await;
    show_code(store, 1).await;
    let with = |number, remedy| {
        let opened = opened(number, "4200001");
        OpenedCase {
            case: Case {
                remedy,
                ..opened.case
            },
            ..opened
        }
    };
    open(store, with(1, Remedy::Review)).await;
    open(store, with(2, Remedy::Refund)).await;
    open(store, with(3, Remedy::Review)).await;

    let cases = store.cases(all()).await.unwrap().rows;
    assert_eq!(cases, [with(1, Remedy::Refund).case]);
    assert_eq!(store.event(merchant(), id(2)).await, Ok(None));
}

async fn another_trade_or_amount_is_another_case(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    open(store, opened(1, "4200001")).await;
    open(store, opened(2, "4200002")).await;
    let mut other_amount = opened(3, "4200001");
    other_amount.case.receipt.amount = Money::fen(1);
    open(store, other_amount).await;
    let mut other_currency = opened(4, "4200001");
    other_currency.case.receipt.amount = Money::new(1234, "USD".parse().unwrap());
    open(store, other_currency).await;

    assert_eq!(store.cases(all()).await.unwrap().rows.len(), 4);
    assert_eq!(store.pulse(NOON).await.unwrap().cases_open, 4);
}

async fn cases_are_listed_newest_first_by_state_and_payment(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    for number in 1..=3 {
        let mut case = opened(number, &format!("420000{number}"));
        if number == 2 {
            (case.case.payment, case.case.attempt) = (None, None);
            case.case.state = CaseState::Resolved;
        }
        open(store, case).await;
    }
    let list = async |filter: CaseFilter| -> Vec<_> {
        let page = store.cases(filter).await.unwrap();
        page.rows.iter().map(|case| case.id).collect()
    };

    assert_eq!(list(all()).await, [id(3), id(2), id(1)]);
    let state = Some(CaseState::Open);
    assert_eq!(list(CaseFilter { state, ..all() }).await, [id(3), id(1)]);
    let state = Some(CaseState::Resolved);
    assert_eq!(list(CaseFilter { state, ..all() }).await, [id(2)]);
    let payment = Some(id(1));
    assert_eq!(list(CaseFilter { payment, ..all() }).await, [id(3), id(1)]);

    let page = store.cases(CaseFilter { limit: 2, ..all() }).await.unwrap();
    assert!(page.next.is_some());
    let cursor = page.next;
    assert_eq!(list(CaseFilter { cursor, ..all() }).await, [id(1)]);
}

each_store!(
    a_case_is_opened_once_and_told_once,
    a_case_that_a_query_confirms_is_to_be_refunded_and_told_no_second_time,
    another_trade_or_amount_is_another_case,
    cases_are_listed_newest_first_by_state_and_payment,
);
