//! A payment, made once however often it is asked for.

use std::time::Duration;

use tongbao_core::merchant::Merchant;
use tongbao_core::order::{EXPIRES_IN_SECS, Invalid};
use tongbao_core::{Order, Payment, PaymentId, Rules};
use tongbao_store::{Change, PaymentChange, StoreError};

use crate::commit::log;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::{IdempotencyKey, Promised};
use crate::mint;

/// How long a payer has, unless the merchant says otherwise.
const EXPIRES_IN: Duration = Duration::from_mins(30);

/// What a merchant asks for.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// The order.
    pub order: Order,
    /// In whole seconds; half an hour when not said.
    pub expires_in: Option<i64>,
}

/// A payment, and whether this very request made it.
#[derive(Clone, Debug)]
pub struct CreatedPayment {
    /// As it stands now.
    pub payment: Payment,
    /// This request made it.
    pub fresh: bool,
    /// The same request, under the same key, made it before.
    pub replayed: bool,
}

impl Engine {
    /// Makes the payment, or returns the one that the same order made before.
    pub async fn create_payment(
        &self,
        merchant: &Merchant,
        new: NewPayment,
        key: Option<IdempotencyKey>,
    ) -> Result<CreatedPayment, EngineError> {
        if let Some(promised) = self.made_before(merchant.id, key.as_ref()).await? {
            return self.replayed(merchant, promised).await;
        }
        new.order.validate()?;
        let expires_in = match new.expires_in {
            None => EXPIRES_IN,
            Some(secs) if EXPIRES_IN_SECS.contains(&secs) => {
                Duration::from_secs(secs.unsigned_abs())
            }
            Some(secs) => {
                let detail = format!(
                    "is {secs}; send whole seconds from {} to {}",
                    EXPIRES_IN_SECS.start(),
                    EXPIRES_IN_SECS.end()
                );
                return Err(Invalid::new("expires_in", detail).into());
            }
        };
        if let Some(payment) = self.same_order(merchant, &new).await? {
            return self.found_payment(merchant, payment, key.as_ref()).await;
        }
        match self.insert(merchant, &new, expires_in, key.as_ref()).await {
            Ok(payment) => Ok(CreatedPayment {
                payment,
                fresh: true,
                replayed: false,
            }),
            // Somebody was faster with the same number or key: look again. A
            // commit of unknown outcome is found, or not, in the same way.
            Err(StoreError::Taken(_) | StoreError::CommitUnknown(_)) => {
                self.created_meanwhile(merchant, &new, key.as_ref()).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn created_meanwhile(
        &self,
        merchant: &Merchant,
        new: &NewPayment,
        key: Option<&IdempotencyKey>,
    ) -> Result<CreatedPayment, EngineError> {
        if let Some(promised) = self.made_before(merchant.id, key).await? {
            return self.replayed(merchant, promised).await;
        }
        match self.same_order(merchant, new).await? {
            Some(payment) => self.found_payment(merchant, payment, key).await,
            None => Err(EngineError::Busy),
        }
    }

    async fn replayed(
        &self,
        merchant: &Merchant,
        promised: Promised<PaymentId>,
    ) -> Result<CreatedPayment, EngineError> {
        let payment = self.payment(merchant.id, promised.resource).await?;
        Ok(CreatedPayment {
            replayed: promised.at == payment.created_at,
            payment,
            fresh: false,
        })
    }

    async fn found_payment(
        &self,
        merchant: &Merchant,
        payment: Payment,
        key: Option<&IdempotencyKey>,
    ) -> Result<CreatedPayment, EngineError> {
        let id = self.found(merchant.id, key, payment.id).await?;
        let payment = if id == payment.id {
            payment
        } else {
            self.payment(merchant.id, id).await?
        };
        Ok(CreatedPayment {
            payment,
            fresh: false,
            replayed: false,
        })
    }

    /// The payment of the same order; an error when the number is another's.
    async fn same_order(
        &self,
        merchant: &Merchant,
        new: &NewPayment,
    ) -> Result<Option<Payment>, EngineError> {
        let number = &new.order.merchant_order_no;
        let Some(payment) = self
            .store()
            .payment_by_order_no(merchant.id, number)
            .await?
        else {
            return Ok(None);
        };
        let life = payment.expires_at.since(payment.created_at);
        let other_life = new
            .expires_in
            .is_some_and(|secs| life != Duration::from_secs(secs.unsigned_abs()));
        let field = payment
            .order
            .difference(&new.order)
            .or(other_life.then_some("expires_in"));
        match field {
            Some(field) => Err(EngineError::OrderDiffers {
                field,
                payment: payment.id,
            }),
            None => Ok(Some(payment)),
        }
    }

    async fn insert(
        &self,
        merchant: &Merchant,
        new: &NewPayment,
        expires_in: Duration,
        key: Option<&IdempotencyKey>,
    ) -> Result<Payment, StoreError> {
        let now = self.now();
        let mint = &*self.seams.mint;
        let id = mint::new_id(mint, now);
        let order = new.order.clone();
        let step = Payment::create(
            id,
            merchant.id,
            order,
            mint::token(mint),
            now,
            now + expires_in,
        );
        let rules = Rules {
            policy: merchant.policy,
            ..Rules::default()
        };
        let mut change = Change {
            log: Some(log(&step.payment, None, rules, now)),
            idempotency: key.map(|key| key.record(merchant.id, id, now)),
            ..Change::default()
        };
        for effect in &step.effects {
            self.add_effect(&mut change, &step.payment, effect, false, now);
        }
        change.payment = Some(PaymentChange {
            payment: step.payment.clone(),
            read_version: None,
            attempts: Vec::new(),
        });
        self.seams.faults.point("before_commit");
        self.store().commit(change).await?;
        self.seams.faults.point("after_commit");
        metrics::counter!("tongbao_payments_total", "state" => "created").increment(1);
        Ok(step.payment)
    }
}
