//! The model of the database beside the database: it does what that did, and
//! says where it would not have.

use tongbao_simulation::invariants::Verdict;
use tongbao_simulation::model_store::{Tables, Witness};
use tongbao_store::StoreError;

use crate::command::{Command, Done};

/// Does to the model what the database did.
pub(super) fn follow(
    tables: &mut Tables,
    command: &Command,
    answer: &Result<Done, StoreError>,
    witness: &dyn Witness,
) -> Verdict {
    match (command, answer) {
        (Command::Commit(change), Ok(Done::Jobs(claimed))) => {
            tables.follow_commit((**change).clone(), claimed, witness)
        }
        (Command::Commit(change), Err(refusal)) => tables.follow_refusal(change, refusal),
        (
            Command::ClaimJobs {
                now, lease_until, ..
            },
            Ok(Done::Jobs(claimed)),
        ) => tables.follow_jobs(*now, *lease_until, claimed, witness),
        (Command::LayAside(job, until), Ok(_)) => tables.follow_lay_aside(*job, *until),
        (Command::TakeUp(channel, now), Ok(Done::Count(count))) => {
            tables.follow_take_up(*channel, *now, *count)
        }
        (Command::BringForward(by, now), Ok(Done::Count(count))) => {
            tables.follow_bring_forward(*by, *now, *count)
        }
        (
            Command::ClaimDeliveries {
                now, lease_until, ..
            },
            Ok(Done::Deliveries(claims)),
        ) => tables.follow_deliveries(*now, *lease_until, claims),
        (Command::RecordDelivery(result), Ok(_)) => tables.follow_delivery((**result).clone()),
        // Refused, or of no interest to any invariant.
        _ => Ok(()),
    }
}
