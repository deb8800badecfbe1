//! `/v1/payments/{id}/attempts`

use std::net::IpAddr;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tongbao_core::{PaymentId, Scene, TillId};
use tongbao_engine::{AttemptView, AuthCode, EngineError, LoginCode, NewPayer as Payer};
use utoipa::ToSchema;

use super::made::Made;
use crate::app::App;
use crate::extract::{Command, Id, Seller};
use crate::problem::{INVALID_FIELD, Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/payments/{id}/attempts", post(start))
}

/// How the payer wants to pay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"scene": "native"}))]
pub(crate) struct NewAttempt {
    /// `native` (the payer scans a code), `jsapi`, `mini_program`, `app`, `h5` or
    /// `barcode`.
    #[schema(value_type = String, example = "native")]
    scene: Scene,
    /// A channel's id, name or kind; the first one that can do the scene when
    /// left out.
    channel: Option<String>,
    /// Who pays; for `jsapi` and `mini_program`.
    payer: Option<NewPayer>,
    /// The code that the payer shows, as the scanner reads it; for `barcode`. Its
    /// digits tell the wallet. It is good for one request.
    #[schema(value_type = Option<String>, example = "134567890123456789")]
    auth_code: Option<Scanned>,
    /// The payer's IPv4 or IPv6 address.
    #[schema(value_type = Option<String>)]
    client_ip: Option<IpAddr>,
}

/// Who pays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPayer {
    /// The platform's name for the payer, under the channel's `app_id`.
    openid: Option<String>,
    /// Or a login code, which is exchanged for it: what `wx.login` gave the
    /// mini-program, or what came back to the web page. It is good once, for five
    /// minutes. The channel needs its `app_secret` for that.
    #[schema(value_type = Option<String>)]
    code: Option<OfALogin>,
}

/// A code that says who somebody is: it does not print.
#[derive(Debug)]
pub(crate) struct OfALogin(LoginCode);

impl<'de> Deserialize<'de> for OfALogin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An error of the reader's own would repeat it.
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(LoginCode::new(&text))),
            _ => Err(D::Error::custom(
                "is not text; put the code in quotation marks",
            )),
        }
    }
}

/// Digits that are as good as money: they do not print.
#[derive(Debug)]
pub(crate) struct Scanned(AuthCode);

impl<'de> Deserialize<'de> for Scanned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An error of the reader's own would repeat the digits.
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(AuthCode::new(&text))),
            _ => Err(D::Error::custom(
                "is not text; put the digits in quotation marks",
            )),
        }
    }
}

impl NewAttempt {
    pub(crate) fn into_engine(
        self,
        till: Option<TillId>,
    ) -> Result<tongbao_engine::NewAttempt, Problem> {
        let payer = match self.payer.map(|payer| (payer.openid, payer.code)) {
            Some((Some(_), Some(_))) => {
                let detail = "comes with openid; send one of them";
                return Err(Problem::field(INVALID_FIELD, "payer.code", detail));
            }
            Some((None, Some(OfALogin(code)))) => Some(Payer::Code(code)),
            Some((Some(openid), None)) => Some(Payer::Openid(openid)),
            Some((None, None)) | None => None,
        };
        Ok(tongbao_engine::NewAttempt {
            scene: self.scene,
            channel: self.channel,
            auth_code: self.auth_code.map(|scanned| scanned.0),
            payer,
            client_ip: self.client_ip.map(|address| address.to_string()),
            till,
        })
    }
}

/// Starts an attempt.
///
/// Asks a channel to collect the money. The answer's `action` says what the payer's side has to do. When the channel
/// does not answer in time, `state` is `unknown`: it is asked again until the
/// truth is found. An open attempt of the same channel and scene is returned
/// instead of a second one, and with a new `url` where the old one has ended.
///
/// `jsapi` and `mini_program` are for one payer, named by `payer.openid` or known by
/// `payer.code`. A code is asked about once. When that brings no payer, nothing is
/// made, and the error's `code` says why: get a new login code, and send the request
/// again. The same code for the same payment is the same attempt.
///
/// `barcode` charges the code that the payer shows. `succeeded` is paid; `failed`
/// leaves the payment open for another code, and `failure` says why;
/// `user_paying` and `unknown` are asked about every few seconds, and after half a
/// minute the attempt is reversed: hand nothing over before the payment is `paid`,
/// and scan no second code before the attempt has ended. While it is open, a
/// second code is not sent, and the open attempt is returned.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/attempts",
    operation_id = "start_attempt",
    tag = "payments",
    params(
        ("id" = String, Path, description = "`pay_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    request_body = NewAttempt,
    responses(
        (status = 201, description = "Started, by this request or by the same one before", body = AttemptView),
        (status = 200, description = "The same way of paying was open already", body = AttemptView),
        (status = 404, description = "There is no such payment, or it is another merchant's, or, for a till, another store's", body = ProblemView, content_type = "application/problem+json"),
        (status = 409, description = "The payment is paid, closed or expired, or has too many attempts; or the login code, or the channel's app, is not taken", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted, or no channel can take it", body = ProblemView, content_type = "application/problem+json"),
        (status = 429, description = "`platform_limit`", body = ProblemView, content_type = "application/problem+json"),
        (status = 502, description = "`payer_unknown`", body = ProblemView, content_type = "application/problem+json"),
        (status = 503, description = "`platform_busy` or `platform_unreachable`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start(
    State(app): State<App>,
    seller: Seller,
    Id(payment): Id<PaymentId>,
    Command { key, body }: Command<NewAttempt>,
) -> Result<Made<AttemptView>, Problem> {
    let new = body.into_engine(seller.till_id())?;
    let key = seller.key(key);
    let merchant = seller.for_payment(&app, payment).await?;
    let started = app
        .engine
        .start_attempt(&merchant, payment, new, key)
        .await?;
    let attempt = started
        .payment
        .attempt(started.attempt)
        .ok_or(EngineError::NotFound("attempt"))?;
    Ok(Made::new(attempt.into(), started.fresh, started.replayed))
}
