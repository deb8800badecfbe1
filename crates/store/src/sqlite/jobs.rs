//! What the world is still to be asked.

use std::ops::Range;

use rusqlite::{Connection, params};
use tongbao_core::job::{JobKey, NEVER, NewJob, Subject};
use tongbao_core::{ChannelId, Job, JobKind, MerchantId, PaymentId, Timestamp};

use super::column::{self, Columns, IdText};
use super::heads::Heads;
use super::statement;
use crate::StoreError;
use crate::snapshot::JobRow;

/// A job's key as it stands in its row.
#[derive(Clone, Copy)]
struct KeyText {
    merchant: IdText,
    payment: IdText,
    kind: &'static str,
    subject: IdText,
}

impl KeyText {
    fn of(merchant: MerchantId, key: JobKey) -> Self {
        Self {
            merchant: IdText::of(merchant),
            payment: IdText::of(key.payment),
            kind: key.kind.as_str(),
            subject: match key.subject {
                Subject::Payment => IdText::NONE,
                Subject::Attempt(id) => IdText::of(id),
                Subject::Refund(id) => IdText::of(id),
            },
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
    pub(super) fn finish(&self, db: &Connection, heads: &mut Heads) -> Result<(), StoreError> {
        let KeyText {
            merchant,
            payment,
            kind,
            subject,
        } = &self.key;
        let Some(head) = heads.find(db, merchant, payment)? else {
            return Err(StoreError::Fenced);
        };
        let delete = "DELETE FROM jobs \
                      WHERE payment_key = ? AND kind = ? AND subject_id = ? \
                      AND fence = ? AND asked = ?";
        let (fence, asked) = (self.job.fence, self.job.asked);
        let row = params![head.key, kind, subject, fence, asked];
        if statement::run(db, delete, row)? > 0 {
            return Ok(());
        }
        let release = "UPDATE jobs SET lease_until = NULL \
                       WHERE payment_key = ? AND kind = ? AND subject_id = ? AND fence = ?";
        match statement::run(db, release, params![head.key, kind, subject, fence])? {
            0 => Err(StoreError::Fenced),
            _ => Ok(()),
        }
    }
}

impl JobText {
    /// Not due before `until`; when it was asked for again since the claim, takes
    /// the lease off and nothing else.
    pub(super) fn lay_aside(&self, db: &Connection, until: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE jobs SET due = iif(asked = ?1, ?2, due), lease_until = NULL \
                   WHERE payment_key = (SELECT payments.key FROM payments \
                                        JOIN merchants ON merchants.key = merchant_key \
                                        WHERE payments.id = ?3 AND merchants.id = ?4) \
                   AND kind = ?5 AND subject_id = ?6 AND fence = ?7";
        let KeyText {
            merchant,
            payment,
            kind,
            subject,
        } = &self.key;
        let (asked, fence) = (self.job.asked, self.job.fence);
        let until = until.as_millis();
        let row = params![asked, until, payment, merchant, kind, subject, fence];
        match statement::run(db, sql, row)? {
            0 => Err(StoreError::Fenced),
            _ => Ok(()),
        }
    }
}

/// What was laid aside without a time is due now, where the attempt is over this
/// channel.
pub(super) fn take_up(
    db: &Connection,
    channel: ChannelId,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let sql = "UPDATE jobs SET due = ?1 WHERE ready_at >= ?2 AND EXISTS \
               (SELECT 1 FROM attempts WHERE attempts.key BETWEEN jobs.payment_key * 32 \
                AND jobs.payment_key * 32 + 31 AND attempts.id = jobs.subject_id \
                AND channel_key = (SELECT key FROM channels WHERE id = ?3) \
                UNION ALL SELECT 1 FROM refunds WHERE refunds.key BETWEEN \
                jobs.payment_key * 128 AND jobs.payment_key * 128 + 127 \
                AND refunds.id = jobs.subject_id \
                AND channel_key = (SELECT key FROM channels WHERE id = ?3))";
    let row = params![now.as_millis(), NEVER.as_millis(), IdText::of(channel)];
    statement::run(db, sql, row)
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

    /// One that nobody has claimed, and that is due earlier, is what is asked
    /// for: nothing is written.
    fn bring_forward(&self, db: &Connection, payment: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO jobs (payment_key, kind, subject_id, due, asked, fence) \
                   VALUES (?, ?, ?, ?, 1, 0) \
                   ON CONFLICT DO UPDATE SET asked = asked + 1, due = min(due, excluded.due) \
                   WHERE lease_until IS NOT NULL OR due > excluded.due";
        let row = params![
            payment,
            self.key.kind,
            self.key.subject,
            self.job.due.as_millis()
        ];
        statement::run(db, sql, row).map(|_| ())
    }

    /// The claim, unless another holds the job.
    fn claim(
        &self,
        db: &Connection,
        payment: i64,
        lease_until: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        let sql = "INSERT INTO jobs \
                   (payment_key, kind, subject_id, due, lease_until, asked, fence) \
                   VALUES (?1, ?2, ?3, ?5, ?5, 1, ?6) \
                   ON CONFLICT DO UPDATE SET asked = asked + 1, \
                   due = iif(lease_until > ?7, min(due, ?4), excluded.due), \
                   fence = iif(lease_until > ?7, fence, excluded.fence), \
                   lease_until = iif(lease_until > ?7, lease_until, excluded.lease_until) \
                   RETURNING asked, fence";
        let fence = fences(db, 1)?.start;
        let row = params![
            payment,
            self.key.kind,
            self.key.subject,
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
pub(super) fn ask(
    db: &Connection,
    jobs: &[Asked],
    heads: &mut Heads,
) -> Result<Vec<Job>, StoreError> {
    let mut claimed = Vec::new();
    for asked in jobs {
        let KeyText {
            merchant, payment, ..
        } = &asked.key;
        let payment = heads.referred(db, merchant, payment)?.key;
        match asked.job.lease_until {
            Some(lease_until) => claimed.extend(asked.claim(db, payment, lease_until)?),
            None => asked.bring_forward(db, payment)?,
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
    let sql = "SELECT payment_key, kind, subject_id, asked, merchants.id, payments.id \
               FROM jobs JOIN payments ON payments.key = payment_key \
               JOIN merchants ON merchants.key = merchant_key \
               WHERE ready_at <= ? ORDER BY ready_at LIMIT ?";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ready = statement::all(db, sql, params![now.as_millis(), limit], Ready::read)?;
    let fences = fences(db, ready.len())?;
    let lease = "UPDATE jobs SET due = ?1, lease_until = ?1, fence = ?2 \
                 WHERE payment_key = ?3 AND kind = ?4 AND subject_id = ?5";
    let mut claimed = Vec::with_capacity(ready.len());
    for (ready, fence) in ready.into_iter().zip(fences) {
        match ready.job(fence) {
            Ok(job) => {
                let (payment, kind, subject) = (ready.payment, &ready.kind, &ready.subject);
                let row = params![lease_until.as_millis(), fence, payment, kind, subject];
                statement::run(db, lease, row)?;
                claimed.push(job);
            }
            Err(error) => ready.park(db, &error)?,
        }
    }
    Ok(claimed)
}

/// What is still to be asked of one payment.
pub(super) fn of_payment(
    db: &Connection,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<JobRow>, StoreError> {
    let sql = "SELECT kind, subject_id, due, lease_until FROM jobs \
               WHERE payment_key = (SELECT payments.key FROM payments \
                                    JOIN merchants ON merchants.key = merchant_key \
                                    WHERE payments.id = ? AND merchants.id = ?)";
    let key = params![IdText::of(payment), IdText::of(merchant)];
    statement::all(db, sql, key, |row| {
        let kind = row.word(JobKind::parse)?;
        let subject = Subject::parse(row.str()?);
        let key = JobKey {
            kind,
            payment,
            subject: subject
                .ok_or_else(|| StoreError::Corrupt(format!("a job of {payment} is for nothing")))?,
        };
        Ok(JobRow {
            key,
            due: row.time()?,
            lease_until: row.opt_time()?,
        })
    })
}

/// A job that can be claimed, as its row has it.
struct Ready {
    payment: i64,
    kind: String,
    subject: String,
    asked: i64,
    merchant_id: String,
    payment_id: String,
}

impl Ready {
    fn read(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            payment: row.int()?,
            kind: row.text()?,
            subject: row.text()?,
            asked: row.int()?,
            merchant_id: row.text()?,
            payment_id: row.text()?,
        })
    }

    fn job(&self, fence: i64) -> Result<Job, StoreError> {
        let unreadable = |what, text: &str| StoreError::Corrupt(format!("{what} is {text:?}"));
        let subject = &self.subject;
        let (merchant, payment) = (&self.merchant_id, &self.payment_id);
        Ok(Job {
            key: JobKey {
                kind: JobKind::parse(&self.kind).ok_or_else(|| unreadable("kind", &self.kind))?,
                payment: payment
                    .parse()
                    .map_err(|_| unreadable("payment", payment))?,
                subject: Subject::parse(subject)
                    .ok_or_else(|| unreadable("subject_id", subject))?,
            },
            merchant: merchant
                .parse()
                .map_err(|_| unreadable("merchant", merchant))?,
            asked: self.asked,
            fence,
        })
    }

    /// One that cannot be read stands in no other one's way: it waits for
    /// somebody to look at it.
    fn park(&self, db: &Connection, error: &StoreError) -> Result<(), StoreError> {
        let (payment, kind, subject) = (&self.payment_id, &self.kind, &self.subject);
        tracing::error!(%payment, kind, subject, %error, "a job cannot be read and is never run");
        let sql = "UPDATE jobs SET due = ?, lease_until = NULL \
                   WHERE payment_key = ? AND kind = ? AND subject_id = ?";
        let row = params![NEVER.as_millis(), self.payment, kind, subject];
        statement::run(db, sql, row).map(|_| ())
    }
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
