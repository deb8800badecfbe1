//! A merchant's shops, and the tills in them.
//!
//! The API calls a shop a *store*; in Rust a `Store` is the database.

use crate::order::Invalid;
use crate::{MerchantId, StoreId, TillId, Timestamp};

/// A shop's or a till's name, in bytes of UTF-8.
pub const NAME_MAX_BYTES: usize = 128;

/// Where a merchant sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shop {
    /// Ours.
    pub id: StoreId,
    /// Whose.
    pub merchant: MerchantId,
    /// What people call it; unique among the merchant's shops.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A till: a key of the API that speaks for one shop only. Only the key's
/// SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Till {
    /// Ours.
    pub id: TillId,
    /// Whose.
    pub merchant: MerchantId,
    /// Where it stands.
    pub store: StoreId,
    /// What people call it; unique among the shop's tills.
    pub name: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// The key's first characters, so that people can tell keys apart.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when the key opens nothing any more.
    pub revoked_at: Option<Timestamp>,
}

/// A name of a shop or a till, trimmed; the names of two differ for whoever
/// reads them.
pub fn name(text: &str) -> Result<String, Invalid> {
    let name = text.trim();
    let refused = name.is_empty()
        || name.len() > NAME_MAX_BYTES
        || name
            .chars()
            .any(|c| c.is_control() || crate::order::is_unreadable(c));
    if refused {
        let detail = format!(
            "use 1 to {NAME_MAX_BYTES} bytes of text without control characters and invisible marks"
        );
        return Err(Invalid::new("name", detail));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_read() {
        assert_eq!(name(" 南京路店 ").as_deref(), Ok("南京路店"));
        assert!(name(&"s".repeat(NAME_MAX_BYTES)).is_ok());
        for text in [
            "",
            "  ",
            "a\nb",
            "a\u{202e}b",
            &"s".repeat(NAME_MAX_BYTES + 1),
        ] {
            assert_eq!(name(text).map_err(|invalid| invalid.field), Err("name"));
        }
    }
}
