//! An answer, read to its end.

use axum::body::Body;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Of a problem: its status, its code and the field that it names.
    pub(crate) fn problem(&self) -> (u16, String, Option<String>) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        let id = problem["request_id"].as_str();
        assert_eq!(id, self.header("x-request-id"), "{problem}");
        let text = |name: &str| problem[name].as_str().map(str::to_owned);
        (self.status, text("code").unwrap(), text("field"))
    }
}
