//! How much work a file asks for, before it is done.
//!
//! A password becomes a key by being hashed as often as the file says, once for
//! everything that is encrypted in it. Whoever may enter a file could have us work
//! for hours.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use des::TdesEde3;
use pkcs5::EncryptionScheme;
use pkcs12::kdf::{Pkcs12KeyType, derive_key_utf8};
use rc2::Rc2;
use sha1::Sha1;

/// A password is hashed so often at most; common files have 2,048 for each part.
const MAX_ITERATIONS: u64 = 100_000;

/// Boxes within boxes; a genuine file has about ten.
const MAX_DEPTH: usize = 32;

/// `pbeWithSHAAnd3-KeyTripleDES-CBC`
const TRIPLE_DES: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03";
/// `pbeWithSHAAnd40BitRC2-CBC`
const RC2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x06";

/// Whether opening it is little work, also what is encrypted within what is
/// encrypted. To see that the outer parts are opened here, once they are known to
/// be little work themselves. What they hold is not opened here: the library opens
/// a key within them, and nothing within a key.
pub(super) fn is_modest(der: &[u8], password: &str) -> bool {
    let mut sealed = Vec::new();
    let Some(mut sum) = iterations(der, MAX_DEPTH, &mut sealed) else {
        return false;
    };
    for part in sealed {
        if sum > MAX_ITERATIONS {
            return false;
        }
        let plain = part.open(password).unwrap_or_default();
        match iterations(&plain, MAX_DEPTH, &mut Vec::new()) {
            Some(within) => sum = sum.saturating_add(within),
            None => return false,
        }
    }
    sum <= MAX_ITERATIONS
}

/// Something encrypted that may hold something encrypted.
struct Sealed<'a> {
    /// How; an `AlgorithmIdentifier`.
    scheme: &'a [u8],
    content: &'a [u8],
}

/// The sum of the numbers that follow a salt; `None` when that is no way in which
/// passwords are stretched here.
fn iterations<'a>(mut der: &'a [u8], depth: usize, sealed: &mut Vec<Sealed<'a>>) -> Option<u64> {
    let (mut after_salt, mut numbers, mut sum) = (false, 0, 0_u64);
    let mut before: &[u8] = b"";
    while let Some((tag, content, rest)) = element(der) {
        let whole = der.get(..der.len() - rest.len())?;
        der = rest;
        let is_box = tag == 0x04 || tag & 0x20 != 0;
        if is_box {
            sum = sum.saturating_add(iterations(content, depth.checked_sub(1)?, sealed)?);
        } else if tag == 0x02 && after_salt {
            numbers += 1;
            // More than two are another way of stretching, by memory.
            if numbers > 2 {
                return None;
            }
            sum = sum.saturating_add(number(content)?);
        } else if tag == 0x80 && before.first() == Some(&0x30) {
            let scheme = before;
            sealed.push(Sealed { scheme, content });
        }
        after_salt |= tag == 0x04;
        before = whole;
    }
    Some(sum)
}

impl Sealed<'_> {
    /// `None` where the password is another, or nobody knows how: the library says
    /// so afterwards.
    fn open(&self, password: &str) -> Option<Vec<u8>> {
        if let Ok(scheme) = EncryptionScheme::try_from(self.scheme) {
            return scheme.decrypt(password, self.content).ok();
        }
        let (_, scheme, _) = element(self.scheme)?;
        let (_, name, parameters) = element(scheme)?;
        let (_, parameters, _) = element(parameters)?;
        let (_, salt, rounds) = element(parameters)?;
        let (_, rounds, _) = element(rounds)?;
        let rounds = i32::try_from(number(rounds)?).ok()?;
        let key = |kind, len| derive_key_utf8::<Sha1>(password, salt, kind, rounds, len).ok();
        let iv = key(Pkcs12KeyType::Iv, 8)?;
        match name {
            TRIPLE_DES => self.open_with::<TdesEde3>(&key(Pkcs12KeyType::EncryptionKey, 24)?, &iv),
            RC2 => self.open_with::<Rc2>(&key(Pkcs12KeyType::EncryptionKey, 5)?, &iv),
            _ => None,
        }
    }

    fn open_with<C: KeyInit + BlockCipherDecrypt>(&self, key: &[u8], iv: &[u8]) -> Option<Vec<u8>> {
        let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
        cipher.decrypt_padded_vec::<Pkcs7>(self.content).ok()
    }
}

/// Tag, content and what comes after; `None` for what is no such thing.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let len = bytes
                .iter()
                .fold(0, |len, byte| len << 8 | usize::from(*byte));
            (len, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

fn number(bytes: &[u8]) -> Option<u64> {
    let fits = bytes.len() <= 8;
    fits.then(|| {
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "1900007357";
    const MERCHANTS: &[u8] = include_bytes!("../../../../tests/certificates/merchant.p12");
    const MODERN: &[u8] = include_bytes!("../../../../tests/certificates/modern.p12");
    const SLOW: &[u8] = include_bytes!("../../../../tests/certificates/slow.p12");
    /// Twenty keys of a million iterations each, in one encrypted part that takes
    /// 2,048 to open: by AES, and by triple DES.
    const NESTED: &[u8] = include_bytes!("../../../../tests/certificates/nested.p12");
    const NESTED_OLD: &[u8] = include_bytes!("../../../../tests/certificates/nested_old.p12");

    fn sum(der: &[u8]) -> u64 {
        iterations(der, MAX_DEPTH, &mut Vec::new()).unwrap()
    }

    #[test]
    fn a_password_is_not_stretched_for_hours() {
        assert!(!is_modest(SLOW, PASSWORD));
        for (file, password) in [
            (MERCHANTS, PASSWORD),
            (MODERN, "another"),
            (b"", PASSWORD),
            (b"\x30\x84\xff\xff\xff\xff", PASSWORD),
        ] {
            assert!(is_modest(file, password));
        }
    }

    #[test]
    fn work_that_is_hidden_in_what_is_encrypted_is_counted() {
        for file in [NESTED, NESTED_OLD] {
            assert!(sum(file) <= 3 * 2_048, "it looks harmless");
            assert!(!is_modest(file, PASSWORD));
        }
    }

    #[test]
    fn what_platforms_and_common_tools_encrypt_can_be_looked_into() {
        for (file, password) in [
            (MERCHANTS, PASSWORD),
            (MODERN, "another"),
            (NESTED, PASSWORD),
            (NESTED_OLD, PASSWORD),
        ] {
            let mut sealed = Vec::new();
            iterations(file, MAX_DEPTH, &mut sealed).unwrap();
            let [certificates] = &sealed[..] else {
                panic!("{} parts", sealed.len());
            };
            let plain = certificates.open(password).unwrap();
            assert_eq!(plain.first(), Some(&0x30));
            assert_eq!(certificates.open("wrong"), None);
        }
    }

    #[test]
    fn boxes_within_boxes_end_somewhere() {
        let mut file = Vec::new();
        for _ in 0..10_000 {
            let len = u32::try_from(file.len()).unwrap().to_be_bytes();
            file = [&[0x30, 0x84][..], &len, &file].concat();
        }
        assert!(!is_modest(&file, PASSWORD));
    }

    #[test]
    fn a_thousand_small_stretches_are_a_large_one() {
        // SEQUENCE { OCTET STRING "salt", INTEGER 50000 }
        let one = b"\x30\x09\x04\x02ab\x02\x03\x00\xc3\x50";
        assert!(is_modest(&one.repeat(2), PASSWORD));
        assert!(!is_modest(&one.repeat(3), PASSWORD));
    }
}
