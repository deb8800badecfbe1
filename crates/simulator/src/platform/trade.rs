//! What a merchant has asked to be paid.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tongbao_wire::wechat_v2::{SignType, TradeType};

use super::Moment;
use super::refund::Refund;
use crate::UnixMillis;

/// One order at the platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trade {
    /// Counts up from 1.
    pub id: TradeId,
    /// Who gets the money.
    pub mch_id: String,
    /// The application it was placed for.
    pub app_id: String,
    /// Whom a service provider placed it for.
    pub sub_mch_id: Option<String>,
    /// That merchant's application.
    pub sub_app_id: Option<String>,
    /// The merchant's number, unique for ever under `mch_id`.
    pub out_trade_no: String,
    /// Where it is to be paid.
    #[serde(with = "trade_type")]
    pub trade_type: TradeType,
    /// Fen.
    pub amount_fen: u64,
    /// What the payer reads.
    pub subject: String,
    /// Comes back in notifications and queries.
    pub attach: Option<String>,
    /// The merchant's terminal.
    pub device_info: Option<String>,
    /// Of the interface: `1.0` with discounts for single articles.
    pub version: Option<String>,
    /// The only person who may pay, for `JSAPI`.
    pub openid: Option<String>,
    /// The same person under `sub_app_id`.
    pub sub_openid: Option<String>,
    /// Where the payment is told. Code payments are not told of.
    pub notify_url: Option<String>,
    /// What the order was signed with, and so its notification.
    #[serde(with = "sign_type")]
    pub sign_type: SignType,
    /// What a repeated order must equal, byte for byte.
    pub terms: String,
    /// When it was placed.
    pub created: Moment,
    /// From when on nobody new may pay, on the platform's own clock.
    pub expires_inside: Option<UnixMillis>,
    /// What the payer's phone gets hold of it by. A code payment has nothing of the kind.
    pub prepay: Option<Prepay>,
    /// Whose payment code the merchant scanned.
    pub scanned: Option<String>,
    /// Every code and prepay id given out for it so far, those that have ended included.
    pub handles: Vec<String>,
    /// Wallets whose owners see the prompt.
    pub in_cashier: BTreeSet<String>,
    /// What has become of it.
    pub state: TradeState,
    /// In the order of asking, those that came to nothing included.
    pub refunds: Vec<Refund>,
}

/// Counts up from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TradeId(pub u64);

/// The way to the prompt. A new one is made when the order is repeated after its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepay {
    /// For the merchant's page or app.
    pub prepay_id: String,
    /// The text of the QR code, for `NATIVE`.
    pub code_url: Option<String>,
    /// Where to send the browser, for `MWEB`.
    pub mweb_url: Option<String>,
    /// End of its life, on the platform's own clock.
    pub until_inside: UnixMillis,
    /// End of the life of `mweb_url`.
    pub mweb_until_inside: UnixMillis,
}

/// What has become of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeState {
    /// `NOTPAY`
    NotPay,
    /// `USERPAYING`: the phone asks the payer of a code payment for the password.
    UserPaying {
        /// When the platform gives up, on its own clock.
        until_inside: UnixMillis,
    },
    /// `SUCCESS`, or `REFUND` as soon as there is a refund.
    Success(Paid),
    /// `PAYERROR`: a code payment that came to nothing.
    PayError {
        /// When.
        at: Moment,
        /// Why.
        why: PayFailure,
    },
    /// `REVOKED`: a code payment that was undone.
    Revoked {
        /// When.
        at: Moment,
        /// By whom.
        by: RevokedBy,
        /// The payment that was given back, when there was one.
        paid: Option<Paid>,
    },
    /// `CLOSED`
    Closed {
        /// When.
        at: Moment,
        /// By whom.
        by: ClosedBy,
    },
}

impl Prepay {
    /// What it can be found by.
    pub(super) fn handles(&self) -> impl Iterator<Item = String> + use<> {
        [Some(self.prepay_id.clone()), self.code_url.clone()]
            .into_iter()
            .flatten()
    }
}

