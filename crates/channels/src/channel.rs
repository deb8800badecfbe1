//! What every channel can do.

use bytes::Bytes;
use http::{Request, Response};
use tongbao_core::{Grade, Money, Outcome, RefundOutcome, Scene, Timestamp};

use crate::login::Login;

/// What the payer's browser needs.
#[derive(Clone, Copy, Debug)]
pub struct Pages<'a> {
    /// The site that leads to the wallet.
    pub site: &'a str,
    /// The page to come back to.
    pub back: &'a str,
}

/// The order as a channel needs it. Everything in it is stored, so that it
/// reads the same on every retry: platforms refuse a repeated number with
/// other content.
#[derive(Clone)]
pub struct Order<'a> {
    /// The number under which the channel knows it.
    pub out_trade_no: &'a str,
    /// What is to be paid.
    pub amount: Money,
    /// What the payer reads.
    pub subject: &'a str,
    /// How the payer meets the channel.
    pub scene: Scene,
    /// The code that the payer shows at the till. It is good for one call and is
    /// kept nowhere, so there is none where an order is sent again.
    pub auth_code: Option<&'a str>,
    /// The platform's name for the payer, where only that one can pay.
    pub payer: Option<&'a str>,
    /// The payer's address, where it is known.
    pub client_ip: Option<&'a str>,
    /// When the attempt was written down.
    pub created_at: Timestamp,
    /// When the order ends.
    pub expires_at: Timestamp,
    /// Where the platform is to tell us.
    pub notify_url: &'a str,
    /// The site that the payer comes from, and the page to come back to.
    pub pages: Pages<'a>,
    /// When it is asked for.
    pub asked_at: Timestamp,
}

impl std::fmt::Debug for Order<'_> {
    /// Without the payer's code, which is as good as money.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order")
            .field("out_trade_no", &self.out_trade_no)
            .field("amount", &self.amount)
            .field("scene", &self.scene)
            .finish_non_exhaustive()
    }
}

/// What we want of a channel. Numbers come in with the call: a codec that
/// minted its own would charge twice on a retry.
#[derive(Clone, Debug)]
pub enum Call<'a> {
    /// Take this order. Safe to repeat under the same number.
    Start(Order<'a>),
    /// Where does it stand?
    Query {
        /// Its number.
        out_trade_no: &'a str,
    },
    /// Close it.
    Close {
        /// Its number.
        out_trade_no: &'a str,
    },
    /// Take it back: unpaid it is closed, paid the money is returned. Safe to
    /// repeat.
    Reverse {
        /// Its number.
        out_trade_no: &'a str,
    },
}

/// A refund as a channel needs it; stored as well, and the same on every retry.
#[derive(Clone, Debug)]
pub struct RefundOrder<'a> {
    /// The number under which the channel knows the order.
    pub out_trade_no: &'a str,
    /// The number under which the channel knows the refund.
    pub out_refund_no: &'a str,
    /// What the order brought.
    pub received: Money,
    /// What goes back.
    pub amount: Money,
    /// What the payer reads.
    pub reason: Option<&'a str>,
    /// Where the platform is to tell us.
    pub notify_url: &'a str,
}

/// What we want of a channel about a refund.
#[derive(Clone, Debug)]
pub enum RefundCall<'a> {
    /// Pay back. Safe to repeat under the same number.
    Start(RefundOrder<'a>),
    /// What has become of it?
    Query(RefundOrder<'a>),
}

/// What a channel answered about a refund, and how much that proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAnswer {
    /// How much it proves.
    pub grade: Grade,
    /// What it says.
    pub outcome: RefundOutcome,
}

/// A certificate with its key, by which a platform knows the caller: it rides on
/// the request as an extension, and the transport shows it in TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    pem: std::sync::Arc<zeroize::Zeroizing<String>>,
}

impl ClientIdentity {
    /// A certificate and its private key, both in PEM.
    pub fn new(certificate: &str, key: &str) -> Self {
        let pem = format!("{}\n{}\n", certificate.trim(), key.trim());
        Self {
            pem: std::sync::Arc::new(zeroize::Zeroizing::new(pem)),
        }
    }

    /// Both, one behind the other.
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientIdentity(***)")
    }
}

/// What a request needs besides its content, brought from outside.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Now.
    pub now: Timestamp,
    /// Random letters and digits, 32 of them, never used before.
    pub nonce: String,
}

