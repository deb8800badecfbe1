//! What a shop took on a day, and gave back.

use tongbao_core::{MerchantId, StoreId, TillId, Timestamp};
use tongbao_store::Takings;

use crate::engine::Engine;
use crate::error::EngineError;

/// A shop's day, from midnight to midnight in China.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayTakings {
    /// When it began.
    pub midnight: Timestamp,
    /// What each till took and gave back, and what nobody's till did.
    pub of_tills: Vec<Takings>,
}

impl DayTakings {
    /// Of the whole shop; names no till.
    pub fn of_shop(&self) -> Takings {
        let whole = Takings::default();
        self.of_tills.iter().fold(whole, |sum, of| Takings {
            till: None,
            payments: sum.payments + of.payments,
            amount: sum.amount + of.amount,
            refunds: sum.refunds + of.refunds,
            amount_refunded: sum.amount_refunded + of.amount_refunded,
        })
    }

    /// Of one till, which may have taken nothing.
    pub fn of_till(&self, till: TillId) -> Takings {
        let mut found = self.of_tills.iter().filter(|of| of.till == Some(till));
        found.next().copied().unwrap_or(Takings {
            till: Some(till),
            ..Takings::default()
        })
    }
}

impl Engine {
    /// The day in which `moment` lies; today when none is said.
    pub async fn takings(
        &self,
        merchant: MerchantId,
        store: StoreId,
        moment: Option<Timestamp>,
    ) -> Result<DayTakings, EngineError> {
        let midnight = midnight_in_china(moment.unwrap_or_else(|| self.now()));
        let end = Timestamp::from_millis(midnight.as_millis() + DAY_MILLIS);
        let of_tills = self.store().takings(merchant, store, midnight, end).await?;
        Ok(DayTakings { midnight, of_tills })
    }
}

const DAY_MILLIS: i64 = 86_400_000;

/// China has one time of day, eight hours before Greenwich.
const CHINA_MILLIS: i64 = 8 * 3_600_000;

fn midnight_in_china(now: Timestamp) -> Timestamp {
    let there = now.as_millis() + CHINA_MILLIS;
    Timestamp::from_millis(there - there.rem_euclid(DAY_MILLIS) - CHINA_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        let midnight = Timestamp::from_secs(1_795_190_400); // 2026-11-21T00:00:00+08:00
        for secs in [0, 1, 43_200, 86_399] {
            let now = Timestamp::from_secs(midnight.as_secs() + secs);
            assert_eq!(midnight_in_china(now), midnight, "{secs}");
        }
        let before = Timestamp::from_secs(midnight.as_secs() - 1);
        assert!(midnight_in_china(before) < midnight);
    }
}
