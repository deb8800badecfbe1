//! Habits of the platform that are undisclosed, differ by year, or differ by merchant.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What can be set. Every default is the published or most often reported behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub struct Settings {
    /// When a notification is repeated.
    pub notify_schedule: NotifySchedule,
    /// Whether notifications carry `sign_type`, as some have since 2020.
    pub notify_sign_type: bool,
    /// What a close within five minutes of the order does.
    pub early_close: EarlyClose,
    /// How long after `time_expire` a payer who already sees the prompt may still pay.
    pub expiry_grace_secs: u64,
    /// How long after `time_expire` the order still says `NOTPAY` before it turns to `CLOSED`.
    /// Undisclosed.
    pub expiry_lag_secs: u64,
    /// When an order without `time_expire` is closed. Undisclosed, at most 14 days.
    pub unpaid_close_secs: u64,
    /// Payments above this many fen ask for the password.
    pub free_limit_fen: u64,
    /// Payments beyond this many a day ask for the password.
    pub free_payments_a_day: u32,
    /// Whether a second payment of the same amount within a minute asks the person, as some
    /// merchants have seen.
    pub confirm_same_amount: bool,
    /// When the platform undoes a code payment whose prompt nobody has answered.
    pub code_payment_secs: u64,
    /// For how long after a code payment a reverse is refused while the person is asked.
    pub early_reverse_secs: u64,
    /// How long a refund takes to reach the payer; up to 20 minutes, for a card some days.
    pub refund_secs: u64,
    /// The least time between two refunds of one payment.
    pub refund_gap_secs: u64,
    /// Whether the published limits of requests a second are kept. Off, for tests are in more of
    /// a hurry than merchants, and have clocks that stand still.
    pub frequency_limits: bool,
    /// Where browsers find the simulator: `mweb_url` begins with it instead of the platform's own
    /// host.
    pub public_url: Option<String>,
    /// Whether refunds and reversals need the client certificate over plain HTTP too, where there
    /// is none, so that they are refused. Over TLS they always need it.
    pub certificate_over_http: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            notify_schedule: NotifySchedule::default(),
            notify_sign_type: false,
            early_close: EarlyClose::default(),
            expiry_grace_secs: 60,
            expiry_lag_secs: 300,
            unpaid_close_secs: 14 * 24 * 3600,
            free_limit_fen: 50_000,
            free_payments_a_day: 5,
            confirm_same_amount: false,
            code_payment_secs: 45,
            early_reverse_secs: 15,
            refund_secs: 10,
            refund_gap_secs: 60,
            frequency_limits: false,
            public_url: None,
            certificate_over_http: false,
        }
    }
}

/// The two schedules that were published. A gap runs from the try before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifySchedule {
    /// Fifteen gaps over 24 hours and 4 minutes, since March 2019.
    #[default]
    Current,
    /// Nine gaps over three and a half hours.
    Older,
}

impl NotifySchedule {
    /// How long after the try of this number, counted from 1, the next one follows.
    pub fn gap_after(self, round: u32) -> Option<Duration> {
        const CURRENT: [u64; 15] = [
            15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
        ];
        const OLDER: [u64; 9] = [15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600];
        let gaps: &[u64] = match self {
            Self::Current => &CURRENT,
            Self::Older => &OLDER,
        };
        let place = usize::try_from(round.checked_sub(1)?).ok()?;
        gaps.get(place).copied().map(Duration::from_secs)
    }
}

/// Merchants report all three of a close that comes within five minutes of the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyClose {
    /// It closes.
    #[default]
    Accepted,
    /// It is refused, as the manual says.
    Refused,
    /// It is answered with success, and the order stays open.
    WithoutEffect,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(schedule: NotifySchedule) -> (usize, u64) {
        let gaps: Vec<_> = (1..).map_while(|round| schedule.gap_after(round)).collect();
        (gaps.len(), gaps.iter().map(Duration::as_secs).sum())
    }

    #[test]
    fn the_schedules_are_as_long_as_published() {
        assert_eq!(
            total(NotifySchedule::Current),
            (15, 24 * 3600 + 4 * 60),
            "24 h 4 m"
        );
        assert_eq!(total(NotifySchedule::Older), (9, 11_040));
    }
}
