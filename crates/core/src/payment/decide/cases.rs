//! Money that should not be there, from the first word of it to its end.
//!
//! A case is seen to by a job: it sends money back within the merchant's limits,
//! or says why a person must. Each look takes one step of one case, so that each
//! thing that a merchant is told has a sequence number of its own; what happens
//! to a payment at the same time (it is paid late, closed, refunded) is told
//! first. The payment's version is the lock: a job and a person who decide at the
//! same instant are decided one after the other, and the second one finds the
//! money on its way.

use super::{Draft, Place};
use crate::case::{CaseAction, CaseKey, Decision, Need, Raised, Remedy, Resolution};
use crate::payment::{CaseDue, MAX_REFUNDS_WITH_CASES};
use crate::schedule::{CLAIM_SETTLES, late_retry};
use crate::webhook::EventType;
use crate::{
    Attempt, AttemptId, AttemptState, CaseKind, CaseState, Currency, Effect, Outcome, Payment,
    Policy, Receipt, Refund, RefundId, Refusal, Source, State,
};

/// What is known when a case is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// The attempt has brought this money, and it belongs to the payer.
    Money,
    /// A message says so, and proves too little.
    Claim,
    /// The platform says so of a number that has brought money already.
    SecondReceipt,
    /// The payer's account cannot take this refund.
    RefundAbnormal(RefundId),
}

/// The next step of a case that nobody need take by hand.
pub(super) enum Next {
    SendBack,
    /// The channel has its refund after all.
    GoOn,
    AskPerson(Need),
    Resolve(Resolution),
}

/// What a query's answer says of money.
pub(super) enum Answer {
    /// There is this.
    Money(Receipt),
    /// There is none.
    Nothing,
    /// It depends: who types a password may have paid a moment later.
    Uncertain,
    /// Nothing was heard that may be acted on.
    Silence,
}

impl Answer {
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Success { receipt } => Self::Money(receipt.clone()),
            Outcome::NotPaid
            | Outcome::Closed
            | Outcome::Revoked
            | Outcome::PayError { .. }
            | Outcome::NotFound => Self::Nothing,
            Outcome::UserPaying | Outcome::Accepted { .. } | Outcome::Refused { .. } => {
                Self::Uncertain
            }
            Outcome::Unknown { .. } => Self::Silence,
        }
    }
}

impl Payment {
    /// What is to be done about the attempt's cases, without a person.
    pub fn case_due(&self, attempt: AttemptId, policy: &Policy) -> Option<CaseDue> {
        let attempt = self.attempt(attempt)?;
        let mut all = attempt.raised.iter();
        all.find_map(|raised| match self.next_step(attempt, raised, policy)? {
            Next::SendBack => Some(CaseDue::Refund(key(attempt.id, raised))),
            Next::GoOn | Next::AskPerson(_) | Next::Resolve(_) => Some(CaseDue::Other),
        })
    }

    /// Whether the case's money is what the attempt brought and nobody has accepted:
    /// the channel would pay back this and no other.
    pub fn holds_case_money(&self, attempt: &Attempt, raised: &Raised) -> bool {
        let accepted = matches!(self.state, State::Paid { attempt: by, .. } if by == attempt.id);
        brought(attempt, raised) && !accepted
    }

    fn next_step(&self, attempt: &Attempt, raised: &Raised, policy: &Policy) -> Option<Next> {
        if raised.state == CaseState::Resolved {
            return None;
        }
        if let Some(resolution) = raised.resolution {
            return Some(Next::Resolve(resolution));
        }
        if let Some(word) = self.word_of_refunds(attempt, raised) {
            return word.next(raised);
        }
        if raised.state != CaseState::Open || !self.holds_case_money(attempt, raised) {
            return None;
        }
        Some(match keeps_from_going_back(raised, policy) {
            Some(need) => Next::AskPerson(need),
            None => Next::SendBack,
        })
    }
}

/// Why a person must send it back, as far as the case itself tells.
fn keeps_from_going_back(raised: &Raised, policy: &Policy) -> Option<Need> {
    let limits = policy.auto_refund;
    if !limits.enabled {
        Some(Need::Off)
    } else if raised.amount.currency() != Currency::CNY {
        Some(Need::Currency)
    } else if raised.amount.minor() > limits.per_case_fen {
        Some(Need::CaseLimit)
    } else {
        None
    }
}

