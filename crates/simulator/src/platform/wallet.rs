//! People who pay.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Moment;
use super::settings::Settings;
use crate::UnixMillis;
use crate::chance::Chance;

/// The application of the ready-made account: `openid` is under it.
const HOME_APP: &str = "wx7e57000000000001";
/// Wrong passwords in a row until the wallet is locked.
const TRIES: u32 = 5;
/// How long a locked wallet stays locked.
const LOCKED: Duration = Duration::from_hours(3);

/// A person's money at one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// The person's name in the control API.
    pub id: String,
    /// Whose wallet it is.
    pub platform: WalletPlatform,
    /// What the ready-made account gets to know the person by; see
    /// [`openid_in`](Self::openid_in).
    pub openid: String,
    /// Fen.
    pub balance_fen: u64,
    /// Fen before the first payment.
    opening_fen: u64,
    /// Whether money can reach the person.
    pub status: WalletStatus,
    /// Six digits.
    pub password: String,
    /// Payments without a password on that day.
    #[serde(default)]
    free: FreePayments,
    /// Wrong passwords since the last right one.
    #[serde(default)]
    wrong_passwords: u32,
    #[serde(default)]
    locked_until: Option<UnixMillis>,
}

/// Whether a wallet pays and takes money back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalletStatus {
    /// It does.
    #[default]
    Open,
    /// It pays, yet refunds do not reach it: they end in `CHANGE`.
    CardClosed,
    /// It does neither: refunds are refused at once.
    Closed,
}

/// The platforms that people have wallets at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalletPlatform {
    /// WeChat Pay.
    Wechat,
    /// Alipay.
    Alipay,
}

/// Why there can be no such wallet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// The id is taken.
    #[error("there is a wallet `{0}` already; choose another id")]
    Taken(String),
    /// An id that would not fit a path.
    #[error("a wallet's id has 1 to 32 of a-z, 0-9, `-` and `_`")]
    Id,
    /// Not six digits.
    #[error("a password has six digits")]
    Password,
    /// Empty, too long, or another person's.
    #[error("an openid has 1 to 128 printable ASCII characters and belongs to one person")]
    Openid,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct FreePayments {
    /// Days since 1970 in Beijing.
    day: i64,
    count: u32,
}

impl Wallet {
    /// A person with money and no history.
    pub fn new(
        id: &str,
        platform: WalletPlatform,
        openid: &str,
        balance_fen: u64,
        password: &str,
    ) -> Result<Self, WalletError> {
        let id_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        if id.is_empty() || id.len() > 32 || !id.bytes().all(id_byte) {
            return Err(WalletError::Id);
        }
        if password.len() != 6 || !password.bytes().all(|b| b.is_ascii_digit()) {
            return Err(WalletError::Password);
        }
        if openid.is_empty() || openid.len() > 128 || !openid.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(WalletError::Openid);
        }
        Ok(Self {
            id: id.to_owned(),
            platform,
            openid: openid.to_owned(),
            balance_fen,
            opening_fen: balance_fen,
            status: WalletStatus::Open,
            password: password.to_owned(),
            free: FreePayments::default(),
            wrong_passwords: 0,
            locked_until: None,
        })
    }

    /// Fen before the first payment.
    pub const fn opening_fen(&self) -> u64 {
        self.opening_fen
    }

    /// Who the person is to an application: to each someone else.
    pub fn openid_in(&self, app_id: &str) -> String {
        if app_id == HOME_APP || self.platform != WalletPlatform::Wechat {
            return self.openid.clone();
        }
        let seed = [app_id, "/", &self.openid].concat();
        format!("o{}", Chance::of_text(&seed).alphanumeric(27))
    }

    /// Whether a payment of this amount asks for the password: the published rule.
    pub(super) fn asks_password(&self, at: Moment, amount_fen: u64, settings: &Settings) -> bool {
        amount_fen > settings.free_limit_fen || self.free_count(at) >= settings.free_payments_a_day
    }

    pub(super) fn locked_until(&self, at: Moment) -> Option<UnixMillis> {
        self.locked_until.filter(|until| *until > at.inside)
    }

    /// `Err` with the tries that are left.
    pub(super) fn check_password(&mut self, at: Moment, password: &str) -> Result<(), u32> {
        if password == self.password {
            self.wrong_passwords = 0;
            self.locked_until = None;
            return Ok(());
        }
        self.wrong_passwords += 1;
        let left = TRIES.saturating_sub(self.wrong_passwords);
        if left == 0 {
            self.wrong_passwords = 0;
            self.locked_until = Some(at.inside + LOCKED);
        }
        Err(left)
    }

    pub(super) fn count_free_payment(&mut self, at: Moment) {
        self.free = FreePayments {
            day: day(at),
            count: self.free_count(at) + 1,
        };
    }

    fn free_count(&self, at: Moment) -> u32 {
        if self.free.day == day(at) {
            self.free.count
        } else {
            0
        }
    }
}

fn day(at: Moment) -> i64 {
    const BEIJING: i64 = 8 * 3600;
    (at.inside.as_secs() + BEIJING).div_euclid(24 * 3600)
}
