//! As much of the merchant API as the commands need.

use std::time::Duration;

use anyhow::Context;
use http::{HeaderMap, HeaderValue, header};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::gateway::GatewayArgs;

/// The gateway itself waits for the platform meanwhile.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

pub(in crate::cli) struct Api {
    client: Client,
    base: String,
    payments: String,
    refunds: String,
}

#[derive(Serialize)]
pub(in crate::cli) struct NewPayment<'a> {
    pub(in crate::cli) merchant_order_no: String,
    pub(in crate::cli) amount: i64,
    pub(in crate::cli) subject: &'a str,
    pub(in crate::cli) expires_in: u64,
    pub(in crate::cli) attempt: NewAttempt<'a>,
}

#[derive(Serialize)]
pub(in crate::cli) struct NewAttempt<'a> {
    pub(in crate::cli) scene: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) auth_code: Option<&'a str>,
}

/// What we read of a payment; there is more.
#[derive(Deserialize)]
pub(in crate::cli) struct Payment {
    pub(in crate::cli) id: String,
    pub(in crate::cli) merchant_order_no: String,
    pub(in crate::cli) state: String,
    pub(in crate::cli) checkout_url: String,
    pub(in crate::cli) attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
pub(in crate::cli) struct Attempt {
    pub(in crate::cli) state: String,
    pub(in crate::cli) action: Option<Action>,
    pub(in crate::cli) failure: Option<Failure>,
}

#[derive(Deserialize)]
pub(in crate::cli) struct Action {
    pub(in crate::cli) code_url: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::cli) struct Failure {
    pub(in crate::cli) detail: String,
}

#[derive(Serialize)]
pub(in crate::cli) struct NewRefund<'a> {
    pub(in crate::cli) merchant_refund_no: &'a str,
    pub(in crate::cli) amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) reason: Option<&'a str>,
}

#[derive(Deserialize)]
pub(in crate::cli) struct Refund {
    pub(in crate::cli) id: String,
    pub(in crate::cli) state: String,
    pub(in crate::cli) failure: Option<Failure>,
}

impl Refund {
    /// Nothing more will become of it by itself.
    pub(in crate::cli) fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "closed" | "abnormal")
    }
}

/// The gateway's errors, RFC 9457.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
}

/// The gateway's answer was no.
#[derive(Debug, thiserror::Error)]
#[error("the gateway says {status} {}: {}", problem.code, problem.detail)]
pub(in crate::cli) struct Refused {
    pub(in crate::cli) status: StatusCode,
    problem: Problem,
}

impl Payment {
    /// Nothing more will become of it.
    pub(in crate::cli) fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "paid" | "closed")
    }

    /// What the QR code says, once the platform has told.
    pub(in crate::cli) fn code_url(&self) -> Option<&str> {
        self.attempts
            .iter()
            .find_map(|attempt| attempt.action.as_ref()?.code_url.as_deref())
    }

    /// Why the payer's code brought no money, once that is certain.
    pub(in crate::cli) fn code_is_over(&self) -> Option<String> {
        let attempt = self.attempts.last()?;
        let failure = attempt.failure.as_ref().map(|failure| &failure.detail);
        match (attempt.state.as_str(), failure) {
            ("failed", Some(detail)) => Some(format!("the code brought no money: {detail}")),
            ("failed" | "closed", _) => Some("the code brought no money".to_owned()),
            ("reversed", _) => Some("the payer did not pay in time; it was reversed".to_owned()),
            _ => None,
        }
    }

    /// Why there will be no code.
    pub(in crate::cli) fn failure(&self) -> Option<&str> {
        let attempt = self
            .attempts
            .last()
            .filter(|attempt| attempt.state == "failed")?;
        Some(
            attempt
                .failure
                .as_ref()
                .map_or("no reason given", |failure| &failure.detail),
        )
    }
}

impl Api {
    pub(in crate::cli) fn new(args: &GatewayArgs) -> anyhow::Result<Self> {
        let GatewayArgs { gateway, key } = args;
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose()))
            .context("the API key has characters that no key has")?;
        bearer.set_sensitive(true);
        let client = Client::builder()
            .default_headers(HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]))
            .redirect(redirect::Policy::none())
            .timeout(ANSWER_WITHIN)
            .build()?;
        Ok(Self {
            client,
            base: gateway.to_string(),
            payments: format!("{gateway}/v1/payments"),
            refunds: format!("{gateway}/v1/refunds"),
        })
    }

    /// Creates the payment, with an attempt. The order number keeps a repetition harmless.
    pub(in crate::cli) async fn create(&self, new: &NewPayment<'_>) -> anyhow::Result<Payment> {
        let body = serde_json::to_vec(new)?;
        let request = self.client.post(&self.payments);
        answer(
            request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body),
        )
        .await
    }

    /// The payment as it stands; with `ask` the gateway asks the platform first.
    pub(in crate::cli) async fn look(&self, id: &str, ask: bool) -> anyhow::Result<Payment> {
        let query = if ask { "?refresh=true" } else { "" };
        answer(self.client.get(format!("{}/{id}{query}", self.payments))).await
    }

    /// Gives money back. The refund's number keeps a repetition harmless.
    pub(in crate::cli) async fn refund(
        &self,
        payment: &str,
        new: &NewRefund<'_>,
    ) -> anyhow::Result<Refund> {
        let request = self
            .client
            .post(format!("{}/{payment}/refunds", self.payments));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        answer(request.body(serde_json::to_vec(new)?)).await
    }

    /// The refund as it stands.
    pub(in crate::cli) async fn look_at_refund(&self, id: &str) -> anyhow::Result<Refund> {
        answer(self.client.get(format!("{}/{id}", self.refunds))).await
    }

    /// Whatever is there.
    pub(in crate::cli) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        answer(self.client.get(format!("{}{path}", self.base))).await
    }

    /// What is given is changed; the rest stays.
    pub(in crate::cli) async fn change<T: DeserializeOwned>(
        &self,
        path: &str,
        settings: &impl Serialize,
    ) -> anyhow::Result<T> {
        let request = self.client.patch(format!("{}{path}", self.base));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        answer(request.body(serde_json::to_vec(settings)?)).await
    }

    /// Closes the payment, unless it turns out to be paid.
    pub(in crate::cli) async fn close(&self, id: &str) -> anyhow::Result<Payment> {
        answer(self.client.post(format!("{}/{id}/close", self.payments))).await
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> anyhow::Result<T> {
    let response = request
        .send()
        .await
        .context("the gateway does not answer; is it running?")?;
    let status = response.status();
    let body = response
        .bytes()
        .await
        .context("the gateway broke off its answer")?;
    if !status.is_success() {
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        return Err(Refused { status, problem }.into());
    }
    serde_json::from_slice(&body).context("that is not tongbao's answer; is --gateway right?")
}
