//! Who calls the merchant API.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use tongbao_core::merchant::Merchant;
use tongbao_core::shop::Till;
use tongbao_core::{Payment, PaymentId, StoreId, TillId};
use tongbao_engine::{EngineError, IdempotencyKey, TILL_KEY_PREFIX};

use super::command::Key;
use crate::app::App;
use crate::problem::{NOT_FOR_TILLS, Problem};

/// The merchant whose key came with the request; a till is refused. First among
/// a handler's arguments: nothing else is read before it is known.
pub(crate) struct Caller(pub(crate) Merchant);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let seller = Seller::from_request_parts(parts, app).await?;
        match seller.till {
            None => Ok(Self(seller.merchant)),
            Some(_) => Err(not_for_tills()),
        }
    }
}

/// The merchant, or one of its tills. In the place of [`Caller`] where tills may
/// come too; each handler says then what is a till's.
#[derive(Clone)]
pub(crate) struct Seller {
    pub(crate) merchant: Merchant,
    pub(crate) till: Option<Till>,
}

impl FromRequestParts<App> for Seller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let key = bearer(parts).ok_or_else(Problem::unauthorized)?;
        let caller = app.engine.authenticate(key).await?;
        let caller = caller.ok_or_else(Problem::unauthorized)?;
        Ok(Self {
            merchant: caller.merchant,
            till: caller.till,
        })
    }
}

impl Seller {
    /// In whose name something may be done to the payment. For a till the payments
    /// of other stores are not there.
    pub(crate) async fn for_payment(self, app: &App, id: PaymentId) -> Result<Merchant, Problem> {
        if let Some(till) = &self.till {
            let payment = app.engine.payment(self.merchant.id, id).await?;
            if !till_may_see(till, &payment) {
                return Err(EngineError::NotFound("payment").into());
            }
        }
        Ok(self.merchant)
    }

    /// Whether the payment, and what hangs on it, is there for this caller.
    pub(crate) fn may_see(&self, payment: &Payment) -> bool {
        let mut tills = self.till.iter();
        tills.all(|till| till_may_see(till, payment))
    }

    /// The till that asks, for what it starts.
    pub(crate) fn till_id(&self) -> Option<TillId> {
        self.till.as_ref().map(|till| till.id)
    }

    /// The store that is meant: a till's own, also where none is named.
    pub(crate) fn store(&self, asked: Option<StoreId>) -> Result<Option<StoreId>, Problem> {
        match (&self.till, asked) {
            (None, asked) => Ok(asked),
            (Some(till), Some(asked)) if asked != till.store => Err(not_for_tills()),
            (Some(till), _) => Ok(Some(till.store)),
        }
    }

    /// The name for the request, in this caller's own mouth.
    pub(crate) fn key(&self, key: Option<Key>) -> Option<IdempotencyKey> {
        let key = IdempotencyKey::from(key?);
        Some(match &self.till {
            Some(till) => key.of_till(till.id),
            None => key,
        })
    }
}

fn till_may_see(till: &Till, payment: &Payment) -> bool {
    payment.order.store == Some(till.store)
}

fn not_for_tills() -> Problem {
    Problem::new(
        NOT_FOR_TILLS,
        "a till's key makes, reads, tries, closes and refunds the payments of its own store; for anything \
         else use a key of the merchant, `sk_…`",
    )
}

pub(super) fn bearer(parts: &Parts) -> Option<&str> {
    let mut all = parts.headers.get_all(AUTHORIZATION).iter();
    let (one, none) = (all.next()?, all.next());
    let (scheme, key) = one.to_str().ok()?.split_once(' ')?;
    let fits = none.is_none()
        && scheme.eq_ignore_ascii_case("bearer")
        && (key.starts_with("sk_") || key.starts_with(TILL_KEY_PREFIX))
        && key.len() <= 256;
    fits.then_some(key)
}
