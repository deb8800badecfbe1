//! `GET /sns/jscode2session`: a mini-program's login.
//!
//! `wx.login` gives the mini-program a code, its server exchanges it. The session key stays on
//! the server: it decrypts and signs what WeChat says of this user.

use serde::Deserialize;
use serde_json::Value;

use super::param::{self, ParamError, Params};
use super::reply::{self, Content, object};
use crate::secret::Secret;

/// The path on [`HOST`](super::HOST).
pub const PATH: &str = "/sns/jscode2session";

const GRANT: &str = "authorization_code";

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The mini-program.
    pub appid: String,
    /// The mini-program's secret.
    pub secret: Secret,
    /// What `wx.login` gave.
    pub js_code: String,
}

/// Who uses the mini-program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// Under this mini-program.
    pub openid: String,
    /// Never for the client.
    pub session_key: Secret,
    /// The same for all applications of one open-platform account, where there is one.
    pub unionid: Option<String>,
}

/// The answer.
pub type Reply = reply::Reply<Session>;

impl Request {
    /// Reads the query part of what a merchant asked.
    pub fn from_query(query: &str) -> Result<Self, ParamError> {
        let params = Params::read(query)?;
        params.expect("grant_type", GRANT)?;
        Ok(Self {
            appid: params.required("appid")?.to_owned(),
            secret: Secret::new(params.required("secret")?),
            js_code: params.required("js_code")?.to_owned(),
        })
    }

    /// The query part of the address. Holds the secret: not for logs.
    pub fn to_query(&self) -> Secret {
        Secret::new(param::write(&[
            ("appid", &self.appid),
            ("secret", self.secret.expose()),
            ("js_code", &self.js_code),
            ("grant_type", GRANT),
        ]))
    }
}

impl Content for Session {
    fn is_whole(&self) -> bool {
        !self.openid.is_empty() && !self.session_key.expose().is_empty()
    }

    fn to_value(&self) -> Value {
        object([
            ("openid", Some(self.openid.as_str().into())),
            ("session_key", Some(self.session_key.expose().into())),
            ("unionid", self.unionid.as_deref().map(Value::from)),
        ])
    }
}
