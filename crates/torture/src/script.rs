//! A merchant's day in the store's own commands: every command, every kind of
//! row, in an order and in sizes that the seed decides.

#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the people of the store's stories, who bring more than is needed here"
)]
#[path = "../../store/tests/stories/people.rs"]
mod people;

use std::time::Duration;

use people::{LEASE, NOON, SECOND, id};
use tongbao_core::case::Remedy;
use tongbao_core::job::{JobKey, NewJob, Subject};
use tongbao_core::merchant::{ApiKey, PolicyPatch};
use tongbao_core::webhook::{EventType, WebhookEvent};
use tongbao_core::{
    Action, Case, CaseAction, CaseKind, CaseState, Decision, Event, Job, JobKind, MerchantId,
    Outcome, Payment, Resolution, Source,
};
use tongbao_simulation::chance::Chance;
use tongbao_store::{
    Change, DataKey, DeliveryClaim, DeliveryOutcome, DeliveryResult, MovedCase, OpenedCase,
};

use crate::command::{Command, Done};

/// Whose day it is.
pub fn merchant() -> MerchantId {
    people::merchant()
}

/// Commands that come at the same time.
pub type Step = Vec<Command>;

/// Writes a day step by step; what a step answered is known to the next.
pub trait Stage {
    /// Carries out a step without anything going wrong.
    fn play(&mut self, step: Step) -> Vec<Option<Done>>;
}

/// Plays the seed's day.
pub fn play(seed: u64, stage: &mut dyn Stage) {
    let mut day = Day {
        chance: Chance::fork(seed, "script"),
        stage,
        clock: 0,
        told: 0,
    };
    day.open_shop();
    let count = day.chance.between(2, 5);
    let mut payments: Vec<_> = (1..=count).map(people::payment).collect();
    day.create(&payments);
    day.start(&mut payments);
    day.ask_and_finish();
    day.refuse(&payments[0]);
    day.pay(&mut payments);
    day.tell();
    day.tell_again();
    day.end(&mut payments);
    day.leave();
}

struct Day<'a> {
    chance: Chance,
    stage: &'a mut dyn Stage,
    clock: u64,
    told: u64,
}

