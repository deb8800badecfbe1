//! `GET /sns/oauth2/access_token`: the code that a page got, for the reader's `openid`.
//!
//! Not the access token of the server interfaces, which has the same name.

use serde::Deserialize;
use serde_json::Value;

use super::param::{self, ParamError, Params};
use super::reply::{self, Content, object};
use crate::secret::Secret;

/// The path on [`HOST`](super::HOST).
pub const PATH: &str = "/sns/oauth2/access_token";

const GRANT: &str = "authorization_code";

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The public account.
    pub appid: String,
    /// The public account's secret.
    pub secret: Secret,
    /// What the browser brought back.
    pub code: String,
}

/// Who reads the page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Token {
    /// Speaks for this reader alone.
    pub access_token: Secret,
    /// Seconds that it lives, 7200.
    pub expires_in: u64,
    /// Lives 30 days; never for the client.
    pub refresh_token: Option<Secret>,
    /// Under this public account.
    pub openid: String,
    /// What the reader consented to, by commas.
    pub scope: Option<String>,
    /// The same for all applications of one open-platform account, where there is one.
    pub unionid: Option<String>,
    /// 1: the page is shown as a snapshot, and the `openid` is nobody's. It cannot pay.
    pub is_snapshotuser: Option<u64>,
}

/// The answer.
pub type Reply = reply::Reply<Token>;

impl Request {
    /// Reads the query part of what a merchant asked.
    pub fn from_query(query: &str) -> Result<Self, ParamError> {
        let params = Params::read(query)?;
        params.expect("grant_type", GRANT)?;
        Ok(Self {
            appid: params.required("appid")?.to_owned(),
            secret: Secret::new(params.required("secret")?),
            code: params.required("code")?.to_owned(),
        })
    }

    /// The query part of the address. Holds the secret: not for logs.
    pub fn to_query(&self) -> Secret {
        Secret::new(param::write(&[
            ("appid", &self.appid),
            ("secret", self.secret.expose()),
            ("code", &self.code),
            ("grant_type", GRANT),
        ]))
    }
}

impl Token {
    /// Whether the `openid` stands for a person, and not for a preview of the page.
    pub fn is_of_a_person(&self) -> bool {
        self.is_snapshotuser.unwrap_or_default() == 0
    }
}

impl Content for Token {
    fn is_whole(&self) -> bool {
        !self.openid.is_empty() && !self.access_token.expose().is_empty()
    }

    fn to_value(&self) -> Value {
        let refresh_token = self.refresh_token.as_ref();
        object([
            ("access_token", Some(self.access_token.expose().into())),
            ("expires_in", Some(self.expires_in.into())),
            (
                "refresh_token",
                refresh_token.map(|token| token.expose().into()),
            ),
            ("openid", Some(self.openid.as_str().into())),
            ("scope", self.scope.as_deref().map(Value::from)),
            ("unionid", self.unionid.as_deref().map(Value::from)),
            ("is_snapshotuser", self.is_snapshotuser.map(Value::from)),
        ])
    }
}
