//! One payment with a clock and its job rows: what engine and store make of
//! steps, without either.

use std::collections::BTreeMap;
use std::time::Duration;

use super::step_rules::judged;
use super::words::new_payment;
use crate::case::{Raised, Remedy};
use crate::job::Subject;
use crate::webhook::{EventType, spread};
use crate::{
    AttemptId, AttemptState, Effect, Event, Grade, JobKind, Outcome, Payment, Report, Rules,
    Source, State, Step, Timestamp,
};

/// A call to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Start(AttemptId),
    Query(AttemptId),
    Close(AttemptId),
    Reverse(AttemptId),
}

pub(super) type JobRow = (JobKind, Subject);

pub(super) struct World {
    pub(super) payment: Payment,
    pub(super) now: Timestamp,
    pub(super) rules: Rules,
    /// One row for a kind and an attempt; asked for again it only comes forward.
    pub(super) jobs: BTreeMap<JobRow, Timestamp>,
    /// What the timeline remembers.
    pub(super) log: Vec<(Event, Timestamp)>,
    pub(super) calls: Vec<(Timestamp, Call)>,
    pub(super) told: Vec<(EventType, i64)>,
    /// The clock was never set back: what lies ahead was planned.
    pub(super) steady: bool,
    /// None: exact times.
    jitter: Option<u64>,
}

impl World {
    pub(super) fn new(rules: Rules, jitter: Option<u64>) -> Self {
        let payment = new_payment();
        Self {
            now: payment.created_at,
            rules,
            jobs: BTreeMap::from([((JobKind::Expire, Subject::Payment), payment.expires_at)]),
            log: Vec::new(),
            calls: Vec::new(),
            told: Vec::new(),
            steady: true,
            jitter,
            payment,
        }
    }

    /// `None` when it was refused.
    pub(super) fn happens(&mut self, event: Event) -> Option<Step> {
        let step = judged(&self.payment, &event, self.now, self.rules)?;
        self.payment = step.payment.clone();
        if step.changed {
            self.log.push((event, self.now));
        }
        for effect in &step.effects {
            self.follow(effect);
        }
        self.nothing_is_forgotten();
        Some(step)
    }

    fn follow(&mut self, effect: &Effect) {
        let (row, after) = match effect {
            Effect::Start { attempt, after } => {
                ((JobKind::Start, Subject::Attempt(*attempt)), *after)
            }
            Effect::Query { attempt, after } => {
                ((JobKind::Query, Subject::Attempt(*attempt)), *after)
            }
            Effect::Close { attempt } => {
                ((JobKind::Close, Subject::Attempt(*attempt)), Duration::ZERO)
            }
            Effect::Reverse { attempt, after } => {
                ((JobKind::Reverse, Subject::Attempt(*attempt)), *after)
            }
            Effect::Expire => {
                self.jobs
                    .insert((JobKind::Expire, Subject::Payment), self.payment.expires_at);
                return;
            }
            Effect::Tell(kind) => {
                self.told.push((*kind, self.payment.version));
                return;
            }
            Effect::StartRefund { .. } | Effect::QueryRefund { .. } | Effect::TellRefund { .. } => {
                panic!("these worlds have no refunds: {effect:?}")
            }
            Effect::OpenCase {
                attempt, remedy, ..
            } => {
                self.told
                    .push((EventType::CaseOpened, self.payment.version));
                if *remedy == Remedy::Review {
                    return;
                }
                ((JobKind::Case, Subject::Attempt(*attempt)), Duration::ZERO)
            }
            Effect::MoveCase { tell, .. } => {
                let version = self.payment.version;
                self.told.extend(tell.map(|kind| (kind, version)));
                return;
            }
            Effect::SeeToCases { attempt } => {
                ((JobKind::Case, Subject::Attempt(*attempt)), Duration::ZERO)
            }
        };
        let after = match &mut self.jitter {
            Some(jitter) if after > Duration::from_secs(1) => {
                *jitter = jitter
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                spread(after, *jitter >> 16)
            }
            _ => after,
        };
        let due = self.now + after;
        let row = self.jobs.entry(row).or_insert(due);
        *row = due.min(*row);
    }

    /// The row that is due first.
    pub(super) fn next(&self) -> Option<(JobRow, Timestamp)> {
        let first = self.jobs.iter().min_by_key(|(_, due)| **due)?;
        Some((*first.0, *first.1))
    }

