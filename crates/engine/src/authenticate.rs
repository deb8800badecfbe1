//! Merchants and their API keys.

use aws_lc_rs::digest;
use tongbao_core::merchant::{ApiKey, Merchant, Policy};
use tongbao_core::order::Invalid;
use tongbao_core::shop::Till;
use tongbao_core::{ApiKeyId, MerchantId};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::mint;
use crate::shop::TILL_KEY_PREFIX;

/// Who speaks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// In whose name.
    pub merchant: Merchant,
    /// The till, where it is one: it speaks for its shop, and for nothing else.
    pub till: Option<Till>,
}

impl Engine {
    /// Whose key this is. A till's key that was revoked is nobody's.
    pub async fn authenticate(&self, key: &str) -> Result<Option<Caller>, EngineError> {
        // Keys are 160 random bits or more: looking one up by its hash tells
        // nothing by its timing.
        let (merchant, till) = if key.starts_with(TILL_KEY_PREFIX) {
            let found = self.store().till_by_hash(hash(key)).await?;
            match found.filter(|till| till.revoked_at.is_none()) {
                Some(till) => (till.merchant, Some(till)),
                None => return Ok(None),
            }
        } else {
            match self.store().api_key(hash(key)).await? {
                Some(found) => (found.merchant, None),
                None => return Ok(None),
            }
        };
        let merchant = self.store().merchant(merchant).await?;
        Ok(merchant.map(|merchant| Caller { merchant, till }))
    }

    /// The merchant's API key that this is.
    pub async fn api_key(&self, key: &str) -> Result<Option<ApiKey>, EngineError> {
        Ok(self.store().api_key(hash(key)).await?)
    }

    /// Adds a merchant.
    pub async fn create_merchant(&self, name: &str) -> Result<Merchant, EngineError> {
        let name = name.trim();
        if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            return Err(Invalid::new("name", "use 1 to 128 bytes of text").into());
        }
        let now = self.now();
        let merchant = Merchant {
            id: mint::new_id(&*self.seams.mint, now),
            name: name.to_owned(),
            policy: Policy::default(),
            created_at: now,
        };
        self.store().insert_merchant(merchant.clone()).await?;
        Ok(merchant)
    }

    /// Makes an API key and returns it: the only time that it can be seen.
    pub async fn create_api_key(&self, merchant: MerchantId) -> Result<String, EngineError> {
        let key = format!(
            "sk_{}{}",
            mint::token(&*self.seams.mint),
            mint::token(&*self.seams.mint)
        );
        self.insert_api_key(merchant, &key).await?;
        Ok(key)
    }

    /// Lets `key` speak for the merchant. For keys that were chosen elsewhere:
    /// `sk_` and at least 32 letters and digits. A key that is known already is
    /// left as it is.
    pub async fn insert_api_key(&self, merchant: MerchantId, key: &str) -> Result<(), EngineError> {
        let strong = key.strip_prefix("sk_").is_some_and(|rest| {
            (32..=128).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if !strong {
            let detail = "is not sk_ and 32 to 128 letters and digits; let tongbao make one";
            return Err(Invalid::new("api_key", detail).into());
        }
        let hash = hash(key);
        match self.store().api_key(hash).await? {
            Some(known) if known.merchant == merchant => return Ok(()),
            Some(_) => return Err(Invalid::new("api_key", "belongs to another merchant").into()),
            None => {}
        }
        let now = self.now();
        let id: ApiKeyId = mint::new_id(&*self.seams.mint, now);
        self.store()
            .insert_api_key(ApiKey {
                id,
                merchant,
                hash,
                hint: hint(key),
                created_at: now,
            })
            .await?;
        Ok(())
    }
}

/// The first characters, so that people can tell keys apart.
pub(crate) fn hint(key: &str) -> String {
    key.chars().take(7).collect()
}

pub(crate) fn hash(key: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, key.as_bytes()).as_ref());
    hash
}
