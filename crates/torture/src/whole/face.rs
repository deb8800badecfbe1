//! The router, called as a server would call it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tongbao_core::{ChannelId, Scene};
use tongbao_engine::Engine;
use tongbao_simulation::event::WorldKernel;
use tongbao_simulation::gateway::{
    Call, Caller, Face, Heard, PAYER_IP, Payer, REASON, key_settings, shown,
};
use tongbao_web::{App, Options};
use tower::ServiceExt;

use super::Bug;

/// What means for good that it will not be done.
const FINAL: [&str; 13] = [
    "payment_already_paid",
    "payment_already_closed",
    "payment_expired",
    "too_many_attempts",
    "payment_not_paid",
    "refund_above_rest",
    "too_many_refunds",
    "case_resolved",
    "case_refunding",
    "case_refund_may_revive",
    "case_unconfirmed",
    "case_not_refundable",
    "case_not_acceptable",
];

/// One process, over HTTP.
pub(super) struct Http {
    router: Router,
    kernel: WorldKernel,
    bug: Option<Bug>,
    /// The last good answer to a merchant, for a mistake that mixes them up.
    last: Arc<Mutex<Option<Heard>>>,
}

impl Http {
    pub(super) fn new(engine: Arc<Engine>, kernel: WorldKernel, bug: Option<Bug>) -> Self {
        Self {
            router: tongbao_web::router(App::new(engine, Options::default())),
            kernel,
            bug,
            last: Arc::default(),
        }
    }
}

impl Face for Http {
    fn call(&self, caller: &Caller, call: Call, key: Option<String>) -> BoxFuture<'static, Heard> {
        let request = request(caller, &call, key.as_deref(), self.bug);
        let (router, bug, last) = (self.router.clone(), self.bug, self.last.clone());
        async move {
            let Some((status, body)) = sent(router, request).await else {
                return Heard::Failed;
            };
            if status.is_server_error() && bug == Some(Bug::FailureAnsweredAsSuccess) {
                return success_of(&call);
            }
            let heard = heard(&call, status, &body);
            if let (Some(Bug::AnswersCrossed), Heard::Created(_)) = (bug, &heard) {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                return last.replace(heard.clone()).unwrap_or(heard);
            }
            heard
        }
        .boxed()
    }

    fn notify(
        &self,
        _: ChannelId,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Option<Response<Bytes>>> {
        let (router, bug, kernel) = (self.router.clone(), self.bug, self.kernel.clone());
        let request = request.map(Body::from);
        if bug == Some(Bug::AcknowledgeBeforeEngine) {
            return async move {
                // A task of nobody's, as one that is merely spawned.
                kernel.spawn(NOBODY, {
                    let kernel = kernel.clone();
                    async move {
                        kernel.sleep(Duration::from_millis(100)).await;
                        sent(router, request).await;
                    }
                });
                Some(success())
            }
            .boxed();
        }
        async move {
            let (status, body) = sent(router, request).await?;
            // A failure is told in the platform's form as well: 200 and FAIL.
            let failed = !String::from_utf8_lossy(&body).contains("SUCCESS");
            if failed && bug == Some(Bug::AcknowledgeAlthoughFailed) {
                return Some(success());
            }
            let mut response = Response::new(body);
            *response.status_mut() = status;
            Some(response)
        }
        .boxed()
    }
}

/// No process.
const NOBODY: u32 = u32::MAX;

fn success() -> Response<Bytes> {
    let body = "<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>";
    Response::new(Bytes::from_static(body.as_bytes()))
}

/// What a merchant takes for done.
fn success_of(call: &Call) -> Heard {
    match call {
        Call::Close(_) => Heard::Closed {
            state: "closed".to_owned(),
        },
        Call::Charge { .. } => Heard::Charged {
            state: "succeeded".to_owned(),
        },
        _ => Heard::Failed,
    }
}

/// `None` when the connection breaks.
async fn sent(router: Router, request: Request<Body>) -> Option<(StatusCode, Bytes)> {
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (head, body) = response.into_parts();
    let body = body.collect().await.ok()?;
    Some((head.status, body.to_bytes()))
}

