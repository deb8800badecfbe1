//! `/checkout/{token}`: what do I pay, to whom, how, until when.
//!
//! The token is the only way in: ids of payments are not accepted, and an
//! unknown token gives the same plain page as nonsense. The page shows the
//! payee, the amount and how it stands, and nothing else of the merchant's.
//! Reading never changes anything; a form starts an attempt.

mod reader;
mod stage;
mod text;
mod wallet;

use askama::Template;
use axum::extract::{DefaultBodyLimit, Form, Path, State};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use tongbao_core::merchant::Merchant;
use tongbao_core::{Payment, Scene};
use tongbao_engine::{EngineError, NewAttempt};

use super::headers::cross_site;
use super::language::Language;
use super::live::{self, Shown};
use super::qr::Qr;
use crate::app::App;
use crate::problem::{FORBIDDEN, Problem, UNAVAILABLE};
use reader::Reader;
use stage::{Stage, Standing, View};
use text::Text;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/checkout/{token}", get(page))
        .route("/checkout/{token}/attempts", post(pay))
        .route("/checkout/{token}/status", get(status))
        .route("/checkout/{token}/events", get(events))
        .route("/checkout/{token}/code.svg", get(code))
        .merge(wallet::router())
        .layer(DefaultBodyLimit::max(4_096))
        .layer(map_response(not_indexed))
}

#[derive(Template)]
#[template(path = "checkout.html")]
struct CheckoutPage {
    language: Language,
    text: &'static Text,
    token: String,
    payee: String,
    subject: String,
    amount: String,
    order_no: String,
    return_url: Option<String>,
    /// Time of day in China, and the seconds until then.
    deadline: (String, u64),
    stage: Stage,
    /// What the page's own addresses carry on.
    query: String,
}

#[derive(Template)]
#[template(path = "missing.html")]
struct MissingPage {
    language: Language,
    text: &'static Text,
}

/// The page as it stands.
async fn page(
    State(app): State<App>,
    Path(token): Path<String>,
    language: Language,
    reader: Reader,
) -> Result<Response, Problem> {
    let Some((payment, merchant)) = find(&app, &token).await? else {
        return missing(language);
    };
    if let Some(leaves) = wallet::leave(&app, &payment, &merchant, &reader, language).await? {
        return Ok(leaves);
    }
    let stage = Stage::of(&app, &payment, &merchant, &reader, language).await?;
    let now = app.engine.now();
    let order = &payment.order;
    let page = CheckoutPage {
        language,
        text: text::of(language),
        payee: merchant.name,
        subject: order.subject.clone(),
        amount: order.amount.to_string(),
        order_no: order.merchant_order_no.clone(),
        return_url: order.return_url.clone(),
        deadline: (
            stage::clock_time(payment.expires_at),
            payment.expires_at.since(now).as_secs(),
        ),
        stage,
        token,
        query: query(language, &reader),
    };
    html(StatusCode::OK, &page)
}

/// Which way the payer chose.
#[derive(Deserialize)]
struct Choice {
    channel: String,
    /// How the payer meets it; by a code when not said.
    scene: Option<String>,
}

