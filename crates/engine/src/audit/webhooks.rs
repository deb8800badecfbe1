//! What the merchant is told: every fact once, in words that are true, to
//! everybody who listens.

use serde::Deserialize;
use tongbao_core::case::Remedy;
use tongbao_core::webhook::{DeliveryState, Endpoint, EventType, WebhookEvent};
use tongbao_core::{Case, CaseKey, Effect, Payment, State, Timestamp};
use tongbao_store::snapshot::{Dossier, Standing};

use super::report::{Findings, Rule};
use super::rules::{LATE, Verdict, ensure, fold};

pub(super) fn look(
    dossier: &Dossier,
    endpoints: &[Endpoint],
    now: Timestamp,
    findings: &mut Findings,
) {
    let payment = &dossier.payment;
    let mut add = |rule, what| {
        findings.add(rule, Some(payment.merchant), payment.id.to_string(), what);
    };
    // Where the timeline cannot be folded, that has been said.
    if let Ok(facts) = Facts::of(dossier) {
        for what in facts.not_told(&dossier.events) {
            add(Rule::Told, what);
        }
        for what in facts.without_case(&dossier.cases) {
            add(Rule::M5, what);
        }
        for (event, _) in &dossier.events {
            if let Err(what) = facts.confirm(event, &dossier.cases) {
                add(Rule::Words, format!("{}: {what}", event.id));
            }
        }
    }
    for case in &dossier.cases {
        let told = dossier.events.iter().any(|(event, _)| {
            event.kind == EventType::CaseOpened && Body::read(event).is_ok_and(|body| body.is(case))
        });
        if !told {
            add(Rule::Told, format!("nobody was told of {}", case.id));
        }
    }
    for (event, all) in &dossier.events {
        standings(event, all, findings);
        late(event, all, endpoints, now, findings);
    }
}

/// What the merchant had to be told, from the timeline.
struct Facts {
    /// Each with the payment as it was then.
    told: Vec<(EventType, Payment)>,
    /// Money that is proven and goes back.
    cases: Vec<Effect>,
}

impl Facts {
    fn of(dossier: &Dossier) -> Result<Self, String> {
        let (mut told, mut cases) = (Vec::new(), Vec::new());
        fold(&dossier.payment, &dossier.timeline, |payment, effects| {
            for effect in effects {
                match effect {
                    Effect::Tell(kind) | Effect::TellRefund { kind, .. } => {
                        told.push((*kind, payment.clone()));
                    }
                    // Until schema 6 a claim whose trade had its case elsewhere was told of there.
                    Effect::MoveCase {
                        case,
                        tell: Some(kind),
                        ..
                    } if row(&dossier.cases, case).is_some() => {
                        told.push((*kind, payment.clone()));
                    }
                    Effect::OpenCase {
                        remedy: Remedy::Refund,
                        ..
                    } => cases.push(effect.clone()),
                    Effect::OpenCase { .. }
                    | Effect::Start { .. }
                    | Effect::Query { .. }
                    | Effect::Close { .. }
                    | Effect::Reverse { .. }
                    | Effect::StartRefund { .. }
                    | Effect::QueryRefund { .. }
                    | Effect::MoveCase { .. }
                    | Effect::SeeToCases { .. }
                    | Effect::Expire => {}
                }
            }
        })?;
        Ok(Self { told, cases })
    }

    /// Every fact has one event.
    fn not_told(&self, events: &[(WebhookEvent, Vec<Standing>)]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (kind, payment) in &self.told {
            let fits =
                |event: &WebhookEvent| event.kind == *kind && event.sequence == payment.version;
            match events.iter().filter(|(event, _)| fits(event)).count() {
                1 => {}
                0 => wrong.push(format!(
                    "nobody was told {} of its version {}",
                    kind.as_str(),
                    payment.version
                )),
                count => wrong.push(format!(
                    "{} of its version {} is told under {count} ids",
                    kind.as_str(),
                    payment.version
                )),
            }
        }
        wrong
    }

    fn without_case(&self, cases: &[Case]) -> Vec<String> {
        let mut wrong = Vec::new();
        for effect in &self.cases {
            let Effect::OpenCase {
                kind,
                attempt,
                receipt,
                ..
            } = effect
            else {
                continue;
            };
            let kept = cases.iter().any(|case| {
                case.kind == *kind
                    && case.attempt == Some(*attempt)
                    && case.receipt.amount == receipt.amount
                    && case.receipt.transaction_id == receipt.transaction_id
            });
            if !kept {
                wrong.push(format!(
                    "{} came as {} ({}), and there is no such case",
                    receipt.amount,
                    receipt.transaction_id,
                    kind.as_str()
                ));
            }
        }
        wrong
    }

