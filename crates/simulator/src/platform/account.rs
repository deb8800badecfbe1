//! Who gets the money.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::refund::RefundSource;

/// A merchant's account at the platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The merchant's number.
    pub mch_id: String,
    /// The application that the number is bound to.
    pub app_id: String,
    /// What a mini-program's server identifies itself with.
    pub app_secret: TestKey,
    /// Signs messages of API v2, in both directions.
    pub api_v2_key: TestKey,
    /// The payee's name on the payer's screen.
    pub name: String,
    /// The money.
    pub funds: Funds,
    /// Where refunds are told of that do not say so themselves.
    pub refund_notify_url: Option<String>,
    /// Of a service provider: those it acts for. Empty for a merchant that acts for itself.
    pub sub_merchants: Vec<SubMerchant>,
}

/// A merchant whom a service provider acts for. The provider's key signs, the money is the
/// sub-merchant's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubMerchant {
    /// Its number.
    pub sub_mch_id: String,
    /// The payee's name on the payer's screen.
    pub name: String,
    /// Its own application, if it has one.
    pub app: Option<App>,
    /// The money.
    pub funds: Funds,
}

/// An application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct App {
    /// Its number.
    pub app_id: String,
    /// What its server identifies itself with.
    pub app_secret: TestKey,
}

/// A merchant's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funds {
    /// Fen received and not yet settled: refunds come out of these.
    pub unsettled_fen: u64,
    /// Fen put in, for refunds that name them.
    pub recharge_fen: u64,
    /// Fen at the merchant's bank: what is settled goes there, what is put in comes from there.
    pub bank_fen: u64,
    /// `bank_fen` as it was at first.
    opening_fen: u64,
}

/// ¥100,000 at the bank.
const OPENING_FEN: u64 = 10_000_000;

impl Default for Funds {
    fn default() -> Self {
        Self {
            unsettled_fen: 0,
            recharge_fen: 0,
            bank_fen: OPENING_FEN,
            opening_fen: OPENING_FEN,
        }
    }
}

impl Funds {
    /// Everything that the merchant has.
    pub const fn total_fen(&self) -> u64 {
        self.unsettled_fen + self.recharge_fen + self.bank_fen
    }

    /// What the merchant had before the first payment.
    pub const fn opening_fen(&self) -> u64 {
        self.opening_fen
    }

    /// Pays out to the bank; `false` when there is less.
    pub const fn settle(&mut self, fen: u64) -> bool {
        move_fen(&mut self.unsettled_fen, &mut self.bank_fen, fen)
    }

    /// Puts in from the bank; `false` when there is less.
    pub const fn recharge(&mut self, fen: u64) -> bool {
        move_fen(&mut self.bank_fen, &mut self.recharge_fen, fen)
    }

    pub(super) fn take(&mut self, source: RefundSource, fen: u64) -> bool {
        let pot = self.pot(source);
        let left = pot.checked_sub(fen);
        *pot = left.unwrap_or(*pot);
        left.is_some()
    }

    pub(super) fn give(&mut self, source: RefundSource, fen: u64) {
        let pot = self.pot(source);
        *pot = pot.saturating_add(fen);
    }

    const fn pot(&mut self, source: RefundSource) -> &mut u64 {
        match source {
            RefundSource::Unsettled => &mut self.unsettled_fen,
            RefundSource::Recharge => &mut self.recharge_fen,
        }
    }
}

const fn move_fen(from: &mut u64, to: &mut u64, fen: u64) -> bool {
    if *from < fen {
        return false;
    }
    *from -= fen;
    *to += fen;
    true
}

/// A certificate that names no merchant, with its key, as PEM: for a gateway that
/// wants to have one where the platform, played in the same process, cannot ask for it. Public,
/// and good for nothing.
pub const CLIENT_CERTIFICATE: [&str; 2] = [
    include_str!("../../fixtures/client_certificate.pem"),
    include_str!("../../fixtures/client_key.pem"),
];

impl Account {
    /// A merchant without money.
    pub fn new(mch_id: &str, app_id: &str, app_secret: &str, api_v2_key: &str, name: &str) -> Self {
        Self {
            mch_id: mch_id.to_owned(),
            app_id: app_id.to_owned(),
            app_secret: TestKey(app_secret.to_owned()),
            api_v2_key: TestKey(api_v2_key.to_owned()),
            name: name.to_owned(),
            funds: Funds::default(),
            refund_notify_url: None,
            sub_merchants: Vec::new(),
        }
    }

    /// A service provider with two sub-merchants: one with an application of its own, one without.
    /// The HTTP face has it beside [`ready_made`](Self::ready_made).
    pub fn service_provider() -> Self {
        let sub = |number: &str, name: &str, app: Option<App>| SubMerchant {
            sub_mch_id: number.to_owned(),
            name: name.to_owned(),
            app,
            funds: Funds::default(),
        };
        let app = App {
            app_id: "wx7e57000000000102".to_owned(),
            app_secret: TestKey("7e570000000000000000000000000102".to_owned()),
        };
        Self {
            sub_merchants: vec![
                sub("1900007401", "通宝测试茶馆", Some(app)),
                sub("1900007402", "通宝测试书店", None),
            ],
            ..Self::new(
                "1900007400",
                "wx7e57000000000101",
                "7e570000000000000000000000000101",
                "TongbaoSimulatorTestKey000000101",
                "通宝测试服务商",
            )
        }
    }

    /// Whether it acts for others.
    pub fn is_service_provider(&self) -> bool {
        !self.sub_merchants.is_empty()
    }

    /// One of those it acts for.
    pub fn sub_merchant(&self, sub_mch_id: &str) -> Option<&SubMerchant> {
        let mut subs = self.sub_merchants.iter();
        subs.find(|sub| sub.sub_mch_id == sub_mch_id)
    }

    /// The money of the account itself, or of one that it acts for.
    pub fn funds_of(&mut self, sub_mch_id: Option<&str>) -> Option<&mut Funds> {
        let Some(number) = sub_mch_id else {
            return Some(&mut self.funds);
        };
        let mut subs = self.sub_merchants.iter_mut();
        let sub = subs.find(|sub| sub.sub_mch_id == number)?;
        Some(&mut sub.funds)
    }

    /// The account that is always there, the same in every run.
    ///
    /// Its keys are public and good for nothing outside the simulator.
    pub fn ready_made() -> Self {
        Self::new(
            "1900007357",
            "wx7e57000000000001",
            "7e570000000000000000000000000001",
            "TongbaoSimulatorTestKey000000001",
            "通宝测试商户",
        )
    }
}

/// A key that only the simulator accepts. It is handed out by `GET /_sim/credentials`, yet
/// prints as stars: whoever copies a log should not have to know which keys are harmless.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TestKey(pub String);

impl fmt::Debug for TestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestKey(****)")
    }
}