/// Method, path and body.
fn asked(call: &Call) -> (Method, String, Option<Value>) {
    match call {
        Call::Create {
            order,
            expires_in,
            with_attempt,
        } => {
            let mut body = json!({
                "merchant_order_no": order.merchant_order_no,
                "amount": order.amount.minor(),
                "subject": order.subject,
                "expires_in": expires_in,
            });
            if let Some(store) = order.store {
                body["store"] = json!(store.to_string());
            }
            if *with_attempt {
                body["attempt"] = json!({ "scene": "native" });
            }
            (Method::POST, "/v1/payments".to_owned(), Some(body))
        }
        Call::Start {
            payment,
            channel,
            scene,
            payer,
        } => {
            let mut body = json!({ "scene": scene, "channel": channel });
            match payer {
                Some(Payer::Openid(openid)) => body["payer"] = json!({ "openid": openid }),
                Some(Payer::Code(code)) => body["payer"] = json!({ "code": code }),
                None => {}
            }
            if *scene == Scene::H5 {
                body["client_ip"] = json!(PAYER_IP);
            }
            let path = format!("/v1/payments/{payment}/attempts");
            (Method::POST, path, Some(body))
        }
        Call::Charge {
            payment,
            channel,
            auth_code,
        } => {
            let body = json!({ "scene": "barcode", "channel": channel, "auth_code": auth_code });
            let path = format!("/v1/payments/{payment}/attempts");
            (Method::POST, path, Some(body))
        }
        Call::Look(payment) => {
            let path = format!("/v1/payments/{payment}?refresh=true");
            (Method::GET, path, None)
        }
        Call::Close(payment) => (Method::POST, format!("/v1/payments/{payment}/close"), None),
        Call::Refund {
            payment,
            number,
            amount,
        } => {
            let body = json!({ "merchant_refund_no": number, "amount": amount });
            let path = format!("/v1/payments/{payment}/refunds");
            (Method::POST, path, Some(body))
        }
        Call::Decide { case, action } => {
            let body = json!({ "action": action, "reason": REASON });
            (
                Method::POST,
                format!("/v1/cases/{case}/resolve"),
                Some(body),
            )
        }
        Call::ChangeKey {
            channel,
            key,
            until,
        } => {
            let body = json!({ "settings": key_settings(key, *until) });
            (Method::PATCH, format!("/v1/channels/{channel}"), Some(body))
        }
    }
}

fn request(caller: &Caller, call: &Call, key: Option<&str>, bug: Option<Bug>) -> Request<Body> {
    let (method, path, body) = asked(call);
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    let key_of_caller = match &caller.till {
        Some(till) if bug != Some(Bug::TillsSpeakForAll) => &till.key,
        _ => &caller.api_key,
    };
    let bearer = format!("Bearer {key_of_caller}");
    let keys = [
        (AUTHORIZATION.as_str(), Some(&*bearer)),
        ("idempotency-key", key),
    ];
    for (name, value) in keys {
        if let Some(Ok(value)) = value.map(str::parse) {
            headers.insert(name, value);
        }
    }
    if let Some(body) = body {
        headers.insert(
            CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        *request.body_mut() = Body::from(body.to_string());
    }
    request
}

fn heard(call: &Call, status: StatusCode, body: &[u8]) -> Heard {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if !status.is_success() {
        let code = body["code"].as_str().unwrap_or_default();
        return if FINAL.contains(&code) {
            Heard::Refused
        } else if body["field"] == "payer.code" {
            Heard::Unnamed
        } else {
            Heard::Failed
        };
    }
    let text = |field: &str| body[field].as_str();
    match call {
        Call::Create { .. } => {
            let id = text("id").and_then(|id| id.parse().ok());
            id.map_or(Heard::Failed, Heard::Created)
        }
        Call::Start { .. } => Heard::Started {
            code: code_of(&body),
        },
        Call::Charge { .. } => Heard::Charged {
            state: text("state").unwrap_or_default().to_owned(),
        },
        Call::Look(_) if matches!(text("state"), Some("paid" | "closed")) => Heard::Refused,
        Call::Look(_) => {
            let attempts = body["attempts"].as_array();
            let code = attempts.and_then(|attempts| attempts.iter().find_map(code_of));
            Heard::Started { code }
        }
        Call::Refund { .. } => {
            let id = text("id").and_then(|id| id.parse().ok());
            id.map_or(Heard::Failed, |refund| Heard::Refunding { refund })
        }
        Call::Decide { .. } => Heard::Decided {
            state: text("state").unwrap_or_default().to_owned(),
        },
        Call::ChangeKey { .. } => Heard::KeyChanged,
        Call::Close(_) => Heard::Closed {
            state: text("state").unwrap_or_default().to_owned(),
        },
    }
}

fn code_of(attempt: &Value) -> Option<(tongbao_core::AttemptId, String)> {
    let id = attempt["id"].as_str()?.parse().ok()?;
    let action = serde_json::from_value(attempt["action"].clone()).ok()?;
    Some((id, shown(&action)?))
}
