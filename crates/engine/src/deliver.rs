//! One try at telling a merchant, after the Standard Webhooks specification.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use standardwebhooks::Webhook;
use tongbao_core::Timestamp;
use tongbao_core::webhook::{TIMEOUT, retry_gap};
use tongbao_store::{DeliveryClaim, DeliveryOutcome, DeliveryResult, StoreError};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::mint;
use crate::seams::{SendError, Target};

/// So much of an endpoint's answer is kept for the merchant to look at.
const KEPT_BYTES: usize = 1_024;

impl Engine {
    /// Sends the event and writes down what came of it. When the process dies
    /// between the two, the endpoint is told again, under the same id and in the
    /// same bytes.
    pub(crate) async fn deliver(&self, claim: DeliveryClaim) -> Result<(), EngineError> {
        let at = self.now();
        let (request_headers, sent) = match self.webhook_request(&claim, at) {
            Ok(request) => {
                let headers = printed(request.headers());
                self.seams.faults.point("before_send");
                let transport = &self.seams.transport;
                let sent = transport.send(Target::Webhook, request, TIMEOUT).await;
                (headers, sent)
            }
            // A try that failed, to be seen like any other; the schedule ends.
            Err(error) => (String::new(), Err(SendError::NotSent(error.to_string()))),
        };
        self.seams.faults.point("webhook_after_2xx_before_commit");
        let now = self.now();
        let (status, answer) = match &sent {
            Ok(response) => (Some(response.status().as_u16()), beginning(response.body())),
            Err(error) => (None, error.to_string()),
        };
        let outcome = self.outcome(&sent, claim.tries + 1, now);
        metrics::counter!("tongbao_webhook_tries_total", "outcome" => word(&outcome)).increment(1);
        let again = match outcome {
            DeliveryOutcome::Retry { due } => Some(due),
            DeliveryOutcome::Delivered | DeliveryOutcome::Exhausted | DeliveryOutcome::Gone => None,
        };
        let result = DeliveryResult {
            claim,
            at,
            request_headers,
            status,
            answer,
            took_millis: i64::try_from(now.since(at).as_millis()).unwrap_or(i64::MAX),
            outcome,
        };
        match self.store().record_delivery(result).await {
            // Somebody else has it by now, or the endpoint is gone.
            Err(StoreError::Fenced) => return Ok(()),
            recorded => recorded?,
        }
        // The next try is due before its lease would have ended, which is what the
        // worker waits for.
        if let Some(due) = again {
            self.bell.ring_for(due);
        }
        Ok(())
    }

    fn webhook_request(
        &self,
        claim: &DeliveryClaim,
        at: Timestamp,
    ) -> Result<Request<Bytes>, EngineError> {
        let event = &claim.event;
        let id = event.id.to_string();
        let unsignable =
            |what: String| EngineError::Vault(format!("{}: {what}", claim.endpoint.id));
        let secret = self.endpoint_secret(&claim.endpoint)?;
        let signature = Webhook::new(&secret)
            .and_then(|webhook| webhook.sign(&id, at.as_secs(), event.body.as_bytes()))
            .map_err(|error| unsignable(error.to_string()))?;
        Request::post(&claim.endpoint.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::USER_AGENT,
                concat!("tongbao/", env!("CARGO_PKG_VERSION")),
            )
            .header("webhook-id", id)
            .header("webhook-timestamp", at.as_secs())
            .header("webhook-signature", signature)
            .body(Bytes::from(event.body.clone()))
            .map_err(|error| unsignable(error.to_string()))
    }

    fn outcome(
        &self,
        sent: &Result<Response<Bytes>, SendError>,
        tries: u32,
        now: Timestamp,
    ) -> DeliveryOutcome {
        let mut retry_after = None;
        if let Ok(response) = sent {
            // 3xx is a failure: a redirect could lead anywhere.
            if response.status().is_success() {
                return DeliveryOutcome::Delivered;
            }
            if response.status() == StatusCode::GONE {
                return DeliveryOutcome::Gone;
            }
            retry_after = wanted_wait(response.headers(), now);
        }
        match retry_gap(tries, retry_after, mint::number(&*self.seams.mint)) {
            Some(gap) => DeliveryOutcome::Retry { due: now + gap },
            None => DeliveryOutcome::Exhausted,
        }
    }
}

/// `Retry-After`, in seconds or as a date.
fn wanted_wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds is a long time.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Timestamp::from_secs(date.as_second()).since(now))
}

fn printed(headers: &HeaderMap) -> String {
    let lines = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()));
    lines.collect::<Vec<_>>().join("\n")
}

fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(KEPT_BYTES)]).into_owned()
}

fn word(outcome: &DeliveryOutcome) -> &'static str {
    match outcome {
        DeliveryOutcome::Delivered => "delivered",
        DeliveryOutcome::Retry { .. } => "retry",
        DeliveryOutcome::Exhausted => "exhausted",
        DeliveryOutcome::Gone => "gone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())])
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = Timestamp::from_secs(1_445_412_480); // 2015-10-21T07:28:00Z
        let wait = |text| wanted_wait(&headers(text), now);
        assert_eq!(wait("120"), Some(Duration::from_mins(2)));
        assert_eq!(
            wait("99999999999999999999"),
            Some(Duration::from_secs(u64::MAX))
        );
        assert_eq!(
            wait("Wed, 21 Oct 2015 07:29:00 GMT"),
            Some(Duration::from_mins(1))
        );
        assert_eq!(wait("-1"), None);
        assert_eq!(wait("soon"), None);
    }
}
