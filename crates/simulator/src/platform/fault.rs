//! What goes wrong on purpose.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Moment;
use crate::UnixMillis;

/// What to break, for whom, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFault {
    /// Only requests to this path; for notifications, the path of the merchant's address.
    #[serde(default)]
    pub path: Option<String>,
    /// Only this order.
    #[serde(default)]
    pub out_trade_no: Option<String>,
    /// What happens.
    pub kind: FaultKind,
    /// How often it happens; without it, until it is switched off.
    #[serde(default)]
    pub times: Option<u32>,
    /// For `slow`, `delay_notification` and `reorder_notification` the length of the delay; for
    /// every other kind, how long the fault stays on.
    #[serde(default)]
    pub seconds: Option<u64>,
    /// For `system_error` and `system_error_after_effect`: another `err_code` in its place, be it
    /// one that nobody has heard of.
    #[serde(default)]
    pub err_code: Option<String>,
}

impl NewFault {
    /// One that hits everything until it is switched off.
    pub fn of(kind: FaultKind) -> Self {
        Self {
            path: None,
            out_trade_no: None,
            kind,
            times: None,
            seconds: None,
            err_code: None,
        }
    }
}

/// The ways to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Done, but the connection drops before the answer.
    NoAnswer,
    /// Nothing is done; the connection is refused.
    RefuseConnection,
    /// Nothing is done; a front server's error page.
    #[serde(rename = "http_500")]
    Http500,
    /// Nothing is done; a signed `SYSTEMERROR`.
    SystemError,
    /// Done, and yet the answer is a signed `SYSTEMERROR`.
    SystemErrorAfterEffect,
    /// Nothing is done: too many requests, it says.
    FrequencyLimited,
    /// Done at once, answered late: 10 seconds unless said otherwise.
    Slow,
    /// Done, and the answer is unreadable.
    GarbageAnswer,
    /// Done, and the answer is signed with another key.
    BadSignatureAnswer,
    /// A reverse is not done, and asks to be called again.
    RecallReverse,
    /// A reverse is answered with success, and nothing was reversed.
    ReverseWithoutEffect,
    /// The payer is asked for the password, whatever the amount.
    AskPassword,
    /// A refund does not reach the payer: it ends in `CHANGE`.
    AbnormalRefund,
    /// A refund is closed: the merchant has the money again.
    CloseRefund,
    /// A try to notify is lost; the schedule goes on.
    DropNotification,
    /// The first try arrives twice at once, by two routes.
    DuplicateNotification,
    /// The first try leaves late: 60 seconds unless said otherwise.
    DelayNotification,
    /// The first try leaves after the next order's, or after 60 seconds unless said otherwise.
    ReorderNotification,
    /// An unpaid order is said to be paid, signed with another key.
    ForgedNotification,
    /// A refund that was only asked for is said to have succeeded, under another key.
    ForgedRefundNotification,
    /// An unreadable message goes out before the true one.
    GarbageNotification,
    /// Genuine but for the amount.
    WrongAmountNotification,
}

impl FaultKind {
    /// All of them, as listed for people.
    pub const ALL: [Self; 22] = [
        Self::NoAnswer,
        Self::RefuseConnection,
        Self::Http500,
        Self::SystemError,
        Self::SystemErrorAfterEffect,
        Self::FrequencyLimited,
        Self::Slow,
        Self::GarbageAnswer,
        Self::BadSignatureAnswer,
        Self::RecallReverse,
        Self::ReverseWithoutEffect,
        Self::AskPassword,
        Self::AbnormalRefund,
        Self::CloseRefund,
        Self::DropNotification,
        Self::DuplicateNotification,
        Self::DelayNotification,
        Self::ReorderNotification,
        Self::ForgedNotification,
        Self::ForgedRefundNotification,
        Self::GarbageNotification,
        Self::WrongAmountNotification,
    ];

    /// Those that befall any request; one at a time, `slow` beside any.
    pub(super) const OF_REQUESTS: [Self; 8] = [
        Self::NoAnswer,
        Self::RefuseConnection,
        Self::Http500,
        Self::SystemError,
        Self::SystemErrorAfterEffect,
        Self::FrequencyLimited,
        Self::GarbageAnswer,
        Self::BadSignatureAnswer,
    ];

    /// Those that befall a reverse.
    pub(super) const OF_REVERSES: [Self; 10] = {
        let [a, b, c, d, e, f, g, h] = Self::OF_REQUESTS;
        let (again, nothing) = (Self::RecallReverse, Self::ReverseWithoutEffect);
        [again, nothing, a, b, c, d, e, f, g, h]
    };

    /// The word in the control API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::RefuseConnection => "refuse_connection",
            Self::Http500 => "http_500",
            Self::SystemError => "system_error",
            Self::SystemErrorAfterEffect => "system_error_after_effect",
            Self::FrequencyLimited => "frequency_limited",
            Self::Slow => "slow",
            Self::GarbageAnswer => "garbage_answer",
            Self::BadSignatureAnswer => "bad_signature_answer",
            Self::RecallReverse => "recall_reverse",
            Self::ReverseWithoutEffect => "reverse_without_effect",
            Self::AskPassword => "ask_password",
            Self::AbnormalRefund => "abnormal_refund",
            Self::CloseRefund => "close_refund",
            Self::DropNotification => "drop_notification",
            Self::DuplicateNotification => "duplicate_notification",
            Self::DelayNotification => "delay_notification",
            Self::ReorderNotification => "reorder_notification",
            Self::ForgedNotification => "forged_notification",
            Self::ForgedRefundNotification => "forged_refund_notification",
            Self::GarbageNotification => "garbage_notification",
            Self::WrongAmountNotification => "wrong_amount_notification",
        }
    }

    /// How long the delay is when `seconds` does not say; `None` for kinds that do not delay.
    const fn usual_delay(self) -> Option<Duration> {
        match self {
            Self::Slow => Some(Duration::from_secs(10)),
            Self::DelayNotification | Self::ReorderNotification => Some(Duration::from_mins(1)),
            _ => None,
        }
    }
}