/// Opens the way that the payer chose, or finds it open, and shows the page.
async fn pay(
    State(app): State<App>,
    Path(token): Path<String>,
    language: Language,
    reader: Reader,
    headers: HeaderMap,
    Form(choice): Form<Choice>,
) -> Result<Response, Problem> {
    if cross_site(&headers) {
        return Err(Problem::new(
            FORBIDDEN,
            "another site sent this form; open the page itself",
        ));
    }
    let Some((payment, merchant)) = find(&app, &token).await? else {
        return missing(language);
    };
    let new = NewAttempt {
        scene: match choice.scene.as_deref() {
            Some("h5") => Scene::H5,
            _ => Scene::Native,
        },
        channel: Some(choice.channel),
        auth_code: None,
        payer: None,
        client_ip: reader.address.map(|address| address.to_string()),
        till: None,
    };
    match app
        .engine
        .start_attempt(&merchant, payment.id, new, None)
        .await
    {
        // The page says how it stands, and what can be done.
        Ok(_)
        | Err(EngineError::Refused(_) | EngineError::NoChannel(_) | EngineError::Invalid(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let address = format!("/checkout/{token}?{}", query(language, &reader));
    Ok(Redirect::to(&address).into_response())
}

/// What the page carries on from address to address.
fn query(language: Language, reader: &Reader) -> String {
    let by_code = reader.code.map(|why| format!("&wallet={}", why.word()));
    format!("lang={}{}", language.word(), by_code.unwrap_or_default())
}

/// What an outsider who holds the token may know.
#[derive(Serialize)]
struct Status {
    /// In fen.
    amount: i64,
    /// The payee.
    name: String,
    /// As on the page.
    state: &'static str,
}

async fn status(
    State(app): State<App>,
    Path(token): Path<String>,
    reader: Reader,
) -> Result<Json<Status>, Problem> {
    let found = find(&app, &token).await?;
    let (payment, merchant) = found.ok_or_else(unknown_token)?;
    Ok(Json(Status {
        amount: payment.order.amount.minor(),
        state: Standing::of(&payment, app.engine.now(), &reader).word(),
        name: merchant.name,
    }))
}

async fn events(
    State(app): State<App>,
    Path(token): Path<String>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if cross_site(&headers) {
        return Err(Problem::new(FORBIDDEN, "another site asked for this"));
    }
    // Listening begins before the first look, so that nothing falls between.
    let changes = app.engine.changes();
    let (payment, _) = find(&app, &token).await?.ok_or_else(unknown_token)?;
    let seat = app.seats.take(payment.id).ok_or_else(|| {
        Problem::new(
            UNAVAILABLE,
            "there is no room for a live page; ask for /status instead",
        )
    })?;
    let shown = OnThePage {
        app: app.clone(),
        reader,
    };
    Ok(live::events(app, payment, changes, seat, shown))
}

/// The open QR code as a picture, for pages that show it elsewhere.
async fn code(State(app): State<App>, Path(token): Path<String>) -> Result<Response, Problem> {
    let (payment, _) = find(&app, &token).await?.ok_or_else(unknown_token)?;
    let anybody = Reader::anywhere();
    let Standing::Waiting(_, code_url) = Standing::of(&payment, app.engine.now(), &anybody) else {
        return Err(Problem::not_found("code: none is open"));
    };
    let picture = Qr::of(code_url).map(|qr| CodePicture { qr });
    let picture = picture.ok_or_else(|| Problem::internal(&"a code is too long to be drawn"))?;
    let text = picture
        .render()
        .map_err(|error| Problem::internal(&error))?;
    Ok(([(CONTENT_TYPE, "image/svg+xml")], text).into_response())
}

#[derive(Template)]
#[template(path = "code.svg", escape = "html")]
struct CodePicture {
    qr: Qr,
}

/// What makes the page look different.
struct OnThePage {
    app: App,
    reader: Reader,
}

impl Shown for OnThePage {
    fn look(&self, payment: &Payment) -> (String, bool) {
        #[derive(Serialize)]
        struct Event {
            state: &'static str,
            /// Which try is shown, counted from one: another code under the same
            /// state is another page.
            attempt: usize,
        }

        let standing = Standing::of(payment, self.app.engine.now(), &self.reader);
        let event = Event {
            state: standing.word(),
            attempt: payment.attempts.len(),
        };
        let text = serde_json::to_string(&event).expect("a word and a number are always JSON");
        (text, payment.is_final())
    }
}

/// The payment of a token, with who gets the money.
async fn find(app: &App, token: &str) -> Result<Option<(Payment, Merchant)>, Problem> {
    // 26 letters and digits; anything else is not worth a query.
    let plausible =
        (20..=64).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plausible {
        return Ok(None);
    }
    let store = app.engine.store();
    let Some(payment) = store.payment_by_checkout_token(token).await? else {
        return Ok(None);
    };
    let merchant = store.merchant(payment.merchant).await?;
    Ok(merchant.map(|merchant| (payment, merchant)))
}

fn unknown_token() -> Problem {
    Problem::not_found("page")
}

fn missing(language: Language) -> Result<Response, Problem> {
    let text = text::of(language);
    html(StatusCode::NOT_FOUND, &MissingPage { language, text })
}

fn html(status: StatusCode, page: &impl Template) -> Result<Response, Problem> {
    let text = page.render().map_err(|error| Problem::internal(&error))?;
    Ok((status, Html(text)).into_response())
}

async fn not_indexed(mut response: Response) -> Response {
    response.headers_mut().insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    response
}
