//! `(refund, report, now) → (refund', effects)`.

use std::time::Duration;

use super::{Refund, RefundOutcome, RefundReport, RefundState};
use crate::schedule::{
    HINT_INTERVAL, NOT_FOUND_GRACE, REFUND_WAITS, late_look, late_retry, refund_gap,
    refund_retry_gap, start_gap,
};
use crate::webhook::EventType;
use crate::{Failure, Grade, Source, Timestamp};

/// A channel that has just refused is asked what it knows after this breath.
const BREATH: Duration = Duration::from_secs(1);

/// No refund is put off for so long: one from further ahead was written by a
/// clock that was set back since.
const LONGEST_QUEUE: Duration = Duration::from_hours(2);

/// A refund from the future is taken to be this old: past every grace, and
/// asked about every few minutes.
const AGE_UNKNOWN: Duration = Duration::from_mins(10);

/// What the world is to be asked or told because of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundEffect {
    /// Ask the channel to pay back, under the refund's own number.
    Start {
        /// Not before.
        after: Duration,
    },
    /// Ask the channel what has become of it.
    Query {
        /// Not before.
        after: Duration,
    },
    /// Tell the merchant of its end.
    Tell(EventType),
    /// The payer's account cannot take the money: a person must see it.
    OpenCase,
    /// The channel has not taken it for long, and the failure says why: a person
    /// can help.
    Waits,
}

/// The refund's next state, and what must follow in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundStep {
    /// As it is from now on.
    pub refund: Refund,
    /// What must follow.
    pub effects: Vec<RefundEffect>,
    /// The refund differs from what it was, or the timeline must remember what
    /// came.
    pub changed: bool,
}

impl Refund {
    /// What becomes of it. A report of a grade below `trust` may ask a query,
    /// and nothing else.
    pub fn on(self, report: &RefundReport, now: Timestamp, trust: Grade) -> RefundStep {
        let mut draft = Draft {
            step: RefundStep {
                refund: self,
                effects: Vec::new(),
                changed: false,
            },
            source: report.source,
            now,
        };
        if report.grade < trust {
            draft.proves_too_little();
        } else {
            draft.proven(&report.outcome);
        }
        draft.step
    }
}

/// A decision while it is being made.
struct Draft {
    step: RefundStep,
    source: Source,
    now: Timestamp,
}

impl Draft {
    fn proven(&mut self, outcome: &RefundOutcome) {
        match outcome {
            RefundOutcome::Processing { refund_no } => self.processing(refund_no),
            RefundOutcome::Succeeded { refund_no } => self.succeeded(refund_no),
            RefundOutcome::Abnormal { refund_no } => self.abnormal(refund_no),
            RefundOutcome::Closed { refund_no } => self.closed(refund_no),
            RefundOutcome::Refused { failure } => self.refused(failure),
            RefundOutcome::NotYet { failure } => self.not_yet(failure),
            RefundOutcome::NotFound => self.not_found(),
            RefundOutcome::Unknown { .. } => self.unknown(),
        }
    }

    fn processing(&mut self, refund_no: &str) {
        match self.step.refund.state {
            RefundState::Unknown => self.stands(RefundState::Processing, refund_no),
            RefundState::Closed if self.step.refund.refused => {
                self.stands(RefundState::Processing, refund_no);
            }
            RefundState::Processing | RefundState::Abnormal => self.ask_again(),
            RefundState::Succeeded | RefundState::Closed => self.contradicted(),
        }
    }

    fn abnormal(&mut self, refund_no: &str) {
        match self.step.refund.state {
            RefundState::Unknown | RefundState::Processing => self.turns_abnormal(refund_no),
            RefundState::Closed if self.step.refund.refused => self.turns_abnormal(refund_no),
            RefundState::Abnormal => self.ask_again(),
            RefundState::Succeeded | RefundState::Closed => self.contradicted(),
        }
    }

