//! The refunds of a case's money: what they say of the case, and what a person
//! may still decide.
//!
//! A case has one refund at a time. But one that was closed after a refusal may
//! turn out to have gone all the same, for as long as it is looked at: by then
//! its case may have another, or be resolved.

use super::Draft;
use super::cases::{Next, brought};
use crate::case::{CaseAction, Need, Raised, Resolution};
use crate::webhook::EventType;
use crate::{
    Attempt, CaseKind, CaseState, Effect, Failure, Payment, Refund, RefundId, RefundState, Refusal,
};

/// What all refunds of a case come to.
pub(super) enum Word {
    /// One of them has gone.
    Gone,
    /// The channel has one of them.
    Taken,
    /// One was asked for, and nothing certain has been heard.
    Asked,
    /// The payer's account cannot take it.
    Stuck,
    /// They came to nothing.
    Failed,
}

impl Word {
    pub(super) fn next(&self, raised: &Raised) -> Option<Next> {
        let now_needs = |need| (raised.need != Some(need)).then_some(Next::AskPerson(need));
        match self {
            Self::Gone => Some(Next::Resolve(Resolution::Refunded)),
            Self::Taken => (raised.state == CaseState::NeedsPerson).then_some(Next::GoOn),
            Self::Asked => None,
            Self::Stuck => now_needs(Need::RefundAbnormal),
            Self::Failed => now_needs(Need::RefundFailed),
        }
    }
}

impl Payment {
    /// Those of its money, and the one that it is about.
    fn refunds_of_case(
        &self,
        attempt: &Attempt,
        raised: &Raised,
    ) -> impl Iterator<Item = &Refund> + Clone {
        let (id, about) = (attempt.id, raised.refund);
        let has_money = brought(attempt, raised);
        self.refunds.iter().filter(move |refund| {
            let of_its_money = has_money && refund.attempt == id && refund.case.is_some();
            of_its_money || about == Some(refund.id)
        })
    }

    /// `None` where nothing was ever asked for.
    pub(super) fn word_of_refunds(&self, attempt: &Attempt, raised: &Raised) -> Option<Word> {
        let refunds = self.refunds_of_case(attempt, raised);
        let stands = |state| refunds.clone().any(|refund| refund.state == state);
        let mut words = [
            (RefundState::Succeeded, Word::Gone),
            (RefundState::Processing, Word::Taken),
            (RefundState::Unknown, Word::Asked),
            (RefundState::Abnormal, Word::Stuck),
            (RefundState::Closed, Word::Failed),
        ]
        .into_iter();
        words.find_map(|(state, word)| stands(state).then_some(word))
    }

    /// The refund by which the payer has the money.
    pub(super) fn went_by(&self, attempt: &Attempt, raised: &Raised) -> Option<RefundId> {
        let refunds = self.refunds_of_case(attempt, raised);
        refunds
            .filter(|refund| refund.state == RefundState::Succeeded)
            .map(|refund| refund.id)
            .max_by_key(|id| raised.refund == Some(*id))
    }
}

impl Draft {
    /// Whether the refunds of a case leave something to decide: what may be on its
    /// way is neither kept nor sent a second time. What no account can take may be
    /// settled elsewhere.
    pub(super) fn refunds_let(
        &self,
        action: CaseAction,
        attempt: &Attempt,
        raised: &Raised,
    ) -> Result<(), Refusal> {
        let mut refunds = self.payment.refunds_of_case(attempt, raised);
        let out = refunds.clone().find(|refund| match refund.state {
            RefundState::Closed => false,
            RefundState::Abnormal => action != CaseAction::Dismiss,
            RefundState::Unknown | RefundState::Processing | RefundState::Succeeded => true,
        });
        if let Some(refund) = out {
            return Err(match (raised.kind, action) {
                (CaseKind::RefundAbnormal, CaseAction::Accept) => Refusal::CaseNotAcceptable,
                _ => Refusal::CaseRefunding(refund.id),
            });
        }
        let revives = refunds.find(|refund| refund.may_revive(self.now));
        match revives {
            Some(refund) if action == CaseAction::Accept => {
                Err(Refusal::CaseRefundMayRevive(refund.id))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The merchant is told of the case's end. Where somebody has ended it
    /// otherwise, that the money has gone all the same is news.
    pub(super) fn case_refund_ended(&mut self, place: usize, kind: EventType) {
        let refund = &self.payment.refunds[place];
        if refund.state != RefundState::Succeeded {
            return;
        }
        let id = refund.id;
        let attempt = self.payment.attempt(refund.attempt);
        let ended = |raised: &Raised| raised.resolution.is_some();
        let told_of = attempt.is_some_and(|attempt| {
            let mut cases = attempt.raised.iter();
            cases.any(|raised| brought(attempt, raised) && ended(raised))
        });
        if told_of {
            self.effects.push(Effect::TellRefund { kind, refund: id });
        }
        self.keep_from_going_twice(place);
    }

    /// What the channel has not taken is not sent again: a query says whether it
    /// had been.
    fn keep_from_going_twice(&mut self, place: usize) {
        let (id, attempt) = {
            let gone = &self.payment.refunds[place];
            (gone.id, gone.attempt)
        };
        let others =
            self.payment.refunds.iter_mut().filter(|refund| {
                refund.attempt == attempt && refund.case.is_some() && refund.id != id
            });
        for other in others.filter(|other| other.state == RefundState::Unknown && !other.refused) {
            other.refused = true;
            other.failure = Some(Failure {
                code: "already_refunded".into(),
                detail: format!("the payer has the money by {id}; this one is not sent again"),
                platform_code: None,
            });
        }
    }

    /// It is tried again under its own number; a person is told why it takes so
    /// long.
    pub(super) fn case_refund_waits(&mut self, refund: RefundId) {
        let mut attempts = self.payment.attempts.iter().enumerate();
        let found = attempts.find_map(|(place, attempt)| {
            let waits = |raised: &Raised| {
                raised.refund == Some(refund) && raised.state == CaseState::Refunding
            };
            Some((place, attempt.raised.iter().position(waits)?))
        });
        if let Some((place, n)) = found {
            self.ask_person(place, n, Need::RefundWaits);
        }
    }
}
