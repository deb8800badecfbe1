//! `/connect/oauth2/authorize`: a page inside WeChat asks who reads it.
//!
//! The browser is sent there and comes back to `redirect_uri` with a code in the query.

use super::param::{self, ParamError, Params};
use crate::word::words;

/// Where the browser is sent.
pub const ADDRESS: &str = "https://open.weixin.qq.com/connect/oauth2/authorize";
/// The same, on another host.
pub const PATH: &str = "/connect/oauth2/authorize";
/// The host that people's browsers know.
pub const HOST: &str = "https://open.weixin.qq.com";

/// WeChat opens nothing without this end.
const FRAGMENT: &str = "#wechat_redirect";

words!(
    /// How much is asked for.
    Scope {
        /// The `openid`, without asking the reader.
        Base = "snsapi_base",
        /// Name and picture too, with the reader's consent.
        UserInfo = "snsapi_userinfo",
    }
);

/// The question, in the browser's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorize {
    /// The public account.
    pub appid: String,
    /// Where to come back to, on a host that the account has registered.
    pub redirect_uri: String,
    /// How much is asked for.
    pub scope: Scope,
    /// Comes back with the code: at most 128 letters and digits, bound to the reader's session,
    /// or a stranger's code would be taken for the reader's.
    pub state: String,
}

/// What the browser brings back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// For [`access_token`](super::access_token); absent when the reader refused.
    pub code: Option<String>,
    /// As in the question.
    pub state: String,
}

impl Authorize {
    /// The whole address, its parameters in the one order that WeChat takes.
    ///
    /// A state that WeChat would not bring back, or a page that is not an absolute address
    /// without fragment, is [`ParamError::Malformed`].
    pub fn to_url(&self) -> Result<String, ParamError> {
        self.to_url_on(HOST)
    }

    /// The same on another host: `https://…` without a slash at its end.
    pub fn to_url_on(&self, host: &str) -> Result<String, ParamError> {
        check_state(&self.state)?;
        check_page(&self.redirect_uri)?;
        let query = param::write(&[
            ("appid", &self.appid),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", self.scope.as_str()),
            ("state", &self.state),
        ]);
        Ok(format!("{host}{PATH}?{query}{FRAGMENT}"))
    }

    /// WeChat's side: reads the address that a browser was sent to.
    pub fn from_url(url: &str) -> Result<Self, ParamError> {
        let query = url
            .strip_prefix(ADDRESS)
            .and_then(|rest| rest.strip_prefix('?'))
            .and_then(|rest| rest.strip_suffix(FRAGMENT))
            .ok_or(ParamError::Unreadable)?;
        let params = Params::read(query)?;
        params.expect("response_type", "code")?;
        let (page, state) = (params.required("redirect_uri")?, params.required("state")?);
        check_state(state)?;
        check_page(page)?;
        Ok(Self {
            appid: params.required("appid")?.to_owned(),
            redirect_uri: page.to_owned(),
            scope: params.required("scope")?.into(),
            state: state.to_owned(),
        })
    }
}

impl Callback {
    /// Reads the query part of the address that the browser came back to.
    pub fn from_query(query: &str) -> Result<Self, ParamError> {
        let params = Params::read(query)?;
        let state = params.required("state")?;
        check_state(state)?;
        Ok(Self {
            code: params.text("code").map(str::to_owned),
            state: state.to_owned(),
        })
    }

    /// WeChat's side: where the browser is sent back to.
    pub fn to_url(&self, redirect_uri: &str) -> String {
        let joint = if redirect_uri.contains('?') { '&' } else { '?' };
        let query = match &self.code {
            Some(code) => param::write(&[("code", code), ("state", &self.state)]),
            None => param::write(&[("state", &self.state)]),
        };
        format!("{redirect_uri}{joint}{query}")
    }
}

fn check_state(state: &str) -> Result<(), ParamError> {
    let good = (1..=128).contains(&state.len()) && state.bytes().all(|b| b.is_ascii_alphanumeric());
    good.then_some(()).ok_or(ParamError::Malformed("state"))
}

fn check_page(page: &str) -> Result<(), ParamError> {
    let rest = page
        .strip_prefix("https://")
        .or_else(|| page.strip_prefix("http://"));
    let good = rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with(['/', '?'])
            && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
    });
    good.then_some(())
        .ok_or(ParamError::Malformed("redirect_uri"))
}
