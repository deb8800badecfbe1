//! Whose a message is. A service provider has one key for all of its sub-merchants, so that a
//! good signature says nothing of which of them a message is about.

use super::head::{ReplyHead, RequestHead};
use super::refund_notification::Envelope;

/// The four names in a message's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merchants<'a> {
    /// The application.
    pub appid: &'a str,
    /// The merchant's number, or the service provider's.
    pub mch_id: &'a str,
    /// The sub-merchant's application.
    pub sub_appid: Option<&'a str>,
    /// The sub-merchant's number.
    pub sub_mch_id: Option<&'a str>,
}

/// A message is about somebody else than was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` names somebody else")]
pub struct Stranger {
    /// The first field that differs.
    pub field: &'static str,
}

impl Merchants<'_> {
    /// Whether an answer or a notification is about those who were asked about.
    ///
    /// The sub-merchant's application may be missing on either side: the platform leaves it out
    /// of some answers, and names the order's where a question named none.
    pub fn check(self, asked: Merchants<'_>) -> Result<(), Stranger> {
        let other_app = self.sub_appid.zip(asked.sub_appid);
        let field = if self.appid != asked.appid {
            "appid"
        } else if self.mch_id != asked.mch_id {
            "mch_id"
        } else if self.sub_mch_id != asked.sub_mch_id {
            "sub_mch_id"
        } else if other_app.is_some_and(|(said, asked)| said != asked) {
            "sub_appid"
        } else {
            return Ok(());
        };
        Err(Stranger { field })
    }
}

impl RequestHead {
    /// Who asks, and for whom.
    pub fn merchants(&self) -> Merchants<'_> {
        Merchants {
            appid: &self.appid,
            mch_id: &self.mch_id,
            sub_appid: self.sub_appid.as_deref(),
            sub_mch_id: self.sub_mch_id.as_deref(),
        }
    }
}

impl ReplyHead {
    /// Who is answered, or told.
    pub fn merchants(&self) -> Merchants<'_> {
        Merchants {
            appid: &self.appid,
            mch_id: &self.mch_id,
            sub_appid: self.sub_appid.as_deref(),
            sub_mch_id: self.sub_mch_id.as_deref(),
        }
    }
}

impl Envelope {
    /// Who is told, or so it says.
    pub fn merchants(&self) -> Merchants<'_> {
        Merchants {
            appid: &self.appid,
            mch_id: &self.mch_id,
            sub_appid: self.sub_appid.as_deref(),
            sub_mch_id: self.sub_mch_id.as_deref(),
        }
    }
}
