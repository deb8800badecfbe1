//! The keys of the shop and of its tills: drawn at the first start, and kept
//! beside the orders.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tongbao_engine::Mint;

use super::keep;
use crate::seams::OsMint;
use crate::secret::Secret;

#[derive(Serialize, Deserialize)]
struct Kept {
    api_key: String,
}

/// The key of the last start, or a new one.
pub(super) fn api_key(shop: &Path) -> anyhow::Result<Secret> {
    kept(&shop.join("key.json"), "sk_")
}

/// The same for each store's till.
pub(super) fn till_keys(shop: &Path) -> anyhow::Result<[Secret; 2]> {
    let of = |file| kept(&shop.join(file), tongbao_engine::TILL_KEY_PREFIX);
    Ok([of("till.json")?, of("till-2.json")?])
}

fn kept(file: &Path, prefix: &str) -> anyhow::Result<Secret> {
    if let Some(Kept { api_key }) = keep::read(file)? {
        return Ok(Secret::new(api_key));
    }
    let api_key = draw(prefix);
    keep::write(
        file,
        &Kept {
            api_key: api_key.clone(),
        },
    )?;
    Ok(Secret::new(api_key))
}

/// 192 random bits.
fn draw(prefix: &str) -> String {
    let mut random = [0; 24];
    OsMint::default().fill(&mut random);
    random
        .iter()
        .fold(prefix.to_owned(), |key, byte| format!("{key}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_drawn_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = api_key(dir.path()).unwrap();
        assert_eq!(first.expose().len(), 51);
        assert!(api_key(dir.path()).unwrap() == first);
    }
}