    /// Runs the job that is due first, when it is due. False when there is none.
    pub(super) fn run_next(&mut self, answer: impl FnOnce(Call) -> (Grade, Outcome)) -> bool {
        let Some((row, due)) = self.next() else {
            return false;
        };
        self.now = self.now.max(due);
        self.jobs.remove(&row);
        match self.call_of(row) {
            Ok(call) => {
                self.calls.push((self.now, call));
                let (grade, outcome) = answer(call);
                self.happens(answered(call, grade, outcome))
                    .expect("it is of an attempt of ours");
            }
            Err(event) => {
                if let Some(event) = event {
                    self.happens(event);
                }
                self.nothing_is_forgotten();
            }
        }
        true
    }

    /// What the row comes to by now, as the engine has it.
    fn call_of(&self, (kind, subject): JobRow) -> Result<Call, Option<Event>> {
        let Subject::Attempt(attempt) = subject else {
            return Err(Some(Event::Expired));
        };
        let attempt = self.payment.attempt(attempt).expect("it is ours");
        let takes_money = matches!(self.payment.state, State::Created | State::Pending);
        let at_a_till = attempt.is_reversed_not_closed();
        match kind {
            JobKind::Start if !attempt.state.is_open() => Err(None),
            // The code was in the hand of the process that wrote the attempt down.
            JobKind::Start if at_a_till && self.now != attempt.created_at => {
                Ok(Call::Query(attempt.id))
            }
            JobKind::Reverse if attempt.state == AttemptState::Reversed => Err(None),
            JobKind::Reverse if attempt.received.is_some() => Err(None),
            JobKind::Reverse => {
                let asked_at = attempt.reversal.expect("it was decided").asked_at;
                let lately = self.now.since(asked_at) < Duration::from_secs(10);
                Ok(if lately {
                    Call::Reverse(attempt.id)
                } else {
                    Call::Query(attempt.id)
                })
            }
            JobKind::Start if takes_money => Ok(Call::Start(attempt.id)),
            JobKind::Start | JobKind::Query => Ok(Call::Query(attempt.id)),
            JobKind::Close if attempt.state == AttemptState::Succeeded => Err(None),
            JobKind::Close => Ok(Call::Close(attempt.id)),
            JobKind::Case => Err(Some(Event::CaseDue {
                attempt: attempt.id,
                refund: None,
            })),
            JobKind::Expire | JobKind::Refund | JobKind::RefundQuery => Err(None),
        }
    }

    /// Whatever is open has a row that will ask about it.
    fn nothing_is_forgotten(&self) {
        let asked = |id| {
            let subject = Subject::Attempt(id);
            let asks = |(kind, about): &JobRow| *kind != JobKind::Case && *about == subject;
            self.jobs.keys().any(asks)
        };
        for attempt in &self.payment.attempts {
            let planned = attempt.hinted_at.is_some_and(|at| at > self.now);
            let claimed = planned && self.steady && attempt.received.is_none();
            let wanted = attempt.state.is_open() || claimed;
            let claim = attempt.raised.iter().any(Raised::is_claim);
            assert!(
                !wanted && !claim || asked(attempt.id),
                "forgotten: {attempt:?}"
            );
            let due = self.payment.case_due(attempt.id, &self.rules.policy);
            let seen_to = (JobKind::Case, Subject::Attempt(attempt.id));
            assert!(
                due.is_none() || self.jobs.contains_key(&seen_to),
                "a case is forgotten"
            );
        }
        match self.payment.state {
            State::Created | State::Pending => {
                let ends = self.jobs.contains_key(&(JobKind::Expire, Subject::Payment));
                assert!(ends, "will never expire");
            }
            State::Closing { .. } => assert!(!self.jobs.is_empty(), "will never be closed"),
            State::Paid { .. } | State::Closed { .. } => {}
        }
    }

    /// What was remembered gives the payment again.
    pub(super) fn folded(&self) -> Payment {
        self.log.iter().fold(new_payment(), |payment, (event, at)| {
            payment
                .on(event.clone(), *at, self.rules)
                .expect("it was taken")
                .payment
        })
    }
}

fn answered(call: Call, grade: Grade, outcome: Outcome) -> Event {
    let (attempt, source) = match call {
        Call::Start(attempt) => (attempt, Source::Answer),
        Call::Query(attempt) => (attempt, Source::Query),
        Call::Close(attempt) => (attempt, Source::Close),
        Call::Reverse(attempt) => (attempt, Source::Reverse),
    };
    Event::Reported {
        report: Box::new(Report {
            attempt,
            source,
            grade,
            outcome,
        }),
    }
}
