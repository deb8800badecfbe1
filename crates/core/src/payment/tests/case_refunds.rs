//! Refunds of a case's money: however many it takes, and however late they turn
//! out to have gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::random::any_wait;
use super::words::{CAREFUL, NOON, PRICE, event, id, key, payment};
use crate::case::{CaseAction, Decision, Need, Raised, Resolution};
use crate::id::Id;
use crate::refund::{RefundOutcome, RefundReport};
use crate::webhook::EventType;
use crate::{
    AutoRefund, CaseState, Effect, Event, Failure, Grade, Money, Payment, Policy, Refund, RefundId,
    RefundState, Refusal, Rules, Source, State, Step, Timestamp,
};

/// Everything goes back without a person.
const AUTOMATIC: Rules = Rules {
    policy: Policy {
        auto_refund: AutoRefund {
            enabled: true,
            ..AutoRefund::OFF
        },
        ..CAREFUL.policy
    },
    ..CAREFUL
};

/// Closed, then paid, and on its way back as refund 1.
fn going_back() -> Payment {
    let late = payment("closed, a closed").on(event("query a: success", NOON), NOON, AUTOMATIC);
    look(&late.unwrap().payment, 1, NOON).payment
}

fn name(number: u128) -> RefundId {
    RefundId::from_bits(number)
}

fn refund(number: u128, now: Timestamp) -> Box<Refund> {
    let amount = Money::fen(PRICE);
    Box::new(Refund::new(
        name(number),
        format!("R{number}"),
        id("a"),
        amount,
        now,
    ))
}

fn look(payment: &Payment, number: u128, now: Timestamp) -> Step {
    let event = Event::CaseDue {
        attempt: id("a"),
        refund: Some(refund(number, now)),
    };
    payment.clone().on(event, now, AUTOMATIC).unwrap()
}

fn decision(action: CaseAction, number: u128, now: Timestamp) -> Event {
    Event::CaseDecided {
        case: Box::new(key()),
        decision: Box::new(Decision {
            action,
            by: "key".into(),
            reason: format!("reason {number}"),
            at: now,
        }),
        refund: Some(refund(number, now)),
    }
}

fn decided(payment: &Payment, action: CaseAction, now: Timestamp) -> Result<Step, Refusal> {
    payment.clone().on(decision(action, 2, now), now, AUTOMATIC)
}

fn report(number: RefundId, source: Source, outcome: RefundOutcome) -> Event {
    Event::RefundReported {
        report: Box::new(RefundReport {
            refund: number,
            source,
            grade: Grade::Strong,
            outcome,
        }),
    }
}

fn heard(payment: &Payment, number: u128, outcome: RefundOutcome, now: Timestamp) -> Step {
    let event = report(name(number), Source::Query, outcome);
    payment.clone().on(event, now, AUTOMATIC).unwrap()
}

fn failure(code: &str) -> Failure {
    Failure {
        code: code.into(),
        detail: String::new(),
        platform_code: None,
    }
}

fn refused() -> RefundOutcome {
    RefundOutcome::Refused {
        failure: failure("no"),
    }
}

fn not_yet() -> RefundOutcome {
    RefundOutcome::NotYet {
        failure: failure("not_enough"),
    }
}

fn succeeded() -> RefundOutcome {
    RefundOutcome::Succeeded {
        refund_no: "P1".into(),
    }
}

fn processing() -> RefundOutcome {
    RefundOutcome::Processing {
        refund_no: "P1".into(),
    }
}

fn raised(payment: &Payment) -> &Raised {
    payment.raised(&key()).unwrap()
}

fn stands(payment: &Payment) -> (CaseState, Option<Need>, Option<Resolution>) {
    let raised = raised(payment);
    (raised.state, raised.need, raised.resolution)
}

/// What a merchant hears, with the refund where it is of one.
fn told(step: &Step) -> Vec<(EventType, Option<RefundId>)> {
    let told = step.effects.iter().filter_map(|effect| match effect {
        Effect::Tell(kind) => Some((*kind, None)),
        Effect::TellRefund { kind, refund } => Some((*kind, Some(*refund))),
        Effect::MoveCase { tell, .. } => tell.map(|kind| (kind, None)),
        Effect::OpenCase { .. } => Some((EventType::CaseOpened, None)),
        _ => None,
    });
    told.collect()
}

const SOON: Timestamp = Timestamp::from_secs(NOON.as_secs() + 120);
const NEXT_DAY: Timestamp = Timestamp::from_secs(NOON.as_secs() + 32 * 3_600);

