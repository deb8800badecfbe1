//! The phone: a person's wallet, and beside it what a developer wants to see.
//!
//! Everything works with plain links and forms; a small module keeps the page fresh.

mod act;
mod assets;
mod doors;
mod guard;
mod lang;
mod print;
mod qr;
mod text;
mod view;
mod words;

use axum::Router;
use axum::extract::{Query, State};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::Simulator;
use crate::{Opening, Prompt, Refusal, Target};
use lang::Lang;
use view::{Fresh, Live, Page, Screen};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/", get(show))
        .route("/phone/live", get(live))
        .route("/phone/pay", post(act::pay))
        .route("/phone/cancel", post(act::cancel))
        .route("/phone/code", post(act::show_code))
        .route("/phone/confirm", post(act::confirm))
        .route("/connect/oauth2/authorize", get(doors::authorize))
        .route("/cgi-bin/mmpayweb-bin/checkmweb", get(doors::browser))
        .route("/phone/faults", post(act::switch_fault_on))
        .route("/phone/faults/off", post(act::switch_faults_off))
        .route("/phone/clock", post(act::move_clock))
        .merge(assets::router())
        .layer(middleware::from_fn(guard::guard))
}

/// Which screen the phone shows.
#[derive(Deserialize)]
struct Asked {
    /// Whose phone.
    wallet: Option<String>,
    /// What to scan or open at once, URL-encoded: a `code_url`, an `mweb_url`, or the object
    /// that a page or an app hands over.
    code: Option<String>,
    /// What a merchant's page opens the wallet with.
    prepay_id: Option<String>,
    /// The receipt of this transaction.
    paid: Option<String>,
    /// `code` shows the payment code.
    screen: Option<String>,
    /// Switches the language.
    lang: Option<String>,
}

async fn show(
    State(simulator): State<Simulator>,
    lang: Lang,
    Query(asked): Query<Asked>,
) -> Response {
    let chosen = asked.lang.as_deref().and_then(Lang::parse);
    let opening = asked.opening();
    let wallet = simulator.look(|platform, _| {
        view::whose_phone(platform, asked.wallet.as_deref(), opening.is_some())
    });
    let shows_code = asked.screen.as_deref() == Some("code");
    let screen = match (opening, asked.paid) {
        (Some(opening), _) => match open(&simulator, &wallet, &opening) {
            Ok((prompt, target)) => Screen::prompt(prompt, &target, None),
            Err(refusal) => Screen::refused(&refusal, lang),
        },
        (None, None) if shows_code => {
            simulator.look(|platform, now| view::code(platform, now, &wallet))
        }
        (None, Some(transaction_id)) => {
            simulator.look(|platform, now| view::receipt(platform, now, &wallet, &transaction_id))
        }
        (None, None) => Screen::Home,
    };
    let mut response = page(&simulator, lang, &wallet, screen);
    if let Some(cookie) = chosen.and_then(|lang| HeaderValue::try_from(lang.cookie()).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The prompt, and what is then paid.
fn open(
    simulator: &Simulator,
    wallet: &str,
    opening: &Opening,
) -> Result<(Prompt, Target), Refusal> {
    simulator.act(|platform, now| {
        let target = platform.open(now, opening)?.target;
        Ok((platform.scan(now, wallet, &target)?, target))
    })
}

/// The parts that change by themselves; looks only, so that looking changes nothing.
async fn live(
    State(simulator): State<Simulator>,
    lang: Lang,
    Query(asked): Query<Asked>,
) -> Response {
    let live = simulator.look(|platform, now| {
        let wallet = view::whose_phone(platform, asked.wallet.as_deref(), false);
        Fresh {
            live: Live::of(platform, now, lang, &wallet),
        }
    });
    render(&live)
}

fn page(simulator: &Simulator, lang: Lang, wallet: &str, screen: Screen) -> Response {
    let page = simulator.look(|platform, now| Page {
        live: Live::of(platform, now, lang, wallet),
        screen,
    });
    render(&page)
}

fn render(template: &impl askama::Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page does not render");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Asked {
    /// An empty field of a form is no code.
    fn opening(&self) -> Option<Opening> {
        let given = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim)?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        let bare = |prepay_id| Opening::Bare(Target::PrepayId(prepay_id));
        let code = given(&self.code).map(read);
        code.or_else(|| given(&self.prepay_id).map(bare))
    }
}

/// What was scanned or pasted.
fn read(text: String) -> Opening {
    if text.starts_with('{') && text.contains("prepayid") {
        Opening::App { json: text }
    } else if text.starts_with('{') {
        Opening::Jsapi { json: text }
    } else if text.contains("/checkmweb?") {
        Opening::MwebUrl(text)
    } else {
        Opening::Bare(Target::CodeUrl(text))
    }
}
