//! 付款码: the digits that a person shows at a till.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cashier::Refusal;
use super::wallet::WalletPlatform;
use super::{Moment, Platform};
use crate::UnixMillis;

/// How long a code lives.
const LIFE: Duration = Duration::from_mins(1);
/// How long a code that has ended is known as one that has, and not as one that never was.
const REMEMBERED: Duration = Duration::from_hours(1);

/// One code of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCode {
    /// 18 digits, WeChat's begin with 13, Alipay's with 28.
    pub digits: String,
    /// Whose.
    pub wallet: String,
    /// End of its life, on the platform's own clock.
    pub until_inside: UnixMillis,
    /// Whether a merchant has used it, be it in vain.
    pub spent: bool,
    /// The one merchant that may use it, after it has asked whose it is.
    pub only_for: Option<String>,
}

/// By digits.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PaymentCodes {
    given_out: BTreeMap<String, PaymentCode>,
}

impl PaymentCodes {
    pub(super) fn get(&self, digits: &str) -> Option<&PaymentCode> {
        self.given_out.get(digits)
    }

    pub(super) fn get_mut(&mut self, digits: &str) -> Option<&mut PaymentCode> {
        self.given_out.get_mut(digits)
    }
}

impl PaymentCode {
    /// Whether its minute is over.
    pub fn is_expired(&self, at: Moment) -> bool {
        self.until_inside <= at.inside
    }
}

impl Platform {
    /// The person shows a fresh code. Those shown before live on until their minute is over.
    pub fn auth_code(&mut self, now: UnixMillis, wallet: &str) -> Result<PaymentCode, Refusal> {
        let at = self.moment(now);
        let prefix = match self.wallet(wallet)?.platform {
            WalletPlatform::Wechat => "13",
            WalletPlatform::Alipay => "28",
        };
        let codes = &mut self.payment_codes.given_out;
        codes.retain(|_, code| at.inside.since(code.until_inside) < REMEMBERED);
        let mut digits = format!("{prefix}{}", self.chance.digits(16));
        while codes.contains_key(&digits) {
            digits = format!("{prefix}{}", self.chance.digits(16));
        }
        let code = PaymentCode {
            digits: digits.clone(),
            wallet: wallet.to_owned(),
            until_inside: at.inside + LIFE,
            spent: false,
            only_for: None,
        };
        codes.insert(digits, code.clone());
        Ok(code)
    }

    /// The person's codes that a merchant could still use, the newest last.
    pub fn live_codes(&self, now: UnixMillis, wallet: &str) -> Vec<&PaymentCode> {
        let at = self.moment(now);
        let codes = self.payment_codes.given_out.values();
        let mut live: Vec<_> = codes
            .filter(|code| code.wallet == wallet && !code.spent && !code.is_expired(at))
            .collect();
        live.sort_by_key(|code| code.until_inside);
        live
    }
}