/// Whether the case is of the very money that the attempt brought.
pub(super) fn brought(attempt: &Attempt, raised: &Raised) -> bool {
    attempt.received == Some(raised.amount)
        && attempt.transaction_id.as_ref() == Some(&raised.transaction_id)
        && raised.kind != CaseKind::RefundAbnormal
}

fn key(attempt: AttemptId, raised: &Raised) -> CaseKey {
    CaseKey {
        attempt,
        transaction_id: raised.transaction_id.clone(),
        amount: raised.amount,
    }
}

impl Draft {
    /// One case for a trade and its amount, of the kind that it was when it came:
    /// told again after a close, it is the same money. It may come again, once,
    /// when the platform has confirmed what was a mere claim.
    pub(super) fn open_case(
        &mut self,
        kind: CaseKind,
        place: Place,
        receipt: Receipt,
        source: Source,
        opening: Opening,
    ) {
        let attempt = &mut self.payment.attempts[place];
        let known = |raised: &Raised| raised.is_of(&receipt.transaction_id, receipt.amount);
        if let Some(n) = attempt.raised.iter().position(known) {
            self.confirm(place, n, receipt, source, opening);
            return;
        }
        let mut raised = Raised::new(kind, &receipt, self.now);
        stand(&mut raised, opening);
        attempt.raised.push(raised);
        self.changed = true;
        let remedy = match opening {
            Opening::Money => Remedy::Refund,
            Opening::Claim | Opening::SecondReceipt | Opening::RefundAbnormal(_) => Remedy::Review,
        };
        self.effects.push(Effect::OpenCase {
            kind,
            attempt: attempt.id,
            receipt,
            source,
            remedy,
        });
        self.tells_of_a_case(place);
    }

    /// The platform says what a message has claimed before.
    fn confirm(
        &mut self,
        place: Place,
        n: usize,
        receipt: Receipt,
        source: Source,
        opening: Opening,
    ) {
        let attempt = &mut self.payment.attempts[place];
        let (id, raised) = (attempt.id, &mut attempt.raised[n]);
        if opening == Opening::Claim || raised.proven {
            return;
        }
        let was_resolved = raised.state == CaseState::Resolved;
        *raised = Raised {
            paid_at: receipt.paid_at,
            at: raised.at,
            ..Raised::new(raised.kind, &receipt, raised.at)
        };
        stand(raised, opening);
        self.changed = true;
        let (kind, case) = (raised.kind, key(id, raised));
        let money = opening == Opening::Money;
        let remedy = if money {
            Remedy::Refund
        } else {
            Remedy::Review
        };
        if money && !was_resolved {
            self.effects.push(Effect::OpenCase {
                kind,
                attempt: id,
                receipt,
                source,
                remedy,
            });
        } else {
            let news = if was_resolved {
                EventType::CaseOpened
            } else {
                EventType::CaseNeedsPerson
            };
            self.effects.push(Effect::MoveCase {
                case,
                remedy: Some(remedy),
                tell: Some(news),
            });
            self.see_to_cases_of(id);
        }
        self.tells_of_a_case(place);
    }

    /// A case and a close are two facts: told under one sequence number, one would
    /// be taken for a repetition of the other.
    fn tells_of_a_case(&mut self, place: Place) {
        if matches!(self.payment.state, State::Closing { .. }) {
            self.closes_later = true;
            self.ask_again(place);
        }
    }

    /// A query has said what there is: what else was claimed is not so. It must have
    /// been asked after the claim; where one may have been under way, another is
    /// asked. After silence there is one in any case.
    pub(super) fn claims_answered(&mut self, place: Place, answer: &Answer) {
        let (now, payment) = (self.now, &mut self.payment);
        let attempt = &mut payment.attempts[place];
        let (id, mut again, mut disproved, mut silence) = (attempt.id, None, false, false);
        let brought = attempt.received.zip(attempt.transaction_id.as_ref());
        for raised in attempt.raised.iter_mut().filter(|raised| raised.is_claim()) {
            if brought.is_some_and(|(amount, trade)| raised.is_of(trade, amount)) {
                continue;
            }
            let rest = match answer {
                Answer::Silence => {
                    silence = true;
                    continue;
                }
                Answer::Money(there) if raised.is_of(&there.transaction_id, there.amount) => {
                    continue;
                }
                // A clock that was set back is not waited for.
                Answer::Money(_) | Answer::Nothing => {
                    let rest = (raised.at + CLAIM_SETTLES).since(now);
                    rest.min(CLAIM_SETTLES)
                }
                Answer::Uncertain => late_retry(raised.at, now),
            };
            if rest.is_zero() {
                raised.resolution = Some(Resolution::Disproved);
                disproved = true;
            } else {
                again = Some(again.map_or(rest, |again| rest.min(again)));
            }
        }
        if let Some(wait) = again {
            self.query(id, wait);
        }
        if silence {
            self.unknown(place, Source::Query, false);
        }
        if disproved {
            self.changed = true;
            self.see_to_cases_of(id);
        }
    }

