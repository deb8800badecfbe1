//! A merchant's account at a platform, as far as decisions need it.

use serde::{Deserialize, Serialize};

use crate::{ChannelId, MerchantId, Timestamp};

/// What it takes before a notification may set "paid".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// A message signed with a shared key asks a query, and the query decides:
    /// a leaked key cannot mint money.
    #[default]
    Query,
    /// A good signature is enough.
    Signature,
}

impl Confirm {
    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Signature => "signature",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Query, Self::Signature]
            .into_iter()
            .find(|confirm| confirm.as_str() == word)
    }
}

/// A merchant's account at one platform or acquirer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAccount {
    /// Ours; part of the notification address.
    pub id: ChannelId,
    /// Whose.
    pub merchant: MerchantId,
    /// Which protocol: a name of the channels' registry, `wechat_v2`.
    pub kind: String,
    /// The merchant's name for it.
    pub name: String,
    /// No new attempts while it is off; what has begun goes on.
    pub enabled: bool,
    /// What it takes before a notification may set "paid".
    pub confirm: Confirm,
    /// The settings that are no secret, as the channel reads them (JSON object).
    pub settings: serde_json::Value,
    /// The secret settings (JSON object) under the vault's seal.
    pub sealed_secrets: Vec<u8>,
    /// Rises with every change of the row.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}
