//! `/v1/payments`

use std::fmt;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use tongbao_core::order::Invalid;
use tongbao_core::{Currency, Money, Order, PaymentId, StoreId, TillId};
use tongbao_engine::{EngineError, PaymentView};
use tongbao_store::PaymentFilter;
use utoipa::{IntoParams, ToSchema};

use super::attempts::NewAttempt;
use super::listed::Listed;
use super::made::{Done, Made};
use super::stores::store_id;
use crate::app::App;
use crate::extract::{Asked, Bare, Command, Id, Seller, limit, timestamp};
use crate::problem::{ORDER_NO_CONFLICT, Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/payments", post(create).get(list))
        .route("/v1/payments/{id}", get(read))
        .route("/v1/payments/{id}/close", post(close))
}

/// A payment as it is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "merchant_order_no": "T20261121-0001",
    "amount": 1234,
    "subject": "豆浆 × 2",
    "attempt": {"scene": "native"}
}))]
pub(crate) struct NewPayment {
    /// Your own number, unique for ever: 1 to 64 of `A-Z a-z 0-9 _ - | *`.
    #[schema(max_length = 64, pattern = r"^[A-Za-z0-9_\-|*]+$")]
    merchant_order_no: String,
    /// In fen, a whole number: ¥12.34 is `1234`.
    #[schema(value_type = i64, minimum = 1, maximum = 10_000_000_000_i64)]
    amount: Fen,
    /// What the payer reads: at most 127 bytes of UTF-8, without `&` and `=`.
    #[schema(max_length = 127)]
    subject: String,
    /// `CNY`, also when left out.
    #[schema(value_type = Option<String>, example = "CNY")]
    currency: Option<Currency>,
    /// How long the payer has, in seconds; 1800 when left out.
    #[schema(minimum = 60, maximum = 7_200)]
    expires_in: Option<i64>,
    /// Your own data, an object of at most 4096 bytes; comes back untouched.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// In which of your stores, `sto_…`; webhook endpoints can listen to one store. A till's key fills it in.
    #[schema(example = "sto_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    store: Option<String>,
    /// Where the checkout page leads when it is done.
    #[schema(max_length = 512, example = "https://shop.example.com/orders/1")]
    return_url: Option<String>,
    /// Starts an attempt in the same call.
    attempt: Option<NewAttempt>,
}

impl NewPayment {
    fn into_engine(
        self,
        store: Option<StoreId>,
        till: Option<TillId>,
    ) -> Result<tongbao_engine::NewPayment, Problem> {
        let attempt = self.attempt.map(|attempt| attempt.into_engine(till));
        let currency = self.currency.unwrap_or(Currency::CNY);
        let order = Order {
            merchant_order_no: self.merchant_order_no,
            amount: Money::new(self.amount.0, currency),
            subject: self.subject,
            metadata: self.metadata.unwrap_or_else(|| json!({})),
            store,
            return_url: self.return_url,
        };
        Ok(tongbao_engine::NewPayment {
            order,
            expires_in: self.expires_in,
            attempt: attempt.transpose()?,
        })
    }
}

/// An amount as merchants send it: a whole number, and nothing that looks like
/// one.
#[derive(Clone, Copy, Debug)]
struct Fen(i64);

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl serde::de::Visitor<'_> for Whole {
            type Value = Fen;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fen as a whole number without quotation marks (¥12.34 is 1234)")
            }

            fn visit_i64<E: serde::de::Error>(self, fen: i64) -> Result<Fen, E> {
                Ok(Fen(fen))
            }

            fn visit_u64<E: serde::de::Error>(self, fen: u64) -> Result<Fen, E> {
                i64::try_from(fen)
                    .map(Fen)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(fen), &self))
            }
        }

        deserializer.deserialize_i64(Whole)
    }
}

