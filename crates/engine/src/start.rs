//! One try at a payment over one channel.

use std::net::IpAddr;
use std::sync::Arc;

use tongbao_channels::{NoPayer, Wallet};
use tongbao_core::merchant::Merchant;
use tongbao_core::order::Invalid;
use tongbao_core::{
    Attempt, AttemptId, ChannelId, Event, MerchantId, Payment, PaymentId, Refusal, Scene, TillId,
    Timestamp,
};
use tongbao_store::{StoreError, Unique};

use crate::auth_code::AuthCode;
use crate::commit::Also;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::{IdempotencyKey, Promised};
use crate::login::{Asked, LoginCode};
use crate::mint;
use crate::open_channel::OpenChannel;

/// How the payer wants to pay.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    /// How the payer meets the channel.
    pub scene: Scene,
    /// A channel account's id, name or kind; the merchant's first one that can do
    /// the scene when not said.
    pub channel: Option<String>,
    /// The code that the payer shows; for [`Scene::Barcode`].
    pub auth_code: Option<AuthCode>,
    /// Who is to pay; for [`Scene::Jsapi`] and [`Scene::MiniProgram`].
    pub payer: Option<NewPayer>,
    /// The payer's address.
    pub client_ip: Option<String>,
    /// The till that asks, where one does; of the payment's own shop.
    pub till: Option<TillId>,
}

/// Who is to pay.
#[derive(Clone, Debug)]
pub enum NewPayer {
    /// The platform's name, under the channel's application.
    Openid(String),
    /// Whoever has this code.
    Code(LoginCode),
}

/// An attempt, and whether this very request started it.
#[derive(Clone, Debug)]
pub struct StartedAttempt {
    /// As it stands now.
    pub payment: Payment,
    /// Which of its attempts.
    pub attempt: AttemptId,
    /// This request started it.
    pub fresh: bool,
    /// The same request, under the same key, started it before.
    pub replayed: bool,
}

