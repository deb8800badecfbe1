//! Where the gateway tells the shop what became of a payment.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::Shop;
use super::book::{Applied, Standing, Told};
use super::fen::Fen;
use super::order_no::OrderNo;

/// Believes a message when its signature is good, applies it when it is news,
/// and acknowledges it when there is nothing left to do about it.
pub(super) async fn take(
    State(shop): State<Shop>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refused> {
    shop.webhook
        .verify(&body, &headers)
        .map_err(|error| Refused::NotGenuine(error.to_string()))?;
    let webhook_id = headers
        .get(standardwebhooks::HEADER_WEBHOOK_ID)
        .and_then(|value| value.to_str().ok())
        .ok_or(Refused::Unreadable("webhook-id".into()))?;
    let event: Event =
        serde_json::from_slice(&body).map_err(|error| Refused::Unreadable(error.to_string()))?;
    let standing = match event.kind.as_str() {
        "payment.paid" => Standing::Paid,
        "payment.closed" => Standing::Closed,
        // Kinds of events that this shop does nothing about.
        _ => return Ok(StatusCode::NO_CONTENT),
    };
    let payment: Payment = serde_json::from_value(event.data)
        .map_err(|error| Refused::Unreadable(error.to_string()))?;
    // A payment that somebody made with curl and the same API key.
    let Ok(no) = payment.merchant_order_no.parse::<OrderNo>() else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let Some(order) = shop.book.order(&no) else {
        return Ok(StatusCode::NO_CONTENT);
    };
    if (payment.amount, payment.currency.as_str()) != (order.amount, "CNY") {
        return Err(Refused::AnotherAmount);
    }
    let told = Told {
        webhook_id: webhook_id.to_owned(),
        sequence: event.sequence,
        standing,
        at: payment.paid_at.unwrap_or(event.timestamp),
    };
    let applied = shop.book.tell(&no, told).map_err(Refused::NotWritten)?;
    match applied {
        Applied::Changed => tracing::info!(order = %no, ?standing, "told by webhook"),
        Applied::Repeated | Applied::Older | Applied::NotOurs => {
            tracing::debug!(order = %no, ?applied, "webhook changed nothing");
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Why a webhook is not acknowledged; the gateway will send it again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("not genuine: {0}")]
    NotGenuine(String),
    #[error("unreadable: {0}")]
    Unreadable(String),
    #[error("the amount is not the order's")]
    AnotherAmount,
    #[error("the order book cannot be written: {0}")]
    NotWritten(std::io::Error),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotGenuine(_) | Self::Unreadable(_) | Self::AnotherAmount => {
                StatusCode::BAD_REQUEST
            }
            Self::NotWritten(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        tracing::warn!(error = %self, "webhook refused");
        (status, self.to_string()).into_response()
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    sequence: i64,
    data: serde_json::Value,
}

#[derive(Deserialize)]
struct Payment {
    merchant_order_no: String,
    amount: Fen,
    currency: String,
    paid_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};
    use standardwebhooks::Webhook;
    use tokio_util::sync::CancellationToken;
    use tongbao_engine::Clock;

    use super::super::Open;
    use super::super::book::{Book, Order};
    use super::super::gateway::Gateway;
    use super::*;
    use crate::seams::SystemClock;
    use crate::secret::Secret;

    const SECRET: &str = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw";
    const NO: &str = "TEA-000000000001";

    struct Story {
        shop: Shop,
        _dir: tempfile::TempDir,
    }

    impl Story {
        fn begin() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let book = Book::open(&dir.path().join("orders.jsonl")).unwrap();
            let placed = book.place(&NO.parse().unwrap(), "gaiwan", "白瓷盖碗", Fen(12_800));
            placed.unwrap().unwrap();
            let shop = Arc::new(Open {
                public_url: String::new(),
                phone_url: String::new(),
                gateway: Gateway::new(String::new(), Secret::new("sk_")).unwrap(),
                webhook: Webhook::new(SECRET).unwrap(),
                book,
                stop: CancellationToken::new(),
            });
            Self { shop, _dir: dir }
        }

        async fn tell(&self, id: &str, signed_with: &str, event: &Value) -> StatusCode {
            let body = event.to_string();
            let now = SystemClock.now().as_secs();
            let signer = Webhook::new(signed_with).unwrap();
            let signature = signer.sign(id, now, body.as_bytes()).unwrap();
            self.take(&[id, &now.to_string(), &signature], body).await
        }

        async fn take(&self, values: &[&str], body: String) -> StatusCode {
            let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
            let headers = names.into_iter().zip(values);
            let headers =
                headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            let taken = take(State(self.shop.clone()), headers.collect(), body.into()).await;
            taken.unwrap_or_else(|refused| refused.into_response().status())
        }

        fn order(&self) -> Order {
            self.shop.book.order(&NO.parse().unwrap()).unwrap()
        }
    }

    fn event(kind: &str, sequence: i64, no: &str, amount: i64) -> Value {
        json!({
            "type": kind,
            "timestamp": "2026-11-21T08:00:00Z",
            "sequence": sequence,
            "data": {
                "merchant_order_no": no,
                "amount": amount,
                "currency": "CNY",
                "paid_at": "2026-11-21T07:59:59Z",
                "something": "new",
            },
        })
    }

    #[tokio::test]
    async fn what_is_not_signed_with_the_secret_changes_nothing() {
        let story = Story::begin();
        let paid = event("payment.paid", 3, NO, 12_800);
        let other = "whsec_MTExMTExMTExMTExMTExMTExMTExMTEx";
        assert_eq!(
            story.tell("evt_1", other, &paid).await,
            StatusCode::BAD_REQUEST
        );
        for values in [
            &[][..],
            &["evt_1", "0", "v1,"],
            &["evt_1", "soon", "v1,AAAA"],
        ] {
            let status = story.take(values, paid.to_string()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{values:?}");
        }
        assert_eq!(story.order().standing, Standing::Waiting);
    }

    #[tokio::test]
    async fn an_order_is_paid_once_and_nothing_older_undoes_it() {
        let story = Story::begin();
        let paid = event("payment.paid", 3, NO, 12_800);
        let closed = event("payment.closed", 2, NO, 12_800);
        for (id, event) in [("evt_2", &paid), ("evt_2", &paid), ("evt_1", &closed)] {
            assert_eq!(story.tell(id, SECRET, event).await, StatusCode::NO_CONTENT);
        }
        let order = story.order();
        assert_eq!((order.standing, order.revision), (Standing::Paid, 2));
        assert_eq!(order.told.unwrap().at, "2026-11-21T07:59:59Z");
    }

    #[tokio::test]
    async fn another_amount_is_not_the_orders_money() {
        let story = Story::begin();
        let event = event("payment.paid", 3, NO, 1);
        assert_eq!(
            story.tell("evt_1", SECRET, &event).await,
            StatusCode::BAD_REQUEST
        );
        assert_eq!(story.order().standing, Standing::Waiting);
    }

    #[tokio::test]
    async fn what_is_no_business_of_the_shop_is_acknowledged() {
        let story = Story::begin();
        for event in [
            event("payment.paid", 3, "A-1001", 1_234),
            event("payment.paid", 3, "TEA-000000000002", 12_800),
            event("case.opened", 3, NO, 12_800),
        ] {
            assert_eq!(
                story.tell("evt_1", SECRET, &event).await,
                StatusCode::NO_CONTENT
            );
        }
        assert_eq!(story.order().revision, 1);
    }
}