/// Creates a payment.
///
/// The order number is the anchor: the same number with the same content always
/// gives the same payment, with or without an `Idempotency-Key`, and the same
/// number with other content is refused with `order_no_conflict`.
#[utoipa::path(
    post,
    path = "/v1/payments",
    operation_id = "create_payment",
    tag = "payments",
    params(("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters")),
    request_body = NewPayment,
    responses(
        (status = 201, description = "Created, by this request or by the same one before", body = PaymentView),
        (status = 200, description = "The same order made it before, under another key or none", body = PaymentView),
        (status = 409, description = "`order_no_conflict`: the number belongs to another order; `field` differs, `payment` has it", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted, or `idempotency_key_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    seller: Seller,
    Command { key, body }: Command<NewPayment>,
) -> Result<Made<PaymentView>, Problem> {
    let store = seller.store(store_id(body.store.as_deref())?)?;
    let key = seller.key(key);
    let new = body.into_engine(store, seller.till_id())?;
    let made = match app.engine.create_payment(&seller.merchant, new, key).await {
        Err(EngineError::OrderDiffers { payment, .. })
            if seller.clone().for_payment(&app, payment).await.is_err() =>
        {
            return Err(Problem::field(
                ORDER_NO_CONFLICT,
                "merchant_order_no",
                "belongs to an order of another store; use a new number",
            ));
        }
        made => made?,
    };
    let view = app.engine.payment_view(&made.payment);
    Ok(Made::new(view, made.fresh, made.replayed))
}

/// Which payments a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentsAsked {
    /// Of this store, `sto_…`; a till sees its own store's alone.
    store: Option<String>,
    /// Exactly this order number.
    merchant_order_no: Option<String>,
    /// `created`, `pending`, `paid` or `closed`.
    state: Option<String>,
    /// Made at or after, RFC 3339.
    from: Option<String>,
    /// Made before, RFC 3339.
    to: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows on a page, at most 100; 50 when left out.
    limit: Option<u16>,
}

/// Lists payments.
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/payments",
    operation_id = "list_payments",
    tag = "payments",
    params(PaymentsAsked),
    responses(
        (status = 200, description = "One page", body = Listed<PaymentView>),
        (status = 422, description = "A parameter cannot be accepted", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    seller: Seller,
    Asked(asked): Asked<PaymentsAsked>,
) -> Result<Json<Listed<PaymentView>>, Problem> {
    if let Some(state) = &asked.state
        && !["created", "pending", "paid", "closed"].contains(&state.as_str())
    {
        let detail = format!("{state} is not one of created, pending, paid, closed");
        return Err(Invalid::new("state", detail).into());
    }
    let filter = PaymentFilter {
        merchant: seller.merchant.id,
        store: seller.store(store_id(asked.store.as_deref())?)?,
        merchant_order_no: asked.merchant_order_no,
        state: asked.state,
        from: timestamp("from", asked.from.as_deref())?,
        to: timestamp("to", asked.to.as_deref())?,
        cursor: super::listed::cursor::<PaymentId>(asked.cursor)?,
        limit: limit(asked.limit)?,
    };
    let page = app.engine.store().payments(filter).await?;
    Ok(Json(Listed::page(&page, |payment| {
        app.engine.payment_view(payment)
    })))
}

/// Whether to ask the channel first.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadAsked {
    /// Ask the channel about every open attempt before answering.
    refresh: Option<bool>,
}

/// Reads a payment.
///
/// With `refresh=true` the channel is asked about every open attempt first, and
/// the answer waits for it no longer than the channel's timeout.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}",
    operation_id = "read_payment",
    tag = "payments",
    params(("id" = String, Path, description = "`pay_…`"), ReadAsked),
    responses(
        (status = 200, description = "As it stands", body = PaymentView),
        (status = 404, description = "There is none, or it is another merchant's, or, for a till, another store's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    seller: Seller,
    Id(id): Id<PaymentId>,
    Asked(asked): Asked<ReadAsked>,
) -> Result<Json<PaymentView>, Problem> {
    let merchant = seller.for_payment(&app, id).await?;
    let payment = if asked.refresh == Some(true) {
        app.engine.refresh(merchant.id, id).await?
    } else {
        app.engine.payment(merchant.id, id).await?
    };
    Ok(Json(app.engine.payment_view(&payment)))
}

/// Closes a payment.
///
/// Nobody can pay it any more then. Every channel is asked before it is told to close. The answer is `closed`;
/// or `paid`, when the payer was faster; or still `pending`, when a channel does
/// not answer, or closes nothing that young (WeChat Pay: five minutes): then it
/// becomes one of the two by itself, and a webhook tells. Until then a payer with
/// the code may still pay, and whatever is paid is `paid`.
/// Closing a closed payment again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/close",
    operation_id = "close_payment",
    tag = "payments",
    params(
        ("id" = String, Path, description = "`pay_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Your name for this request; 1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "As it stands now", body = PaymentView),
        (status = 404, description = "There is none, or it is another merchant's, or, for a till, another store's", body = ProblemView, content_type = "application/problem+json"),
        (status = 409, description = "`payment_already_paid`", body = ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn close(
    State(app): State<App>,
    seller: Seller,
    Id(id): Id<PaymentId>,
    Bare { key }: Bare,
) -> Result<Done<PaymentView>, Problem> {
    let key = seller.key(key);
    let merchant = seller.for_payment(&app, id).await?;
    let closed = app.engine.close(merchant.id, id, key).await?;
    Ok(Done {
        status: StatusCode::OK,
        view: app.engine.payment_view(&closed.answer),
        replayed: closed.replayed,
    })
}
