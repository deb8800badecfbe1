use tongbao_core::case::Remedy;
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{
    Case, CaseAction, CaseKind, CaseState, Decision, Money, Need, Refund, Resolution, Source,
    Timestamp,
};
use tongbao_store::{
    CaseFilter, Change, DayLimit, MovedCase, OpenedCase, PaymentChange, Store, StoreError,
};

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
        need: None,
        refund: None,
        resolution: None,
        resolved_at: None,
        decision: None,
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
        unresolved: false,
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

async fn a_claim_about_another_number_does_not_take_a_cases_place(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    show_code(store, 2).await;
    let mut claim = opened(1, "4200001");
    claim.case.remedy = Remedy::Review;
    open(store, claim.clone()).await;
    let mut money = opened(2, "4200001");
    (money.case.payment, money.case.attempt) = (Some(id(2)), Some(id(2)));
    money.case.out_trade_no = "trade-2".to_owned();
    open(store, money.clone()).await;

    let cases = store.cases(all()).await.unwrap().rows;
    assert_eq!(cases, [money.case, claim.case]);
    let told = store.event(merchant(), id(2)).await.unwrap();
    assert_eq!(told, Some(money.event));
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
    let unresolved = true;
    let open = CaseFilter {
        unresolved,
        ..all()
    };
    assert_eq!(list(open).await, [id(3), id(1)]);
    let payment = Some(id(1));
    assert_eq!(list(CaseFilter { payment, ..all() }).await, [id(3), id(1)]);

    let page = store.cases(CaseFilter { limit: 2, ..all() }).await.unwrap();
    assert!(page.next.is_some());
    let cursor = page.next;
    assert_eq!(list(CaseFilter { cursor, ..all() }).await, [id(1)]);
}

fn dismissed(case: &Case) -> Case {
    Case {
        state: CaseState::Resolved,
        resolution: Some(Resolution::Dismissed),
        resolved_at: Some(NOON + SECOND),
        decision: Some(Decision {
            action: CaseAction::Dismiss,
            by: "key_1".to_owned(),
            reason: "他店的订单".to_owned(),
            at: NOON + SECOND,
        }),
        ..case.clone()
    }
}

async fn a_case_moves_from_where_it_was_read_and_is_told_of(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    let first = opened(1, "4200001");
    open(store, first.clone()).await;
    let moves = |read_state, case: &Case, told| Change {
        moved: vec![MovedCase {
            read_state,
            case: case.clone(),
            event: Some(WebhookEvent {
                kind: EventType::CaseResolved,
                ..event(told)
            }),
        }],
        ..Change::default()
    };

    let waits = Case {
        state: CaseState::NeedsPerson,
        need: Some(Need::DayLimit),
        remedy: Remedy::Review,
        ..first.case.clone()
    };
    let change = moves(CaseState::Open, &waits, 2);
    store.commit(change.clone()).await.unwrap();
    let read = store.case(merchant(), id(1)).await;
    assert_eq!(read, Ok(Some(waits.clone())));
    assert!(store.event(merchant(), id(2)).await.unwrap().is_some());
    assert_eq!(store.pulse(NOON).await.unwrap().cases_waiting, 1);

    // Somebody was faster: nothing of the change is written.
    let resolved = dismissed(&waits);
    let late = moves(CaseState::Open, &resolved, 3);
    assert_eq!(store.commit(late).await, Err(StoreError::Conflict));
    assert_eq!(store.event(merchant(), id(3)).await, Ok(None));

    let change = moves(CaseState::NeedsPerson, &resolved, 4);
    store.commit(change).await.unwrap();
    assert_eq!(store.case(merchant(), id(1)).await, Ok(Some(resolved)));
    let pulse = store.pulse(NOON).await.unwrap();
    assert_eq!((pulse.cases_open, pulse.cases_waiting), (0, 0));
    // Nobody else's.
    assert_eq!(store.case(id(77), id(1)).await, Ok(None));
    assert_eq!(store.case(merchant(), id(77)).await, Ok(None));
}

async fn what_goes_back_in_a_day_without_a_person_stays_within_its_limit(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    let (from, to) = NOON.china_day();
    let sends = async |number: u64, at: Timestamp, fen: i64, automatic: bool, most_fen: i64| {
        let mut payment = store.payment(merchant(), id(1)).await.unwrap().unwrap();
        let read_version = payment.version;
        let attempt = payment.attempts[0].id;
        let name = id(u128::from(number));
        let mut refund = Refund::new(name, format!("R{number}"), attempt, Money::fen(fen), at);
        refund.case = Some(CaseKind::PaidTwice);
        refund.automatic = automatic;
        payment.refunds.push(refund);
        payment.version += 1;
        let (from, to) = at.china_day();
        let limit = DayLimit {
            merchant: merchant(),
            from,
            to,
            most_fen,
            fen,
        };
        let change = Change {
            payment: Some(PaymentChange {
                payment,
                read_version: Some(read_version),
                attempts: Vec::new(),
                refunds: vec![name],
            }),
            limit: automatic.then_some(limit),
            ..Change::default()
        };
        store.commit(change).await.map(|_| ())
    };
    let above = Err(StoreError::AboveLimit);

    assert_eq!(sends(1, NOON, 600, true, 599).await, above);
    assert_eq!(sends(1, NOON, 600, true, 1_000).await, Ok(()));
    assert_eq!(sends(2, NOON, 401, true, 1_000).await, above);
    // What a person sends back does not count.
    assert_eq!(sends(2, NOON, 5_000, false, 1_000).await, Ok(()));
    assert_eq!(sends(3, to - SECOND, 400, true, 1_000).await, Ok(()));
    assert_eq!(sends(4, from, 1, true, 1_000).await, above);
    assert_eq!(sends(4, to, 1_000, true, 1_000).await, Ok(()));
    assert_eq!(sends(5, from - SECOND, 1_000, true, 1_000).await, Ok(()));
    assert_eq!(sends(6, NOON, 1, true, i64::MAX).await, Ok(()));

    let payment = store.payment(merchant(), id(1)).await.unwrap().unwrap();
    let automatic = payment.refunds.iter().map(|refund| refund.automatic);
    assert_eq!(
        automatic.collect::<Vec<_>>(),
        [true, false, true, true, true, true]
    );
}

each_store!(
    a_case_moves_from_where_it_was_read_and_is_told_of,
    what_goes_back_in_a_day_without_a_person_stays_within_its_limit,
    a_case_is_opened_once_and_told_once,
    a_case_that_a_query_confirms_is_to_be_refunded_and_told_no_second_time,
    another_trade_or_amount_is_another_case,
    a_claim_about_another_number_does_not_take_a_cases_place,
    cases_are_listed_newest_first_by_state_and_payment,
);
