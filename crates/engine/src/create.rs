//! A payment, made once however often it is asked for.

use std::time::Duration;

use tongbao_channels::NoPayer;
use tongbao_core::merchant::Merchant;
use tongbao_core::order::{EXPIRES_IN_SECS, Invalid};
use tongbao_core::{Event, Order, Payment, PaymentId, Rules, Timestamp};
use tongbao_store::{Change, PaymentChange, StoreError};

use crate::auth_code::AuthCode;
use crate::commit::{Decided, log};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::{IdempotencyKey, Promised};
use crate::mint;
use crate::start::NewAttempt;

/// How long a payer has, unless the merchant says otherwise.
const EXPIRES_IN: Duration = Duration::from_mins(30);

/// What a merchant asks for.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// The order.
    pub order: Order,
    /// In whole seconds; half an hour when not said.
    pub expires_in: Option<i64>,
    /// Started in the same call, and in the same transaction where the payment is
    /// new.
    pub attempt: Option<NewAttempt>,
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
    /// A request that no channel can take makes nothing.
    pub async fn create_payment(
        &self,
        merchant: &Merchant,
        new: NewPayment,
        key: Option<IdempotencyKey>,
    ) -> Result<CreatedPayment, EngineError> {
        let mut created = self.create_or_find(merchant, &new, key).await?;
        // The same request starts one attempt, however often it comes: a later one
        // is the payer's choice.
        if let Some(attempt) = new.attempt
            && created.payment.attempts.is_empty()
            && !created.payment.is_final()
        {
            let id = created.payment.id;
            let started = self.start_attempt(merchant, id, attempt, None).await?;
            created.payment = started.payment;
        }
        Ok(created)
    }

    async fn create_or_find(
        &self,
        merchant: &Merchant,
        new: &NewPayment,
        key: Option<IdempotencyKey>,
    ) -> Result<CreatedPayment, EngineError> {
        if let Some(promised) = self.made_before(merchant.id, key.as_ref()).await? {
            return self.replayed(merchant, promised).await;
        }
        new.order.validate()?;
        self.check_store(merchant.id, new.order.store).await?;
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
        if let Some(payment) = self.same_order(merchant, new).await? {
            return self.found_payment(merchant, payment, key.as_ref()).await;
        }
        match self.insert(merchant, new, expires_in, key.as_ref()).await {
            Ok(decided) => Ok(CreatedPayment {
                payment: self.drive(decided, code(new)).await,
                fresh: true,
                replayed: false,
            }),
            // Somebody was faster with the same number or key: look again. A
            // commit of unknown outcome is found, or not, in the same way.
            Err(EngineError::Store(StoreError::Taken(_) | StoreError::CommitUnknown(_))) => {
                self.created_meanwhile(merchant, new, key.as_ref(), EngineError::Busy)
                    .await
            }
            Err(error @ EngineError::NoPayer(NoPayer::CodeUsed(_))) => {
                self.created_meanwhile(merchant, new, key.as_ref(), error)
                    .await
            }
            Err(error) => Err(error),
        }
    }

    async fn created_meanwhile(
        &self,
        merchant: &Merchant,
        new: &NewPayment,
        key: Option<&IdempotencyKey>,
        otherwise: EngineError,
    ) -> Result<CreatedPayment, EngineError> {
        if let Some(promised) = self.made_before(merchant.id, key).await? {
            return self.replayed(merchant, promised).await;
        }
        match self.same_order(merchant, new).await? {
            Some(payment) => self.found_payment(merchant, payment, key).await,
            None => Err(otherwise),
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

    /// Writes the payment down, with its first attempt where one is asked for:
    /// the intent, before any call.
    async fn insert(
        &self,
        merchant: &Merchant,
        new: &NewPayment,
        expires_in: Duration,
        key: Option<&IdempotencyKey>,
    ) -> Result<Decided, EngineError> {
        let first = match &new.attempt {
            Some(attempt) => {
                let open = self.pick_channel(merchant, attempt).await?;
                let (openid, asked) = self.payer(&open, attempt).await?;
                Some((attempt, open, openid, asked))
            }
            None => None,
        };
        let now = self.now();
        let mut change = Change::default();
        let mut payment = self.born(merchant, new, now, now + expires_in, &mut change);
        change.idempotency = key.map(|key| key.record(merchant.id, payment.id, now));
        if let Some((attempt, open, openid, _)) = &first {
            let (attempt, openid) = (attempt.to_owned().clone(), openid.clone());
            let event = Event::AttemptStarted {
                attempt: Box::new(self.attempt(payment.id, attempt, openid, open, now)),
            };
            let step = payment.on(event.clone(), now, open.rules())?;
            change
                .log
                .push(log(&step.payment, Some(event), open.rules(), now));
            for effect in &step.effects {
                self.add_effect(&mut change, &step.payment, effect, true, now);
            }
            payment = step.payment;
        }
        change.payment = Some(PaymentChange {
            payment: payment.clone(),
            read_version: None,
            attempts: payment.attempts.iter().map(|attempt| attempt.id).collect(),
            refunds: Vec::new(),
        });
        let claimed = self.commit(change, now).await?;
        let state = payment.public_state();
        metrics::counter!("tongbao_payments_total", "state" => state).increment(1);
        Ok(Decided { payment, claimed })
    }

    fn born(
        &self,
        merchant: &Merchant,
        new: &NewPayment,
        now: Timestamp,
        expires_at: Timestamp,
        change: &mut Change,
    ) -> Payment {
        let mint = &*self.seams.mint;
        let (id, token) = (mint::new_id(mint, now), mint::token(mint));
        let order = new.order.clone();
        let step = Payment::create(id, merchant.id, order, token, now, expires_at);
        let rules = Rules {
            policy: merchant.policy,
            ..Rules::default()
        };
        change.log.push(log(&step.payment, None, rules, now));
        for effect in &step.effects {
            self.add_effect(change, &step.payment, effect, false, now);
        }
        step.payment
    }
}

fn code(new: &NewPayment) -> Option<&AuthCode> {
    new.attempt.as_ref()?.auth_code.as_ref()
}
