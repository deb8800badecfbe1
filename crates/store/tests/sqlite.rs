//! What SQLite alone promises: one process, settings, refusals, group commit.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "every line here is a test's; a test's name says what it shows"
)]

use std::path::PathBuf;

use futures::future::join_all;
use rusqlite::Connection;
use tongbao_store::sqlite::{Migrated, SqliteStore, migrate};
use tongbao_store::{Store, StoreError};

#[allow(dead_code, reason = "the stories use the rest")]
#[path = "stories/people.rs"]
mod people;
use people::*;

/// A path where a database may be made, and the directory that keeps it.
fn somewhere() -> (PathBuf, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (directory.path().join("tongbao.db"), directory)
}

fn refused(path: &std::path::Path) -> String {
    match SqliteStore::open(path) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_database_is_open_once() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();

    let error = refused(&path);
    assert!(error.contains("another process has"), "{error}");
    assert!(error.contains("stop it first"), "{error}");
    assert!(migrate(&path).is_err());
    drop(store);
    SqliteStore::open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn its_owner_alone_can_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let (path, directory) = somewhere();
    let _store = SqliteStore::open(&path).unwrap();

    let mut files = 0;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
        files += 1;
    }
    // The database, its log, the log's index and the lock.
    assert_eq!(files, 4);
}

#[test]
fn a_database_says_what_it_is() {
    let (path, _directory) = somewhere();
    let made = migrate(&path).unwrap();
    assert_eq!(made.from, 0);
    let again = Migrated {
        from: made.to,
        ..made
    };
    assert_eq!(migrate(&path), Ok(again));

    let db = Connection::open(&path).unwrap();
    let number = |name| -> i64 { db.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    assert_eq!(
        number("application_id"),
        i64::from(u32::from_be_bytes(*b"tbao"))
    );
    assert_eq!(number("user_version"), i64::from(made.to));
    let loose: i64 = db
        .query_row(
            "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND strict = 0 \
             AND name NOT LIKE 'sqlite%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(loose, 0, "tables that take any type");
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let (path, _directory) = somewhere();
    migrate(&path).unwrap();
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);

    let error = refused(&path);
    assert!(error.contains("schema 99"), "{error}");
    assert!(error.contains("newer program"), "{error}");
}

#[test]
fn a_place_that_is_not_there_is_refused_with_what_to_do() {
    let (path, _directory) = somewhere();
    let error = refused(&path.join("deeper/tongbao.db"));
    assert!(error.contains("directory must exist"), "{error}");
}

#[tokio::test]
async fn what_must_never_change_does_not_even_by_hand() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    show_code(&store, 1).await;
    tell(&store, event(1)).await;
    open_branch(&store, 1).await;
    let revoked = tongbao_core::shop::Till {
        revoked_at: Some(NOON),
        ..till(1, 1)
    };
    store.commit(with_till(revoked)).await.unwrap();
    drop(store);

    let db = Connection::open(&path).unwrap();
    for change in [
        "UPDATE payments SET amount = 1",
        "UPDATE payments SET currency = 'USD'",
        "UPDATE payments SET merchant_key = 2",
        "UPDATE payments SET merchant_order_no = 'other'",
        "DELETE FROM payments",
        "UPDATE attempts SET out_trade_no = 'other'",
        "UPDATE attempts SET channel_key = 2",
        "DELETE FROM attempts",
        "UPDATE payment_log SET event = NULL",
        "DELETE FROM payment_log",
        "UPDATE events SET body = '{}'",
        "UPDATE payments SET store = NULL",
        "UPDATE tills SET hash = x'00'",
        "UPDATE tills SET revoked_at = NULL",
    ] {
        let outcome = db.execute_batch(change);
        let error = outcome.expect_err(change).to_string();
        assert!(
            ["never", "not rewritten", "same words"]
                .iter()
                .any(|why| error.contains(why)),
            "{change}: {error}"
        );
    }
    db.execute_batch("UPDATE payments SET state = 'closed'")
        .unwrap();
}

