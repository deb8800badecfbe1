//! What the world is still to be asked.

use std::ops::Range;

use rusqlite::{Connection, params};
use tongbao_core::job::{JobKey, NewJob};
use tongbao_core::{AttemptId, Job, JobKind, Timestamp};

use super::column::{self, Columns, IdText};
use super::statement;
use crate::StoreError;

/// A job's key as it stands in its row.
#[derive(Clone, Copy)]
struct KeyText {
    merchant: IdText,
    payment: IdText,
    kind: &'static str,
    attempt: IdText,
}

impl KeyText {
    fn of(merchant: tongbao_core::MerchantId, key: JobKey) -> Self {
        Self {
            merchant: IdText::of(merchant),
            payment: IdText::of(key.payment),
            kind: key.kind.as_str(),
            attempt: key.attempt.map_or(IdText::NONE, IdText::of),
        }
    }
}

/// A claimed job, ready to be finished.
pub(super) struct JobText {
    key: KeyText,
    job: Job,
}

impl JobText {
    pub(super) fn new(job: Job) -> Self {
        Self {
            key: KeyText::of(job.merchant, job.key),
            job,
        }
    }

    /// Takes the row away, or when it was asked for again since the claim, takes
    /// the lease off. A row that is gone was finished by another.
    pub(super) fn finish(&self, db: &Connection) -> Result<(), StoreError> {
        let KeyText {
            merchant,
            payment,
            kind,
            attempt,
        } = &self.key;
        let delete = "DELETE FROM jobs \
                      WHERE merchant_id = ? AND payment_id = ? AND kind = ? AND attempt_id = ? \
                      AND fence = ? AND asked = ?";
        let (fence, asked) = (self.job.fence, self.job.asked);
        let held = params![merchant, payment, kind, attempt, fence, asked];
        if statement::run(db, delete, held)? > 0 {
            return Ok(());
        }
        let release = "UPDATE jobs SET lease_until = NULL \
                       WHERE merchant_id = ? AND payment_id = ? AND kind = ? AND attempt_id = ? \
                       AND fence = ?";
        match statement::run(
            db,
            release,
            params![merchant, payment, kind, attempt, fence],
        )? {
            0 => Err(StoreError::Fenced),
            _ => Ok(()),
        }
    }
}

/// A job as it is asked for, ready to be written.
pub(super) struct Asked {
    key: KeyText,
    job: NewJob,
    /// A lease that ends by now is held by nobody.
    now: i64,
}

impl Asked {
    /// Without `now` the job counts as asked for at the time that it is due.
    pub(super) fn new(job: NewJob, now: Option<Timestamp>) -> Self {
        Self {
            key: KeyText::of(job.merchant, job.key),
            job,
            now: now.unwrap_or(job.due).as_millis(),
        }
    }

    fn bring_forward(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "INSERT INTO jobs \
                   (merchant_id, payment_id, kind, attempt_id, due, asked, fence) \
                   VALUES (?, ?, ?, ?, ?, 1, 0) \
                   ON CONFLICT DO UPDATE SET asked = asked + 1, due = min(due, excluded.due)";
        let row = params![
            self.key.merchant,
            self.key.payment,
            self.key.kind,
            self.key.attempt,
            self.job.due.as_millis()
        ];
        statement::run(db, sql, row).map(|_| ())
    }

