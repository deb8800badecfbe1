//! Inside WeChat: the reader's browser is sent to be named, and comes back with a
//! code; the reader pays without leaving the page.
//!
//! Where it goes and where it comes back to is made of the gateway's own address,
//! the payment's token and the language, and of nothing that came with the request.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use tongbao_core::merchant::Merchant;
use tongbao_core::{AttemptState, Payment, Scene};
use tongbao_engine::{EngineError, LoginCode, NewAttempt, NewPayer, Way};

use super::reader::{ATTEMPT, Browser, DEPARTURE, Reader, WhyTheCode};
use super::stage::Standing;
use super::{find, missing};
use crate::app::App;
use crate::pages::language::Language;
use crate::problem::Problem;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/checkout/{token}/wechat", get(leave_again))
        .route("/checkout/{token}/wechat/back", get(come_back))
}

/// The way in which a reader inside the wallet could pay, if there is one.
pub(super) async fn way(app: &App, merchant: &Merchant) -> Result<Option<Way>, Problem> {
    let ways = app.engine.ways_to_pay(merchant).await?;
    Ok(ways.into_iter().find(|way| way.scene == Scene::Jsapi))
}

/// Sends a reader away who could pay in the wallet and whom nobody knows yet.
/// `None` for everybody else, and where that has failed before: there is the code.
/// Who left and has not come back was stopped by the platform on a page of its own,
/// and would be again; the reader may ask for it.
pub(super) async fn leave(
    app: &App,
    payment: &Payment,
    merchant: &Merchant,
    reader: &Reader,
    language: Language,
) -> Result<Option<Response>, Problem> {
    let standing = Standing::of(payment, app.engine.now(), reader);
    let may_pay = matches!(
        standing,
        Standing::Ready { .. } | Standing::Waiting(..) | Standing::Preparing(_)
    );
    let comes_by = reader.browser == Browser::Wechat && reader.code.is_none() && !reader.refreshes;
    let waits = reader.own(payment).is_some();
    if !may_pay || !comes_by || waits || reader.departure.is_some() || refused(payment) {
        return Ok(None);
    }
    send_away(app, payment, merchant, language).await
}

/// The platform has refused such an order before: it would again.
pub(super) fn refused(payment: &Payment) -> bool {
    let mut attempts = payment.attempts.iter();
    attempts.any(|it| it.scene == Scene::Jsapi && it.state == AttemptState::Failed)
}

async fn send_away(
    app: &App,
    payment: &Payment,
    merchant: &Merchant,
    language: Language,
) -> Result<Option<Response>, Problem> {
    let Some(way) = way(app, merchant).await? else {
        return Ok(None);
    };
    let path = address(payment);
    let back = format!("{path}/wechat/back?lang={}", language.word());
    let departure = app.engine.send_to_be_named(payment, &way, &back).await?;
    let mut response = Redirect::to(&departure.url).into_response();
    give(app, &mut response, payment, DEPARTURE, &departure.browser);
    Ok(Some(response))
}

/// The reader presses "try again".
async fn leave_again(
    State(app): State<App>,
    Path(token): Path<String>,
    language: Language,
) -> Result<Response, Problem> {
    let Some((payment, merchant)) = find(&app, &token).await? else {
        return missing(language);
    };
    match send_away(&app, &payment, &merchant, language).await? {
        Some(leaves) => Ok(leaves),
        None => Ok(to_the_code(&payment, language)),
    }
}

/// What the browser brings.
#[derive(Deserialize)]
struct Brought {
    code: Option<String>,
    state: Option<String>,
}

/// The browser is back. Only the one that left, for this payment, a while ago is
/// listened to; everybody else sees the page with its code, and nothing is done.
async fn come_back(
    State(app): State<App>,
    Path(token): Path<String>,
    language: Language,
    reader: Reader,
    brought: Result<Query<Brought>, QueryRejection>,
) -> Result<Response, Problem> {
    let Some((payment, merchant)) = find(&app, &token).await? else {
        return missing(language);
    };
    let brought = brought
        .ok()
        .map(|Query(brought)| (brought.state, brought.code));
    let (Some((Some(state), code)), Some(browser)) = (brought, &reader.departure) else {
        return Ok(to_the_code(&payment, language));
    };
    let Some(channel) = app.engine.has_come_back(&payment, &state, browser) else {
        return Ok(to_the_code(&payment, language));
    };
    let Some(code) = code else {
        // The reader does not want to be known.
        return Ok(no_departure(
            &app,
            to_the_code(&payment, language),
            &payment,
        ));
    };
    let new = NewAttempt {
        scene: Scene::Jsapi,
        channel: Some(channel.to_string()),
        auth_code: None,
        payer: Some(NewPayer::Code(LoginCode::new(&code))),
        client_ip: reader.address.map(|address| address.to_string()),
        till: None,
    };
    let started = app
        .engine
        .start_attempt(&merchant, payment.id, new, None)
        .await;
    let response = match started {
        Ok(started) => {
            let attempt = started.payment.attempt(started.attempt);
            if attempt.is_some_and(|attempt| attempt.state == AttemptState::Failed) {
                to_the_code(&payment, language)
            } else {
                let page = format!("{}?lang={}", address(&payment), language.word());
                let mut response = Redirect::to(&page).into_response();
                let id = started.attempt.to_string();
                give(&app, &mut response, &payment, ATTEMPT, &id);
                response
            }
        }
        // The browser loads this address twice, as some do: round again.
        Err(EngineError::Busy) => {
            let page = format!("{}?lang={}", address(&payment), language.word());
            Redirect::to(&page).into_response()
        }
        // The page says how it stands, and what can be done.
        Err(
            EngineError::Refused(_)
            | EngineError::NoChannel(_)
            | EngineError::NoPayer(_)
            | EngineError::Channel(_)
            | EngineError::Invalid(_),
        ) => to_the_code(&payment, language),
        Err(error) => return Err(error.into()),
    };
    Ok(no_departure(&app, response, &payment))
}

/// The page, which shows the code and offers to try again: it sends nobody away by
/// itself, so nobody goes round in circles.
fn to_the_code(payment: &Payment, language: Language) -> Response {
    let page = format!(
        "{}?lang={}&wallet={}",
        address(payment),
        language.word(),
        WhyTheCode::Failed.word()
    );
    Redirect::to(&page).into_response()
}

fn address(payment: &Payment) -> String {
    format!("/checkout/{}", payment.checkout_token)
}

/// A cookie for this page alone. It is sent along when the browser comes back from
/// elsewhere, and no script sees it.
fn give(app: &App, response: &mut Response, payment: &Payment, name: &str, value: &str) {
    set(app, response.headers_mut(), payment, name, value, 3_600);
}

/// Who comes back a second time is not listened to.
fn no_departure(app: &App, mut response: Response, payment: &Payment) -> Response {
    set(app, response.headers_mut(), payment, DEPARTURE, "", 0);
    response
}

fn set(
    app: &App,
    headers: &mut HeaderMap,
    payment: &Payment,
    name: &str,
    value: &str,
    age_secs: u32,
) {
    let secure = if app.engine.is_behind_tls() {
        "; Secure"
    } else {
        ""
    };
    let text = format!(
        "{name}={value}; Path={}; Max-Age={age_secs}; HttpOnly; SameSite=Lax{secure}",
        address(payment)
    );
    let value = HeaderValue::try_from(text).expect("a token, an id and words are visible ASCII");
    headers.append(SET_COOKIE, value);
}
