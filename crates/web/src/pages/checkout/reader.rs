//! Who reads the page, as far as the browser tells: nothing here is proof.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Query};
use http::HeaderMap;
use http::header::{COOKIE, USER_AGENT};
use http::request::Parts;
use serde::Deserialize;
use tongbao_core::{Attempt, AttemptId, Payment, Scene};

use crate::app::App;
use crate::extract::address_of;

/// Where the page is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Browser {
    /// Inside WeChat, where the wallet is a call away.
    Wechat,
    /// On a phone, whose browser can open the wallet.
    Phone,
    /// Anywhere else: another device has the wallet.
    Elsewhere,
}

/// Why a reader inside the wallet pays by a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhyTheCode {
    /// The wallet did not open.
    Failed,
    /// The reader likes it better.
    Chosen,
}

impl WhyTheCode {
    /// For `?wallet=`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "no",
            Self::Chosen => "code",
        }
    }
}

/// What it was given when it left to be named.
pub(super) const DEPARTURE: &str = "tongbao_departure";
/// The attempt that was made for it.
pub(super) const ATTEMPT: &str = "tongbao_attempt";
/// Our own script fetches the page where it stands.
const REFRESH: &str = "x-tongbao-refresh";

#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) browser: Browser,
    /// What it took along when it left; given up when it comes back.
    pub(super) departure: Option<String>,
    pub(super) attempt: Option<AttemptId>,
    /// What it asks for in the place of the wallet.
    pub(super) code: Option<WhyTheCode>,
    /// The page is being fetched by our script, which can follow nowhere.
    pub(super) refreshes: bool,
    pub(super) address: Option<IpAddr>,
}

impl Reader {
    /// Of whom nothing is known.
    pub(super) const fn anywhere() -> Self {
        Self {
            browser: Browser::Elsewhere,
            departure: None,
            attempt: None,
            code: None,
            refreshes: false,
            address: None,
        }
    }

    /// The open attempt in the wallet that was made for this reader: nobody else
    /// can pay it.
    pub(super) fn own<'a>(&self, payment: &'a Payment) -> Option<&'a Attempt> {
        if self.browser != Browser::Wechat || self.code.is_some() {
            return None;
        }
        let attempt = payment.attempt(self.attempt?)?;
        (attempt.scene == Scene::Jsapi && attempt.state.is_open()).then_some(attempt)
    }
}

impl Browser {
    fn of(agent: &str) -> Self {
        let has = |word| agent.contains(word);
        if has("MicroMessenger") {
            Self::Wechat
        } else if has("AlipayClient") {
            // No wallet opens another.
            Self::Elsewhere
        } else if has("Mobile") || has("iPhone") || has("OpenHarmony") {
            Self::Phone
        } else {
            Self::Elsewhere
        }
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(known, _)| *known == name)?;
    Some(value)
}

impl FromRequestParts<App> for Reader {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &App,
    ) -> Result<Self, std::convert::Infallible> {
        #[derive(Deserialize)]
        struct Asked {
            wallet: Option<String>,
        }

        let headers = &parts.headers;
        let agent = headers.get(USER_AGENT).and_then(|it| it.to_str().ok());
        let asked = Query::<Asked>::try_from_uri(&parts.uri).ok();
        let wallet = asked.and_then(|Query(asked)| asked.wallet);
        Ok(Self {
            browser: Browser::of(agent.unwrap_or_default()),
            departure: cookie(headers, DEPARTURE).map(str::to_owned),
            attempt: cookie(headers, ATTEMPT).and_then(|id| id.parse().ok()),
            code: [WhyTheCode::Failed, WhyTheCode::Chosen]
                .into_iter()
                .find(|why| wallet.as_deref() == Some(why.word())),
            refreshes: headers.contains_key(REFRESH),
            address: address_of(parts),
        })
    }
}

#[cfg(test)]
impl Reader {
    pub(super) fn at(browser: Browser) -> Self {
        Self {
            browser,
            ..Self::anywhere()
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn browsers_say_where_they_are() {
        use Browser::{Elsewhere, Phone, Wechat};

        for (agent, browser) in [
            (
                "Mozilla/5.0 (Linux; Android 14; 23013RK75C) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 \
                 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F30) WeChat/arm64",
                Wechat,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.47(0x18002f2c) NetType/WIFI",
                Wechat,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/107.0.0.0 Safari/537.36 MicroMessenger/7.0.20.1781(0x6700143B) \
                 WindowsWechat(0x6309092b)",
                Wechat,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
                Phone,
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/120.0.0.0 Mobile Safari/537.36",
                Phone,
            ),
            (
                "Mozilla/5.0 (Linux; U; Android 14; zh-CN) AppleWebKit/537.36 Mobile \
                 Safari/537.36 AlipayClient/10.5.60 Language/zh-Hans",
                Elsewhere,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/120.0.0.0 Safari/537.36",
                Elsewhere,
            ),
            ("", Elsewhere),
        ] {
            assert_eq!(Browser::of(agent), browser, "{agent}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; tongbao_attempt=x=y"));
        headers.append(COOKIE, HeaderValue::from_static("b; c=2"));
        assert_eq!(cookie(&headers, "tongbao_attempt"), Some("x=y"));
        assert_eq!(cookie(&headers, "c"), Some("2"));
        assert_eq!(cookie(&headers, "attempt"), None);
        assert_eq!(cookie(&headers, "b"), None);
    }
}