/// The program never tries; the database would not let it.
#[tokio::test]
async fn no_row_can_be_given_to_another_merchant_even_by_hand() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    open_shop_of(&store, 2).await;
    let read = show_code(&store, 1).await;
    let mut change = decided(&read, paid(1)).1;
    store.save_endpoint(endpoint(1)).await.unwrap();
    change.events = vec![tongbao_core::webhook::WebhookEvent {
        payment: Some(read.id),
        ..event(1)
    }];
    change.inbox = Some(tongbao_core::inbox::InboxEntry {
        payment: Some(read.id),
        ..message(1, "paid")
    });
    store.commit(change).await.unwrap();
    store.commit(created(&payment_of(2, 2))).await.unwrap();
    open_branch(&store, 1).await;
    store.commit(with_till(till(1, 1))).await.unwrap();
    drop(store);

    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "PRAGMA foreign_keys = ON; DROP TRIGGER events_are_facts; \
         DROP TRIGGER tills_stay_where_they_are",
    )
    .unwrap();
    for change in [
        "UPDATE inbox SET merchant_key = 2",
        "UPDATE inbox SET channel_key = 2",
        "UPDATE inbox SET payment_key = 2",
        "UPDATE events SET merchant_key = 2",
        "UPDATE events SET payment_key = 2",
        "UPDATE stores SET merchant_key = 2",
        "UPDATE tills SET merchant_key = 2",
        "UPDATE deliveries SET merchant_key = 2",
        "INSERT INTO attempts (key, merchant_key, payment_key, id, out_trade_no, channel_key, \
         scene, state, created_at, raised) VALUES (65, 2, 2, 'att', 'no', 1, '', '', 0, '[]')",
        "INSERT INTO attempts (key, merchant_key, payment_key, id, out_trade_no, channel_key, \
         scene, state, created_at, raised) VALUES (65, 1, 2, 'att', 'no', 1, '', '', 0, '[]')",
        "INSERT INTO attempts (key, merchant_key, payment_key, id, out_trade_no, channel_key, \
         scene, state, created_at, raised) VALUES (65, 1, 1, 'att', 'no', 1, '', '', 0, '[]')",
    ] {
        let error = db.execute_batch(change).expect_err(change).to_string();
        assert!(error.contains("constraint"), "{change}: {error}");
    }
}

/// For people with any SQL tool.
#[tokio::test]
async fn the_readable_views_show_ids_in_the_place_of_keys() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    store.save_endpoint(endpoint(1)).await.unwrap();
    open_branch(&store, 1).await;
    store.commit(with_till(till(1, 1))).await.unwrap();
    let read = show_code(&store, 1).await;
    let (payment, mut change) = decided(&read, paid(1));
    change.jobs = vec![query(&payment, NOON)];
    change.events = vec![tongbao_core::webhook::WebhookEvent {
        payment: Some(read.id),
        ..event(1)
    }];
    change.inbox = Some(tongbao_core::inbox::InboxEntry {
        payment: Some(read.id),
        ..message(1, "paid")
    });
    store.commit(change).await.unwrap();

    let db = Connection::open(&path).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'view'";
    let mut names = db.prepare(names).unwrap();
    let views = names.query_map([], |row| row.get(0)).unwrap();
    let views: Vec<String> = views.map(Result::unwrap).collect();
    assert_eq!(views.len(), 11);
    for view in views {
        let of_merchant = format!("SELECT count(*) FROM {view} WHERE merchant_id = ?");
        let count: i64 = db
            .query_row(&of_merchant, [merchant().to_string()], |row| row.get(0))
            .unwrap();
        let expected = match view.as_str() {
            "readable_timeline" => 4,
            "readable_cases" | "readable_refunds" => 0,
            _ => 1,
        };
        assert_eq!(count, expected, "{view}");
        let columns = db.prepare(&format!("SELECT * FROM {view}")).unwrap();
        let keys: Vec<_> = columns
            .column_names()
            .filter(|name| name.contains("key"))
            .collect();
        assert_eq!(keys, Vec::<&str>::new(), "{view}");
    }
}

#[tokio::test]
async fn many_callers_at_once_all_get_their_own_answer() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    let taken = payment(1);
    store.commit(created(&taken)).await.unwrap();

    // Every other one wants an order number that is taken.
    let commits = (2..66).map(|number| {
        let mut payment = payment(number);
        if number % 2 == 0 {
            payment.order.merchant_order_no = "order-1".to_owned();
        }
        store.commit(created(&payment))
    });
    let answers = join_all(commits).await;

    for (number, answer) in (2_u128..).zip(answers) {
        let kept = store.payment(merchant(), id(number)).await.unwrap();
        assert_eq!(kept.is_some(), number % 2 == 1, "{number}");
        assert_eq!(answer.is_ok(), number % 2 == 1, "{number}: {answer:?}");
    }
}

