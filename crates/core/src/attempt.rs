//! One try at a payment over one channel.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::case::Raised;
use crate::{AttemptId, ChannelId, Money, TillId, Timestamp};

/// How the payer meets the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    /// The payer scans a code that we show.
    Native,
    /// A page inside the wallet's browser.
    Jsapi,
    /// A mini-program inside the wallet.
    MiniProgram,
    /// The merchant's own app hands over to the wallet.
    App,
    /// A page in a phone's browser hands over to the wallet.
    H5,
    /// We scan a code that the payer shows.
    Barcode,
}

impl Scene {
    /// All of them, in the order of the API's documentation.
    pub const ALL: [Self; 6] = [
        Self::Native,
        Self::Jsapi,
        Self::MiniProgram,
        Self::App,
        Self::H5,
        Self::Barcode,
    ];

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Jsapi => "jsapi",
            Self::MiniProgram => "mini_program",
            Self::App => "app",
            Self::H5 => "h5",
            Self::Barcode => "barcode",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scene| scene.as_str() == word)
    }
}

/// What the payer's side has to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Show this text as a QR code, exactly as it is.
    QrCode {
        /// The platform's address; its form is the platform's own business.
        code_url: String,
    },
    /// Hand these to the wallet from the page or the mini-program inside it,
    /// exactly as they are.
    WechatJsapi {
        /// The wallet's own names, signed.
        params: serde_json::Value,
    },
    /// Hand these to the wallet from the merchant's app, exactly as they are.
    WechatApp {
        /// The wallet's own names, signed.
        params: serde_json::Value,
    },
    /// Send the payer's browser there.
    Redirect {
        /// It opens the wallet, and comes back afterwards.
        url: String,
        /// When it ends, where that is sooner than the order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Nothing: the channel and the payer settle it between them.
    None,
}

/// Whoever is sent on needs a while to arrive.
const ON_THE_WAY: Duration = Duration::from_secs(15);

impl Action {
    /// Too old to send a payer there. The same order again brings another one.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        match self {
            Self::Redirect { until, .. } => until.is_some_and(|until| until <= now + ON_THE_WAY),
            Self::QrCode { .. }
            | Self::WechatJsapi { .. }
            | Self::WechatApp { .. }
            | Self::None => false,
        }
    }
}

/// Why an attempt came to nothing, in words that are safe to show a merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, ours: `channel_refused`, `amount_mismatch`, …
    pub code: String,
    /// Cause and cure.
    pub detail: String,
    /// The platform's own code, for those who look it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_code: Option<String>,
}

/// Where an attempt stands.
///
/// `Pending` and `UserPaying` follow the channel to and fro: a payer may walk
/// away from the password. Nothing leads back to `Unknown`, and out of an end
/// leads only money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Written down before the channel was asked, and nothing certain heard
    /// since. It may be paid.
    Unknown,
    /// The channel has the order; the payer may pay at any moment.
    Pending,
    /// The payer is typing a password.
    UserPaying,
    /// The money has come.
    Succeeded,
    /// The channel refused it, or the payer's bank did.
    Failed,
    /// Closed at the channel, unpaid.
    Closed,
    /// Taken back at the channel; what was paid has been returned.
    Reversed,
}

impl AttemptState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::Pending,
        Self::UserPaying,
        Self::Succeeded,
        Self::Failed,
        Self::Closed,
        Self::Reversed,
    ];

    /// Money may still come, as far as we know.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unknown | Self::Pending | Self::UserPaying)
    }

    /// The word in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::UserPaying => "user_paying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Closed => "closed",
            Self::Reversed => "reversed",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// How long a payer at the till is waited for. Fixed with the attempt: what was
/// promised to one does not change when the configuration does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// Between two questions.
    pub query_every_secs: u32,
    /// After so long what is not paid is taken back.
    pub reverse_after_secs: u32,
}

impl Default for Patience {
    /// The platforms' own advice: every 5 seconds, up to 30.
    fn default() -> Self {
        Self {
            query_every_secs: 5,
            reverse_after_secs: 30,
        }
    }
}

/// WeChat Pay's rule, the longest that is known. What was started before its own
/// channel's was kept with it is closed no sooner.
const CLOSE_AFTER_SECS: u32 = 300;

const fn close_after_secs() -> u32 {
    CLOSE_AFTER_SECS
}

/// An order that is being taken back at its channel. There is no way out of it:
/// a reverse that has gone out may arrive late, and would return money that had
/// been called paid in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// When it was decided.
    pub since: Timestamp,
    /// When the channel was last to be asked.
    pub asked_at: Timestamp,
    /// When the channel said that it is done. That proves nothing: a query does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// The channel has said that it will not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// One try at a payment over one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Ours.
    pub id: AttemptId,
    /// The number that the channel knows it by. Minted once, and the same on
    /// every retry: a second number would be a second charge.
    pub out_trade_no: String,
    /// The account that collects.
    pub channel: ChannelId,
    /// How the payer meets it.
    pub scene: Scene,
    /// Where it stands.
    pub state: AttemptState,
    /// What the payer's side has to do, once the channel has said so.
    pub action: Option<Action>,
    /// The platform's number of the trade.
    pub transaction_id: Option<String>,
    /// The platform's name for the payer (an openid): who is to pay where the
    /// platform must know it, and who has paid.
    pub payer: Option<String>,
    /// What came in by it. Set once.
    pub received: Option<Money>,
    /// Why it came to nothing.
    pub failure: Option<Failure>,
    /// The payer's address, where the platform wants it.
    pub client_ip: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it stopped being open. It is watched for late money from here on.
    pub ended_at: Option<Timestamp>,
    /// When a message that proves too little last made us ask; in the future when
    /// it will.
    pub hinted_at: Option<Timestamp>,
    /// The cases it has led to: the platform may tell of them as often as it
    /// likes, there is one of each.
    pub raised: Vec<Raised>,
    /// A fingerprint of the code that the payer showed: the same code again is the
    /// same try, and not another charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_digest: Option<String>,
    /// How long the payer is waited for, where he stands at a till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<Patience>,
    /// Its channel was asked to take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal: Option<Reversal>,
    /// The till that started it; none for the merchant's server, and for the
    /// payer's own page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till: Option<TillId>,
    /// So old an order must be before its own channel closes it, whichever channel
    /// says something of the payment. Fixed with the attempt, as [`Patience`] is.
    #[serde(default = "close_after_secs")]
    pub close_after_secs: u32,
}

impl Attempt {
    /// An attempt as it is written down before its channel hears of it.
    pub fn new(
        id: AttemptId,
        out_trade_no: String,
        channel: ChannelId,
        scene: Scene,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            out_trade_no,
            channel,
            scene,
            state: AttemptState::Unknown,
            action: None,
            transaction_id: None,
            payer: None,
            received: None,
            failure: None,
            client_ip: None,
            created_at,
            ended_at: None,
            hinted_at: None,
            raised: Vec::new(),
            code_digest: None,
            patience: (scene == Scene::Barcode).then(Patience::default),
            reversal: None,
            till: None,
            close_after_secs: CLOSE_AFTER_SECS,
        }
    }

    /// Whether its channel reverses it where it closes others: the payer's code
    /// has been shown, so the money may be taken at any moment.
    pub const fn is_reversed_not_closed(&self) -> bool {
        matches!(self.scene, Scene::Barcode)
    }
}