    /// The claim, unless another holds the job.
    fn claim(&self, db: &Connection, lease_until: Timestamp) -> Result<Option<Job>, StoreError> {
        let sql = "INSERT INTO jobs \
                   (merchant_id, payment_id, kind, attempt_id, due, lease_until, asked, fence) \
                   VALUES (?1, ?2, ?3, ?4, ?6, ?6, 1, ?7) \
                   ON CONFLICT DO UPDATE SET asked = asked + 1, \
                   due = iif(lease_until > ?8, min(due, ?5), excluded.due), \
                   fence = iif(lease_until > ?8, fence, excluded.fence), \
                   lease_until = iif(lease_until > ?8, lease_until, excluded.lease_until) \
                   RETURNING asked, fence";
        let fence = fences(db, 1)?.start;
        let row = params![
            self.key.merchant,
            self.key.payment,
            self.key.kind,
            self.key.attempt,
            self.job.due.as_millis(),
            lease_until.as_millis(),
            fence,
            self.now,
        ];
        let written = statement::first(db, sql, row, |row| Ok((row.int()?, row.int()?)))?;
        Ok(written
            .filter(|(_, held)| *held == fence)
            .map(|(asked, fence)| Job {
                key: self.job.key,
                merchant: self.job.merchant,
                asked,
                fence,
            }))
    }
}

/// Writes what is asked for, and answers the claims of those who wanted one.
pub(super) fn ask(db: &Connection, jobs: &[Asked]) -> Result<Vec<Job>, StoreError> {
    let mut claimed = Vec::new();
    for asked in jobs {
        match asked.job.lease_until {
            Some(lease_until) => claimed.extend(asked.claim(db, lease_until)?),
            None => asked.bring_forward(db)?,
        }
    }
    Ok(claimed)
}

/// Whether there is anything to claim: asked before the writer is troubled.
pub(super) fn any_ready(db: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    Ok(next_ready(db)?.is_some_and(|ready| ready <= now))
}

/// When the first job can be claimed.
pub(super) fn next_ready(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT ready_at FROM jobs ORDER BY ready_at LIMIT 1";
    statement::first(db, sql, [], column::time)
}

/// A claimed job is due when its lease ends: whoever asks for it meanwhile brings
/// it forward to the time that he means, not to the one that is being served.
///
/// Those that were ready first come first.
pub(super) fn claim(
    db: &Connection,
    now: Timestamp,
    lease_until: Timestamp,
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    let sql = "SELECT merchant_id, payment_id, kind, attempt_id, asked FROM jobs \
               WHERE ready_at <= ? ORDER BY ready_at LIMIT ?";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ready = statement::all(db, sql, params![now.as_millis(), limit], |row| {
        Ok((row.id()?, read_key(row)?, row.int()?))
    })?;
    let fences = fences(db, ready.len())?;
    let mut claimed = Vec::with_capacity(ready.len());
    for ((merchant, key, asked), fence) in ready.into_iter().zip(fences) {
        let text = KeyText::of(merchant, key);
        let sql = "UPDATE jobs SET due = ?1, lease_until = ?1, fence = ?2 \
                   WHERE merchant_id = ?3 AND payment_id = ?4 AND kind = ?5 AND attempt_id = ?6";
        let row = params![
            lease_until.as_millis(),
            fence,
            text.merchant,
            text.payment,
            text.kind,
            text.attempt
        ];
        statement::run(db, sql, row)?;
        claimed.push(Job {
            key,
            merchant,
            asked,
            fence,
        });
    }
    Ok(claimed)
}

fn read_key(row: &mut Columns<'_>) -> Result<JobKey, StoreError> {
    let (payment, kind) = (row.id()?, row.word(JobKind::parse)?);
    let attempt = row.str()?;
    let attempt: Option<AttemptId> = (!attempt.is_empty())
        .then(|| attempt.parse())
        .transpose()
        .map_err(|_| StoreError::Corrupt(format!("a job of {payment} is for {attempt:?}")))?;
    Ok(JobKey {
        kind,
        payment,
        attempt,
    })
}

/// So many fences that were never held in this database: a row that goes and
/// comes again does not begin anew.
pub(super) fn fences(db: &Connection, count: usize) -> Result<Range<i64>, StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let sql = "UPDATE fence SET last = last + ? RETURNING last + 1";
    let end = statement::first(db, sql, params![count], column::int)?;
    let end = end.ok_or_else(|| StoreError::Corrupt("the fence's row is gone".to_owned()))?;
    Ok(end - count..end)
}
