//! In which language a page is written: as chosen, else as the browser asks.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use http::{HeaderMap, header};
use serde::Deserialize;

/// A language that the shop speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lang {
    Zh,
    En,
}

/// Remembers the choice. Cookies do not know ports, so the gateway's and the
/// simulator's pages on the same host could follow it.
const COOKIE: &str = "lang";

impl Lang {
    /// One of the two texts, Chinese first.
    pub(super) fn of<T: Copy>(self, texts: [T; 2]) -> T {
        let [zh, en] = texts;
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
        format!(
            "{COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
            self.code()
        )
    }

    /// `zh`, `zh-CN`, `en-GB`, …
    fn parse(range: &str) -> Option<Self> {
        let primary = range.split(['-', '_']).next().unwrap_or(range).trim();
        [Self::Zh, Self::En]
            .into_iter()
            .find(|lang| primary.eq_ignore_ascii_case(lang.code()))
    }

    fn chosen_before(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).into_iter();
        cookies
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, value)| (name == COOKIE).then(|| Self::parse(value))?)
    }

    /// The language that the browser likes best of ours; Chinese when it names
    /// neither.
    fn accepted(headers: &HeaderMap) -> Self {
        let asked = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let mut best = (0, Self::Zh);
        for range in asked.split(',') {
            let (name, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            if let (Some(lang), weight) = (Self::parse(name), thousandths(weight))
                && weight > best.0
            {
                best = (weight, lang);
            }
        }
        best.1
    }
}

/// `q=0.8` as 800. What cannot be read is 0: the range does not count.
fn thousandths(weight: &str) -> u32 {
    let Some(number) = weight.trim().strip_prefix("q=") else {
        return 0;
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let part = format!("{part:0<3}");
    match (whole.parse::<u32>(), part.get(..3).map(str::parse::<u32>)) {
        (Ok(whole @ 0..=1), Some(Ok(part))) => whole * 1_000 + part,
        _ => 0,
    }
}

/// The page's language, and whether this very request chose it.
pub(super) struct Chosen {
    pub(super) lang: Lang,
    pub(super) now: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Chosen {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        #[derive(Deserialize)]
        struct Asked {
            lang: Option<String>,
        }
        let asked = Query::<Asked>::from_request_parts(parts, state).await.ok();
        if let Some(lang) = asked.and_then(|Query(asked)| Lang::parse(&asked.lang?)) {
            return Ok(Self { lang, now: true });
        }
        let lang =
            Lang::chosen_before(&parts.headers).unwrap_or_else(|| Lang::accepted(&parts.headers));
        Ok(Self { lang, now: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> Lang {
        let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, text.parse().unwrap())]);
        Lang::accepted(&headers)
    }

    #[test]
    fn the_heaviest_language_wins_and_chinese_is_the_default() {
        assert_eq!(accepted("en-GB,en;q=0.9,zh;q=0.8"), Lang::En);
        assert_eq!(accepted("en;q=0.3, zh-CN;q=0.9"), Lang::Zh);
        assert_eq!(accepted("fr, en;q=0.001"), Lang::En);
        assert_eq!(accepted("fr"), Lang::Zh);
        assert_eq!(accepted("en;q=nonsense"), Lang::Zh);
        assert_eq!(Lang::accepted(&HeaderMap::new()), Lang::Zh);
    }

    #[test]
    fn a_choice_is_remembered() {
        let cookie = |text: &str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, text.parse().unwrap())]);
            Lang::chosen_before(&headers)
        };
        assert_eq!(cookie("a=b; lang=en"), Some(Lang::En));
        assert_eq!(cookie("lang=fr"), None);
        assert_eq!(cookie("language=en"), None);
    }
}
