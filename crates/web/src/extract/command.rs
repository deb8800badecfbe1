//! A request that asks for something to be done.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use serde::de::DeserializeOwned;
use tongbao_core::MerchantId;
use tongbao_engine::IdempotencyKey;

use super::body::{Unread, read_body};
use super::json;
use crate::app::App;
use crate::problem::{INVALID_BODY, INVALID_KEY, MEDIA_TYPE, Problem, TOO_LARGE};

/// A JSON body, strictly read, and the caller's name for the request.
pub(crate) struct Command<T> {
    pub(crate) key: Option<Key>,
    pub(crate) body: T,
}

/// A request whose address says everything: the body is empty or `{}`, which is
/// the same.
pub(crate) struct Bare {
    pub(crate) key: Option<Key>,
}

/// The caller's name for a request that may arrive twice.
#[derive(Clone)]
pub(crate) struct Key {
    text: String,
    key: IdempotencyKey,
}

impl Key {
    /// Whether the merchant has used it before. The engine decides what that
    /// means; this only tells how to word the answer.
    pub(crate) async fn known(
        key: Option<&Self>,
        app: &App,
        merchant: MerchantId,
    ) -> Result<bool, Problem> {
        match key {
            None => Ok(false),
            Some(key) => {
                let store = app.engine.store();
                Ok(store.idempotency(merchant, &key.text).await?.is_some())
            }
        }
    }
}

impl From<Key> for IdempotencyKey {
    fn from(key: Key) -> Self {
        key.key
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let (parts, bytes) = read(request).await?;
        is_json(&parts.headers)?;
        Ok(Self {
            key: key(&parts, &bytes)?,
            body: json::read(&bytes)?,
        })
    }
}

impl FromRequest<App> for Bare {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        let (parts, bytes) = read(request).await?;
        if !bytes.is_empty() {
            is_json(&parts.headers)?;
            let Nothing {} = json::read(&bytes)?;
        }
        Ok(Self {
            key: key(&parts, b"{}")?,
        })
    }
}

async fn read(request: Request) -> Result<(Parts, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    if parts.headers.contains_key(CONTENT_ENCODING) {
        return Err(Problem::new(
            MEDIA_TYPE,
            "send the body without a Content-Encoding",
        ));
    }
    match read_body(body).await {
        Ok(bytes) => Ok((parts, bytes)),
        Err(Unread::TooLarge(_)) => Err(Problem::new(
            TOO_LARGE,
            "the body is longer than 64 KiB; no request needs more",
        )),
        Err(Unread::Broken) => Err(Problem::new(
            INVALID_BODY,
            "the body broke off; send it again",
        )),
    }
}

/// `application/json`, in UTF-8.
fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = || {
        Problem::new(
            MEDIA_TYPE,
            "send JSON with `Content-Type: application/json`",
        )
    };
    let value = headers.get(CONTENT_TYPE).ok_or_else(refused)?;
    let text = value.to_str().map_err(|_| refused())?;
    let mut parts = text.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|parameter| {
        parameter.split_once('=').is_none_or(|(name, value)| {
            !name.eq_ignore_ascii_case("charset")
                || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    });
    if json && utf8 { Ok(()) } else { Err(refused()) }
}

fn key(parts: &Parts, body: &[u8]) -> Result<Option<Key>, Problem> {
    let mut all = parts.headers.get_all("idempotency-key").iter();
    let Some(value) = all.next() else {
        return Ok(None);
    };
    if all.next().is_some() {
        return Err(Problem::new(
            INVALID_KEY,
            "send one Idempotency-Key, not several",
        ));
    }
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let key = IdempotencyKey::new(&text, parts.method.as_str(), parts.uri.path(), body)
        .map_err(|invalid| Problem::field(INVALID_KEY, invalid.field, invalid.detail))?;
    Ok(Some(Key { text, key }))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn json_is_taken_by_its_name_in_utf_8_only() {
        for (text, taken) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json; charset=\"utf-8\"", true),
            ("application/json; charset=gbk", false),
            ("text/plain", false),
            ("application/jsonp", false),
            ("application/problem+json", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]);
            assert_eq!(is_json(&headers).is_ok(), taken, "{text}");
        }
        assert!(is_json(&HeaderMap::new()).is_err());
    }
}