    /// A job, where one of the attempt's cases can go on. What keeps money from
    /// going back is looked at then.
    pub(super) fn see_to_cases_of(&mut self, attempt: AttemptId) {
        let next = self.payment.case_due(attempt, &Policy::default());
        let asked = Effect::SeeToCases { attempt };
        if next.is_some() && !self.effects.contains(&asked) {
            self.effects.push(asked);
        }
    }

    /// One step of one case.
    pub(super) fn case_due(
        &mut self,
        attempt: AttemptId,
        refund: Option<Refund>,
        policy: &Policy,
    ) -> Result<(), Refusal> {
        let place = self.place_of(attempt)?;
        let attempt = &self.payment.attempts[place];
        let mut all = attempt.raised.iter().enumerate();
        let next = all.find_map(|(n, raised)| {
            let next = self.payment.next_step(attempt, raised, policy)?;
            Some((n, next))
        });
        let id = attempt.id;
        match (next, refund) {
            (None, _) => return Ok(()),
            (Some((n, Next::SendBack)), Some(refund)) => self.send_back(place, n, refund)?,
            // It has come to this since somebody looked: again, with a refund.
            (Some((_, Next::SendBack)), None) => {}
            (Some((n, Next::GoOn)), _) => self.goes_on(place, n),
            (Some((n, Next::AskPerson(need))), _) => self.ask_person(place, n, need),
            (Some((n, Next::Resolve(resolution))), _) => self.resolve(place, n, resolution),
        }
        self.see_to_cases_of(id);
        Ok(())
    }

    /// The world keeps the money from going back by itself.
    pub(super) fn case_stopped(&mut self, case: &CaseKey, need: Need) -> Result<(), Refusal> {
        let (place, n) = self.find(case)?;
        let attempt = &self.payment.attempts[place];
        let raised = &attempt.raised[n];
        let waits = raised.state == CaseState::Open
            && raised.resolution.is_none()
            && self.payment.holds_case_money(attempt, raised);
        if waits {
            self.ask_person(place, n, need);
        }
        self.see_to_cases_of(case.attempt);
        Ok(())
    }

    /// A person has the last word, but not against the platform's: what is on its
    /// way cannot be kept, and what is not there cannot be sent.
    pub(super) fn case_decided(
        &mut self,
        case: &CaseKey,
        decision: Decision,
        refund: Option<Refund>,
    ) -> Result<(), Refusal> {
        let (place, n) = self.find(case)?;
        let attempt = &self.payment.attempts[place];
        let raised = &attempt.raised[n];
        // Written down before; whoever decided could not know.
        if raised.decision.as_ref() == Some(&decision) {
            return Ok(());
        }
        if let Some(resolution) = raised.resolution {
            return Err(Refusal::CaseResolved(resolution));
        }
        let action = decision.action;
        self.refunds_let(action, attempt, raised)?;
        let holds_money = self.payment.holds_case_money(attempt, raised);
        if action != CaseAction::Dismiss && !raised.proven && !holds_money {
            return Err(Refusal::CaseUnconfirmed);
        }
        if action == CaseAction::Refund {
            let refund = refund.filter(|_| holds_money);
            let refund = refund.ok_or(Refusal::CaseNotRefundable)?;
            self.send_back(place, n, refund)?;
            self.payment.attempts[place].raised[n].decision = Some(decision);
            return Ok(());
        }
        self.payment.attempts[place].raised[n].decision = Some(decision);
        if action == CaseAction::Accept && self.can_be_paid_by(place, n) {
            self.pay_late(place, n);
        } else if action == CaseAction::Accept {
            self.resolve(place, n, Resolution::Accepted);
        } else {
            self.resolve(place, n, Resolution::Dismissed);
        }
        Ok(())
    }

