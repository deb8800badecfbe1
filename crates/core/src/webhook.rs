//! What we tell a merchant, where, and how often we try.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{EndpointId, EventId, MerchantId, PaymentId, StoreId, Timestamp};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventType {
    /// The money has come.
    #[serde(rename = "payment.paid")]
    PaymentPaid,
    /// It will not come.
    #[serde(rename = "payment.closed")]
    PaymentClosed,
    /// The payer has the money back.
    #[serde(rename = "refund.succeeded")]
    RefundSucceeded,
    /// It did not go back, and will not.
    #[serde(rename = "refund.failed")]
    RefundFailed,
    /// Money came that should not be there.
    #[serde(rename = "case.opened")]
    CaseOpened,
    /// The gateway will not go on with it by itself.
    #[serde(rename = "case.needs_person")]
    CaseNeedsPerson,
    /// The money is where it belongs, or somebody has decided that it is.
    #[serde(rename = "case.resolved")]
    CaseResolved,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::PaymentPaid,
        Self::PaymentClosed,
        Self::RefundSucceeded,
        Self::RefundFailed,
        Self::CaseOpened,
        Self::CaseNeedsPerson,
        Self::CaseResolved,
    ];

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentPaid => "payment.paid",
            Self::PaymentClosed => "payment.closed",
            Self::RefundSucceeded => "refund.succeeded",
            Self::RefundFailed => "refund.failed",
            Self::CaseOpened => "case.opened",
            Self::CaseNeedsPerson => "case.needs_person",
            Self::CaseResolved => "case.resolved",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A fact for the merchant: written in the transaction that made it true, and
/// the same bytes in every try at every endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// Goes out as `webhook-id`: who has seen it has seen the fact.
    pub id: EventId,
    /// Who is told.
    pub merchant: MerchantId,
    /// Of which payment; none for a case of an unknown one.
    pub payment: Option<PaymentId>,
    /// The shop, for endpoints that listen to one shop alone.
    pub store: Option<StoreId>,
    /// What happened.
    pub kind: EventType,
    /// Rises with every change of the payment: apply an event only when it is
    /// higher than the last.
    pub sequence: i64,
    /// The JSON that is signed and sent.
    pub body: String,
    /// When it became true.
    pub created_at: Timestamp,
}

/// Where a merchant wants to be told. The secret is kept apart, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Ours.
    pub id: EndpointId,
    /// Whose.
    pub merchant: MerchantId,
    /// Absolute http or https address.
    pub url: String,
    /// Nothing is sent while it is off.
    pub enabled: bool,
    /// Only these; empty means all.
    pub event_types: Vec<EventType>,
    /// Only events of this shop.
    pub store: Option<StoreId>,
    /// The signing secret under the vault's seal.
    pub sealed_secret: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be tried at its time.
    Pending,
    /// The endpoint answered 2xx.
    Delivered,
    /// Every try of the schedule failed; a person may send it again.
    Exhausted,
}

impl DeliveryState {
    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Exhausted => "exhausted",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Exhausted]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// The waits after the first try, in seconds.
pub const RETRY_SECS: [u32; 15] = [
    15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600,
];

/// `Retry-After` is believed up to here.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// How long an endpoint may take to answer.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// How long to wait after the `tries`-th failed try (counted from one).
///
/// `jitter` is any number; it spreads the wait over ±10 % so that an endpoint
/// that comes back is not met by everybody at once. `None` when the schedule
/// has run out.
pub fn retry_gap(tries: u32, retry_after: Option<Duration>, jitter: u64) -> Option<Duration> {
    let index = usize::try_from(tries.checked_sub(1)?).ok()?;
    let base = Duration::from_secs(u64::from(*RETRY_SECS.get(index)?));
    let gap = spread(base, jitter);
    Some(retry_after.map_or(gap, |asked| gap.max(asked.min(RETRY_AFTER_MAX))))
}

/// `base` ± 10 %, chosen by `jitter`.
pub fn spread(base: Duration, jitter: u64) -> Duration {
    let millis = u64::try_from(base.as_millis()).unwrap_or(u64::MAX / 2);
    let fifth = millis / 5;
    if fifth == 0 {
        return base;
    }
    Duration::from_millis(millis - fifth / 2 + jitter % (fifth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_has_sixteen_tries_and_then_ends() {
        let gaps: Vec<_> = (1..).map_while(|tries| retry_gap(tries, None, 0)).collect();
        assert_eq!(gaps.len(), 15);
        assert_eq!(retry_gap(0, None, 0), None);
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        let base = Duration::from_mins(10);
        for jitter in [0, 1, 59_999, 120_000, u64::MAX] {
            let gap = spread(base, jitter);
            assert!(
                gap >= Duration::from_mins(9) && gap <= Duration::from_mins(11),
                "{gap:?}"
            );
        }
    }

    #[test]
    fn retry_after_lengthens_the_wait_up_to_a_day() {
        let hour = Duration::from_hours(1);
        assert_eq!(retry_gap(1, Some(hour), 0), Some(hour));
        assert_eq!(retry_gap(1, Some(Duration::MAX), 0), Some(RETRY_AFTER_MAX));
        assert!(retry_gap(1, Some(Duration::ZERO), 0).unwrap() > Duration::from_secs(10));
    }

    #[test]
    fn the_schedule_is_the_published_one() {
        let secs: u64 = RETRY_SECS.iter().copied().map(u64::from).sum();
        // 24 h 4 m in all, as WeChat Pay repeats its own notifications.
        assert_eq!(Duration::from_secs(secs), Duration::from_mins(24 * 60 + 4));
        let (first, last) = (Duration::from_secs(15), Duration::from_hours(6));
        let near = |gap: Duration, base: Duration| gap >= base * 9 / 10 && gap <= base * 11 / 10;
        for jitter in [0, 1, 99_999_999] {
            assert!(near(retry_gap(1, None, jitter).unwrap(), first));
            assert!(near(retry_gap(15, None, jitter).unwrap(), last));
            assert_eq!(retry_gap(16, None, jitter), None);
            assert_eq!(retry_gap(u32::MAX, None, jitter), None);
        }
    }

    #[test]
    fn jitter_uses_the_whole_tenth_on_both_sides() {
        let base = Duration::from_secs(10);
        assert_eq!(spread(base, 0), Duration::from_secs(9));
        assert_eq!(spread(base, 1_000), base);
        assert_eq!(spread(base, 2_000), Duration::from_secs(11));
        assert_eq!(spread(base, 2_001), Duration::from_secs(9));
        let short = Duration::from_millis(4);
        assert_eq!(spread(short, u64::MAX), short);
        // More milliseconds than can be counted become some that can.
        let longest = spread(Duration::MAX, u64::MAX);
        assert!(longest > Duration::from_hours(24) && longest < Duration::MAX / 2);
    }
}
