//! A clock that was set back.

use std::time::Duration;

use rusqlite::{Connection, params};
use tongbao_core::Timestamp;
use tongbao_core::job::NEVER;

use super::statement;
use crate::StoreError;

/// In one transaction, however much is scheduled: half of it would be late
/// without anybody who knows.
pub(super) fn bring_forward(
    db: &Connection,
    by: Duration,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    // What is laid aside waits for no clock.
    let jobs = "UPDATE jobs SET due = due - ?1, lease_until = lease_until - ?1 \
                WHERE ready_at > ?2 AND ready_at < ?3";
    let deliveries = "UPDATE deliveries SET due = due - ?1, lease_until = lease_until - ?1 \
                      WHERE state = 'pending' AND (due > ?2 OR lease_until > ?2)";
    let moved = statement::run(db, jobs, params![by, now.as_millis(), NEVER.as_millis()])?;
    Ok(moved + statement::run(db, deliveries, params![by, now.as_millis()])?)
}
