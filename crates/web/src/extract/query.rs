//! What a list is asked for.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use tongbao_core::Timestamp;
use tongbao_core::order::Invalid;

use super::json;
use crate::app::App;
use crate::problem::Problem;

/// The query string, as strictly read as a body.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form(text));
        serde_path_to_error::deserialize(pairs)
            .map(Self)
            .map_err(|error| json::named(&error.path().to_string(), &error.inner().to_string()))
    }
}

fn form(text: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(text.as_bytes())
}

/// Rows on a page: 50, at most 100.
pub(crate) fn limit(asked: Option<u16>) -> Result<usize, Invalid> {
    match asked {
        None => Ok(50),
        Some(limit) if (1..=100).contains(&limit) => Ok(limit.into()),
        Some(limit) => Err(Invalid::new(
            "limit",
            format!("is {limit}; ask for 1 to 100 rows"),
        )),
    }
}

/// RFC 3339. A `+` in a query string is a space to everybody but its author.
pub(crate) fn timestamp(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<Timestamp>, Invalid> {
    let Some(text) = text else { return Ok(None) };
    let instant: Result<jiff::Timestamp, _> = text.trim().replace(' ', "+").parse();
    let instant = instant.map_err(|_| {
        let detail = "is not a time; send RFC 3339, for example 2026-11-21T00:00:00Z";
        Invalid::new(field, detail)
    })?;
    Ok(Some(Timestamp::from_millis(instant.as_millisecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_with_its_zone() {
        let midnight = Timestamp::from_secs(1_795_190_400);
        for text in [
            "2026-11-20T16:00:00Z",
            "2026-11-21T00:00:00+08:00",
            "2026-11-21T00:00:00 08:00",
        ] {
            assert_eq!(timestamp("from", Some(text)), Ok(Some(midnight)), "{text}");
        }
        for text in ["", "2026-11-21", "2026-11-21T00:00:00", "1795190400", "now"] {
            assert!(timestamp("from", Some(text)).is_err(), "{text}");
        }
        assert_eq!(timestamp("from", None), Ok(None));
    }
}