/// A fault that is switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Counts up from 1.
    pub id: FaultId,
    /// What was asked for; `times` as it was at first.
    pub asked: NewFault,
    /// How often it has happened.
    pub hits: u32,
    /// When it switches itself off, on the platform's own clock.
    pub until_inside: Option<UnixMillis>,
}

/// Counts up from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u64);

impl Fault {
    /// How long the delay is, for the kinds that delay.
    pub(super) fn delay(&self) -> Duration {
        let usual = self.asked.kind.usual_delay().unwrap_or_default();
        self.asked.seconds.map_or(usual, Duration::from_secs)
    }

    /// Whether it can still happen.
    pub fn is_on(&self, at: Moment) -> bool {
        let in_time = self.until_inside.is_none_or(|until| at.inside < until);
        let left = self.asked.times.is_none_or(|times| self.hits < times);
        in_time && left
    }

    fn hits(&self, path: Option<&str>, out_trade_no: Option<&str>) -> bool {
        let agrees = |wanted: &Option<String>, given: Option<&str>| match wanted {
            None => true,
            Some(wanted) => given == Some(wanted),
        };
        agrees(&self.asked.path, path) && agrees(&self.asked.out_trade_no, out_trade_no)
    }
}

/// In the order of switching on; the first that fits happens.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Faults {
    on: Vec<Fault>,
    counter: u64,
}

impl Faults {
    pub(super) fn switch_on(&mut self, at: Moment, asked: NewFault) -> FaultId {
        self.counter += 1;
        let id = FaultId(self.counter);
        let until_inside = match asked.kind.usual_delay() {
            Some(_) => None,
            None => asked
                .seconds
                .map(|seconds| at.inside + Duration::from_secs(seconds)),
        };
        self.on.push(Fault {
            id,
            asked,
            hits: 0,
            until_inside,
        });
        id
    }

    /// Whether there was one.
    pub(super) fn switch_off(&mut self, id: FaultId) -> bool {
        let before = self.on.len();
        self.on.retain(|fault| fault.id != id);
        self.on.len() < before
    }

    pub(super) fn clear(&mut self) {
        self.on.clear();
    }

    pub(super) fn get(&self, id: FaultId) -> Option<&Fault> {
        self.on.iter().find(|fault| fault.id == id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.on.iter()
    }

    /// The first fault of these kinds that fits, counted as having happened.
    pub(super) fn strike(
        &mut self,
        kinds: &[FaultKind],
        at: Moment,
        path: Option<&str>,
        out_trade_no: Option<&str>,
    ) -> Option<Fault> {
        let fault = self.on.iter_mut().find(|fault| {
            kinds.contains(&fault.asked.kind) && fault.is_on(at) && fault.hits(path, out_trade_no)
        })?;
        fault.hits += 1;
        Some(fault.clone())
    }

    /// Whether one would strike; counts nothing.
    pub(super) fn threatens(
        &self,
        kind: FaultKind,
        at: Moment,
        path: Option<&str>,
        out_trade_no: Option<&str>,
    ) -> bool {
        self.on.iter().any(|fault| {
            fault.asked.kind == kind && fault.is_on(at) && fault.hits(path, out_trade_no)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Moment = Moment {
        wall: UnixMillis::from_secs(1_000_000),
        inside: UnixMillis::from_secs(1_000_000),
    };

    fn strikes(faults: &mut Faults, path: &str, out_trade_no: &str) -> bool {
        faults
            .strike(
                &FaultKind::OF_REQUESTS,
                NOON,
                Some(path),
                Some(out_trade_no),
            )
            .is_some()
    }

    #[test]
    fn every_kind_is_spelled_in_json_as_in_the_list() {
        for kind in FaultKind::ALL {
            let json = serde_json::to_value(kind).unwrap();
            assert_eq!(json, kind.as_str());
        }
    }

    #[test]
    fn a_fault_strikes_as_often_as_asked_and_only_where_asked() {
        let mut faults = Faults::default();
        faults.switch_on(
            NOON,
            NewFault {
                path: Some("/pay/orderquery".into()),
                out_trade_no: Some("T00001".into()),
                times: Some(2),
                ..NewFault::of(FaultKind::NoAnswer)
            },
        );

        assert!(!strikes(&mut faults, "/pay/closeorder", "T00001"));
        assert!(!strikes(&mut faults, "/pay/orderquery", "T00002"));
        assert!(strikes(&mut faults, "/pay/orderquery", "T00001"));
        assert!(strikes(&mut faults, "/pay/orderquery", "T00001"));
        assert!(!strikes(&mut faults, "/pay/orderquery", "T00001"));
    }

    #[test]
    fn seconds_are_a_life_for_most_kinds_and_a_delay_for_some() {
        let mut faults = Faults::default();
        let asked = |kind| NewFault {
            seconds: Some(30),
            ..NewFault::of(kind)
        };
        let brief = faults.switch_on(NOON, asked(FaultKind::Http500));
        let slow = faults.switch_on(NOON, asked(FaultKind::Slow));
        let later = Moment {
            inside: NOON.inside + Duration::from_secs(30),
            ..NOON
        };

        assert!(!faults.get(brief).unwrap().is_on(later));
        assert!(faults.get(slow).unwrap().is_on(later));
        assert_eq!(faults.get(slow).unwrap().delay(), Duration::from_secs(30));
    }
}
