//! What an operator's metrics show.

use rusqlite::{Connection, params};
use tongbao_core::Timestamp;
use tongbao_core::job::NEVER;

use super::{column, deliveries, statement};
use crate::{Pulse, StoreError};

/// Nobody reads on from here: the count itself has to stay quick.
const MOST: i64 = 100_000;

pub(super) fn take(db: &Connection, now: Timestamp) -> Result<Pulse, StoreError> {
    let jobs = "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE ready_at <= ? LIMIT ?)";
    let aside = "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE ready_at >= ? LIMIT ?)";
    let exhausted = "SELECT count(*) FROM \
                     (SELECT 1 FROM deliveries WHERE state = 'exhausted' LIMIT ?)";
    let cases = "SELECT count(*) FROM (SELECT 1 FROM cases WHERE state <> 'resolved' LIMIT ?)";
    let waiting = "SELECT count(*) FROM (SELECT 1 FROM cases \
                   WHERE state <> 'resolved' AND state = 'needs_person' LIMIT ?)";
    let count = |sql, key: &[&dyn rusqlite::ToSql]| {
        statement::first(db, sql, key, column::int).map(Option::unwrap_or_default)
    };
    Ok(Pulse {
        jobs_due: count(jobs, params![now.as_millis(), MOST])?,
        jobs_laid_aside: count(aside, params![NEVER.as_millis(), MOST])?,
        deliveries_due: deliveries::count_due(db, now, MOST)?,
        deliveries_exhausted: count(exhausted, params![MOST])?,
        cases_open: count(cases, params![MOST])?,
        cases_waiting: count(waiting, params![MOST])?,
    })
}
