//! `/v1/channels`

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tongbao_core::ChannelId;
use tongbao_core::channel::{ChannelAccount, Confirm};
use tongbao_engine::{ChannelPatch, Diagnosis, NewChannel};
use utoipa::ToSchema;

use super::listed::Listed;
use super::made::Made;
use crate::app::App;
use crate::extract::{Bare, Caller, Command, Id, Key};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/channels", get(list).post(create))
        .route("/v1/channels/{id}", get(read).patch(update))
        .route("/v1/channels/{id}/check", post(check))
}

/// An account at a platform.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelView {
    /// Ours.
    #[schema(example = "chn_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    id: String,
    /// Which protocol: `wechat_v2`.
    #[schema(example = "wechat_v2")]
    kind: String,
    /// Your name for it.
    name: String,
    /// No new attempts while it is off; what has begun goes on.
    enabled: bool,
    /// What it takes before a notification may set "paid": `query` (a query
    /// confirms it) or `signature` (a good signature is enough).
    confirm: &'static str,
    /// The settings that are no secret.
    #[schema(value_type = Object)]
    settings: Value,
    /// Where the platform sends its notifications: sent with every order, or to
    /// be pasted into the platform's back office.
    notify_url: String,
    /// When it was made, RFC 3339.
    created_at: String,
}

fn view(app: &App, account: &ChannelAccount) -> ChannelView {
    ChannelView {
        id: account.id.to_string(),
        kind: account.kind.clone(),
        name: account.name.clone(),
        enabled: account.enabled,
        confirm: account.confirm.as_str(),
        settings: account.settings.clone(),
        notify_url: app.engine.notify_url(account.id),
        created_at: account.created_at.to_string(),
    }
}

/// Lists the channels.
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/v1/channels",
    operation_id = "list_channels",
    tag = "channels",
    responses((status = 200, description = "All of them", body = Listed<ChannelView>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(merchant): Caller,
) -> Result<Json<Listed<ChannelView>>, Problem> {
    let accounts = app.engine.store().channels(merchant.id).await?;
    Ok(Json(Listed::all(&accounts, |account| view(&app, account))))
}

/// An account as it is typed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "wechat_v2",
    "name": "main shop",
    "settings": {
        "app_id": "wx0123456789abcdef",
        "mch_id": "1900000109",
        "api_v2_key": "32 characters from the merchant platform"
    }
}))]
pub(crate) struct NewChannelBody {
    /// Which protocol: `wechat_v2`.
    kind: String,
    /// Your name for it; its kind when left out.
    name: Option<String>,
    /// Names and texts, in the platform's own spelling. Secrets are sealed before
    /// they are stored, and never shown again.
    #[schema(value_type = Object)]
    settings: Value,
    /// `query` (default) or `signature`.
    #[serde(default)]
    #[schema(value_type = String, default = "query")]
    confirm: Confirm,
    /// Whether new attempts may use it; `true` when left out.
    enabled: Option<bool>,
}

/// Adds a channel.
///
/// Settings that cannot work are refused, and the answer says which one and why.
#[utoipa::path(
    post,
    path = "/v1/channels",
    operation_id = "create_channel",
    tag = "channels",
    params(("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters")),
    request_body = NewChannelBody,
    responses(
        (status = 201, description = "Added, by this request or by the same one before", body = ChannelView),
        (status = 422, description = "A field or setting cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    Caller(merchant): Caller,
    Command { key, body }: Command<NewChannelBody>,
) -> Result<Made<ChannelView>, Problem> {
    let new = NewChannel {
        name: body.name.unwrap_or_else(|| body.kind.clone()),
        kind: body.kind,
        settings: body.settings,
        confirm: body.confirm,
        enabled: body.enabled.unwrap_or(true),
    };
    let replayed = Key::known(key.as_ref(), &app, merchant.id).await?;
    let key = key.map(Into::into);
    let account = app.engine.create_channel(merchant.id, new, key).await?;
    Ok(Made::new(view(&app, &account), !replayed, replayed))
}

/// Reads a channel.
#[utoipa::path(
    get,
    path = "/v1/channels/{id}",
    operation_id = "read_channel",
    tag = "channels",
    params(("id" = String, Path, description = "`chn_…`")),
    responses(
        (status = 200, description = "As it stands", body = ChannelView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelView>, Problem> {
    let account = app.engine.channel_of(merchant.id, id).await?;
    Ok(Json(view(&app, &account)))
}

/// What is to be changed of an account; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"enabled": false}))]
pub(crate) struct ChannelPatchBody {
    /// A new name.
    name: Option<String>,
    /// These settings, in the place of those of the same name.
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// `query` or `signature`.
    #[schema(value_type = Option<String>)]
    confirm: Option<Confirm>,
    /// Whether new attempts may use it.
    enabled: Option<bool>,
}

/// Changes a channel.
///
/// What has begun goes on with the new settings.
#[utoipa::path(
    patch,
    path = "/v1/channels/{id}",
    operation_id = "update_channel",
    tag = "channels",
    params(("id" = String, Path, description = "`chn_…`")),
    request_body = ChannelPatchBody,
    responses(
        (status = 200, description = "As it stands now", body = ChannelView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A field or setting cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<ChannelId>,
    Command { body, .. }: Command<ChannelPatchBody>,
) -> Result<Json<ChannelView>, Problem> {
    let patch = ChannelPatch {
        name: body.name,
        settings: body.settings,
        confirm: body.confirm,
        enabled: body.enabled,
    };
    let account = app.engine.update_channel(merchant.id, id, patch).await?;
    Ok(Json(view(&app, &account)))
}

/// What the key doctor found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "healthy": false,
    "code": "bad_key",
    "cause": "the platform says that our signature is wrong",
    "cure": "set the API v2 key again in the merchant platform and here"
}))]
pub(crate) struct DiagnosisView {
    /// Orders can be placed, as far as can be told without one.
    healthy: bool,
    /// Stable: `ok`, `bad_key`, `unknown_account`, `unreachable`, …
    code: &'static str,
    /// What was seen.
    cause: String,
    /// What to do.
    cure: String,
}

impl From<Diagnosis> for DiagnosisView {
    fn from(found: Diagnosis) -> Self {
        Self {
            healthy: found.healthy,
            code: found.code,
            cause: found.cause,
            cure: found.cure,
        }
    }
}

/// Checks a channel.
///
/// Asks the platform something harmless, and says what is wrong with the account
/// and what to do about it.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/check",
    operation_id = "check_channel",
    tag = "channels",
    params(
        ("id" = String, Path, description = "`chn_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "What was found", body = DiagnosisView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn check(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<ChannelId>,
    Bare { key }: Bare,
) -> Result<Json<DiagnosisView>, Problem> {
    let key = key.map(Into::into);
    let found = app.engine.check_channel(merchant.id, id, key).await?;
    Ok(Json(found.into()))
}
