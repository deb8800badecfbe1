//! What a payer was given may end sooner than the order behind it: a link into the
//! wallet lives for minutes. The same order again, under the same number, brings
//! another one.

use tongbao_core::{Event, Outcome};

use crate::commit::Also;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::job::Ask;
use crate::start::StartedAttempt;

impl Engine {
    /// The same attempt with something that the payer can use. Where the channel
    /// gives nothing new, the attempt stands as it stood.
    pub(crate) async fn renewed(
        &self,
        found: StartedAttempt,
    ) -> Result<StartedAttempt, EngineError> {
        let now = self.now();
        let attempt = found.payment.attempt(found.attempt).filter(|attempt| {
            let stale = attempt.action.as_ref().map(|action| action.is_stale(now));
            attempt.state.is_open() && stale == Some(true)
        });
        let Some(attempt) = attempt else {
            return Ok(found);
        };
        let Some(open) = self.open_if_sound(attempt.channel).await? else {
            return Ok(found);
        };
        let mut report = self
            .ask(&open, &found.payment, attempt, Ask::Start, None)
            .await;
        // What is refused is the repetition. The order is asked about as before.
        if let Outcome::Refused { failure } = report.outcome {
            report.outcome = Outcome::Unknown {
                why: failure.detail,
                ask_now: false,
            };
        }
        let event = Event::Reported {
            report: Box::new(report),
        };
        let decided = self
            .decide(found.payment, event, open.rules(), Also::default())
            .await?;
        Ok(StartedAttempt {
            payment: decided.payment,
            ..found
        })
    }
}
