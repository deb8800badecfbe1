use futures::{StreamExt, stream};
use tongbao_core::inbox::InboxEntry;
use tongbao_core::webhook::WebhookEvent;
use tongbao_core::{
    Action, Attempt, Event, Failure, Grade, Money, Outcome, Payment, Receipt, Report, Rules, Scene,
    Source,
};
use tongbao_store::{EventFilter, InboxFilter, LogEntry, Store};

use super::people::*;
use super::stage::each_store;

/// The payment as its timeline tells it, from how it was created.
fn fold(created: Payment, lines: &[LogEntry]) -> Payment {
    lines.iter().fold(created, |payment, line| {
        let Some(event) = line.event.clone() else {
            return payment;
        };
        let next = payment.on(event, line.at, line.rules).unwrap().payment;
        assert_eq!(next.version, line.version);
        assert_eq!(next.public_state(), line.state);
        next
    })
}

async fn folding_the_timeline_gives_the_payment(store: &impl Store) {
    open_shop(store).await;
    let mut payment = show_code(store, 1).await;
    for event in [
        reported(1, Outcome::UserPaying),
        Event::CloseRequested,
        paid(1),
        reported(
            1,
            Outcome::Success {
                receipt: receipt("4200002"),
            },
        ),
    ] {
        let (after, change) = decided(&payment, event);
        store.commit(change).await.unwrap();
        payment = after;
    }

    let lines = store.timeline(merchant(), id(1)).await.unwrap();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[0].event, None);
    let stored = store.payment(merchant(), id(1)).await.unwrap().unwrap();
    assert_eq!(fold(super::people::payment(1), &lines), stored);
    assert_eq!(stored, payment);
}

async fn a_payment_is_made_with_its_first_attempt_in_one_commit(store: &impl Store) {
    open_shop(store).await;
    let born = payment(1);
    let (payment, started) = decided(&born, started(1));
    let mut change = created(&payment);
    change.log = vec![line(&born, None), started.log[0].clone()];
    store.commit(change).await.unwrap();

    let stored = store.payment(merchant(), payment.id).await.unwrap();
    assert_eq!(stored, Some(payment.clone()));
    let lines = store.timeline(merchant(), payment.id).await.unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(fold(born, &lines), payment);
}

/// What may be heard of a payment whose first attempt is `number`, refusals
/// included.
fn events_of(number: u64) -> [Event; 15] {
    let second = number + SEQUENCES;
    let success = |attempt, receipt| reported(attempt, Outcome::Success { receipt });
    let failure = || Failure {
        code: "channel_refused".to_owned(),
        detail: "余额不足".to_owned(),
        platform_code: Some("NOTENOUGH".to_owned()),
    };
    let action = Action::QrCode {
        code_url: "weixin://wxpay/bizpayurl?pr=x".to_owned(),
    };
    let another_way = Attempt {
        scene: Scene::Barcode,
        client_ip: Some("203.0.113.7".to_owned()),
        ..attempt(second)
    };
    let wrong = Receipt {
        amount: Money::new(1, "USD".parse().unwrap()),
        paid_at: None,
        payer: None,
        ..receipt("4200003")
    };
    let hint = Report {
        attempt: id(u128::from(number)),
        source: Source::Notification,
        grade: Grade::Weak,
        outcome: Outcome::NotPaid,
    };
    let unknown = Outcome::Unknown {
        why: "timeout".to_owned(),
        ask_now: true,
    };
    [
        Event::AttemptStarted {
            attempt: Box::new(another_way),
        },
        reported(number, Outcome::Accepted { action }),
        success(number, receipt("4200001")),
        success(number, receipt("4200002")),
        success(second, receipt("4200004")),
        success(number, wrong),
        reported(number, Outcome::UserPaying),
        reported(number, Outcome::Closed),
        reported(number, Outcome::Revoked),
        reported(number, Outcome::PayError { failure: failure() }),
        reported(second, Outcome::Refused { failure: failure() }),
        reported(number, unknown),
        Event::Reported {
            report: Box::new(hint),
        },
        Event::CloseRequested,
        Event::Expired,
    ]
}

const SEQUENCES: u64 = 15 * 15 * 15;

async fn whatever_three_things_happen_the_timeline_gives_the_payment(store: &impl Store) {
    open_shop(store).await;
    let sequences = (0..SEQUENCES).map(async |number| {
        let mut expected = super::people::payment(number);
        let born = expected.clone();
        store.commit(created(&expected)).await.unwrap();
        let (payment, change) = decided(&expected, started(number));
        store.commit(change).await.unwrap();
        expected = payment;
        for place in [number, number / 15, number / 225] {
            let event = events_of(number)[usize::try_from(place % 15).unwrap()].clone();
            let Ok(step) = expected.clone().on(event.clone(), NOON, Rules::default()) else {
                continue;
            };
            if step.changed {
                let (after, change) = decided(&expected, event);
                store.commit(change).await.unwrap();
                expected = after;
            }
        }

        let stored = store.payment(merchant(), expected.id).await.unwrap();
        assert_eq!(stored.as_ref(), Some(&expected));
        let lines = store.timeline(merchant(), expected.id).await.unwrap();
        assert_eq!(fold(born, &lines), expected);
    });
    let told = stream::iter(sequences).buffer_unordered(512).count().await;
    assert_eq!(told, usize::try_from(SEQUENCES).unwrap());
}

async fn what_a_step_told_and_heard_is_found_by_its_payment(store: &impl Store) {
    open_shop(store).await;
    let payment = show_code(store, 1).await;
    let (_, mut change) = decided(&payment, paid(1));
    let told = WebhookEvent {
        payment: Some(payment.id),
        ..event(1)
    };
    let heard = InboxEntry {
        payment: Some(payment.id),
        ..message(1, "paid")
    };
    change.events = vec![told.clone()];
    change.inbox = Some(heard.clone());
    store.commit(change).await.unwrap();
    let again = InboxEntry {
        payment: Some(payment.id),
        ..message(2, "paid, other bytes")
    };
    receive(store, again.clone()).await;

    let events = EventFilter {
        merchant: merchant(),
        kind: None,
        payment: Some(payment.id),
        cursor: None,
        limit: 10,
    };
    assert_eq!(store.events(events).await.unwrap().rows, [told]);
    let inbox = InboxFilter {
        merchant: merchant(),
        channel: None,
        payment: Some(payment.id),
        cursor: None,
        limit: 10,
    };
    let rows = store.inbox(inbox.clone()).await.unwrap().rows;
    let entries: Vec<_> = rows.into_iter().map(|row| row.entry).collect();
    assert_eq!(entries, [again, heard]);
    let other = InboxFilter {
        channel: Some(id(2)),
        ..inbox
    };
    assert_eq!(store.inbox(other).await.unwrap().rows, []);
}

async fn an_unknown_payment_has_no_timeline(store: &impl Store) {
    assert_eq!(store.timeline(merchant(), id(1)).await, Ok(Vec::new()));
}

each_store!(
    folding_the_timeline_gives_the_payment,
    a_payment_is_made_with_its_first_attempt_in_one_commit,
    whatever_three_things_happen_the_timeline_gives_the_payment,
    what_a_step_told_and_heard_is_found_by_its_payment,
    an_unknown_payment_has_no_timeline
);