/// Refused, and unknown to the platform two minutes later: for a person.
fn failed() -> Payment {
    let payment = heard(&going_back(), 1, refused(), NOON).payment;
    let payment = heard(&payment, 1, RefundOutcome::NotFound, SOON).payment;
    let payment = look(&payment, 9, SOON).payment;
    let need = (CaseState::NeedsPerson, Some(Need::RefundFailed), None);
    assert_eq!(stands(&payment), need);
    payment
}

#[test]
fn money_that_may_have_gone_is_not_kept_before_it_was_looked_for() {
    let kept = decided(&failed(), CaseAction::Accept, SOON);
    assert_eq!(kept, Err(Refusal::CaseRefundMayRevive(name(1))));
    let kept = decided(&failed(), CaseAction::Accept, NEXT_DAY).unwrap();
    assert!(matches!(kept.payment.state, State::Paid { .. }));
}

#[test]
fn one_that_went_after_all_resolves_its_case() {
    let step = heard(&failed(), 1, succeeded(), SOON);
    assert_eq!(told(&step), []);
    let step = look(&step.payment, 9, SOON);
    assert_eq!(told(&step), [(EventType::CaseResolved, None)]);
    let end = (CaseState::Resolved, None, Some(Resolution::Refunded));
    assert_eq!(stands(&step.payment), end);
}

#[test]
fn one_that_goes_on_after_all_is_waited_for() {
    let step = heard(&failed(), 1, processing(), SOON);
    let payment = look(&step.payment, 9, SOON).payment;
    assert_eq!(stands(&payment), (CaseState::Refunding, None, None));
    for action in CaseAction::ALL {
        let refusal = decided(&payment, action, SOON).err();
        assert_eq!(refusal, Some(Refusal::CaseRefunding(name(1))));
    }
}

#[test]
fn whoever_ended_the_case_otherwise_is_told_that_the_money_has_gone() {
    let dismissed = decided(&failed(), CaseAction::Dismiss, SOON).unwrap();
    let step = heard(&dismissed.payment, 1, succeeded(), SOON);
    let news = (EventType::RefundSucceeded, Some(name(1)));
    assert_eq!(told(&step), [news]);
    let end = (CaseState::Resolved, None, Some(Resolution::Dismissed));
    assert_eq!(stands(&step.payment), end);
    assert!(!look(&step.payment, 9, SOON).changed);
    // The second telling changes nothing.
    assert!(!heard(&step.payment, 1, succeeded(), SOON).changed);
}

#[test]
fn the_first_of_two_refunds_that_went_resolves_the_case_and_the_other_is_not_sent_again() {
    let again = decided(&failed(), CaseAction::Refund, SOON).unwrap();
    let step = heard(&again.payment, 1, succeeded(), SOON);
    let second = step.payment.refund(name(2)).unwrap();
    assert!(second.refused && second.state == RefundState::Unknown);
    let step = look(&step.payment, 9, SOON);
    assert_eq!(told(&step), [(EventType::CaseResolved, None)]);
    assert_eq!(raised(&step.payment).refund, Some(name(1)));
    // Should the channel have taken it all the same, that is told.
    let step = heard(&step.payment, 2, succeeded(), SOON);
    let news = (EventType::RefundSucceeded, Some(name(2)));
    assert_eq!(told(&step), [news]);
}

