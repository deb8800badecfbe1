//! `/docs`: the merchant API for people, made from the same description as
//! `/v1/openapi.json`.

mod chinese;
mod description;
mod reference;
mod text;

use std::sync::LazyLock;

use askama::Template;
use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::CACHE_CONTROL;

use super::language::Language;
use crate::app::App;
use crate::problem::{KINDS, Kind, Problem};
use reference::{Call, Field, Group, groups};
use text::Text;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/docs", get(page))
}

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    language: Language,
    text: &'static Text,
    groups: Vec<Group>,
    problems: &'static [Kind],
}

impl DocsPage {
    fn new(language: Language) -> Self {
        Self {
            language,
            text: text::of(language),
            groups: groups(language),
            problems: KINDS,
        }
    }

    /// A call's tables of fields: title, rows, and whether to fold it.
    fn tables<'a>(&self, call: &'a Call) -> Vec<(&'static str, &'a [Field], bool)> {
        let mut tables = vec![
            (self.text.parameters, &call.parameters[..], false),
            (self.text.body, &call.body[..], false),
            (self.text.answer, &call.answer[..], true),
        ];
        tables.retain(|(_, fields, _)| !fields.is_empty());
        tables
    }

    /// What a problem's code means.
    fn meaning(&self, kind: &Kind) -> &'static str {
        match self.language {
            Language::Zh => chinese::of(kind.title).unwrap_or(kind.title),
            Language::En => kind.title,
        }
    }
}

/// It says the same to everybody, so it is made once.
async fn page(language: Language) -> Result<Response, Problem> {
    static PAGES: LazyLock<[Result<String, askama::Error>; 2]> =
        LazyLock::new(|| [Language::Zh, Language::En].map(|of| DocsPage::new(of).render()));
    let [zh, en] = &*PAGES;
    let text = language
        .of([zh, en])
        .as_ref()
        .map_err(|error| Problem::internal(error))?;
    let kept = [(CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    Ok((kept, Html(text.as_str())).into_response())
}
