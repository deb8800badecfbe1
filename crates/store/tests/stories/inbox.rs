use tongbao_core::inbox::{InboxEntry, Verdict};
use tongbao_store::{InboxFilter, InboxRow, Store};

use super::people::*;
use super::stage::each_store;

fn all() -> InboxFilter {
    InboxFilter {
        merchant: merchant(),
        channel: None,
        payment: None,
        cursor: None,
        limit: 10,
    }
}

async fn the_same_message_is_kept_once_and_counted(store: &impl Store) {
    open_shop(store).await;
    receive(store, message(1, "paid")).await;
    receive(store, message(2, "paid")).await;
    let mut repeated = message(3, "paid");
    repeated.verdict = Verdict::Repeated;
    receive(store, repeated).await;

    let expected = InboxRow {
        entry: message(1, "paid"),
        copies: 3,
        last_at: NOON + SECOND * 3,
    };
    assert_eq!(store.inbox(all()).await.unwrap().rows, [expected]);
}

async fn a_copy_of_a_message_that_the_timeline_tells_of_is_counted(store: &impl Store) {
    open_shop(store).await;
    let payment = show_code(store, 1).await;
    let copy = |number| InboxEntry {
        payment: Some(payment.id),
        ..message(number, "paid")
    };
    let (_, mut change) = decided(&payment, paid(1));
    change.inbox = Some(copy(1));
    store.commit(change).await.unwrap();
    receive(store, copy(2)).await;
    receive(store, copy(3)).await;

    let expected = InboxRow {
        entry: copy(1),
        copies: 3,
        last_at: NOON + SECOND * 3,
    };
    assert_eq!(store.inbox(all()).await.unwrap().rows, [expected]);
}

async fn another_channels_message_is_another(store: &impl Store) {
    open_shop(store).await;
    store.save_channel(account(1, 2)).await.unwrap();
    receive(store, message(1, "paid")).await;
    let mut other = message(2, "paid");
    other.channel = id(2);
    receive(store, other).await;

    let list = store.inbox(all()).await.unwrap();
    assert_eq!(list.rows.len(), 2);
    assert!(list.rows.iter().all(|row| row.copies == 1));
}

async fn a_genuine_message_takes_over_from_a_forged_one(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    let mut forged = message(1, "paid");
    forged.verdict = Verdict::Refused;
    forged.reason = Some("bad_signature".to_owned());
    receive(store, forged.clone()).await;
    let mut genuine = message(2, "paid");
    genuine.payment = Some(id(1));
    receive(store, genuine.clone()).await;
    receive(store, genuine).await;

    let rows = store.inbox(all()).await.unwrap().rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].entry.verdict, Verdict::Applied);
    assert_eq!(rows[0].entry.reason, None);
    assert_eq!(rows[0].entry.payment, Some(id(1)));
    assert_eq!(rows[0].copies, 3);

    // A forged one that comes later is seen for what it is.
    forged.id = id(3);
    receive(store, forged).await;
    let rows = store.inbox(all()).await.unwrap().rows;
    let verdicts: Vec<_> = rows.iter().map(|row| row.entry.verdict).collect();
    assert_eq!(verdicts, [Verdict::Refused, Verdict::Applied]);
}

async fn messages_are_listed_newest_first_by_channel_and_payment(store: &impl Store) {
    open_shop(store).await;
    show_code(store, 1).await;
    store.save_channel(account(1, 2)).await.unwrap();
    for number in 1..=4 {
        let mut message = message(number, &format!("body {number}"));
        if number % 2 == 0 {
            message.channel = id(2);
        }
        if number > 2 {
            message.payment = Some(id(1));
        }
        receive(store, message).await;
    }
    let list = async |filter: InboxFilter| -> Vec<_> {
        let page = store.inbox(filter).await.unwrap();
        page.rows.iter().map(|row| row.entry.id).collect()
    };

    assert_eq!(list(all()).await, [id(4), id(3), id(2), id(1)]);
    let second = Some(id(2));
    let filter = InboxFilter {
        channel: second,
        ..all()
    };
    assert_eq!(list(filter).await, [id(4), id(2)]);
    let payment = Some(id(1));
    assert_eq!(list(InboxFilter { payment, ..all() }).await, [id(4), id(3)]);
    let page = store
        .inbox(InboxFilter { limit: 3, ..all() })
        .await
        .unwrap();
    let cursor = page.next;
    assert_eq!(list(InboxFilter { cursor, ..all() }).await, [id(1)]);
}

each_store!(
    the_same_message_is_kept_once_and_counted,
    a_copy_of_a_message_that_the_timeline_tells_of_is_counted,
    another_channels_message_is_another,
    a_genuine_message_takes_over_from_a_forged_one,
    messages_are_listed_newest_first_by_channel_and_payment,
);
