//! Where merchants' pages send a browser: WeChat's own addresses.

use axum::extract::{OriginalUri, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tongbao_wire::wechat_openid::authorize::{ADDRESS, Authorize};

use super::lang::Lang;
use super::view::{self, Reader, Readers};
use super::{render, words};
use crate::WalletPlatform;
use crate::server::Simulator;
use crate::server::problem::Problem;

#[derive(Deserialize)]
pub(super) struct Who {
    /// Who reads the page; without it the page asks.
    wallet: Option<String>,
}

/// `/connect/oauth2/authorize`: who reads the page? Answered with a choice of people, or for the
/// one that `wallet` names with the way back.
pub(super) async fn authorize(
    State(simulator): State<Simulator>,
    OriginalUri(uri): OriginalUri,
    lang: Lang,
    Query(who): Query<Who>,
) -> Result<Response, Problem> {
    let query = uri.query().unwrap_or_default();
    let asked: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.starts_with("wallet="))
        .collect();
    let asked = asked.join("&");
    // A browser keeps the fragment to itself.
    let url = format!("{ADDRESS}?{asked}#wechat_redirect");
    let question = Authorize::from_url(&url)
        .map_err(|error| Problem::invalid(format!("WeChat would not open this page: {error}")))?;
    if let Some(wallet) = who.wallet {
        let back = simulator.act(|platform, now| platform.authorize(now, &wallet, &question))?;
        return Ok(Redirect::to(&back).into_response());
    }
    let people = simulator.look(|platform, _| {
        let wallets = platform.truth().wallets.values();
        let on_wechat = wallets.filter(|wallet| wallet.platform == WalletPlatform::Wechat);
        on_wechat
            .map(|wallet| Reader {
                id: wallet.id.clone(),
                initial: view::initial(&wallet.id),
                link: format!("{}?{asked}&wallet={}", uri.path(), wallet.id),
            })
            .collect()
    });
    Ok(render(&Readers {
        lang,
        title: words::who_reads(lang),
        app_id: question.appid,
        people,
    }))
}

/// `/cgi-bin/mmpayweb-bin/checkmweb`: a mobile browser opens the wallet.
pub(super) async fn browser(OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let url: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    Redirect::to(&format!("/?code={url}")).into_response()
}