impl Day<'_> {
    fn now(&mut self) -> tongbao_core::Timestamp {
        self.clock += self.chance.between(1, 120);
        NOON + SECOND * u32::try_from(self.clock).unwrap_or_default()
    }

    /// One after the other, or at the same time.
    fn play_all(&mut self, commands: Vec<Command>) -> Vec<Option<Done>> {
        let mut answers = Vec::new();
        let mut rest = commands.into_iter().peekable();
        while rest.peek().is_some() {
            let together = usize::try_from(self.chance.between(1, 4)).unwrap_or(1);
            answers.extend(self.stage.play(rest.by_ref().take(together).collect()));
        }
        answers
    }

    fn open_shop(&mut self) {
        self.stage
            .play(vec![Command::InsertMerchant(people::merchant_row(1))]);
        self.play_all(vec![
            Command::InsertDataKey(DataKey {
                id: 1,
                merchant: merchant(),
                wrapped: vec![7; 60],
                created_at: NOON,
            }),
            Command::SaveChannel(people::account(1, 1)),
            Command::InsertApiKey(ApiKey {
                id: id(1),
                merchant: merchant(),
                hash: [3; 32],
                hint: "sk_abc".to_owned(),
                created_at: NOON,
            }),
            Command::SaveEndpoint(people::endpoint(1)),
        ]);
        let choosy = tongbao_core::webhook::Endpoint {
            event_types: vec![EventType::PaymentPaid],
            ..people::endpoint(2)
        };
        self.stage.play(vec![Command::SaveEndpoint(choosy)]);
        let revoked = tongbao_core::shop::Till {
            revoked_at: Some(NOON),
            ..people::till(1, 1)
        };
        for change in [
            people::with_shop(people::branch(1)),
            people::with_till(people::till(1, 1)),
            people::with_till(revoked),
        ] {
            self.stage.play(vec![commit(change)]);
        }
    }

    fn create(&mut self, payments: &[Payment]) {
        let created = (1..).zip(payments).map(|(number, payment)| {
            let job = NewJob {
                key: JobKey {
                    kind: JobKind::Expire,
                    payment: payment.id,
                    subject: Subject::Payment,
                },
                merchant: merchant(),
                due: payment.expires_at,
                lease_until: None,
            };
            commit(Change {
                idempotency: Some(people::promise(number)),
                jobs: vec![job],
                ..people::created(payment)
            })
        });
        let created = created.collect();
        self.play_all(created);
    }

    /// Each gets an attempt, whose job is claimed at once, and its code.
    fn start(&mut self, payments: &mut [Payment]) {
        let (mut started, mut accepted) = (Vec::new(), Vec::new());
        for (number, payment) in (1..).zip(payments.iter_mut()) {
            let (after, change) = people::decided(payment, people::started(number));
            *payment = after;
            let due = self.now();
            let job = job(payment, JobKind::Start, number, due, Some(due + LEASE));
            started.push(commit(Change {
                jobs: vec![job],
                ..change
            }));
        }
        let claimed = self.play_all(started);
        for ((number, payment), claim) in (1..).zip(payments.iter_mut()).zip(claimed) {
            let action = Action::QrCode {
                code_url: "weixin://wxpay/bizpayurl?pr=x".to_owned(),
            };
            let accepts = people::reported(number, Outcome::Accepted { action });
            let (after, change) = people::decided(payment, accepts);
            *payment = after;
            let due = self.now();
            accepted.push(commit(Change {
                finish: jobs(claim).pop(),
                jobs: vec![job(payment, JobKind::Query, number, due, None)],
                ..change
            }));
        }
        self.play_all(accepted);
    }

    /// The worker claims, finishes one, lays one aside, and loses the others with
    /// their leases.
    fn ask_and_finish(&mut self) {
        for _ in 0..2 {
            self.clock += 3_600;
            let now = self.now();
            let claim = Command::ClaimJobs {
                now,
                lease_until: now + LEASE,
                limit: 3,
            };
            let claimed = self.stage.play(vec![claim]).pop().flatten();
            let mut claimed = jobs(claimed).into_iter();
            let finished = claimed.next().map(|job| {
                commit(Change {
                    finish: Some(job),
                    ..Change::default()
                })
            });
            let aside = claimed.next().map(|job| Command::LayAside(job, None));
            let written = finished.into_iter().chain(aside).collect();
            self.play_all(written);
        }
        let now = self.now();
        self.stage
            .play(vec![Command::TakeUp(people::channel(), now)]);
    }

    /// Refused and written side by side: what is refused takes back its half.
    fn refuse(&mut self, payment: &Payment) {
        let message = people::message(900, "side by side");
        let receive = commit(Change {
            inbox: Some(message),
            ..Change::default()
        });
        let again = commit(Change {
            idempotency: Some(people::promise(99)),
            ..people::created(payment)
        });
        let event = Event::CloseRequested;
        let (_, stale) = people::decided(&people::payment(1), event);
        self.stage.play(vec![receive, again, commit(stale)]);
    }

    /// The platform tells of the money, once and again, and once too often.
    fn pay(&mut self, payments: &mut [Payment]) {
        for (number, payment) in (1..).zip(payments.iter_mut()).skip(1) {
            let (after, change) = people::decided(payment, people::paid(number));
            *payment = after;
            let text = format!("<xml>{number}</xml>");
            let mut message = people::message(number, &text);
            message.payment = Some(payment.id);
            message.body = vec![b'x'; self.size()];
            let event = self.event(payment, EventType::PaymentPaid);
            let once = commit(Change {
                inbox: Some(message.clone()),
                events: vec![event],
                ..change
            });
            message.id = id(100 + u128::from(number));
            let again = commit(Change {
                inbox: Some(message),
                ..Change::default()
            });
            self.play_all(vec![once, again]);
        }
        let event = self.event(&payments[1], EventType::CaseOpened);
        let case = OpenedCase {
            case: Case {
                id: id(1),
                merchant: merchant(),
                channel: people::channel(),
                kind: CaseKind::PaidTwice,
                state: CaseState::Open,
                remedy: Remedy::Review,
                payment: Some(payments[1].id),
                attempt: Some(id(2)),
                out_trade_no: "trade-2".to_owned(),
                receipt: people::receipt("4200009"),
                source: Source::Bill,
                opened_at: NOON,
                need: None,
                refund: None,
                resolution: None,
                resolved_at: None,
                decision: None,
            },
            event,
        };
        let mut sure = case.clone();
        sure.case.remedy = Remedy::Refund;
        let open = |case| {
            commit(Change {
                cases: vec![case],
                ..Change::default()
            })
        };
        self.play_all(vec![open(case.clone()), open(sure)]);
        // What a person decides, and somebody who read before that.
        let resolved = Case {
            state: CaseState::Resolved,
            remedy: Remedy::Refund,
            resolution: Some(Resolution::Dismissed),
            resolved_at: Some(NOON + SECOND),
            decision: Some(Decision {
                action: CaseAction::Dismiss,
                by: "key".to_owned(),
                reason: "elsewhere".to_owned(),
                at: NOON + SECOND,
            }),
            ..case.case
        };
        for _ in 0..2 {
            let event = self.event(&payments[1], EventType::CaseResolved);
            self.stage.play(vec![commit(Change {
                moved: vec![MovedCase {
                    read_state: CaseState::Open,
                    case: resolved.clone(),
                    event: Some(event),
                }],
                ..Change::default()
            })]);
        }
        let patch = PolicyPatch {
            accept_late: Some(true),
            auto_refund: Some(true),
            ..PolicyPatch::default()
        };
        self.stage
            .play(vec![Command::ChangePolicy(merchant(), patch)]);
    }

    fn tell(&mut self) {
        let outcomes = [
            DeliveryOutcome::Delivered,
            DeliveryOutcome::Retry {
                due: NOON + Duration::from_hours(5),
            },
            DeliveryOutcome::Exhausted,
        ];
        for _ in 0..2 {
            let claims = self.claim_deliveries();
            let results = claims.into_iter().map(|claim| {
                let outcome = outcomes[self.chance.index(outcomes.len())].clone();
                self.result(claim, outcome)
            });
            let results = results.collect();
            self.play_all(results);
        }
    }

    fn claim_deliveries(&mut self) -> Vec<DeliveryClaim> {
        let now = self.now();
        let claim = Command::ClaimDeliveries {
            now,
            lease_until: now + LEASE,
            per_endpoint: 2,
            limit: 4,
        };
        match self.stage.play(vec![claim]).pop().flatten() {
            Some(Done::Deliveries(claims)) => claims,
            _ => Vec::new(),
        }
    }

    fn result(&mut self, claim: DeliveryClaim, outcome: DeliveryOutcome) -> Command {
        let delivered = outcome == DeliveryOutcome::Delivered;
        Command::RecordDelivery(Box::new(DeliveryResult {
            claim,
            at: self.now(),
            request_headers: "webhook-id: x".to_owned(),
            status: Some(if delivered { 204 } else { 500 }),
            answer: "x".repeat(self.size() / 8),
            took_millis: 12,
            outcome,
        }))
    }

    fn tell_again(&mut self) {
        let now = self.now();
        let redeliver = Command::Redeliver {
            merchant: merchant(),
            event: id(1),
            now,
        };
        let replay = Command::Replay {
            merchant: merchant(),
            endpoint: id(1),
            from: NOON,
            to: now,
            now,
        };
        self.stage.play(vec![redeliver]);
        self.stage.play(vec![replay]);
        let gone = self.claim_deliveries().into_iter().next();
        if let Some(claim) = gone {
            let command = self.result(claim, DeliveryOutcome::Gone);
            self.stage.play(vec![command]);
        }
    }

    /// The first payment is closed, without an answer in between.
    fn end(&mut self, payments: &mut [Payment]) {
        let unknown = Outcome::Unknown {
            why: "timeout".to_owned(),
            ask_now: true,
        };
        let events = [
            Event::CloseRequested,
            people::reported(1, unknown),
            people::reported(1, Outcome::Closed),
        ];
        for event in events {
            let before = payments[0].clone();
            let (after, change) = people::decided(&before, event);
            if after == before {
                continue;
            }
            let due = self.now();
            let told = after
                .is_final()
                .then(|| self.event(&after, EventType::PaymentClosed));
            let next = job(&after, JobKind::Close, 1, due, None);
            payments[0] = after;
            self.stage.play(vec![commit(Change {
                jobs: vec![next],
                events: told.into_iter().collect(),
                ..change
            })]);
        }
    }

    fn leave(&mut self) {
        let mut account = people::account(1, 1);
        account.version = 2;
        account.settings = serde_json::json!({ "mch_id": "1900000110" });
        let back = Command::BringForward(Duration::from_hours(1), self.now());
        self.play_all(vec![
            back,
            Command::SaveChannel(account),
            Command::DeleteEndpoint(merchant(), id(1)),
        ]);
    }

    fn event(&mut self, payment: &Payment, kind: EventType) -> WebhookEvent {
        self.told += 1;
        WebhookEvent {
            payment: Some(payment.id),
            kind,
            sequence: payment.version,
            body: "{}".repeat(self.size()),
            ..people::event(self.told)
        }
    }

    /// Some rows fit on a page, some do not.
    fn size(&mut self) -> usize {
        let sizes = [40, 400, 400, 3_000, 9_000];
        self.chance.pick(&sizes)
    }
}

fn commit(change: Change) -> Command {
    Command::Commit(Box::new(change))
}

fn jobs(done: Option<Done>) -> Vec<Job> {
    match done {
        Some(Done::Jobs(jobs)) => jobs,
        _ => Vec::new(),
    }
}

fn job(
    payment: &Payment,
    kind: JobKind,
    attempt: u64,
    due: tongbao_core::Timestamp,
    lease_until: Option<tongbao_core::Timestamp>,
) -> NewJob {
    NewJob {
        key: JobKey {
            kind,
            payment: payment.id,
            subject: Subject::Attempt(id(attempt.into())),
        },
        merchant: merchant(),
        due,
        lease_until,
    }
}
