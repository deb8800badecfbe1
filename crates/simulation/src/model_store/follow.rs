//! The model beside another database: it does what that one did, and says where
//! it would have done something else.

use std::time::Duration;

use tongbao_core::job::NEVER;
use tongbao_core::webhook::DeliveryState;
use tongbao_core::{ChannelId, Job, Timestamp};
use tongbao_store::{Change, DeliveryClaim, DeliveryResult, StoreError};

use super::tables::Tables;
use super::{Witness, witnessed};
use crate::invariants::{Verdict, ensure};

impl Tables {
    /// The other one wrote the change, and answered these claims.
    pub fn follow_commit(
        &mut self,
        change: Change,
        claimed: &[Job],
        witness: &dyn Witness,
    ) -> Verdict {
        let ours = witnessed(self, change, witness, Some(claimed))
            .map_err(|error| format!("a change was written that is refused here: {error}"))?;
        ensure(ours == claimed, || {
            format!("{claimed:?} were claimed, and here {ours:?}")
        })
    }

    /// Fences only have to rise, and each database has its own.
    pub(super) fn adopt_fences(&mut self, ours: &mut [Job], theirs: &[Job]) {
        for (our, their) in ours.iter_mut().zip(theirs) {
            if let Some(row) = self.jobs.get_mut(&our.key) {
                row.fence = their.fence;
            }
            our.fence = their.fence;
        }
    }

    /// The other one laid the job aside.
    pub fn follow_lay_aside(&mut self, job: Job, until: Option<Timestamp>) -> Verdict {
        self.lay_aside(job, until.unwrap_or(NEVER))
            .map_err(|error| format!("{job:?} was laid aside, and here: {error}"))
    }

    /// The other one took up what was laid aside.
    pub fn follow_take_up(&mut self, channel: ChannelId, now: Timestamp, count: usize) -> Verdict {
        let ours = self.take_up(channel, now);
        ensure(ours == count, || {
            format!("{count} jobs were taken up, and here {ours}")
        })
    }

    /// The other one brought forward what a clock that was set back had put off.
    pub fn follow_bring_forward(&mut self, by: Duration, now: Timestamp, count: usize) -> Verdict {
        let ours = self.bring_forward(by, now);
        ensure(ours == count, || {
            format!("{count} rows were brought forward, and here {ours}")
        })
    }

    /// The other one refused the change.
    pub fn follow_refusal(&self, change: &Change, refusal: &StoreError) -> Verdict {
        let by_rule = matches!(
            refusal,
            StoreError::Conflict
                | StoreError::Taken(_)
                | StoreError::Fenced
                | StoreError::AboveLimit
        );
        ensure(!by_rule || self.check(change).is_err(), || {
            format!("a change was refused that is written here: {refusal}")
        })
    }

    /// The other one leased these jobs.
    pub fn follow_jobs(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        claimed: &[Job],
        witness: &dyn Witness,
    ) -> Verdict {
        witness.claimed(claimed);
        for job in claimed {
            let row = self.jobs.get_mut(&job.key);
            let row = row.ok_or_else(|| format!("{job:?} was claimed, and is not there"))?;
            let free = row.due <= now && row.lease_until.is_none_or(|until| until <= now);
            ensure(free && row.asked == job.asked, || {
                format!("{job:?} was claimed at {now}, and is {row:?}")
            })?;
            row.due = lease_until;
            row.lease_until = Some(lease_until);
            row.fence = job.fence;
        }
        Ok(())
    }

    /// The other one leased these deliveries.
    pub fn follow_deliveries(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        claims: &[DeliveryClaim],
    ) -> Verdict {
        for claim in claims {
            let (event, endpoint) = (claim.event.id, claim.endpoint.id);
            let row = self.deliveries.get_mut(&(event, endpoint));
            let row = row.ok_or_else(|| format!("{event} was claimed, and is not there"))?;
            let held = row.lease_until.is_some_and(|until| until > now);
            let due = row.state == DeliveryState::Pending && row.due <= now && !held;
            ensure(due && row.tries == claim.tries, || {
                format!("{event} was claimed at {now}, and is {row:?}")
            })?;
            ensure(self.events.get(&event) == Some(&claim.event), || {
                format!("{event} is told in other words than it was written in")
            })?;
            row.lease_until = Some(lease_until);
            row.fence = claim.fence;
        }
        Ok(())
    }

    /// The other one wrote down what came of a delivery.
    pub fn follow_delivery(&mut self, result: DeliveryResult) -> Verdict {
        self.record_delivery(result)
            .map_err(|error| format!("a try was recorded that is refused here: {error}"))
    }
}
