//! `POST /notify/{channel_id}`: what platforms tell us.
//!
//! No login: the message proves itself, or changes nothing. What no platform
//! sends (a query string, an encoding, more than 64 KiB) is refused before
//! anything reads it, in the platform's own form.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use tongbao_core::ChannelId;

use crate::app::App;
use crate::extract::{Unread, read_body};
use crate::problem::{INVALID_BODY, Problem};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/notify/{channel_id}", post(take))
}

async fn take(
    State(app): State<App>,
    Path(channel): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let channel: ChannelId = channel.parse().map_err(|_| Problem::not_found("channel"))?;
    let (head, body) = request.into_parts();
    let body = read_body(body).await;
    let refused = match &body {
        Err(Unread::TooLarge(beginning)) => Some(("too_large", beginning.clone())),
        Ok(body) if head.uri.query().is_some() => Some(("query_string", body.clone())),
        Ok(body) if head.headers.contains_key(CONTENT_ENCODING) => {
            Some(("content_encoding", body.clone()))
        }
        Ok(_) | Err(Unread::Broken) => None,
    };
    let answer = match (refused, body) {
        (Some((reason, beginning)), _) => {
            app.engine
                .refuse_notification(channel, reason, beginning)
                .await?
        }
        (None, Ok(body)) => {
            let request = Request::from_parts(head, body);
            app.engine.take_notification(channel, request).await?
        }
        // Nobody is there to hear the platform's form.
        (None, Err(_)) => return Err(Problem::new(INVALID_BODY, "the body broke off")),
    };
    Ok(answer.map(|body: Bytes| Body::from(body)))
}