/// What a channel answered, and how much that proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How much it proves.
    pub grade: Grade,
    /// What it says.
    pub outcome: Outcome,
}

/// What a platform told us by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Of which order.
    pub out_trade_no: String,
    /// How much it proves.
    pub grade: Grade,
    /// What it says.
    pub told: Told,
}

/// What a platform tells of by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Of the order itself.
    Payment(Outcome),
    /// Of money that goes back.
    Refund {
        /// Which, by the number that the channel knows it by.
        out_refund_no: String,
        /// What it says.
        outcome: RefundOutcome,
    },
}

/// A message that is not what it claims to be, or that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct NotANotification {
    /// Stable and of a small set: a metric's label, the inbox's reason.
    pub reason: &'static str,
    /// For people.
    pub detail: String,
}

/// A call that this channel cannot make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The platform has no such way of paying, or we do not speak it yet.
    #[error("this channel does not do {0:?}")]
    UnsupportedScene(Scene),
    /// The platform wants to see a certificate for this call, and the account has
    /// none.
    #[error("{0}")]
    NoCertificate(&'static str),
    /// The platform tells who a payer is only to those who know the application's
    /// secret, and the account has none.
    #[error("{0}")]
    NoAppSecret(&'static str),
    /// The account's application is not one that web pages belong to.
    #[error("{0}")]
    NoPages(&'static str),
    /// Something in the order cannot be put on this platform's wire.
    #[error("{field}: {detail}")]
    Unsendable {
        /// The API's field.
        field: &'static str,
        /// Cause and cure.
        detail: String,
    },
}

/// What the key doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Orders can be placed, as far as can be told without one.
    pub healthy: bool,
    /// Stable: `ok`, `bad_key`, `unknown_account`, `unreachable`, …
    pub code: &'static str,
    /// What was seen.
    pub cause: String,
    /// What to do.
    pub cure: String,
}

/// One account at one platform, in one version of its protocol.
pub trait Channel: Send + Sync {
    /// How old an order must be for the platform to close it; 0 where any may be.
    fn close_after_secs(&self) -> u32;

    /// When the certificate that the platform wants to see is good no more; `None`
    /// without one.
    fn certificate_until(&self) -> Option<Timestamp>;

    /// The ways of paying that it does.
    fn scenes(&self) -> &'static [Scene];

    /// The request for a call.
    fn encode(&self, call: &Call<'_>, stamp: &Stamp) -> Result<Request<Bytes>, ChannelError>;

    /// "Not yet known" is an answer, and so is everything that cannot be
    /// trusted or read: [`Outcome::Unknown`]. When it came says which keys count.
    fn decode(&self, call: &Call<'_>, response: &Response<Bytes>, now: Timestamp) -> Answer;

    /// How a payer becomes known who comes with a login code; the error says what is
    /// missing.
    fn login(&self, scene: Scene) -> Result<&dyn Login, ChannelError>;

    /// The same address of [`Action::Redirect`](tongbao_core::Action::Redirect),
    /// leading back to `page` afterwards.
    fn leads_back(&self, url: &str, page: &str) -> String;

    /// Whether refunds can be sent; the error says what is missing.
    fn can_refund(&self) -> Result<(), ChannelError>;

    /// The request for a call about a refund.
    fn encode_refund(
        &self,
        call: &RefundCall<'_>,
        stamp: &Stamp,
    ) -> Result<Request<Bytes>, ChannelError>;

    /// "Not yet known" is an answer here as well.
    fn decode_refund(
        &self,
        call: &RefundCall<'_>,
        response: &Response<Bytes>,
        now: Timestamp,
    ) -> RefundAnswer;

    /// Checks the platform's signature before it believes a word.
    fn notification(
        &self,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Result<Notification, NotANotification>;

    /// The platform's own form of "received". Sent only after the commit.
    fn received(&self) -> Response<Bytes>;

    /// The platform's own form of "not accepted", which says nothing of why.
    fn refused(&self) -> Response<Bytes>;

    /// A harmless question whose answer tells whether the keys are right.
    fn probe(&self, stamp: &Stamp) -> Result<Request<Bytes>, ChannelError>;

    /// Reads the answer to [`Channel::probe`].
    fn diagnose(&self, response: &Response<Bytes>, now: Timestamp) -> Diagnosis;
}
