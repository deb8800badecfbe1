//! An audit beside a running gateway: what is sound is sound, and whatever is
//! changed behind the gateway's back is found and named.

use std::path::Path;
use std::time::Duration;

use http::{Method, Request};
use rusqlite::Connection;
use serde_json::json;
use tongbao_engine::audit::{Keys, Report, Rule, Severity, audit};
use tongbao_simulator::{Account, FaultKind, NewFault};
use tongbao_store::sqlite::SqliteSnapshot;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType, sign};
use zeroize::Zeroizing;

use crate::support::{MASTER_KEY, World};

/// One payment of each kind: paid, open, closed, of a wrong amount; and money
/// for an order that nobody knows.
async fn a_busy_day() -> World {
    let world = World::open().await;
    world.books_differ("a wrong amount was told and trusted");
    let paid = world.order("T1").await;
    world.pay(&paid, "alice");
    let genuine = world.fired().pop().unwrap();
    let mut fields = Fields::read(genuine.request.body()).unwrap().into_owned();
    fields.remove("sign");
    fields.insert("out_trade_no", "OTHERSYSTEM1");
    let key = ApiKey::new(&Account::ready_made().api_v2_key.0).unwrap();
    sign::insert_sign(&mut fields, &key, SignType::HmacSha256);
    let mut unknown: Request<_> = genuine.request.clone();
    *unknown.body_mut() = fields.write().into();
    world.fault(NewFault {
        times: Some(1),
        ..NewFault::of(FaultKind::NoAnswer)
    });
    world.notify(&unknown).await;
    world.deliver(genuine).await;
    world.settle().await;
    let closed = world.order("T3").await;
    let path = format!("/v1/payments/{}/close", closed["id"].as_str().unwrap());
    world.post(&path, &json!({})).await;
    world.pass(Duration::from_mins(2)).await;
    let channel = format!("/v1/channels/{}", world.channel().await);
    let trusting = json!({"confirm": "signature"}).to_string();
    world
        .send_json(Method::PATCH, &channel, &[], &trusting)
        .await;
    let wrong = world.order("T4").await;
    world.fault_of(FaultKind::WrongAmountNotification);
    world.pay(&wrong, "alice");
    world.settle().await;
    world.order("T2").await;
    world
}

fn look(world: &World) -> Report {
    let snapshot = SqliteSnapshot::open(&world.database()).unwrap();
    let keys = Keys::Master(Zeroizing::new(MASTER_KEY));
    audit(&snapshot, &keys, world.clock.time(), &mut |_| {}).unwrap()
}

