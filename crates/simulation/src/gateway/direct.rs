//! The engine, called directly, over a model of the database.

use std::sync::{Arc, MutexGuard};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use tongbao_core::{
    Attempt, AttemptId, Case, CaseAction, ChannelId, MerchantId, Money, Refusal, Scene, TillId,
    Timestamp,
};
use tongbao_engine::{
    AuthCode, ChannelPatch, Engine, EngineError, IdempotencyKey, LoginCode, NewAttempt,
    NewDecision, NewPayer, NewPayment, NewRefund,
};
use tongbao_store::Store;

use super::{
    Call, Caller, Face, Gateway, Heard, PAYER_IP, Payer, REASON, Surroundings, key_settings, shown,
};
use crate::chance::Chance;
use crate::kernel::NodeId;
use crate::model_store::{ModelStore, Tables};

/// One or several engines on a model of the database.
pub struct Direct(Arc<ModelStore>);

impl Direct {
    /// Builds it.
    pub fn build(around: Surroundings<'_>) -> Arc<dyn Gateway> {
        Arc::new(Self(Arc::new(ModelStore::new(
            around.kernel,
            Chance::fork(around.plan.seed, "store"),
            around.plan,
            around.witness,
        ))))
    }
}

impl Gateway for Direct {
    fn start(&self, _: NodeId) -> Arc<dyn Store> {
        self.0.clone()
    }

    fn face(&self, engine: Arc<Engine>) -> Arc<dyn Face> {
        Arc::new(Called(engine))
    }

    fn died(&self, _: NodeId) {
        self.0.tables().holder_died();
    }

    fn heal(&self) {
        self.0.heal();
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.tables()
    }
}

struct Called(Arc<Engine>);

impl Face for Called {
    fn call(&self, caller: &Caller, call: Call, key: Option<String>) -> BoxFuture<'static, Heard> {
        let (engine, caller) = (self.0.clone(), caller.clone());
        let till = caller.till.as_ref().map(|till| till.id);
        let key = key.and_then(|key| named(&key, till));
        async move {
            let heard = heard(&engine, &caller, call, key).await;
            heard.unwrap_or_else(|error| refused(&error))
        }
        .boxed()
    }

    fn notify(
        &self,
        channel: ChannelId,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Option<Response<Bytes>>> {
        let engine = self.0.clone();
        async move { engine.take_notification(channel, request).await.ok() }.boxed()
    }
}

async fn heard(
    engine: &Engine,
    Caller { merchant, till, .. }: &Caller,
    call: Call,
    key: Option<IdempotencyKey>,
) -> Result<Heard, EngineError> {
    let till = till.as_ref().map(|till| till.id);
    Ok(match call {
        Call::Create {
            order,
            expires_in,
            with_attempt,
        } => {
            let new = NewPayment {
                order,
                expires_in: Some(expires_in),
                attempt: with_attempt.then_some(NewAttempt {
                    scene: Scene::Native,
                    channel: None,
                    auth_code: None,
                    payer: None,
                    client_ip: None,
                    till,
                }),
            };
            let created = engine.create_payment(merchant, new, key).await?;
            Heard::Created(created.payment.id)
        }
        Call::Start {
            payment,
            channel,
            scene,
            payer,
        } => {
            let new = NewAttempt {
                scene,
                channel,
                auth_code: None,
                payer: payer.map(|payer| match payer {
                    Payer::Openid(openid) => NewPayer::Openid(openid),
                    Payer::Code(code) => NewPayer::Code(LoginCode::new(&code)),
                }),
                client_ip: (scene == Scene::H5).then(|| PAYER_IP.to_owned()),
                till,
            };
            let started = engine.start_attempt(merchant, payment, new, key).await?;
            let attempt = started.payment.attempt(started.attempt);
            Heard::Started {
                code: attempt.and_then(code_of),
            }
        }
        Call::Charge {
            payment,
            channel,
            auth_code,
        } => {
            let new = scanned(channel, &auth_code, till);
            let started = engine.start_attempt(merchant, payment, new, key).await?;
            let attempt = started.payment.attempt(started.attempt);
            Heard::Charged {
                state: attempt.map_or("none", |it| it.state.as_str()).to_owned(),
            }
        }
        Call::Look(payment) => {
            let payment = engine.refresh(merchant.id, payment).await?;
            if payment.is_final() {
                return Ok(Heard::Refused);
            }
            Heard::Started {
                code: payment.attempts.iter().find_map(code_of),
            }
        }
        Call::Refund {
            payment,
            number,
            amount,
        } => {
            let new = NewRefund {
                merchant_refund_no: number,
                amount: Money::fen(amount),
                reason: None,
                till,
            };
            let made = engine.refund(merchant, payment, new, key).await?;
            let refund = made.refund;
            Heard::Refunding { refund }
        }
        Call::Decide { case, action } => {
            let decided = engine.resolve_case(merchant, case, decision(action), key);
            told(&decided.await?.answer)
        }
        Call::ChangeKey {
            channel,
            key,
            until,
        } => change_key(engine, merchant.id, channel, &key, until).await?,
        Call::Close(payment) => {
            let payment = engine.close(merchant.id, payment, None).await?.answer;
            let state = payment.public_state().to_owned();
            Heard::Closed { state }
        }
    })
}

fn scanned(channel: Option<String>, auth_code: &str, till: Option<TillId>) -> NewAttempt {
    NewAttempt {
        scene: Scene::Barcode,
        channel,
        auth_code: Some(AuthCode::new(auth_code)),
        payer: None,
        client_ip: None,
        till,
    }
}

async fn change_key(
    engine: &Engine,
    merchant: MerchantId,
    channel: ChannelId,
    key: &str,
    until: Timestamp,
) -> Result<Heard, EngineError> {
    let patch = ChannelPatch {
        settings: Some(key_settings(key, until)),
        ..ChannelPatch::default()
    };
    engine.update_channel(merchant, channel, patch).await?;
    Ok(Heard::KeyChanged)
}

fn told(case: &Case) -> Heard {
    let state = case.state.as_str().to_owned();
    Heard::Decided { state }
}

fn decision(action: CaseAction) -> NewDecision {
    NewDecision {
        action,
        by: "key".to_owned(),
        reason: REASON.to_owned(),
    }
}

/// The request's name, in this caller's own mouth.
fn named(key: &str, till: Option<TillId>) -> Option<IdempotencyKey> {
    let key = IdempotencyKey::new(key, "POST", "/", b"").ok()?;
    Some(match till {
        Some(till) => key.of_till(till),
        None => key,
    })
}

fn code_of(attempt: &Attempt) -> Option<(AttemptId, String)> {
    Some((attempt.id, shown(attempt.action.as_ref()?)?))
}

fn refused(error: &EngineError) -> Heard {
    match error {
        EngineError::Refused(
            Refusal::AlreadyPaid
            | Refusal::AlreadyClosed
            | Refusal::Expired
            | Refusal::TooManyAttempts
            | Refusal::NotPaid
            | Refusal::AboveRest { .. }
            | Refusal::TooManyRefunds
            | Refusal::CaseResolved(_)
            | Refusal::CaseRefunding(_)
            | Refusal::CaseRefundMayRevive(_)
            | Refusal::CaseUnconfirmed
            | Refusal::CaseNotRefundable
            | Refusal::CaseNotAcceptable,
        ) => Heard::Refused,
        EngineError::NoPayer(_) => Heard::Unnamed,
        _ => Heard::Failed,
    }
}