#[test]
fn one_that_waits_for_an_hour_needs_a_person_and_goes_on_being_tried() {
    let early = NOON + Duration::from_mins(59);
    let step = heard(&going_back(), 1, not_yet(), early);
    assert_eq!(
        (stands(&step.payment).0, told(&step)),
        (CaseState::Refunding, vec![])
    );
    let later = NOON + Duration::from_hours(1);
    let step = heard(&step.payment, 1, not_yet(), later);
    assert_eq!(told(&step), [(EventType::CaseNeedsPerson, None)]);
    let need = (CaseState::NeedsPerson, Some(Need::RefundWaits), None);
    assert_eq!(stands(&step.payment), need);
    let tried = |effect: &Effect| matches!(effect, Effect::StartRefund { refund, .. } if *refund == name(1));
    assert!(step.effects.iter().any(tried));
    // Said once.
    assert!(!heard(&step.payment, 1, not_yet(), NEXT_DAY).changed);
    assert!(!look(&step.payment, 9, later).changed);
    for action in CaseAction::ALL {
        let refusal = decided(&step.payment, action, later).err();
        assert_eq!(refusal, Some(Refusal::CaseRefunding(name(1))));
    }

    let taken = heard(&step.payment, 1, processing(), later);
    let taken = look(&taken.payment, 9, later);
    assert_eq!(told(&taken), []);
    assert_eq!(stands(&taken.payment), (CaseState::Refunding, None, None));
    for payment in [step.payment, taken.payment] {
        let gone = heard(&payment, 1, succeeded(), later);
        let end = look(&gone.payment, 9, later);
        assert_eq!(told(&end), [(EventType::CaseResolved, None)]);
        assert_eq!(stands(&end.payment).2, Some(Resolution::Refunded));
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    AnswerLost,
    Lost,
    /// It arrives when nobody waits for it any more.
    Late(Duration),
    Refused,
    NotYet,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    /// Time passes; what is due on the way has this fate.
    Wait(Duration, Fate),
    Decide(CaseAction),
    /// The platform ends what it has.
    Ends(RefundState),
}

fn any_move() -> impl Strategy<Value = Move> {
    let late = (0..20 * 3_600_u64).prop_map(|secs| Fate::Late(Duration::from_secs(secs)));
    let fate = prop_oneof![
        3 => Just(Fate::Answered),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::Lost),
        3 => late,
        4 => Just(Fate::Refused),
        2 => Just(Fate::NotYet),
    ];
    let end = prop_oneof![
        Just(RefundState::Succeeded),
        Just(RefundState::Abnormal),
        Just(RefundState::Closed)
    ];
    prop_oneof![
        6 => (any_wait(), fate).prop_map(|(wait, fate)| Move::Wait(wait, fate)),
        2 => prop::sample::select(CaseAction::ALL.to_vec()).prop_map(Move::Decide),
        2 => end.prop_map(Move::Ends),
    ]
}

/// One case, its jobs, and a platform that takes no more than there is.
struct World {
    payment: Payment,
    now: Timestamp,
    number: u128,
    /// Whether to send it or to ask, and when.
    jobs: BTreeMap<(bool, RefundId), Timestamp>,
    case_job: bool,
    /// On their way, by when they arrive.
    late: BTreeSet<(Timestamp, RefundId)>,
    taken: BTreeMap<RefundId, RefundState>,
    told: Vec<(EventType, Option<RefundId>)>,
}