#[tokio::test]
async fn a_race_for_one_version_has_one_winner() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    let read = show_code(&store, 1).await;

    let race = (0..64).map(|_| store.commit(decided(&read, paid(1)).1));
    let answers = join_all(race).await;
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won, 1);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Ok(_) | Err(StoreError::Conflict)))
    );
}

#[tokio::test]
async fn closing_finishes_what_waits_and_then_says_no() {
    let (path, directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    let commits = (1..65).map(|number| store.commit(created(&payment(number))));
    let (answers, ()) = futures::join!(join_all(commits), store.close());
    assert!(answers.iter().all(Result::is_ok));

    let late = store.commit(created(&payment(99))).await;
    assert_eq!(late, Err(StoreError::Closed));
    let read = store.payment(merchant(), id(1)).await;
    assert_eq!(read, Err(StoreError::Closed));
    store.close().await;
    // The log is in the database, and gone.
    assert!(!directory.path().join("tongbao.db-wal").exists());
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert!(store.payment(merchant(), id(64)).await.unwrap().is_some());
}

/// What a kill leaves: the files, as they are.
#[tokio::test]
async fn what_was_answered_is_in_the_files() {
    let (path, directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    let expected = show_code(&store, 1).await;

    let elsewhere = directory.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    for file in ["tongbao.db", "tongbao.db-wal"] {
        std::fs::copy(directory.path().join(file), elsewhere.join(file)).unwrap();
    }
    let copy = SqliteStore::open(&elsewhere.join("tongbao.db")).unwrap();
    let found = copy.payment(merchant(), id(1)).await.unwrap();
    assert_eq!(found, Some(expected));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_says_which_column() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    show_code(&store, 1).await;
    let db = Connection::open(&path).unwrap();

    db.execute_batch("UPDATE attempts SET scene = 'hologram'")
        .unwrap();
    let error = store.payment(merchant(), id(1)).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt(why) if why.contains("scene")),
        "{error}"
    );
    db.execute_batch("UPDATE attempts SET scene = 'native'; UPDATE payments SET state = 'paid'")
        .unwrap();
    let error = store.payment(merchant(), id(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
}

#[tokio::test]
async fn a_job_that_cannot_be_read_stands_in_no_other_ones_way() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    for number in 1..=3 {
        let payment = show_code(&store, number).await;
        ask(&store, query(&payment, NOON)).await;
    }
    let db = Connection::open(&path).unwrap();
    db.execute_batch("UPDATE jobs SET kind = 'dance' WHERE payment_key = 1")
        .unwrap();

    let claimed = store.claim_jobs(NOON, NOON + LEASE, 10).await.unwrap();
    let payments: Vec<_> = claimed.iter().map(|job| job.key.payment).collect();
    assert_eq!(payments, [id(2), id(3)]);
    for job in claimed {
        finish(&store, job).await.unwrap();
    }
    // It waits for somebody to look at it, and keeps nobody awake.
    let next = store.next_due().await.unwrap().unwrap();
    assert!(next > NOON + LEASE * 1_000_000, "{next}");
}

#[tokio::test]
async fn an_endpoint_or_event_that_cannot_be_read_stands_in_no_other_ones_way() {
    let (path, _directory) = somewhere();
    let store = SqliteStore::open(&path).unwrap();
    open_shop(&store).await;
    for number in 1..=2 {
        store.save_endpoint(endpoint(number)).await.unwrap();
    }
    for number in 1..=2 {
        tell(&store, event(number)).await;
    }
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "UPDATE endpoints SET event_types = '!' WHERE key = 1; DROP TRIGGER events_are_facts; \
         UPDATE events SET type = 'party' WHERE key = 1;",
    )
    .unwrap();

    let (now, until) = (NOON + LEASE, NOON + LEASE * 2);
    let claims = store.claim_deliveries(now, until, 10, 10).await.unwrap();
    let keys: Vec<_> = claims
        .iter()
        .map(|claim| (claim.event.id, claim.endpoint.id))
        .collect();
    assert_eq!(keys, [(id(2), id(2))]);
    assert_eq!(store.pulse(now).await.unwrap().deliveries_exhausted, 1);

    // Mended and switched on, the endpoint is told what waited for it.
    db.execute_batch(
        "UPDATE endpoints SET event_types = '[]', enabled = 1; \
         UPDATE events SET type = 'payment.paid'",
    )
    .unwrap();
    let claims = store.claim_deliveries(now, until, 10, 10).await.unwrap();
    assert!(claims.iter().all(|claim| claim.endpoint.id == id(1)));
    assert_eq!(claims.len(), 2);
}
