//! Chinese or English.

use axum::extract::{FromRequestParts, Query};
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use http::request::Parts;
use serde::Deserialize;

use crate::app::App;

/// Chosen by `?lang=`, else by `Accept-Language`, else Chinese.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Zh,
    En,
}

impl Language {
    /// For the `lang` attribute.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// For `?lang=`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The other one, and what it calls itself.
    pub(crate) const fn other(self) -> (Self, &'static str) {
        match self {
            Self::Zh => (Self::En, "English"),
            Self::En => (Self::Zh, "中文"),
        }
    }

    /// The text of a pair: Chinese, English.
    pub(crate) const fn of<T: Copy>(self, pair: [T; 2]) -> T {
        match self {
            Self::Zh => pair[0],
            Self::En => pair[1],
        }
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Zh)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        let mut best = None;
        for part in text.split(',') {
            let (tag, weight) = part.split_once(';').unwrap_or((part, "q=1"));
            let thousandths = weight.trim().strip_prefix("q=").map_or(0, thousandths);
            let better = best.is_none_or(|(most, _)| thousandths > most);
            if let Some(language) = Self::of_tag(tag.trim())
                && thousandths > 0
                && better
            {
                best = Some((thousandths, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// `0.875` as 875; 0 for what is no weight.
fn thousandths(weight: &str) -> u16 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    match (whole, format!("{part:0<3}").parse()) {
        ("1", _) => 1_000,
        ("0", Ok(part)) if part < 1_000 => part,
        _ => 0,
    }
}

impl FromRequestParts<App> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &App,
    ) -> Result<Self, std::convert::Infallible> {
        #[derive(Deserialize)]
        struct Asked {
            lang: Option<String>,
        }

        let asked = Query::<Asked>::try_from_uri(&parts.uri).ok();
        let chosen = asked.and_then(|Query(asked)| Self::of_tag(&asked.lang?));
        Ok(chosen
            .or_else(|| Self::accepted(&parts.headers))
            .unwrap_or(Self::Zh))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_browsers_first_choice_wins() {
        for (text, language) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Language::Zh)),
            ("en-GB, zh;q=0.9", Some(Language::En)),
            ("fr, en;q=0.5, zh;q=0.75", Some(Language::Zh)),
            ("EN", Some(Language::En)),
            ("en;q=0, zh;q=0.001", Some(Language::Zh)),
            ("de", None),
            ("", None),
            ("en;q=x", None),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(text))]);
            assert_eq!(Language::accepted(&headers), language, "{text}");
        }
    }
}
