//! Who the payer is: a code that the wallet gives to a page or a mini-program,
//! exchanged for the platform's name of the payer.

use bytes::Bytes;
use http::{Request, Response};
use tongbao_core::Scene;

use crate::channel::ChannelError;

/// An application that may ask who its readers are.
///
/// The exchange moves no money, and a code is spent by the first question about
/// it, whatever becomes of the answer.
pub trait Login: Send + Sync {
    /// Where a page sends its reader's browser, which comes back to `back` with a
    /// code and with `state` (letters and digits).
    fn authorize(&self, back: &str, state: &str) -> Result<String, ChannelError>;

    /// Whose code is it? The address holds secrets: not for logs.
    fn encode(&self, scene: Scene, code: &str) -> Result<Request<Bytes>, ChannelError>;

    /// The platform's name for the payer.
    fn decode(&self, scene: Scene, response: &Response<Bytes>) -> Result<String, NoPayer>;
}

/// Why nobody knows who the payer is: what was heard, and what to do. No order was
/// made in any of these cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPayer {
    /// Somebody has asked about it before.
    #[error(
        "this code was used before ({0}), and a code is good once: send a new one (a mini-program \
         gets it from wx.login, a page from another round of authorization), and never the same \
         one twice"
    )]
    CodeUsed(String),
    /// Five minutes are over.
    #[error("this code is older than five minutes ({0}): get a new one and send it at once")]
    CodeExpired(String),
    /// Made up, expired or another application's: the platform does not say which.
    #[error(
        "the platform does not know this code ({0}): it is older than five minutes, or it was \
         given to another application than the channel's app_id, or to the other kind of page \
         (scene jsapi takes a web page's code, mini_program that of wx.login). Get a new one"
    )]
    CodeInvalid(String),
    /// The application's secret is wrong.
    #[error(
        "the platform does not accept the channel's app_secret ({0}): copy it again from the \
         platform of that app_id, send it with PATCH /v1/channels/{{id}}, and then come with a \
         new code"
    )]
    WrongSecret(String),
    /// The application does not exist, or must not ask.
    #[error(
        "the platform does not answer the channel's app_id ({0}): check app_id, and that the \
         account is verified and in good standing; then come with a new code"
    )]
    AppRefused(String),
    /// Too many questions.
    #[error("the platform has been asked too often ({0}): wait a minute, then send a new code")]
    TooFrequent(String),
    /// Not now.
    #[error("the platform is busy ({0}): wait a moment, then send a new code")]
    Busy(String),
    /// The platform holds the payer for a fraud.
    #[error("the platform blocks this payer ({0}); offer another way of paying")]
    PayerBlocked(String),
    /// The page is shown as a preview, to a reader whom nobody knows.
    #[error(
        "WeChat shows this page as a preview, and names no payer; ask the reader to open the \
         whole page, then send a new code"
    )]
    Preview,
    /// The question cannot have left.
    #[error("the platform cannot be reached ({0}): nobody has seen the code; send the same again")]
    NotAsked(String),
    /// No answer, or one that says nothing we know.
    #[error(
        "the platform did not say whose code this is ({0}), and the code may be spent: nothing \
         was ordered; get a new code and send it"
    )]
    Unknown(String),
}

impl NoPayer {
    /// For metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::CodeUsed(_) => "code_used",
            Self::CodeExpired(_) => "code_expired",
            Self::CodeInvalid(_) => "code_invalid",
            Self::WrongSecret(_) => "wrong_secret",
            Self::AppRefused(_) => "app_refused",
            Self::TooFrequent(_) => "too_frequent",
            Self::Busy(_) => "busy",
            Self::PayerBlocked(_) => "payer_blocked",
            Self::Preview => "preview",
            Self::NotAsked(_) => "not_asked",
            Self::Unknown(_) => "unknown",
        }
    }
}
