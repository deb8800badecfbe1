//! What is to be done, and who does it.

use std::time::Duration;

use tongbao_core::job::{JobKey, JobKind, NEVER, NewJob};
use tongbao_core::{ChannelId, Job, Timestamp};
use tongbao_store::StoreError;

use super::{JobRow, Tables};

/// A lease that ends before a slow platform has answered.
const SHORT_LEASE: Duration = Duration::from_secs(3);

/// No job is free for longer than this without being looked for.
const OVERDUE: Duration = Duration::from_mins(1);

impl Tables {
    pub(super) fn ask(&mut self, job: NewJob, now: Option<Timestamp>) -> Option<Job> {
        // One that nobody has claimed, and that is due earlier, is what is asked for.
        let waits = |row: &JobRow| row.lease_until.is_none() && row.due <= job.due;
        if job.lease_until.is_none() && self.jobs.get(&job.key).is_some_and(waits) {
            return None;
        }
        let lease = job
            .lease_until
            .map(|until| self.lease(now.unwrap_or(job.due), until));
        let row = self.jobs.entry(job.key).or_insert(JobRow {
            merchant: job.merchant,
            due: job.due,
            lease_until: None,
            asked: 0,
            fence: 0,
        });
        row.asked += 1;
        // What is claimed is due when its lease ends, until it is asked for again.
        row.due = row.due.min(job.due);
        let lease = lease?;
        let now = now.unwrap_or(job.due);
        if row.lease_until.is_some_and(|until| until > now) {
            return None;
        }
        row.due = lease;
        row.lease_until = Some(lease);
        row.fence += 1;
        Some(Job {
            key: job.key,
            merchant: job.merchant,
            asked: row.asked,
            fence: row.fence,
        })
    }

    pub(crate) fn claim_jobs(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Vec<Job> {
        let lease_until = self.lease(now, lease_until);
        let free =
            |row: &JobRow| row.due <= now && row.lease_until.is_none_or(|until| until <= now);
        let mut due: Vec<_> = self
            .jobs
            .iter()
            .filter(|(_, row)| free(row))
            .map(|(key, row)| (row.due, *key))
            .collect();
        due.sort();
        due.truncate(limit);
        due.into_iter()
            .filter_map(|(_, key)| {
                let row = self.jobs.get_mut(&key)?;
                row.due = lease_until;
                row.lease_until = Some(lease_until);
                row.fence += 1;
                Some(Job {
                    key,
                    merchant: row.merchant,
                    asked: row.asked,
                    fence: row.fence,
                })
            })
            .collect()
    }

    fn lease(&self, now: Timestamp, until: Timestamp) -> Timestamp {
        if self.leases_are_short {
            until.min(now + SHORT_LEASE)
        } else {
            until
        }
    }

    pub(super) fn finish(&mut self, job: Job) {
        if let Some(row) = self.jobs.get_mut(&job.key) {
            if row.asked == job.asked {
                self.jobs.remove(&job.key);
            } else {
                row.lease_until = None;
            }
        }
    }

    pub(crate) fn lay_aside(&mut self, job: Job, until: Timestamp) -> Result<(), StoreError> {
        let row = self.jobs.get_mut(&job.key);
        let row = row.filter(|row| row.fence == job.fence);
        let row = row.ok_or(StoreError::Fenced)?;
        row.lease_until = None;
        if row.asked == job.asked {
            row.due = until;
        }
        Ok(())
    }

    pub(crate) fn take_up(&mut self, channel: ChannelId, now: Timestamp) -> usize {
        let mut taken = 0;
        for (key, row) in self.jobs.iter_mut().filter(|(_, row)| row.due >= NEVER) {
            let payment = self.payments.get(&key.payment);
            let attempt = payment.and_then(|payment| payment.attempt_of(key.subject));
            if attempt.is_some_and(|attempt| attempt.channel == channel) {
                row.due = now;
                taken += 1;
            }
        }
        taken
    }

    /// A job that has been free for too long.
    pub(crate) fn overdue(&self, now: Timestamp) -> Option<(JobKey, Timestamp)> {
        let free_since = |row: &JobRow| row.lease_until.map_or(row.due, |until| until.max(row.due));
        let rows = self.jobs.iter().map(|(key, row)| (*key, free_since(row)));
        rows.into_iter().find(|(_, since)| *since + OVERDUE < now)
    }

    /// The mistake of looking for queries ten minutes late.
    pub(crate) fn next_query_late(&mut self) -> Option<Timestamp> {
        let wait = Duration::from_mins(10);
        let queries = |key: &JobKey| key.kind == JobKind::Query;
        let hidden = self.jobs.extract_if(.., |key, _| queries(key));
        let hidden: Vec<_> = hidden.collect();
        let first = hidden.iter().map(|(_, row)| row.due + wait).min();
        let due = self.next_due();
        self.jobs.extend(hidden);
        due.into_iter().chain(first).min()
    }
}
