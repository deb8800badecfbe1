//! `/v1/stores`

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tongbao_core::StoreId;
use tongbao_core::order::Invalid;
use tongbao_core::shop::Shop;
use tongbao_engine::unknown_store;
use utoipa::ToSchema;

use super::listed::Listed;
use super::made::Made;
use crate::app::App;
use crate::extract::{Caller, Command, Id};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/stores", get(list).post(create))
        .route("/v1/stores/{id}", get(read))
}

/// One of your shops.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoreView {
    /// Ours.
    #[schema(example = "sto_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    id: String,
    /// What people call it.
    #[schema(example = "南京路店")]
    name: String,
    /// When it was made, RFC 3339.
    created_at: String,
}

impl From<&Shop> for StoreView {
    fn from(shop: &Shop) -> Self {
        Self {
            id: shop.id.to_string(),
            name: shop.name.clone(),
            created_at: shop.created_at.to_string(),
        }
    }
}

/// A store's id, where a request names one. What cannot be an id is no store
/// either.
pub(crate) fn store_id(text: Option<&str>) -> Result<Option<StoreId>, Invalid> {
    text.map(|text| text.parse().map_err(|_| unknown_store()))
        .transpose()
}

/// Lists the stores.
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/v1/stores",
    operation_id = "list_stores",
    tag = "stores",
    responses((status = 200, description = "All of them", body = Listed<StoreView>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(merchant): Caller,
) -> Result<Json<Listed<StoreView>>, Problem> {
    let shops = app.engine.store().shops(merchant.id).await?;
    Ok(Json(Listed::all(&shops, StoreView::from)))
}

/// A store as it is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "南京路店"}))]
pub(crate) struct NewStore {
    /// What people call it: 1 to 128 bytes; no two stores of yours have one name.
    #[schema(max_length = 128)]
    name: String,
}

/// Adds a store.
///
/// Name it in the `store` of a payment, and in the `store` of a webhook endpoint that shall hear of
/// this store alone. Endpoints without a `store` hear of all.
#[utoipa::path(
    post,
    path = "/v1/stores",
    operation_id = "create_store",
    tag = "stores",
    params(("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters")),
    request_body = NewStore,
    responses(
        (status = 201, description = "Added, by this request or by the same one before", body = StoreView),
        (status = 422, description = "A field cannot be accepted, or `idempotency_key_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    Caller(merchant): Caller,
    Command { key, body }: Command<NewStore>,
) -> Result<Made<StoreView>, Problem> {
    let key = key.map(Into::into);
    let made = app
        .engine
        .create_store(merchant.id, &body.name, key)
        .await?;
    let view = StoreView::from(&made.answer);
    Ok(Made::new(view, !made.replayed, made.replayed))
}

/// Reads a store.
#[utoipa::path(
    get,
    path = "/v1/stores/{id}",
    operation_id = "read_store",
    tag = "stores",
    params(("id" = String, Path, description = "`sto_…`")),
    responses(
        (status = 200, description = "As it stands", body = StoreView),
        (status = 404, description = "There is none, or it is another merchant's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    Caller(merchant): Caller,
    Id(id): Id<StoreId>,
) -> Result<Json<StoreView>, Problem> {
    let shop = app.engine.store_of(merchant.id, id).await?;
    Ok(Json((&shop).into()))
}
