//! The payment gateway as a merchant sees it: its public HTTP API.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::book::{Bill, Order};
use super::fen::Fen;
use crate::secret::Secret;

/// The gateway's address and the shop's key to it.
pub(super) struct Gateway {
    http: reqwest::Client,
    base_url: String,
    api_key: Secret,
}

/// Longer than the gateway itself waits for a channel.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no answer to work with.
#[derive(Debug, thiserror::Error)]
pub(super) enum GatewayError {
    /// It may have been done all the same: ask again, under the same number.
    #[error("no answer from the gateway: {0}")]
    NoAnswer(#[from] reqwest::Error),
    #[error("the gateway refused: {status} {problem}")]
    Refused { status: StatusCode, problem: String },
    #[error("the gateway's answer cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Where the gateway tells this shop, and the key that signs what it tells.
#[derive(Serialize, Deserialize)]
pub(super) struct Endpoint {
    id: String,
    url: String,
    secret: String,
}

impl Endpoint {
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }
}

impl Gateway {
    pub(super) fn new(base_url: String, api_key: Secret) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self {
            http,
            base_url,
            api_key,
        })
    }

    /// Where its pages are.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Has the webhooks sent to `url`: those of the endpoint that the shop had
    /// before, or of a new one.
    pub(super) async fn enrol(
        &self,
        before: Option<Endpoint>,
        url: &str,
    ) -> Result<Endpoint, GatewayError> {
        let event_types = ["payment.paid", "payment.closed"];
        if let Some(endpoint) = before {
            let path = format!("/v1/webhook_endpoints/{}", endpoint.id);
            let body = serde_json::json!({ "url": url, "enabled": true });
            let moved = self.ask::<serde_json::Value>(Method::PATCH, &path, None, &body);
            match moved.await {
                Ok(_) => {
                    return Ok(Endpoint {
                        url: url.to_owned(),
                        ..endpoint
                    });
                }
                // Another database: a new one is made there.
                Err(GatewayError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => {}
                Err(error) => return Err(error),
            }
        }
        let body = serde_json::json!({ "url": url, "event_types": event_types });
        self.ask(Method::POST, "/v1/webhook_endpoints", None, &body)
            .await
    }

    /// Asks for the order's money. The same order always gets the same payment,
    /// so this may be repeated until there is an answer.
    pub(super) async fn bill(&self, order: &Order, return_url: &str) -> Result<Bill, GatewayError> {
        let body = NewPayment {
            merchant_order_no: order.no.as_str(),
            amount: order.amount,
            subject: &order.subject,
            return_url,
            metadata: Metadata {
                article: &order.article,
            },
            attempt: NewAttempt { scene: "native" },
        };
        let key = Some(order.no.as_str());
        let payment: Payment = self.ask(Method::POST, "/v1/payments", key, &body).await?;
        let code_url = payment
            .attempts
            .into_iter()
            .find_map(|attempt| attempt.action?.code_url);
        Ok(Bill {
            payment: payment.id,
            checkout_url: payment.checkout_url,
            code_url,
            created_at: payment.created_at,
        })
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        idempotency_key: Option<&str>,
        body: &impl Serialize,
    ) -> Result<T, GatewayError> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base_url))
            .bearer_auth(self.api_key.expose())
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(serde_json::to_vec(body)?);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await?;
        let status = response.status();
        let answer = response.bytes().await?;
        if !status.is_success() {
            let problem = String::from_utf8_lossy(&answer).into_owned();
            return Err(GatewayError::Refused { status, problem });
        }
        Ok(serde_json::from_slice(&answer)?)
    }
}

#[derive(Serialize)]
struct NewPayment<'a> {
    merchant_order_no: &'a str,
    amount: Fen,
    subject: &'a str,
    return_url: &'a str,
    metadata: Metadata<'a>,
    attempt: NewAttempt,
}

#[derive(Serialize)]
struct Metadata<'a> {
    article: &'a str,
}

#[derive(Serialize)]
struct NewAttempt {
    scene: &'static str,
}

#[derive(Deserialize)]
struct Payment {
    id: String,
    checkout_url: String,
    attempts: Vec<Attempt>,
    created_at: String,
}

#[derive(Deserialize)]
struct Attempt {
    action: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    code_url: Option<String>,
}
