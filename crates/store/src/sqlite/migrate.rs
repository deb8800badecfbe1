//! The schema, step by step.

use std::path::Path;

use rusqlite::Connection;

use super::connection;
use super::lock::Lock;
use super::place::Place;
use crate::StoreError;

/// In the order of their numbers, the first being 1. What has been released is
/// never edited.
const MIGRATIONS: [&str; 7] = [
    include_str!("../../migrations/sqlite/0001_first.sql"),
    include_str!("../../migrations/sqlite/0002_refunds.sql"),
    include_str!("../../migrations/sqlite/0003_shops.sql"),
    include_str!("../../migrations/sqlite/0004_tills.sql"),
    include_str!("../../migrations/sqlite/0005_cases.sql"),
    include_str!("../../migrations/sqlite/0006_cases_by_number.sql"),
    include_str!("../../migrations/sqlite/0007_close_after.sql"),
];

/// `tbao`: marks the file as ours.
const APPLICATION_ID: i32 = 0x7462_616f;

/// What a migration did. Versions are the numbers of migrations; 0 is an empty
/// file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// As it was found.
    pub from: u32,
    /// As it is now.
    pub to: u32,
}

/// Brings the database at `path` to this program's schema, and closes it.
/// Makes it where there is none.
pub fn migrate(path: &Path) -> Result<Migrated, StoreError> {
    let _lock = Lock::take(path)?;
    apply(&mut connection::writer(&Place::new(path))?)
}

/// Each step is one transaction: a crash leaves a whole older schema.
pub(super) fn apply(db: &mut Connection) -> Result<Migrated, StoreError> {
    let from = version(db)?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if from > known {
        return Err(StoreError::Failed(format!(
            "the database has schema {from}, this program knows {known}; start the newer program \
             that wrote it, or restore a backup from before"
        )));
    }
    for (number, sql) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > from) {
        let step = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.pragma_update(None, "user_version", number)?;
        step.commit()?;
    }
    Ok(Migrated { from, to: known })
}

/// Refuses a database whose schema is not this program's: nothing may be written
/// to it here.
pub(super) fn refuse_other(db: &Connection) -> Result<(), StoreError> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    match version(db)? {
        found if found == known => Ok(()),
        found => Err(StoreError::Failed(format!(
            "the database has schema {found}, this program reads {known}; bring it there with \
             `tongbao migrate`, or use the program that wrote it"
        ))),
    }
}

fn version(db: &Connection) -> Result<u32, StoreError> {
    let read = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (read("application_id")?, read("user_version")?);
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let empty = application == 0 && version == 0 && tables == 0;
    if !empty && application != i64::from(APPLICATION_ID) {
        return Err(StoreError::Failed(
            "the file is another program's database; point the data directory elsewhere".to_owned(),
        ));
    }
    u32::try_from(version).map_err(|_| StoreError::Corrupt(format!("user_version is {version}")))
}

#[cfg(test)]
mod tests {
    use tongbao_core::{CaseState, Need, Raised, Timestamp};

    use super::*;

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn an_empty_database_gets_every_step_and_a_second_time_none() {
        let mut db = memory();
        let known = u32::try_from(MIGRATIONS.len()).unwrap();
        let report = |from| Ok(Migrated { from, to: known });

        assert_eq!(apply(&mut db), report(0));
        assert_eq!(apply(&mut db), report(known));
    }

