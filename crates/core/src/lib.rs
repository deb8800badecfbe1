//! What a payment is and what may become of it: decisions, and nothing else.
//!
//! Everything here is pure. There is no clock (the time comes in as an
//! argument), no random number (ids come in minted), no socket, no database
//! and no async, and there never will be: this is the part that must be right,
//! so it is the part that can be run a million times a minute from a seed.
//!
//! The heart is [`Payment::on`]: one payment, one event, the next payment and
//! the effects that must follow. Answers, queries, notifications, bills and
//! operators all speak through one value, [`Report`], so that "paid" is decided
//! in one place.

pub mod attempt;
pub mod case;
pub mod channel;
pub mod id;
pub mod inbox;
pub mod job;
pub mod merchant;
pub mod money;
pub mod order;
pub mod payment;
pub mod refund;
pub mod report;
pub mod schedule;
pub mod shop;
pub mod time;
pub mod webhook;

pub use attempt::{Action, Attempt, AttemptState, Failure, Patience, Reversal, Scene};
pub use case::{
    Case, CaseAction, CaseKey, CaseKind, CaseState, Decision, Need, Raised, Resolution,
};
pub use id::{
    ApiKeyId, AttemptId, CaseId, ChannelId, EndpointId, EventId, MerchantId, NotificationId,
    PaymentId, RefundId, StoreId, TillId,
};
pub use job::{Job, JobKind};
pub use merchant::{AutoRefund, Policy};
pub use money::{Currency, Money};
pub use order::Order;
pub use payment::{CaseDue, CloseReason, Effect, Event, Payment, Refusal, Rules, State, Step};
pub use refund::{Refund, RefundOutcome, RefundReport, RefundState};
pub use report::{Grade, Outcome, Receipt, Report, Source};
pub use time::Timestamp;

#[cfg(test)]
mod tests {
    use crate::case::Remedy;
    use crate::channel::Confirm;
    use crate::inbox::Verdict;
    use crate::webhook::{DeliveryState, EventType};
    use crate::{
        AttemptState, CaseAction, CaseKind, CaseState, CloseReason, JobKind, Need, RefundState,
        Resolution, Scene,
    };

    /// Every value has a word of its own, which reads back.
    macro_rules! words {
        ($($kind:ident: $values:expr;)*) => {$({
            let values = $values;
            for (n, value) in values.into_iter().enumerate() {
                assert_eq!($kind::parse(value.as_str()), Some(value));
                assert!(values[..n].iter().all(|other| other.as_str() != value.as_str()));
            }
            assert_eq!($kind::parse(""), None);
            assert_eq!($kind::parse(&values[0].as_str().to_uppercase()), None);
        })*};
    }

    #[test]
    fn a_word_in_sql_reads_back() {
        words! {
            Scene: Scene::ALL;
            AttemptState: AttemptState::ALL;
            RefundState: RefundState::ALL;
            CaseKind: CaseKind::ALL;
            JobKind: JobKind::ALL;
            EventType: EventType::ALL;
            Verdict: Verdict::ALL;
            CloseReason: [CloseReason::Requested, CloseReason::Expired];
            Remedy: [Remedy::Refund, Remedy::Review];
            CaseState: CaseState::ALL;
            CaseAction: CaseAction::ALL;
            Need: Need::ALL;
            Resolution: Resolution::ALL;
            Confirm: [Confirm::Query, Confirm::Signature];
            DeliveryState: [DeliveryState::Pending, DeliveryState::Delivered, DeliveryState::Exhausted];
        }
    }

    #[test]
    fn a_word_in_json_is_the_one_in_sql() {
        fn json(value: impl serde::Serialize) -> String {
            serde_json::to_string(&value).unwrap().replace('"', "")
        }
        assert!(Scene::ALL.iter().all(|it| json(it) == it.as_str()));
        assert!(AttemptState::ALL.iter().all(|it| json(it) == it.as_str()));
        assert!(RefundState::ALL.iter().all(|it| json(it) == it.as_str()));
        assert!(CaseKind::ALL.iter().all(|it| json(it) == it.as_str()));
        assert!(EventType::ALL.iter().all(|it| json(it) == it.as_str()));
        assert_eq!(json(CloseReason::Expired), CloseReason::Expired.as_str());
        assert_eq!(json(Remedy::Review), Remedy::Review.as_str());
        assert!(CaseState::ALL.iter().all(|it| json(it) == it.as_str()));
        assert!(CaseAction::ALL.iter().all(|it| json(it) == it.as_str()));
        assert!(Need::ALL.iter().all(|it| json(it) == it.as_str()));
        assert!(Resolution::ALL.iter().all(|it| json(it) == it.as_str()));
        assert_eq!(json(Confirm::Signature), Confirm::Signature.as_str());
        assert_eq!(
            json(DeliveryState::Exhausted),
            DeliveryState::Exhausted.as_str()
        );
    }
}
