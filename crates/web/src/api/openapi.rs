//! `/v1/openapi.json`: the merchant API's description.

use std::sync::LazyLock;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    attempts, cases, channels, events, merchant, notifications, payments, refunds, stores, takings,
    tills, timeline, webhook_endpoints,
};
use crate::app::App;
use crate::problem::ProblemView;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/openapi.json", get(serve))
}

/// The OpenAPI 3.1 document of the merchant API.
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tongbao",
        description = "A self-hosted payment gateway for merchants in China. Amounts are whole numbers of fen. Errors are problem details (RFC 9457) with a stable `code` and a `detail` that names cause and cure.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        payments::create,
        payments::list,
        payments::read,
        attempts::start,
        payments::close,
        timeline::read,
        refunds::create,
        refunds::list,
        refunds::read,
        stores::create,
        stores::list,
        stores::read,
        takings::read,
        tills::create,
        tills::list,
        tills::revoke,
        tills::own,
        webhook_endpoints::create,
        webhook_endpoints::list,
        webhook_endpoints::read,
        webhook_endpoints::update,
        webhook_endpoints::delete,
        webhook_endpoints::replay,
        events::list,
        events::read,
        events::redeliver,
        channels::create,
        channels::list,
        channels::read,
        channels::update,
        channels::check,
        notifications::list,
        cases::list,
        cases::read,
        cases::resolve,
        merchant::read,
        merchant::update,
    ),
    components(schemas(ProblemView)),
    tags(
        (name = "payments", description = "What a merchant wants paid, and every try at it."),
        (name = "refunds", description = "Money on its way back to a payer."),
        (name = "stores", description = "A merchant's shops and the tills in them."),
        (name = "webhooks", description = "What we tell a merchant, where and how often."),
        (name = "channels", description = "Accounts at platforms, and what they tell us."),
        (name = "cases", description = "Money that should not be there."),
        (name = "merchant", description = "What you decided once for all payments."),
    ),
    security(("api_key" = [])),
    modifiers(&Everywhere),
)]
struct Description;

/// What is true of every call.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("sk_…")
            .description(Some("A key of the merchant API, or a till's key `tk_…`, which makes, reads, tries, closes and refunds the payments of its own store and nothing else (`not_for_tills`). Only hashes are stored"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

async fn serve() -> ([(http::HeaderName, &'static str); 2], Bytes) {
    static JSON: LazyLock<Bytes> = LazyLock::new(|| {
        let text = document().to_pretty_json();
        text.expect("the description is made of text and numbers")
            .into()
    });
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, JSON.clone())
}
