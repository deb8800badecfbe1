//! `/v1/stores/{id}/tills`, `/v1/tills/{id}/revoke`, `/v1/till`

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tongbao_core::shop::Till;
use tongbao_core::{Scene, StoreId, TillId};
use utoipa::ToSchema;

use super::listed::Listed;
use super::made::{Done, Made};
use super::takings::TakingsView;
use crate::app::App;
use crate::extract::{Bare, Caller, Command, Id, Seller};
use crate::problem::{ONLY_FOR_TILLS, Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/stores/{id}/tills", get(list).post(create))
        .route("/v1/tills/{id}/revoke", post(revoke))
        .route("/v1/till", get(own))
}

/// A till of a store.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TillView {
    /// Ours.
    #[schema(example = "til_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    id: String,
    /// Where it stands.
    #[schema(example = "sto_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    store: String,
    /// What people call it.
    #[schema(example = "1 号收银台")]
    name: String,
    /// The key, `tk_…`; only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The key's first characters.
    #[schema(example = "tk_01kb")]
    key_hint: String,
    /// When it was made, RFC 3339.
    created_at: String,
    /// Since when the key opens nothing, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

impl From<&Till> for TillView {
    fn from(till: &Till) -> Self {
        Self {
            id: till.id.to_string(),
            store: till.store.to_string(),
            name: till.name.clone(),
            key: None,
            key_hint: till.hint.clone(),
            created_at: till.created_at.to_string(),
            revoked_at: till.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// Lists a store's tills.
///
/// Oldest first, also those whose key was revoked.
#[utoipa::path(
    get,
    path = "/v1/stores/{id}/tills",
    operation_id = "list_tills",
    tag = "stores",
    params(("id" = String, Path, description = "`sto_…`")),
    responses(
        (status = 200, description = "All of them", body = Listed<TillView>),
        (status = 404, description = "There is no such store, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<StoreId>,
) -> Result<Json<Listed<TillView>>, Problem> {
    let shop = app.engine.store_of(merchant.id, id).await?;
    let tills = app.engine.store().tills(merchant.id, shop.id).await?;
    Ok(Json(Listed::all(&tills, TillView::from)))
}

/// A till as it is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "1 号收银台"}))]
pub(crate) struct NewTill {
    /// What people call it: 1 to 128 bytes; no two tills of a store have one name.
    #[schema(max_length = 128)]
    name: String,
}

/// Adds a till.
///
/// Keep the `key` of the answer: it opens the till page at `/pos` and this API for the store's
/// payments, and is never shown again. Whoever lost it revokes it and adds another till.
#[utoipa::path(
    post,
    path = "/v1/stores/{id}/tills",
    operation_id = "create_till",
    tag = "stores",
    params(
        ("id" = String, Path, description = "`sto_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    request_body = NewTill,
    responses(
        (status = 201, description = "Added, by this request, or by the same one before: then without `key`", body = TillView),
        (status = 404, description = "There is no such store, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted, or `idempotency_key_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<StoreId>,
    Command { key, body }: Command<NewTill>,
) -> Result<Made<TillView>, Problem> {
    let key = key.map(Into::into);
    let made = app
        .engine
        .create_till(merchant.id, id, &body.name, key)
        .await?;
    let view = TillView {
        key: made.key.map(|key| key.as_str().to_owned()),
        ..TillView::from(&made.till)
    };
    Ok(Made::new(view, !made.replayed, made.replayed))
}

/// Revokes a till's key.
///
/// It opens nothing from now on, for ever. Payments that it made go on. A second time changes
/// nothing.
#[utoipa::path(
    post,
    path = "/v1/tills/{id}/revoke",
    operation_id = "revoke_till",
    tag = "stores",
    params(
        ("id" = String, Path, description = "`til_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "As it stands now", body = TillView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<TillId>,
    Bare { key }: Bare,
) -> Result<Done<TillView>, Problem> {
    let key = key.map(Into::into);
    let revoked = app.engine.revoke_till(merchant.id, id, key).await?;
    Ok(Done {
        status: StatusCode::OK,
        view: (&revoked.answer).into(),
        replayed: revoked.replayed,
    })
}

/// The till whose key asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnTill {
    /// Ours, `til_…`.
    id: String,
    /// What people call it.
    name: String,
    /// Where it stands.
    store: OwnStore,
    /// Who gets the money.
    merchant: String,
    /// How the merchant's channels can collect now: `native`, `barcode` and so on.
    scenes: Vec<&'static str>,
    /// What the store has taken since midnight in China.
    today: TakingsView,
    /// What this till has taken of it.
    own_today: TakingsView,
}

/// The till's store.
#[derive(Debug, Serialize, ToSchema)]
struct OwnStore {
    /// Ours, `sto_…`.
    id: String,
    /// What people call it.
    name: String,
    /// Its tills, also those whose key was revoked.
    tills: Vec<NamedTill>,
}

/// A till and its name.
#[derive(Debug, Serialize, ToSchema)]
struct NamedTill {
    /// Ours, `til_…`.
    id: String,
    /// What people call it.
    name: String,
}

/// Reads the till whose key asks.
///
/// With its store, and what both have taken today. For a till's key alone.
#[utoipa::path(
    get,
    path = "/v1/till",
    operation_id = "read_own_till",
    tag = "stores",
    responses(
        (status = 200, description = "As it stands", body = OwnTill),
        (status = 403, description = "`only_for_tills`: the key is the merchant's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn own(State(app): State<App>, seller: Seller) -> Result<Json<OwnTill>, Problem> {
    let merchant = seller.merchant;
    let till = seller.till.ok_or_else(|| {
        Problem::new(
            ONLY_FOR_TILLS,
            "this is for a till's key, `tk_…`; POST /v1/stores/{id}/tills makes one",
        )
    })?;
    let shop = app.engine.store_of(merchant.id, till.store).await?;
    let tills = app.engine.store().tills(merchant.id, shop.id).await?;
    let day = app.engine.takings(merchant.id, shop.id, None).await?;
    let scenes = app.engine.scenes(merchant.id).await?;
    Ok(Json(OwnTill {
        id: till.id.to_string(),
        name: till.name,
        store: OwnStore {
            id: shop.id.to_string(),
            name: shop.name,
            tills: tills.iter().map(NamedTill::from).collect(),
        },
        merchant: merchant.name,
        scenes: scenes.into_iter().map(Scene::as_str).collect(),
        today: day.of_shop().into(),
        own_today: day.of_till(till.id).into(),
    }))
}

impl From<&Till> for NamedTill {
    fn from(till: &Till) -> Self {
        Self {
            id: till.id.to_string(),
            name: till.name.clone(),
        }
    }
}