/// A payment that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// Whose money it was.
    pub wallet: String,
    /// Who that is to the merchant.
    pub openid: String,
    /// And under the sub-merchant's application.
    pub sub_openid: Option<String>,
    /// The platform's number: 28 digits.
    pub transaction_id: String,
    /// When.
    pub at: Moment,
}

/// Who closed an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// The merchant asked.
    Merchant,
    /// Nobody paid in time.
    Expiry,
}

/// Why no money was taken for a code payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayFailure {
    /// Less in the wallet than asked for.
    NotEnough,
    /// The payer was asked, and said no.
    Declined,
    /// The payer has closed the account.
    AccountClosed,
}

/// Who undid a code payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedBy {
    /// The merchant asked.
    Merchant,
    /// The payer did not answer in time.
    Timeout,
}

impl Trade {
    /// The platform's word for its state.
    pub fn word(&self) -> &'static str {
        match &self.state {
            TradeState::NotPay => "NOTPAY",
            TradeState::UserPaying { .. } => "USERPAYING",
            TradeState::Success(_) if self.refunds.is_empty() => "SUCCESS",
            TradeState::Success(_) => "REFUND",
            TradeState::Closed { .. } => "CLOSED",
            TradeState::PayError { .. } => "PAYERROR",
            TradeState::Revoked { .. } => "REVOKED",
        }
    }

    /// The application that the payer's client calls the wallet from.
    pub fn client_app_id(&self) -> &str {
        self.sub_app_id.as_deref().unwrap_or(&self.app_id)
    }

    /// The number of the merchant whose money it is.
    pub fn payee(&self) -> &str {
        self.sub_mch_id.as_deref().unwrap_or(&self.mch_id)
    }

    /// The text of the QR code, for `NATIVE`.
    pub fn code_url(&self) -> Option<&str> {
        self.prepay.as_ref()?.code_url.as_deref()
    }

    /// Whether a person who has not opened it before may do so.
    pub fn is_open(&self, at: Moment) -> bool {
        self.state == TradeState::NotPay && !self.is_expired(at)
    }

    /// Fen that were asked back and did not come to nothing.
    pub fn refunded_fen(&self) -> u64 {
        let counted = self.refunds.iter().filter(|refund| refund.counts());
        counted.map(|refund| refund.fen).sum()
    }

    /// Whether it was paid, closed or reversed.
    pub fn is_over(&self) -> bool {
        match self.state {
            TradeState::NotPay | TradeState::UserPaying { .. } | TradeState::PayError { .. } => {
                false
            }
            TradeState::Success(_) | TradeState::Closed { .. } | TradeState::Revoked { .. } => true,
        }
    }

    /// Whether `time_expire` has passed.
    pub fn is_expired(&self, at: Moment) -> bool {
        self.expires_inside
            .is_some_and(|expires| expires <= at.inside)
    }

    /// The payment, when there is one that was not reversed.
    pub fn paid(&self) -> Option<&Paid> {
        match &self.state {
            TradeState::Success(paid) => Some(paid),
            TradeState::NotPay
            | TradeState::UserPaying { .. }
            | TradeState::Closed { .. }
            | TradeState::PayError { .. }
            | TradeState::Revoked { .. } => None,
        }
    }

    /// The payment, when there was one, reversed or not.
    pub fn ever_paid(&self) -> Option<&Paid> {
        match &self.state {
            TradeState::Revoked { paid, .. } => paid.as_ref(),
            _ => self.paid(),
        }
    }
}

mod trade_type {
    use super::{Deserialize, Deserializer, Serializer, TradeType};

    pub(super) fn serialize<S: Serializer>(word: &TradeType, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(word.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<TradeType, D::Error> {
        Ok(TradeType::from(&*String::deserialize(d)?))
    }
}

mod sign_type {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, Serializer, SignType};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(word: &SignType, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(word.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<SignType, D::Error> {
        let word = String::deserialize(d)?;
        SignType::from_word(&word).ok_or_else(|| D::Error::custom("no such sign type"))
    }
}