impl World {
    fn new() -> Self {
        let payment = going_back();
        Self {
            payment,
            now: NOON,
            number: 1,
            jobs: BTreeMap::from([((true, name(1)), NOON)]),
            case_job: false,
            late: BTreeSet::new(),
            taken: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    fn happens(&mut self, event: Event) {
        let Ok(step) = self.payment.clone().on(event, self.now, AUTOMATIC) else {
            return;
        };
        assert_eq!(
            step.payment.version,
            self.payment.version + i64::from(step.changed)
        );
        let news = told(&step);
        assert!(news.len() <= 1, "two facts under one number: {news:?}");
        assert!(news.is_empty() || step.changed);
        self.told.extend(news);
        self.payment = step.payment;
        for effect in step.effects {
            let (job, after) = match effect {
                Effect::StartRefund { refund, after } => ((true, refund), after),
                Effect::QueryRefund { refund, after } => ((false, refund), after),
                Effect::SeeToCases { .. } => {
                    self.case_job = true;
                    continue;
                }
                _ => continue,
            };
            let due = self.now + after;
            let row = self.jobs.entry(job).or_insert(due);
            *row = due.min(*row);
        }
        let due = self.payment.case_due(id("a"), &AUTOMATIC.policy);
        assert!(due.is_none() || self.case_job, "a case is forgotten");
    }

    fn sees_to_cases(&mut self) {
        while std::mem::take(&mut self.case_job) {
            self.number += 1;
            let event = Event::CaseDue {
                attempt: id("a"),
                refund: Some(refund(self.number, self.now)),
            };
            self.happens(event);
        }
    }

    fn arrives(&mut self, refund: RefundId) -> RefundOutcome {
        let gone = self
            .taken
            .iter()
            .any(|(id, state)| *id != refund && *state != RefundState::Closed);
        if gone {
            return refused();
        }
        self.taken.entry(refund).or_insert(RefundState::Processing);
        processing()
    }

    fn answer(&self, refund: RefundId) -> RefundOutcome {
        let refund_no = "P1".to_owned();
        match self.taken.get(&refund) {
            None => RefundOutcome::NotFound,
            Some(RefundState::Succeeded) => RefundOutcome::Succeeded { refund_no },
            Some(RefundState::Abnormal) => RefundOutcome::Abnormal { refund_no },
            Some(RefundState::Closed) => RefundOutcome::Closed { refund_no },
            Some(RefundState::Unknown | RefundState::Processing) => processing(),
        }
    }

    fn runs(&mut self, (sends, id): (bool, RefundId), fate: Fate) {
        let refund = self.payment.refund(id).unwrap();
        let sends = sends && refund.state == RefundState::Unknown && !refund.refused;
        if !sends {
            return self.happens(report(id, Source::Query, self.answer(id)));
        }
        let other = self.payment.refunds.iter().find(|other| {
            other.id != id
                && matches!(
                    other.state,
                    RefundState::Processing | RefundState::Succeeded
                )
        });
        assert!(other.is_none(), "sent a second time: {other:?}");
        let silence = || RefundOutcome::Unknown { why: String::new() };
        let outcome = match fate {
            Fate::Answered => self.arrives(id),
            Fate::AnswerLost => {
                self.arrives(id);
                silence()
            }
            Fate::Lost => silence(),
            Fate::Late(by) => {
                self.late.insert((self.now + by, id));
                silence()
            }
            Fate::Refused => refused(),
            Fate::NotYet => not_yet(),
        };
        self.happens(report(id, Source::Answer, outcome));
    }

    /// Until then, in the order of time.
    fn waits(&mut self, until: Timestamp, fate: Fate) {
        loop {
            self.sees_to_cases();
            let arrival = self.late.first().copied();
            let job = self.jobs.iter().min_by_key(|(_, due)| **due);
            let job = job.map(|(job, due)| (*job, *due));
            match (arrival, job) {
                (Some((at, id)), job) if at <= until && job.is_none_or(|(_, due)| at <= due) => {
                    self.now = self.now.max(at);
                    self.late.remove(&(at, id));
                    self.arrives(id);
                }
                (_, Some((job, due))) if due <= until => {
                    self.now = self.now.max(due);
                    self.jobs.remove(&job);
                    self.runs(job, fate);
                }
                _ => break,
            }
        }
        self.now = until;
    }

    fn ends(&mut self, state: RefundState) {
        let open = |state: &&mut RefundState| {
            matches!(**state, RefundState::Processing | RefundState::Abnormal)
        };
        if let Some(open) = self.taken.values_mut().find(open) {
            *open = state;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn money_goes_back_once_and_whoever_asks_knows(moves in prop::collection::vec(any_move(), 1..60)) {
        let mut world = World::new();
        for next in moves {
            match next {
                Move::Wait(wait, fate) => world.waits(world.now + wait, fate),
                Move::Decide(action) => {
                    world.number += 1;
                    world.happens(decision(action, world.number, world.now));
                }
                Move::Ends(state) => world.ends(state),
            }
        }
        // The faults have stopped, and whoever looks has a week.
        world.waits(world.now + Duration::from_hours(60), Fate::Answered);
        world.ends(RefundState::Succeeded);
        world.waits(world.now + Duration::from_hours(72), Fate::Answered);

        let gone: Vec<_> = world.taken.iter().filter(|(_, state)| **state == RefundState::Succeeded).collect();
        prop_assert!(gone.len() <= 1, "{gone:?}");
        let (state, need, resolution) = stands(&world.payment);
        let open = world.payment.refunds.iter().find(|refund| refund.state.is_open());
        prop_assert!(open.is_none(), "{open:?}");
        if let Some((id, _)) = gone.first() {
            prop_assert_eq!(world.payment.refund(**id).unwrap().state, RefundState::Succeeded);
            prop_assert!(!matches!(world.payment.state, State::Paid { .. }), "kept, and gone");
            prop_assert_eq!(state, CaseState::Resolved);
            let news = world.told.iter().filter(|told| **told == (EventType::RefundSucceeded, Some(**id)));
            prop_assert_eq!(news.count(), usize::from(resolution != Some(Resolution::Refunded)));
        } else {
            let failed = (CaseState::NeedsPerson, Some(Need::RefundFailed));
            prop_assert!(state == CaseState::Resolved || (state, need) == failed, "{state:?} {need:?}");
            prop_assert_ne!(resolution, Some(Resolution::Refunded));
        }
    }
}