    fn turns_abnormal(&mut self, refund_no: &str) {
        self.stands(RefundState::Abnormal, refund_no);
        self.step.refund.failure = Some(Failure {
            code: "payer_account_abnormal".into(),
            detail: "the payer's account cannot take the money; choose another way on the \
                     platform's pages, or pay the payer yourself and resolve the case"
                .into(),
            platform_code: None,
        });
        self.step.effects.push(RefundEffect::OpenCase);
    }

    /// The platform has it, and has not done with it.
    fn stands(&mut self, state: RefundState, refund_no: &str) {
        let refund = &mut self.step.refund;
        refund.state = state;
        refund.refund_no = Some(refund_no.to_owned());
        refund.failure = None;
        refund.refused = false;
        refund.ended_at = None;
        self.step.changed = true;
        self.ask_again();
    }

    fn succeeded(&mut self, refund_no: &str) {
        match self.step.refund.state {
            RefundState::Succeeded => {}
            // Also out of an end leads the platform's word that the money has gone.
            RefundState::Unknown
            | RefundState::Processing
            | RefundState::Abnormal
            | RefundState::Closed => {
                self.ends(RefundState::Succeeded, None);
                self.step.refund.refund_no = Some(refund_no.to_owned());
                self.tell(EventType::RefundSucceeded);
            }
        }
    }

    fn closed(&mut self, refund_no: &str) {
        match self.step.refund.state {
            RefundState::Unknown | RefundState::Processing | RefundState::Abnormal => {
                let failure = Failure {
                    code: "closed_by_platform".into(),
                    detail: "the platform gave the refund up and the merchant keeps the money; \
                             a new refund needs a new number"
                        .into(),
                    platform_code: None,
                };
                self.ends(RefundState::Closed, Some(failure));
                self.step.refund.refund_no = Some(refund_no.to_owned());
                self.step.refund.refused = false;
                self.tell(EventType::RefundFailed);
            }
            RefundState::Closed if self.step.refund.refused => {
                self.step.refund.refused = false;
                self.step.refund.refund_no = Some(refund_no.to_owned());
                self.step.changed = true;
            }
            RefundState::Closed => {}
            RefundState::Succeeded => self.contradicted(),
        }
    }

    fn ends(&mut self, state: RefundState, failure: Option<Failure>) {
        let refund = &mut self.step.refund;
        refund.state = state;
        refund.failure = failure;
        refund.ended_at = Some(self.now);
        self.step.changed = true;
    }

    fn tell(&mut self, kind: EventType) {
        self.step.effects.push(RefundEffect::Tell(kind));
    }

    /// The request was refused. An earlier one may have been taken, and its
    /// answer lost with the process that waited for it: a query decides.
    fn refused(&mut self, failure: &Failure) {
        match self.step.refund.state {
            RefundState::Unknown => {
                self.says(failure);
                self.step.changed |= !self.step.refund.refused;
                self.step.refund.refused = true;
                self.query(BREATH);
            }
            RefundState::Processing | RefundState::Abnormal => self.ask_again(),
            RefundState::Succeeded => {}
            RefundState::Closed => self.look_later(),
        }
    }

    /// It keeps its number and its money, and says what it waits for.
    fn not_yet(&mut self, failure: &Failure) {
        match self.step.refund.state {
            RefundState::Unknown if !self.step.refund.refused => {
                self.says(failure);
                self.start(refund_retry_gap(self.age()));
                if self.age() >= REFUND_WAITS {
                    self.step.effects.push(RefundEffect::Waits);
                }
            }
            RefundState::Unknown | RefundState::Processing | RefundState::Abnormal => {
                self.ask_again();
            }
            RefundState::Succeeded => {}
            RefundState::Closed => self.look_later(),
        }
    }

    fn says(&mut self, failure: &Failure) {
        if self.step.refund.failure.as_ref() != Some(failure) {
            self.step.refund.failure = Some(failure.clone());
            self.step.changed = true;
        }
    }