    fn find(&self, case: &CaseKey) -> Result<(Place, usize), Refusal> {
        let place = self.place_of(case.attempt)?;
        let mut raised = self.payment.attempts[place].raised.iter();
        let n = raised.position(|raised| raised.is_of(&case.transaction_id, case.amount));
        Ok((place, n.ok_or(Refusal::UnknownCase)?))
    }

    fn place_of(&self, attempt: AttemptId) -> Result<Place, Refusal> {
        let mut attempts = self.payment.attempts.iter();
        let place = attempts.position(|known| known.id == attempt);
        place.ok_or(Refusal::UnknownAttempt)
    }

    /// All of it, once.
    fn send_back(&mut self, place: Place, n: usize, mut refund: Refund) -> Result<(), Refusal> {
        let attempt = &self.payment.attempts[place];
        let raised = &attempt.raised[n];
        refund.attempt = attempt.id;
        refund.amount = raised.amount;
        refund.case = Some(raised.kind);
        let id = refund.id;
        self.start_refund(refund, MAX_REFUNDS_WITH_CASES)?;
        let raised = &mut self.payment.attempts[place].raised[n];
        raised.state = CaseState::Refunding;
        raised.need = None;
        raised.refund = Some(id);
        self.moved(place, n, None);
        Ok(())
    }

    fn goes_on(&mut self, place: Place, n: usize) {
        let raised = &mut self.payment.attempts[place].raised[n];
        raised.state = CaseState::Refunding;
        raised.need = None;
        self.moved(place, n, None);
    }

    pub(super) fn ask_person(&mut self, place: Place, n: usize, need: Need) {
        let raised = &mut self.payment.attempts[place].raised[n];
        raised.state = CaseState::NeedsPerson;
        raised.need = Some(need);
        self.moved(place, n, Some(EventType::CaseNeedsPerson));
    }

    fn resolve(&mut self, place: Place, n: usize, resolution: Resolution) {
        let attempt = &self.payment.attempts[place];
        let by = self.payment.went_by(attempt, &attempt.raised[n]);
        let raised = &mut self.payment.attempts[place].raised[n];
        if resolution == Resolution::Refunded {
            raised.refund = by;
        }
        raised.state = CaseState::Resolved;
        raised.need = None;
        raised.resolution = Some(resolution);
        raised.resolved_at = Some(self.now);
        self.moved(place, n, Some(EventType::CaseResolved));
    }

    /// Only money that came too late, is otherwise right and all there: what was
    /// being reversed may still be taken back by a reverse that arrives late, and of
    /// two refunds the first may have gone although the second did not.
    fn can_be_paid_by(&self, place: Place, n: usize) -> bool {
        let attempt = &self.payment.attempts[place];
        matches!(self.payment.state, State::Closed { .. })
            && attempt.state == AttemptState::Succeeded
            && attempt.received == Some(self.payment.order.amount)
            && self.payment.refundable(attempt.id) == attempt.received
            && self.payment.holds_case_money(attempt, &attempt.raised[n])
    }

    /// The merchant is told of the payment first, and of the case's end by the next
    /// look at it.
    fn pay_late(&mut self, place: Place, n: usize) {
        let attempt = &mut self.payment.attempts[place];
        let (id, raised) = (attempt.id, &mut attempt.raised[n]);
        raised.resolution = Some(Resolution::Accepted);
        self.payment.state = State::Paid {
            attempt: id,
            at: raised.paid_at.unwrap_or(self.now),
        };
        self.effects.push(Effect::Tell(EventType::PaymentPaid));
        self.moved(place, n, None);
        self.see_to_cases_of(id);
    }

    fn moved(&mut self, place: Place, n: usize, tell: Option<EventType>) {
        let attempt = &self.payment.attempts[place];
        let case = key(attempt.id, &attempt.raised[n]);
        self.changed = true;
        self.effects.push(Effect::MoveCase {
            case,
            remedy: None,
            tell,
        });
    }
}

/// How a case begins.
fn stand(raised: &mut Raised, opening: Opening) {
    let need = match opening {
        Opening::Money | Opening::Claim => None,
        Opening::SecondReceipt => Some(Need::SecondReceipt),
        Opening::RefundAbnormal(refund) => {
            raised.refund = Some(refund);
            Some(Need::RefundAbnormal)
        }
    };
    raised.proven = opening != Opening::Claim;
    raised.need = need;
    if need.is_some() {
        raised.state = CaseState::NeedsPerson;
    }
}
