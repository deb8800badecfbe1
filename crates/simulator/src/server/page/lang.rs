//! In which language the page is written: as chosen, else as the browser asks.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};

/// A language that the page speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lang {
    Zh,
    En,
}

/// Remembers the choice. Cookies do not know ports, so other pages on the same host may share it.
const COOKIE: &str = "lang";

impl Lang {
    /// One of the two texts, Chinese first.
    pub(super) fn of<T>(self, [zh, en]: [T; 2]) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// For `<html lang>`.
    pub(super) fn tag(self) -> &'static str {
        self.of(["zh-CN", "en"])
    }

    /// The value of `?lang=` that switches to this language.
    pub(super) fn code(self) -> &'static str {
        self.of(["zh", "en"])
    }

    pub(super) fn other(self) -> Self {
        self.of([Self::En, Self::Zh])
    }

    /// The `Set-Cookie` that keeps the choice for a year.
    pub(super) fn cookie(self) -> String {
        let code = self.code();
        format!("{COOKIE}={code}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly")
    }

    /// `zh`, `zh-CN`, `en-GB`, …
    pub(super) fn parse(range: &str) -> Option<Self> {
        let primary = range.split(['-', '_']).next().unwrap_or(range).trim();
        [Self::Zh, Self::En]
            .into_iter()
            .find(|lang| primary.eq_ignore_ascii_case(lang.code()))
    }
}

impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let by_query = || {
            let pairs = parts.uri.query()?.split('&');
            pairs
                .filter_map(|pair| pair.strip_prefix("lang="))
                .find_map(Self::parse)
        };
        Ok(by_query()
            .or_else(|| by_cookie(&parts.headers))
            .or_else(|| by_browser(&parts.headers))
            .unwrap_or(Self::Zh))
    }
}

fn by_cookie(headers: &HeaderMap) -> Option<Lang> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .and_then(|(_, value)| Lang::parse(value))
}

/// The browser lists what its reader likes best first; weights only confirm it.
fn by_browser(headers: &HeaderMap) -> Option<Lang> {
    let ranges = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    ranges
        .split(',')
        .filter_map(|range| range.split(';').next())
        .find_map(Lang::parse)
}