    fn not_found(&mut self) {
        let age = self.age();
        match self.step.refund.state {
            RefundState::Unknown if !self.step.refund.refused => self.start(start_gap(age)),
            RefundState::Unknown if age < NOT_FOUND_GRACE => self.ask_again(),
            // Refused, and unknown to the platform when every request must have
            // arrived: no money has gone, and none will.
            RefundState::Unknown => {
                let failure = self.step.refund.failure.take();
                self.ends(RefundState::Closed, failure);
                self.look_later();
                self.tell(EventType::RefundFailed);
            }
            RefundState::Processing | RefundState::Abnormal => self.ask_again(),
            RefundState::Succeeded => {}
            RefundState::Closed => self.look_later(),
        }
    }

    /// Silence is not failure: ask, and leave the question open.
    fn unknown(&mut self) {
        self.step.changed |= self.source == Source::Answer;
        match self.step.refund.state {
            RefundState::Unknown | RefundState::Processing | RefundState::Abnormal => {
                self.ask_again();
            }
            RefundState::Closed if self.step.refund.refused => {
                self.look_later();
                let ended_at = self.step.refund.ended_at.unwrap_or(self.now);
                self.query(late_retry(ended_at, self.now));
            }
            RefundState::Closed | RefundState::Succeeded => {}
        }
    }

    /// An answer to our own call is as good as none; anything else is a hint.
    fn proves_too_little(&mut self) {
        match self.source {
            Source::Answer | Source::Query | Source::Close | Source::Reverse => self.unknown(),
            Source::Notification | Source::Bill | Source::Operator => self.hint(),
        }
    }

    /// At most one query a minute, however many messages come.
    fn hint(&mut self) {
        let (refund, now) = (&mut self.step.refund, self.now);
        let may_change = refund.state.is_open() || refund.refused;
        if !may_change {
            return;
        }
        let at = match refund.hinted_at {
            Some(planned) if planned > now && planned <= now + HINT_INTERVAL => return,
            Some(last) if last <= now => now.max(last + HINT_INTERVAL),
            // Never, or by a clock that was set back since.
            Some(_) | None => now,
        };
        refund.hinted_at = Some(at);
        self.step.changed = true;
        self.query(at.since(now));
    }

    /// What was said cannot be. It is kept, and changes nothing.
    fn contradicted(&mut self) {
        self.step.changed = true;
    }

    fn ask_again(&mut self) {
        self.query(refund_gap(self.age()));
    }

    /// One that was refused is looked at again: the refusal may have been of a
    /// repetition.
    fn look_later(&mut self) {
        if !self.step.refund.refused {
            return;
        }
        let ended_at = self.step.refund.ended_at.unwrap_or(self.now);
        // A clock that was set back by much: watched from now on.
        let ended_at = ended_at.min(self.now);
        if let Some(wait) = late_look(ended_at, self.now) {
            self.query(wait);
        }
    }

    /// A query that a hint asked for stays asked for.
    fn query(&mut self, wait: Duration) {
        let hinted = self.step.refund.hinted_at.map(|at| at.since(self.now));
        let hinted = hinted.filter(|wait| !wait.is_zero() && *wait <= HINT_INTERVAL);
        let wait = hinted.map_or(wait, |hint| hint.min(wait));
        for effect in &mut self.step.effects {
            if let RefundEffect::Query { after } = effect {
                *after = wait.min(*after);
                return;
            }
        }
        self.step.effects.push(RefundEffect::Query { after: wait });
    }

    fn start(&mut self, wait: Duration) {
        let after = wait.max(self.queue());
        self.step.effects.push(RefundEffect::Start { after });
    }

    /// How long it has to wait for its turn.
    fn queue(&self) -> Duration {
        let wait = self.step.refund.starts_at.since(self.now);
        if wait > LONGEST_QUEUE {
            Duration::ZERO
        } else {
            wait
        }
    }

    /// How long it may have been known to the platform.
    fn age(&self) -> Duration {
        if self.step.refund.starts_at.since(self.now) > LONGEST_QUEUE {
            AGE_UNKNOWN
        } else {
            self.now.since(self.step.refund.starts_at)
        }
    }
}
