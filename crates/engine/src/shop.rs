//! A merchant's shops, and their tills.

use tongbao_core::order::Invalid;
use tongbao_core::shop::{self, Shop, Till};
use tongbao_core::{MerchantId, Scene, StoreId, TillId};
use tongbao_store::{Change, StoreError, Unique};
use zeroize::Zeroizing;

use crate::authenticate::{hash, hint};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::idempotency::{Answered, IdempotencyKey};
use crate::mint;

/// What a till's key begins with.
pub const TILL_KEY_PREFIX: &str = "tk_";

/// A till, and its key while it may be seen: in the answer that made it.
#[derive(Debug)]
pub struct MadeTill {
    /// As it stands.
    pub till: Till,
    /// The whole key, `tk_…`; nobody can read it again.
    pub key: Option<Zeroizing<String>>,
    /// The same request, under the same key, made it before.
    pub replayed: bool,
}

impl Engine {
    /// Adds a shop.
    pub async fn create_store(
        &self,
        merchant: MerchantId,
        name: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<Shop>, EngineError> {
        if let Some(made) = self.made_store(merchant, key.as_ref()).await? {
            return Ok(made);
        }
        let now = self.now();
        let shop = Shop {
            id: mint::new_id(&*self.seams.mint, now),
            merchant,
            name: shop::name(name)?,
            created_at: now,
        };
        let change = Change {
            shop: Some(Box::new(shop.clone())),
            idempotency: key.as_ref().map(|key| key.record(merchant, shop.id, now)),
            ..Change::default()
        };
        match self.store().commit(change).await {
            // The same request was faster.
            Err(StoreError::Taken(Unique::IdempotencyKey)) => {
                let made = self.made_store(merchant, key.as_ref()).await?;
                made.ok_or(EngineError::Busy)
            }
            Err(StoreError::Taken(Unique::Name)) => {
                let detail = "is the name of another store; choose another name, or use that store";
                Err(Invalid::new("name", detail).into())
            }
            written => Ok(written.map(|_| Answered {
                answer: shop,
                replayed: false,
            })?),
        }
    }

    async fn made_store(
        &self,
        merchant: MerchantId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Answered<Shop>>, EngineError> {
        let Some(promised) = self.made_before(merchant, key).await? else {
            return Ok(None);
        };
        let answer = self.store_of(merchant, promised.resource).await?;
        Ok(Some(Answered {
            answer,
            replayed: true,
        }))
    }

    /// The merchant's own shop of that id.
    pub async fn store_of(&self, merchant: MerchantId, id: StoreId) -> Result<Shop, EngineError> {
        let found = self.store().shop(merchant, id).await?;
        found.ok_or(EngineError::NotFound("store"))
    }

    /// Whether a payment or an endpoint may name this shop.
    pub(crate) async fn check_store(
        &self,
        merchant: MerchantId,
        store: Option<StoreId>,
    ) -> Result<(), EngineError> {
        match store {
            Some(id) if self.store().shop(merchant, id).await?.is_none() => {
                Err(unknown_store().into())
            }
            _ => Ok(()),
        }
    }

    /// Adds a till to a shop and makes its key, `tk_…`.
    pub async fn create_till(
        &self,
        merchant: MerchantId,
        store: StoreId,
        name: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<MadeTill, EngineError> {
        if let Some(made) = self.made_till(merchant, key.as_ref()).await? {
            return Ok(made);
        }
        self.store_of(merchant, store).await?;
        let mint = &*self.seams.mint;
        let till_key = Zeroizing::new(format!(
            "{TILL_KEY_PREFIX}{}{}",
            mint::token(mint),
            mint::token(mint)
        ));
        let till = self.till(merchant, store, name, &till_key)?;
        let record = |key: &IdempotencyKey| key.record(merchant, till.id, till.created_at);
        let change = Change {
            till: Some(Box::new(till.clone())),
            idempotency: key.as_ref().map(record),
            ..Change::default()
        };
        match self.store().commit(change).await {
            // The same request was faster, and has the key.
            Err(StoreError::Taken(Unique::IdempotencyKey)) => {
                let made = self.made_till(merchant, key.as_ref()).await?;
                made.ok_or(EngineError::Busy)
            }
            written => {
                written.map_err(name_taken)?;
                Ok(MadeTill {
                    till,
                    key: Some(till_key),
                    replayed: false,
                })
            }
        }
    }

    async fn made_till(
        &self,
        merchant: MerchantId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<MadeTill>, EngineError> {
        let Some(promised) = self.made_before(merchant, key).await? else {
            return Ok(None);
        };
        Ok(Some(MadeTill {
            till: self.till_of(merchant, promised.resource).await?,
            key: None,
            replayed: true,
        }))
    }

    /// Lets `key` speak for the shop, as a till of that name. For keys that were
    /// chosen elsewhere: `tk_` and at least 32 letters and digits. A key that is
    /// known already is left as it is.
    pub async fn insert_till(
        &self,
        merchant: MerchantId,
        store: StoreId,
        name: &str,
        key: &str,
    ) -> Result<(), EngineError> {
        let strong = key.strip_prefix(TILL_KEY_PREFIX).is_some_and(|rest| {
            (32..=128).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if !strong {
            let detail = "is not tk_ and 32 to 128 letters and digits; let tongbao make one";
            return Err(Invalid::new("key", detail).into());
        }
        match self.store().till_by_hash(hash(key)).await? {
            Some(till) if till.revoked_at.is_some() => {
                let detail = "was revoked, which lasts for ever; choose another key";
                return Err(Invalid::new("key", detail).into());
            }
            Some(till) if till.store == store => return Ok(()),
            Some(_) => {
                let detail = "belongs to a till of another store; choose another key";
                return Err(Invalid::new("key", detail).into());
            }
            None => {}
        }
        let till = self.till(merchant, store, name, key)?;
        let change = Change {
            till: Some(Box::new(till)),
            ..Change::default()
        };
        self.store().commit(change).await.map_err(name_taken)?;
        Ok(())
    }

    fn till(
        &self,
        merchant: MerchantId,
        store: StoreId,
        name: &str,
        key: &str,
    ) -> Result<Till, Invalid> {
        let now = self.now();
        let id: TillId = mint::new_id(&*self.seams.mint, now);
        Ok(Till {
            id,
            merchant,
            store,
            name: shop::name(name)?,
            hash: hash(key),
            hint: hint(key),
            created_at: now,
            revoked_at: None,
        })
    }

    /// The merchant's own till of that id.
    pub async fn till_of(&self, merchant: MerchantId, id: TillId) -> Result<Till, EngineError> {
        let found = self.store().till(merchant, id).await?;
        found.ok_or(EngineError::NotFound("till"))
    }

    /// From now on the till's key opens nothing. A second time changes nothing.
    pub async fn revoke_till(
        &self,
        merchant: MerchantId,
        id: TillId,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<Till>, EngineError> {
        let replayed = self
            .made_before::<TillId>(merchant, key.as_ref())
            .await?
            .is_some();
        let mut till = self.till_of(merchant, id).await?;
        let now = self.now();
        if !replayed {
            till.revoked_at = till.revoked_at.or(Some(now));
            let change = Change {
                till: Some(Box::new(till)),
                idempotency: key.as_ref().map(|key| key.record(merchant, id, now)),
                ..Change::default()
            };
            match self.store().commit(change).await {
                // The same request was faster.
                Ok(_) | Err(StoreError::Taken(Unique::IdempotencyKey)) => {}
                Err(error) => return Err(error.into()),
            }
            till = self.till_of(merchant, id).await?;
        }
        Ok(Answered {
            answer: till,
            replayed,
        })
    }

    /// How the merchant's channels that are on can collect, each way once.
    pub async fn scenes(&self, merchant: MerchantId) -> Result<Vec<Scene>, EngineError> {
        let mut scenes = Vec::new();
        for account in self.store().channels(merchant).await? {
            if account.enabled
                && let Some(open) = self.open_if_sound(account.id).await?
            {
                scenes.extend_from_slice(open.channel.scenes());
            }
        }
        scenes.sort_unstable_by_key(|scene| scene.as_str());
        scenes.dedup();
        Ok(scenes)
    }
}

/// What an order or an endpoint is told that names a store which is none.
pub fn unknown_store() -> Invalid {
    let detail = "is not one of your stores; GET /v1/stores lists them, POST /v1/stores adds one";
    Invalid::new("store", detail)
}

fn name_taken(error: StoreError) -> EngineError {
    match error {
        StoreError::Taken(Unique::Name) => {
            let detail = "is the name of another till of the store; choose another name, or revoke \
                          that till's key first";
            Invalid::new("name", detail).into()
        }
        error => error.into(),
    }
}
