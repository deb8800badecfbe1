//! Who gets the money.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// Fen received and not yet settled.
    pub balance_fen: u64,
}

impl Account {
    /// A merchant without money.
    pub fn new(mch_id: &str, app_id: &str, app_secret: &str, api_v2_key: &str, name: &str) -> Self {
        Self {
            mch_id: mch_id.to_owned(),
            app_id: app_id.to_owned(),
            app_secret: TestKey(app_secret.to_owned()),
            api_v2_key: TestKey(api_v2_key.to_owned()),
            name: name.to_owned(),
            balance_fen: 0,
        }
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
