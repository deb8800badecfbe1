//! Secrets at rest: an envelope.
//!
//! The outer key (KEK) is kept outside the database. It wraps one data key a
//! merchant, and that one seals the merchant's secrets. A sealed value is bound
//! to its place: moved to another row, column or merchant it does not open.
//!
//! `value = 1 | data key id, 4 bytes | nonce, 12 bytes | AES-256-GCM`

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use tongbao_core::{MerchantId, Timestamp};
use tongbao_store::{DataKey, Store};
use zeroize::Zeroizing;

use crate::error::EngineError;
use crate::seams::Mint;

const VERSION: u8 = 1;
const KEY_LEN: usize = 32;
const HEAD_LEN: usize = 1 + 4 + NONCE_LEN;

/// Seals and opens secrets.
pub(crate) struct Vault {
    kek: LessSafeKey,
    departures: hmac::Key,
    keys: Mutex<BTreeMap<u32, (MerchantId, std::sync::Arc<LessSafeKey>)>>,
}

/// Where a sealed value belongs.
pub(crate) struct Place<'a> {
    /// Table and column.
    pub(crate) column: &'static str,
    /// The row's id.
    pub(crate) row: &'a str,
}

impl Vault {
    /// Unwraps every data key with `kek`. One that does not open means that the
    /// KEK is not the one that wrapped it: nothing is overwritten.
    pub(crate) fn open(kek: &[u8; KEY_LEN], wrapped: Vec<DataKey>) -> Result<Self, EngineError> {
        let vault = Self {
            kek: aes(kek)?,
            departures: derived(kek, b"tongbao|departures|1"),
            keys: Mutex::default(),
        };
        for key in wrapped {
            let aad = wrap_aad(key.id, key.merchant);
            let plain = open(&vault.kek, &aad, &key.wrapped).ok_or_else(|| {
                EngineError::Vault(
                    "the master key does not open this database's secrets: it is not the key that \
                     sealed them. Put the right key file (or TONGBAO_KEY) back; nothing was changed"
                        .to_owned(),
                )
            })?;
            vault.remember(key.id, key.merchant, aes(&plain)?);
        }
        Ok(vault)
    }

    /// Signs what a payer's browser takes along when it leaves.
    pub(crate) const fn departures(&self) -> &hmac::Key {
        &self.departures
    }

    /// Seals `secret` for its place, under the merchant's data key; makes that
    /// key when there is none yet.
    pub(crate) async fn seal(
        &self,
        store: &dyn Store,
        mint: &dyn Mint,
        now: Timestamp,
        merchant: MerchantId,
        place: &Place<'_>,
        secret: &[u8],
    ) -> Result<Vec<u8>, EngineError> {
        let (id, key) = match self.key_of(merchant) {
            Some(found) => found,
            None => self.make_key(store, mint, now, merchant).await?,
        };
        let mut nonce = [0; NONCE_LEN];
        mint.fill(&mut nonce);
        let mut value = vec![VERSION];
        value.extend_from_slice(&id.to_be_bytes());
        value.extend(seal(&key, nonce, &value_aad(merchant, place), secret)?);
        Ok(value)
    }

    /// Opens what [`Vault::seal`] made for the same place.
    pub(crate) fn unseal(
        &self,
        merchant: MerchantId,
        place: &Place<'_>,
        value: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        let refused = || {
            EngineError::Vault(format!(
                "the secret in {} of {} does not open: it was changed or moved; enter it again",
                place.column, place.row
            ))
        };
        let (head, sealed) = value.split_at_checked(5).ok_or_else(refused)?;
        let id = match *head {
            [VERSION, a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
            _ => return Err(refused()),
        };
        let key = self
            .lock()
            .get(&id)
            .filter(|(owner, _)| *owner == merchant)
            .map(|(_, key)| key.clone());
        let key = key.ok_or_else(refused)?;
        open(&key, &value_aad(merchant, place), sealed).ok_or_else(refused)
    }

    async fn make_key(
        &self,
        store: &dyn Store,
        mint: &dyn Mint,
        now: Timestamp,
        merchant: MerchantId,
    ) -> Result<(u32, std::sync::Arc<LessSafeKey>), EngineError> {
        let mut plain = Zeroizing::new([0; KEY_LEN]);
        mint.fill(&mut *plain);
        let mut random = [0; 4];
        mint.fill(&mut random);
        let id = u32::from_be_bytes(random);
        let mut nonce = [0; NONCE_LEN];
        mint.fill(&mut nonce);
        let wrapped = seal(&self.kek, nonce, &wrap_aad(id, merchant), &*plain)?;
        store
            .insert_data_key(DataKey {
                id,
                merchant,
                wrapped,
                created_at: now,
            })
            .await?;
        self.remember(id, merchant, aes(&*plain)?);
        self.key_of(merchant)
            .ok_or_else(|| EngineError::Vault("a data key vanished while it was made".to_owned()))
    }

    fn key_of(&self, merchant: MerchantId) -> Option<(u32, std::sync::Arc<LessSafeKey>)> {
        let keys = self.lock();
        let (id, (_, key)) = keys.iter().find(|(_, (owner, _))| *owner == merchant)?;
        Some((*id, key.clone()))
    }

    fn remember(&self, id: u32, merchant: MerchantId, key: LessSafeKey) {
        self.lock().insert(id, (merchant, std::sync::Arc::new(key)));
    }

    fn lock(
        &self,
    ) -> std::sync::MutexGuard<'_, BTreeMap<u32, (MerchantId, std::sync::Arc<LessSafeKey>)>> {
        self.keys
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn aes(key: &[u8]) -> Result<LessSafeKey, EngineError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| EngineError::Vault("a key has not 32 bytes".to_owned()))
}

/// A key for one other purpose: whoever has it cannot open anything.
fn derived(kek: &[u8; KEY_LEN], purpose: &[u8]) -> hmac::Key {
    let root = hmac::Key::new(hmac::HMAC_SHA256, kek);
    let tag = hmac::sign(&root, purpose);
    hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref())
}

fn wrap_aad(id: u32, merchant: MerchantId) -> String {
    format!("data_keys|wrapped|{id}|{merchant}|1")
}

fn value_aad(merchant: MerchantId, place: &Place<'_>) -> String {
    format!("{}|{}|{merchant}|1", place.column, place.row)
}

/// `nonce | ciphertext | tag`.
fn seal(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &str,
    plain: &[u8],
) -> Result<Vec<u8>, EngineError> {
    let mut text = plain.to_vec();
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(aad.as_bytes()),
        &mut text,
    )
    .map_err(|_| EngineError::Vault("a secret could not be sealed".to_owned()))?;
    Ok([&nonce[..], &text].concat())
}

fn open(key: &LessSafeKey, aad: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, text) = sealed.split_at_checked(HEAD_LEN - 5)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = Zeroizing::new(text.to_vec());
    let len = key
        .open_in_place(nonce, Aad::from(aad.as_bytes()), &mut text)
        .ok()?
        .len();
    text.truncate(len);
    Some(text)
}