impl Engine {
    /// Writes the attempt down, then gives the channel the order, and waits for
    /// its answer no longer than the channel's timeout. Without an answer the
    /// attempt is `unknown`, and the worker goes on asking. An open attempt of
    /// the same channel and scene is returned instead of a second one, with a
    /// fresh way into the wallet where the old one has ended.
    pub async fn start_attempt(
        &self,
        merchant: &Merchant,
        payment: PaymentId,
        new: NewAttempt,
        key: Option<IdempotencyKey>,
    ) -> Result<StartedAttempt, EngineError> {
        let payment = self.payment(merchant.id, payment).await?;
        let before = self
            .made_before::<AttemptId>(merchant.id, key.as_ref())
            .await?;
        if let Some(Promised { resource, at }) = before
            && let Some(attempt) = payment.attempt(resource)
        {
            return Ok(StartedAttempt {
                replayed: at == attempt.created_at,
                payment,
                attempt: resource,
                fresh: false,
            });
        }
        let (payment_id, merchant_id) = (payment.id, merchant.id);
        if let Some(known) = of_the_same_code(&payment, &new) {
            return self
                .found_attempt(merchant_id, payment_id, known, key)
                .await;
        }
        let open = self.pick_channel(merchant, &new).await?;
        if let Some(NewPayer::Code(_)) = new.payer {
            payment.wants_a_payer(self.now())?;
        }
        let (openid, asked) = match self.payer(&open, &new).await {
            // The same request was faster, in another process.
            Err(EngineError::NoPayer(NoPayer::CodeUsed(said))) => {
                let payment = self.payment(merchant_id, payment_id).await?;
                let known = of_the_same_code(&payment, &new).ok_or(NoPayer::CodeUsed(said))?;
                return self
                    .found_attempt(merchant_id, payment_id, known, key)
                    .await;
            }
            known => known?,
        };
        let now = self.now();
        let code = new.auth_code.clone();
        let attempt = self.attempt(payment.id, new, openid, &open, now);
        let id = attempt.id;
        let also = Also {
            idempotency: key.as_ref().map(|key| key.record(merchant.id, id, now)),
            inline: true,
            ..Also::default()
        };
        let event = Event::AttemptStarted {
            attempt: Box::new(attempt),
        };
        let decided = self.decide(payment, event, open.rules(), also).await;
        drop(asked);
        match decided {
            Ok(decided) => {
                let payment = self.drive(decided, code.as_ref()).await;
                Ok(StartedAttempt {
                    payment,
                    attempt: id,
                    fresh: true,
                    replayed: false,
                })
            }
            Err(EngineError::Refused(Refusal::AlreadyOpen(open))) => {
                let found = self.found_attempt(merchant_id, payment_id, open, key);
                self.renewed(found.await?).await
            }
            Err(EngineError::Store(StoreError::Taken(Unique::IdempotencyKey))) => {
                let made = self
                    .made_before::<AttemptId>(merchant_id, key.as_ref())
                    .await?;
                let payment = self.payment(merchant_id, payment_id).await?;
                let attempt = made.ok_or(EngineError::Busy)?.resource;
                Ok(StartedAttempt {
                    payment,
                    attempt,
                    fresh: false,
                    replayed: true,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// An attempt that is there, by which the request is answered.
    async fn found_attempt(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
        attempt: AttemptId,
        key: Option<IdempotencyKey>,
    ) -> Result<StartedAttempt, EngineError> {
        let attempt = self.found(merchant, key.as_ref(), attempt).await?;
        Ok(StartedAttempt {
            payment: self.payment(merchant, payment).await?,
            attempt,
            fresh: false,
            replayed: false,
        })
    }

    /// Who is to pay, where only one person can; asks the platform where the payer
    /// comes with a code. What would be refused anyhow is refused before that.
    pub(crate) async fn payer(
        &self,
        open: &OpenChannel,
        new: &NewAttempt,
    ) -> Result<(Option<String>, Option<Asked<'_>>), EngineError> {
        check(new)?;
        match &new.payer {
            None => Ok((None, None)),
            Some(NewPayer::Openid(openid)) => Ok((Some(openid.clone()), None)),
            Some(NewPayer::Code(code)) => {
                let (openid, asked) = self.whose(open, new.scene, code).await?;
                Ok((Some(openid), Some(asked)))
            }
        }
    }

    /// A new attempt under its own number.
    pub(crate) fn attempt(
        &self,
        payment: PaymentId,
        new: NewAttempt,
        openid: Option<String>,
        open: &OpenChannel,
        now: Timestamp,
    ) -> Attempt {
        let id: AttemptId = mint::new_id(&*self.seams.mint, now);
        let number = mint::token_of(id);
        let mut attempt = Attempt::new(id, number, open.account.id, new.scene, now);
        attempt.code_digest = new.code_digest(payment);
        attempt.client_ip = new.client_ip;
        attempt.payer = openid;
        attempt.till = new.till;
        attempt.patience = attempt.patience.map(|_| self.config.patience);
        attempt.close_after_secs = open.channel.close_after_secs();
        attempt
    }

    pub(crate) async fn pick_channel(
        &self,
        merchant: &Merchant,
        new: &NewAttempt,
    ) -> Result<Arc<OpenChannel>, EngineError> {
        let wallet = wallet(new)?;
        let accounts = self.store().channels(merchant.id).await?;
        let named = |account: &&tongbao_core::channel::ChannelAccount| match &new.channel {
            None => true,
            Some(name) => {
                account.id.to_string() == *name || account.name == *name || account.kind == *name
            }
        };
        let mut candidates = accounts.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Err(EngineError::NoChannel(match &new.channel {
                Some(name) => format!("there is no channel {name}; GET /v1/channels lists them"),
                None => "there is no channel yet; add one with POST /v1/channels".to_owned(),
            }));
        }
        let takes = |account: &&tongbao_core::channel::ChannelAccount| {
            let kind = tongbao_channels::kind(&account.kind);
            wallet.is_none_or(|wallet| kind.is_some_and(|kind| kind.wallets.contains(&wallet)))
        };
        let mut candidates = candidates.filter(takes).peekable();
        if let (None, Some(wallet)) = (candidates.peek(), wallet) {
            return Err(EngineError::NoChannel(format!(
                "the code is of {}, and no channel here takes it; ask the payer for another \
                 wallet's code, or add a channel that does",
                name_of(wallet)
            )));
        }
        let mut broken = None;
        for account in candidates.filter(|account| account.enabled) {
            match self.open_if_sound(account.id).await? {
                Some(open) if open.channel.scenes().contains(&new.scene) => return Ok(open),
                Some(_) => {}
                None => broken = Some(account.id),
            }
        }
        if let Some(id) = broken {
            let detail = format!("{id} cannot be opened; enter its secret settings again");
            return Err(EngineError::NoChannel(detail));
        }
        Err(EngineError::NoChannel(format!(
            "no channel that is on can do the scene {}; turn one on, or choose another scene",
            new.scene.as_str()
        )))
    }

    /// The ways in which a payer could open the merchant's order now, one a scene
    /// and channel; not those that need somebody else's hand, as a till does: label in Chinese and in English, scene, channel.
    pub async fn ways_to_pay(&self, merchant: &Merchant) -> Result<Vec<Way>, EngineError> {
        let mut ways = Vec::new();
        for account in self.store().channels(merchant.id).await? {
            if !account.enabled {
                continue;
            }
            let Some(open) = self.open_if_sound(account.id).await? else {
                continue;
            };
            let label = tongbao_channels::kind(&account.kind).map_or(["", ""], |kind| kind.label);
            let scenes = open.channel.scenes().iter();
            // The others need an app or a till around the payer, and a page in the
            // wallet needs to be told who reads it.
            let by_oneself = scenes.filter(|scene| match scene {
                Scene::Native | Scene::H5 => true,
                Scene::Jsapi => open.channel.login(**scene).is_ok(),
                Scene::MiniProgram | Scene::App | Scene::Barcode => false,
            });
            ways.extend(by_oneself.map(|scene| Way {
                label,
                scene: *scene,
                channel: account.id,
            }));
        }
        Ok(ways)
    }
}

impl NewAttempt {
    /// Of the code that came with it, whichever: it is good for one attempt.
    fn code_digest(&self, payment: PaymentId) -> Option<String> {
        match (&self.auth_code, &self.payer) {
            (Some(code), _) => Some(code.digest(payment)),
            (None, Some(NewPayer::Code(code))) => Some(code.digest(payment)),
            (None, Some(NewPayer::Openid(_)) | None) => None,
        }
    }
}

/// The attempt that the same login code led to before.
fn of_the_same_code(payment: &Payment, new: &NewAttempt) -> Option<AttemptId> {
    let Some(NewPayer::Code(code)) = &new.payer else {
        return None;
    };
    let digest = Some(code.digest(payment.id));
    let mut attempts = payment.attempts.iter();
    let known = attempts.find(|attempt| attempt.code_digest == digest)?;
    Some(known.id)
}

/// What the scene needs to know of the payer.
fn check(new: &NewAttempt) -> Result<(), Invalid> {
    let of_one = matches!(new.scene, Scene::Jsapi | Scene::MiniProgram);
    let refused = |field, detail| Err(Invalid::new(field, detail));
    if let Some(text) = &new.client_ip
        && text.parse::<IpAddr>().is_err()
    {
        return refused("client_ip", "is not an IPv4 or IPv6 address");
    }
    match &new.payer {
        None if of_one => {
            let detail = "is missing; only one person can pay in this scene: send the openid under \
                          the channel's app_id, or a login code as payer.code";
            return refused("payer.openid", detail);
        }
        Some(_) if !of_one => {
            return refused(
                "payer",
                "is for the scenes jsapi and mini_program; leave it out",
            );
        }
        Some(NewPayer::Code(code)) => code.check()?,
        Some(NewPayer::Openid(openid))
            if openid.is_empty()
                || openid.len() > 128
                || !openid.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            return refused("payer.openid", "is not 1 to 128 visible ASCII characters");
        }
        Some(NewPayer::Openid(_)) | None => {}
    }
    if new.scene == Scene::H5 && new.client_ip.is_none() {
        let detail = "is missing; the platform compares it with the payer's browser";
        return refused("client_ip", detail);
    }
    Ok(())
}

/// Whose code was scanned, where the payer shows one.
fn wallet(new: &NewAttempt) -> Result<Option<Wallet>, Invalid> {
    let refused = |detail| Err(Invalid::new("auth_code", detail));
    match (&new.auth_code, new.scene) {
        (None, Scene::Barcode) => refused("is missing; send the digits that the scanner read"),
        (None, _) => Ok(None),
        (Some(code), Scene::Barcode) => match code.wallet() {
            None => refused(
                "is not the payment code of a wallet that we know (WeChat Pay shows 18 digits, 10 \
                 to 15 first); scan again",
            ),
            wallet => Ok(wallet),
        },
        (Some(_), _) => refused("is for the scene barcode; leave it out, or change the scene"),
    }
}

fn name_of(wallet: Wallet) -> &'static str {
    match wallet {
        Wallet::WeChat => "WeChat Pay (微信支付)",
        Wallet::Alipay => "Alipay (支付宝)",
        Wallet::UnionPay => "UnionPay (云闪付)",
        Wallet::DigitalYuan => "the digital yuan (数字人民币)",
        Wallet::BestPay => "BestPay (翼支付)",
        Wallet::Suning => "Suning (苏宁支付)",
        _ => "another wallet",
    }
}

/// A way in which a payer could pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What a payer calls the platform: Chinese, English.
    pub label: [&'static str; 2],
    /// How the payer meets it.
    pub scene: Scene,
    /// The account.
    pub channel: ChannelId,
}