    #[test]
    fn a_store_that_was_free_text_becomes_a_shop_of_that_name() {
        let mut db = memory();
        db.execute_batch(MIGRATIONS[0]).unwrap();
        db.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        db.execute_batch(
            "INSERT INTO merchants VALUES (1, 'mer_1', '茶馆', 0, 5), (2, 'mer_2', '书店', 0, 5);
             INSERT INTO endpoints (merchant_key, id, url, enabled, event_types, store, sealed_secret, created_at)
             VALUES (1, 'whe_1', 'u', 1, '[]', '外滩', x'00', 7), (2, 'whe_2', 'u', 1, '[]', '外滩', x'00', 8),
                    (2, 'whe_3', 'u', 1, '[]', NULL, x'00', 8);
             INSERT INTO events (merchant_key, id, store, type, sequence, body, created_at)
             VALUES (1, 'evt_1', '外滩', 't', 1, '{}', 6), (1, 'evt_2', '南京路', 't', 1, '{}', 9);",
        )
        .unwrap();

        apply(&mut db).unwrap();
        let rows = |sql: &str| {
            let mut statement = db.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get::<_, String>(0));
            rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
        };
        let shops = rows(
            "SELECT merchant_key || name || created_at FROM stores ORDER BY merchant_key, name",
        );
        assert_eq!(shops, ["1南京路9", "1外滩6", "2外滩8"]);
        for id in rows("SELECT id FROM stores") {
            id.parse::<tongbao_core::StoreId>().unwrap();
        }
        for table in ["endpoints", "events"] {
            let named = rows(&format!(
                "SELECT stores.name FROM {table} JOIN stores ON stores.id = store \
                 AND stores.merchant_key = {table}.merchant_key ORDER BY {table}.id"
            ));
            let expected = if table == "events" {
                ["外滩", "南京路"]
            } else {
                ["外滩", "外滩"]
            };
            assert_eq!(named, expected, "{table}");
        }
    }

    #[test]
    fn an_attempt_of_before_is_closed_no_sooner_than_any_channel_would() {
        let mut db = memory();
        for (number, sql) in (1..).zip(MIGRATIONS).take(5) {
            db.execute_batch(sql).unwrap();
            db.pragma_update(None, "user_version", number).unwrap();
        }
        db.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        db.execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO attempts (key, merchant_key, payment_key, id, out_trade_no, channel_key, scene, state,
                 created_at, raised)
             VALUES (32, 1, 1, 'att_1', 'T1', 1, 'native', 'pending', 5, '[]');",
        )
        .unwrap();

        apply(&mut db).unwrap();
        let sql = "SELECT close_after_secs FROM attempts";
        let secs: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(secs, 300);
        assert!(
            db.execute("UPDATE attempts SET close_after_secs = 0", [])
                .is_err()
        );
    }

    #[test]
    fn cases_from_before_they_had_an_end_are_what_their_rows_say() {
        let mut db = memory();
        for migration in &MIGRATIONS[..4] {
            db.execute_batch(migration).unwrap();
        }
        db.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        db.pragma_update(None, "user_version", 4).unwrap();
        db.execute_batch(OLD_CASES).unwrap();

        apply(&mut db).unwrap();
        let text = |sql: &str| {
            db.query_row(sql, [], |row| row.get::<_, String>(0))
                .unwrap()
        };
        let raised = text("SELECT raised FROM attempts WHERE key = 32");
        let raised: Vec<Raised> = serde_json::from_str(&raised).unwrap();
        let stands = raised
            .iter()
            .map(|it| (it.proven, it.state, it.need, it.at.as_millis()));
        let expected = [
            (true, CaseState::Open, None, 9),
            (false, CaseState::Open, None, 10),
            (true, CaseState::NeedsPerson, Some(Need::RefundAbnormal), 11),
        ];
        assert_eq!(stands.collect::<Vec<_>>(), expected);
        assert_eq!(raised[0].paid_at.map(Timestamp::as_millis), Some(7));
        assert_eq!(
            raised[2].refund.map(|id| id.to_string()),
            Some(REFUND.to_owned())
        );
        let row = text("SELECT state || need || refund_id FROM readable_cases WHERE id = 'case_3'");
        assert_eq!(row, format!("needs_personrefund_abnormal{REFUND}"));
        let jobs = text("SELECT group_concat(kind) FROM (SELECT kind FROM jobs ORDER BY kind)");
        assert_eq!(jobs, "case,query");
    }

    const REFUND: &str = "rfd_00000000000000000000000001";

    /// Late money, a claim, and a refund that no account takes, of one attempt.
    const OLD_CASES: &str = r#"
        INSERT INTO merchants (key, id, name, accept_late, created_at) VALUES (1, 'mer_1', '茶馆', 0, 5);
        INSERT INTO channels VALUES (1, 1, 'chn_1', 'wechat_v2', 'w', 1, 'query', '{}', x'00', 1, 5);
        INSERT INTO payments (key, merchant_key, id, merchant_order_no, amount, currency, subject, metadata, state,
            version, checkout_token, created_at, expires_at)
        VALUES (1, 1, 'pay_1', 'A', 100, 'CNY', '茶', '{}', 'closed', 3, 't', 5, 6);
        INSERT INTO attempts (key, merchant_key, payment_key, id, out_trade_no, channel_key, scene, state,
            transaction_id, received_amount, received_currency, created_at, raised)
        VALUES (32, 1, 1, 'att_1', 'N1', 1, 'qr', 'succeeded', 'T1', 100, 'CNY', 5, '[
            {"kind": "paid_after_close", "transaction_id": "T1", "amount": {"minor": 100, "currency": "CNY"}},
            {"kind": "amount_mismatch", "transaction_id": "T1", "amount": {"minor": 1, "currency": "CNY"}},
            {"kind": "refund_abnormal", "transaction_id": "P1", "amount": {"minor": 100, "currency": "CNY"}}]');
        INSERT INTO refunds (key, merchant_key, payment_key, attempt_key, channel_key, id, out_refund_no, amount,
            currency, state, refund_no, refused, starts_at, created_at)
        VALUES (128, 1, 1, 32, 1, 'rfd_00000000000000000000000001', 'R1', 100, 'CNY', 'abnormal', 'P1', 0, 5, 5);
        INSERT INTO cases (merchant_key, id, channel_key, kind, state, remedy, payment_key, attempt_key, out_trade_no,
            amount, currency, transaction_id, paid_at, source, opened_at)
        VALUES
            (1, 'case_1', 1, 'paid_after_close', 'open', 'refund', 1, 32, 'N1', 100, 'CNY', 'T1', 7, 'query', 9),
            (1, 'case_2', 1, 'amount_mismatch', 'open', 'review', 1, 32, 'N1', 1, 'CNY', 'T1', NULL, 'bill', 10),
            (1, 'case_3', 1, 'refund_abnormal', 'open', 'review', 1, 32, 'N1', 100, 'CNY', 'P1', NULL, 'query', 11);
    "#;

    #[test]
    fn a_newer_schema_is_refused_with_what_to_do() {
        let mut db = memory();
        apply(&mut db).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();

        let refused = apply(&mut db).unwrap_err().to_string();
        assert!(refused.contains("schema 99"), "{refused}");
        assert!(refused.contains("newer program"), "{refused}");
    }

    #[test]
    fn another_programs_database_is_left_alone() {
        let mut db = memory();
        db.execute_batch("CREATE TABLE addresses (name TEXT)")
            .unwrap();

        assert!(apply(&mut db).is_err());
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 1);
    }
}
