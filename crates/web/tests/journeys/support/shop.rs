//! A merchant's server, which hears webhooks and checks them with the public
//! library.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use standardwebhooks::Webhook;
use tongbao_core::Timestamp;

#[derive(Default)]
pub(crate) struct Shop(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    secret: Option<String>,
    /// Those of further endpoints, by their address.
    secrets: Vec<(String, String)>,
    told: Vec<Told>,
    /// What it answers; 200 when it has nothing else planned.
    answers: Vec<Response<Bytes>>,
}

/// One webhook, verified.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    /// At which of its endpoints.
    pub(crate) url: String,
    pub(crate) id: String,
    pub(crate) body: Value,
}

impl Told {
    pub(crate) fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap()
    }
}

impl Shop {
    /// The secret of its endpoint.
    pub(crate) fn knows(&self, secret: &str) {
        self.lock().secret = Some(secret.to_owned());
    }

    /// The secret of one endpoint among others.
    pub(crate) fn knows_at(&self, url: &str, secret: &str) {
        let entry = (url.to_owned(), secret.to_owned());
        self.lock().secrets.push(entry);
    }

    /// Its next answers, in this order.
    pub(crate) fn will_answer(&self, answers: impl IntoIterator<Item = Response<Bytes>>) {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        self.lock().answers = answers;
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.lock().told.clone()
    }

    pub(crate) fn told_kinds(&self) -> Vec<String> {
        self.told()
            .iter()
            .map(|told| told.kind().to_owned())
            .collect()
    }

    pub(crate) fn hear(&self, now: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        let mut inner = self.lock();
        let header = |name| request.headers()[name].to_str().unwrap().to_owned();
        let (id, signature) = (header("webhook-id"), header("webhook-signature"));
        let timestamp: i64 = header("webhook-timestamp").parse().unwrap();
        assert_eq!(timestamp, now.as_secs());
        let url = request.uri().to_string();
        let own = inner.secrets.iter().find(|(known, _)| *known == url);
        let secret = own.map(|(_, secret)| secret).or(inner.secret.as_ref());
        let webhook = Webhook::new(secret.unwrap()).unwrap();
        // `verify` looks at the wall clock, which does not stand still.
        let expected = webhook.sign(&id, timestamp, request.body()).unwrap();
        assert_eq!(signature, expected);
        inner.told.push(Told {
            at: now,
            url,
            id,
            body: serde_json::from_slice(request.body()).unwrap(),
        });
        inner.answers.pop().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