    /// The event says what is written down.
    fn confirm(&self, event: &WebhookEvent, cases: &[Case]) -> Verdict {
        let body = Body::read(event)?;
        ensure(
            body.r#type == event.kind.as_str() && body.sequence == event.sequence,
            || "its body is another event's".to_owned(),
        )?;
        if is_of_a_case(event.kind) {
            ensure(cases.iter().any(|case| body.is(case)), || {
                "it tells of a case that is not written down".to_owned()
            })?;
            let mut told = self.told.iter();
            let fact = told.any(|(kind, at)| *kind == event.kind && at.version == event.sequence);
            return ensure(event.kind == EventType::CaseOpened || fact, || {
                let (kind, version) = (event.kind.as_str(), event.sequence);
                format!("it tells {kind} of version {version}, which the timeline does not")
            });
        }
        let mut told = self.told.iter();
        let fact = told.find(|(kind, at)| *kind == event.kind && at.version == event.sequence);
        let Some((_, payment)) = fact else {
            return Err(format!(
                "it tells {} of version {}, which the timeline does not",
                event.kind.as_str(),
                event.sequence
            ));
        };
        match event.kind {
            EventType::RefundSucceeded | EventType::RefundFailed => body.claims_refund(payment),
            EventType::PaymentPaid
            | EventType::PaymentClosed
            | EventType::CaseOpened
            | EventType::CaseNeedsPerson
            | EventType::CaseResolved => body.claims(payment),
        }
    }
}

const fn is_of_a_case(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::CaseOpened | EventType::CaseNeedsPerson | EventType::CaseResolved
    )
}

fn row<'a>(cases: &'a [Case], key: &CaseKey) -> Option<&'a Case> {
    cases.iter().find(|case| case.key().as_ref() == Some(key))
}

/// The part of a webhook's body that says something about money.
#[derive(Deserialize)]
struct Body<'a> {
    r#type: &'a str,
    sequence: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    id: String,
    amount: i64,
    currency: String,
    state: String,
    merchant_order_no: Option<String>,
    paid_at: Option<String>,
    transaction_id: Option<String>,
}

impl<'a> Body<'a> {
    fn read(event: &'a WebhookEvent) -> Result<Self, String> {
        serde_json::from_str(&event.body)
            .map_err(|error| format!("its body is unreadable: {error}"))
    }

    fn is(&self, case: &Case) -> bool {
        let amount = case.receipt.amount;
        self.data.id == case.id.to_string()
            && self.data.amount == amount.minor()
            && self.data.currency == amount.currency().as_str()
            && self.data.transaction_id.as_deref() == Some(&case.receipt.transaction_id)
    }

    fn claims_refund(&self, payment: &Payment) -> Verdict {
        let data = &self.data;
        let refunds = payment.refunds.iter();
        let told = refunds.filter(|refund| {
            data.id == refund.id.to_string()
                && data.amount == refund.amount.minor()
                && data.currency == refund.amount.currency().as_str()
                && data.state == refund.state.as_str()
        });
        ensure(told.count() == 1, || {
            "it tells of a refund that was not so".to_owned()
        })
    }

    fn claims(&self, payment: &Payment) -> Verdict {
        let amount = payment.order.amount;
        let data = &self.data;
        let paid_at = match payment.state {
            State::Paid { at, .. } => Some(at.to_string()),
            State::Created | State::Pending | State::Closing { .. } | State::Closed { .. } => None,
        };
        ensure(
            data.amount == amount.minor() && data.currency == amount.currency().as_str(),
            || {
                format!(
                    "it says {} {}, the payment asks for {amount}",
                    data.amount, data.currency
                )
            },
        )?;
        ensure(data.state == payment.public_state(), || {
            format!(
                "it says {}, the payment was {}",
                data.state,
                payment.public_state()
            )
        })?;
        let same = data.id == payment.id.to_string()
            && data.merchant_order_no.as_deref() == Some(&payment.order.merchant_order_no)
            && data.paid_at == paid_at;
        ensure(same, || "it speaks of another payment".to_owned())
    }
}

/// Where nobody tries any more: a person may send it again.
pub(super) fn standings(event: &WebhookEvent, all: &[Standing], findings: &mut Findings) {
    for one in all
        .iter()
        .filter(|one| one.state == DeliveryState::Exhausted)
    {
        let what = format!(
            "{} gave up telling {} after {} tries",
            event.kind.as_str(),
            one.endpoint,
            one.tries
        );
        findings.add(
            Rule::Exhausted,
            Some(event.merchant),
            event.id.to_string(),
            what,
        );
    }
}

fn late(
    event: &WebhookEvent,
    all: &[Standing],
    endpoints: &[Endpoint],
    now: Timestamp,
    findings: &mut Findings,
) {
    for one in all.iter().filter(|one| one.state == DeliveryState::Pending) {
        let endpoint = endpoints.iter().find(|known| known.id == one.endpoint);
        let (rule, what) = match endpoint {
            Some(endpoint) if !endpoint.enabled => (
                Rule::Off,
                format!("waits for {}, which is off", endpoint.id),
            ),
            Some(endpoint) if now.since(one.due) > LATE => (
                Rule::Late,
                format!(
                    "has been due at {} since {}, and nobody sends it",
                    endpoint.id, one.due
                ),
            ),
            _ => continue,
        };
        let subject = event.id.to_string();
        findings.add(rule, Some(event.merchant), subject, what);
    }
}
