//! The phone: a person's wallet, and beside it what a developer wants to see.
//!
//! Everything works with plain links and forms; a small module keeps the page fresh.

mod act;
mod assets;
mod guard;
mod lang;
mod print;
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
use crate::Target;
use lang::Lang;
use view::{Fresh, Live, Page, Screen};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/", get(show))
        .route("/phone/live", get(live))
        .route("/phone/pay", post(act::pay))
        .route("/phone/cancel", post(act::cancel))
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
    /// A code to scan at once: `code_url`, URL-encoded.
    code: Option<String>,
    /// What a merchant's page opens the wallet with.
    prepay_id: Option<String>,
    /// The receipt of this transaction.
    paid: Option<String>,
    /// Switches the language.
    lang: Option<String>,
}

async fn show(
    State(simulator): State<Simulator>,
    lang: Lang,
    Query(asked): Query<Asked>,
) -> Response {
    let chosen = asked.lang.as_deref().and_then(Lang::parse);
    let target = asked.target();
    let wallet = simulator
        .look(|platform, _| view::whose_phone(platform, asked.wallet.as_deref(), target.is_some()));
    let screen = match (target, asked.paid) {
        (Some(target), _) => match simulator.act(|p, now| p.scan(now, &wallet, &target)) {
            Ok(prompt) => Screen::prompt(prompt, &target, None),
            Err(refusal) => Screen::refused(&refusal, lang),
        },
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
    fn target(&self) -> Option<Target> {
        let given = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim)?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        given(&self.code)
            .map(Target::CodeUrl)
            .or_else(|| given(&self.prepay_id).map(Target::PrepayId))
    }
}