/// Somebody edits the file: no guard holds him.
fn tamper(database: &Path, sql: &str) {
    let db = Connection::open(database).unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .unwrap();
    let mut guards = db
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap();
    let guards: Vec<(String, String)> = guards
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (name, _) in &guards {
        db.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    db.execute_batch(sql).unwrap();
    assert!(db.total_changes() > 0, "{sql} changes nothing");
    for (_, sql) in &guards {
        db.execute_batch(sql).unwrap();
    }
}

#[tokio::test]
async fn a_busy_day_is_sound() {
    let world = a_busy_day().await;
    let report = look(&world);

    assert_eq!(report.count(Severity::Wrong), 0, "{:#?}", report.findings);
    assert_eq!(report.payments, 4);
    let sums: Vec<_> = report.sums_of(world.merchant.id).collect();
    let [(currency, sums)] = &*sums else {
        panic!("{sums:?}")
    };
    assert_eq!(*currency, "CNY");
    assert_eq!((sums.payments, sums.paid, sums.accepted), (4, 1, 1234));
    assert_eq!(sums.received, sums.accepted + sums.in_cases);
    assert!(sums.in_cases > 0 && sums.unknown == 1234, "{sums:?}");
    // What waits for a person is shown, and is not wrong.
    assert_eq!(report.counts[&Rule::Cases], 2);
}

/// What is done to a copy, and what must be said of it. `$T1` stands for the rows
/// of the payment of that order.
const TAMPERED: &[(Rule, &str, &str)] = &[
    (
        Rule::S6,
        "leads to version 5, pending, and says paid",
        "UPDATE payments SET amount = 1 WHERE merchant_order_no = 'T1'",
    ),
    (
        Rule::M1,
        "asks for",
        "UPDATE payments SET amount = -1 WHERE merchant_order_no = 'T2'",
    ),
    (
        Rule::S6,
        "Closed",
        "UPDATE payments SET state = 'closed', paid_by = NULL, paid_at = NULL, \
         close_reason = 'requested', closed_at = 1 WHERE merchant_order_no = 'T1'",
    ),
    (
        Rule::Unreadable,
        "say otherwise",
        "UPDATE payments SET state = 'created' WHERE merchant_order_no = 'T1'",
    ),
    (
        Rule::S3,
        "is missing",
        "DELETE FROM payment_log WHERE $T1 AND version = 2",
    ),
    (
        Rule::S3,
        "its timeline ends with",
        "UPDATE payments SET version = version + 1 WHERE merchant_order_no = 'T2'",
    ),
    (
        Rule::S6,
        "timeline",
        "UPDATE payment_log SET event = replace(event, '1234', '1233') WHERE $T1 \
             AND version = (SELECT max(version) FROM payment_log WHERE $T1)",
    ),
    (
        Rule::M5,
        "received ¥0.01",
        "UPDATE attempts SET received_amount = 1 WHERE $T1",
    ),
    (
        Rule::M5,
        "neither accepted nor a case",
        "DELETE FROM cases WHERE $T4",
    ),
    (
        Rule::M5,
        "neither accepted nor a case",
        "UPDATE cases SET amount = amount + 1 WHERE $T4",
    ),
    (
        Rule::C1,
        "is resolved, and its payment says needs_person",
        "UPDATE cases SET state = 'resolved' WHERE $T4",
    ),
    (
        Rule::C1,
        "its payment never had",
        "UPDATE cases SET transaction_id = 'x' WHERE $T4",
    ),
    (
        Rule::L0,
        "nothing will ask about it",
        "DELETE FROM jobs WHERE $T2 AND subject_id <> ''",
    ),
    (
        Rule::L0,
        "will never expire",
        "DELETE FROM jobs WHERE $T2 AND kind = 'expire'",
    ),
    (
        Rule::References,
        "another merchant's",
        "UPDATE jobs SET payment_key = 77 WHERE $T2",
    ),
    (
        Rule::References,
        "attempts",
        "INSERT INTO merchants (key, id, name, accept_late, created_at) \
         SELECT 77, 'mer_00000000000000000000000000', name, accept_late, created_at FROM merchants; UPDATE attempts SET merchant_key = 77 WHERE $T2",
    ),
    (
        Rule::Numbers,
        "under 2 attempts",
        "UPDATE attempts SET transaction_id = \
             (SELECT transaction_id FROM attempts WHERE $T1) WHERE $T4",
    ),
    (
        Rule::Links,
        "its last event is gone",
        "DELETE FROM delivery_tries WHERE event_key IN (SELECT key FROM events WHERE $T1); \
         DELETE FROM deliveries WHERE event_key IN (SELECT key FROM events WHERE $T1); \
         DELETE FROM events WHERE $T1",
    ),
    (
        Rule::Links,
        "hangs on no payment",
        "UPDATE payment_log SET previous = NULL WHERE $T1 AND version = 3",
    ),
    (
        Rule::Links,
        "the line before line",
        "UPDATE payment_log SET previous = (SELECT max(key) FROM payment_log WHERE $T2) \
         WHERE $T1 AND version = 3",
    ),
    (
        Rule::Told,
        "nobody was told payment.paid",
        "UPDATE events SET sequence = sequence - 1 WHERE $T1",
    ),
    (
        Rule::Words,
        "it says 1235",
        "UPDATE events SET body = replace(body, '1234', '1235') WHERE $T1",
    ),
    (
        Rule::Evidence,
        "changed",
        "UPDATE inbox SET body = x'00' WHERE $T1",
    ),
    (
        Rule::Secrets,
        "does not open",
        "UPDATE channels SET sealed_secrets = zeroblob(64)",
    ),
    (
        Rule::Secrets,
        "whe_",
        "UPDATE endpoints SET sealed_secret = zeroblob(64)",
    ),
    (
        Rule::Exhausted,
        "gave up telling",
        "UPDATE deliveries SET state = 'exhausted'",
    ),
    (
        Rule::Aside,
        "laid aside",
        "UPDATE jobs SET due = 253402214400000, lease_until = NULL WHERE $T2",
    ),
    (
        Rule::Late,
        "due since",
        "UPDATE jobs SET due = 0, lease_until = NULL WHERE $T2",
    ),
];

#[tokio::test]
async fn whatever_is_changed_behind_its_back_is_found_and_named() {
    let world = a_busy_day().await;
    let mut missed = Vec::new();
    for (rule, words, sql) in TAMPERED {
        let sql = &["T1", "T2", "T4"]
            .iter()
            .fold((*sql).to_owned(), |sql, number| {
                let rows = format!(
                    "payment_key = (SELECT key FROM payments WHERE merchant_order_no = '{number}')"
                );
                sql.replace(&format!("${number}"), &rows)
            });
        let copy = tempfile::tempdir().unwrap();
        let file = copy.path().join("tongbao.db");
        let db = Connection::open(world.database()).unwrap();
        db.execute("VACUUM INTO ?", [file.to_str().unwrap()])
            .unwrap();
        // A copy is not in WAL mode; the gateway's file is.
        Connection::open(&file)
            .unwrap()
            .pragma_update(None, "journal_mode", "wal")
            .unwrap();
        tamper(&file, sql);
        let snapshot = SqliteSnapshot::open(&file).unwrap();
        let keys = Keys::Master(Zeroizing::new(MASTER_KEY));
        let report = audit(&snapshot, &keys, world.clock.time(), &mut |_| {}).unwrap();
        let named = report.findings.iter().any(|found| {
            found.rule == *rule && format!("{} {}", found.subject, found.what).contains(words)
        });
        if !named {
            missed.push(format!("{rule:?}: {sql}: {:#?}", report.findings));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test]
async fn a_wrong_master_key_is_said_and_the_rest_is_looked_at() {
    let world = World::open().await;
    world.order("T1").await;
    let snapshot = SqliteSnapshot::open(&world.database()).unwrap();
    let keys = Keys::Master(Zeroizing::new([8; 32]));
    let report = audit(&snapshot, &keys, world.clock.time(), &mut |_| {}).unwrap();

    assert_eq!(report.payments, 1);
    assert_eq!(report.count(Severity::Wrong), 1, "{:#?}", report.findings);
    assert_eq!(report.findings[0].rule, Rule::Secrets);
}

#[tokio::test]
async fn one_moment_is_looked_at_whatever_is_written_meanwhile() {
    let world = World::open().await;
    world.order("T1").await;
    let snapshot = SqliteSnapshot::open(&world.database()).unwrap();
    let payment = world.order("T2").await;
    world.pay(&payment, "alice");
    world.settle().await;

    let report = audit(&snapshot, &Keys::None, world.clock.time(), &mut |_| {}).unwrap();
    assert_eq!(report.payments, 1);
    assert_eq!(look(&world).payments, 2);
}
