//! `apiclient_cert.p12`: certificate and key in one PKCS #12 file, under a
//! password that is the merchant's number.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Halves, P12, P12_PASSWORD, parse, public_key};
use crate::settings::SettingsError;

/// A genuine one has less than 4 KiB.
const MAX_BYTES: usize = 64 * 1024;

/// A password is stretched so often at most; common files have 2,048. Whoever may
/// enter a file could have us work for hours.
const MAX_ITERATIONS: u64 = 100_000;

pub(super) fn open(text: &str, password: &str) -> Result<Halves, SettingsError> {
    let wrong = |detail: &str| SettingsError::new(P12, detail);
    let text: String = text.split_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| {
        wrong("is not base64; send what `base64 apiclient_cert.p12` prints, or name the file with client_p12_file in the configuration")
    })?;
    if bytes.len() > MAX_BYTES || !is_modest(&bytes) {
        return Err(wrong(
            "asks for more work than any platform's file; download it again",
        ));
    }
    let archive = Pkcs12Archive::from_pkcs12(&bytes, password).map_err(|error| match error {
        Error::MacError(_) => SettingsError::new(
            P12_PASSWORD,
            "does not open client_p12; it is the merchant number unless somebody changed it",
        ),
        _ => wrong("cannot be read as PKCS #12; download apiclient_cert.p12 again"),
    })?;
    let mut keys = archive
        .keys
        .iter()
        .map(|bag| PrivateKeyDer::from(PrivatePkcs8KeyDer::from(bag.key.as_der().to_vec())));
    let key = keys.next().ok_or_else(|| wrong("holds no private key"))?;
    let mut certificates: Vec<_> = archive
        .certs
        .iter()
        .map(|bag| CertificateDer::from(bag.cert.as_der().to_vec()))
        .collect();
    // The merchant's own first, whatever order the file has.
    let public = public_key(&key);
    certificates.sort_by_key(|certificate| {
        let own = parse(certificate)
            .is_some_and(|parsed| Some(parsed.public_key().raw) == public.as_deref());
        !own
    });
    if certificates.is_empty() {
        return Err(wrong("holds no certificate"));
    }
    Ok(Halves {
        certificates,
        key,
        field: P12,
        key_field: P12,
    })
}

/// Boxes within boxes; a genuine file has about ten.
const MAX_DEPTH: usize = 32;

/// Whether its passwords are not to be stretched beyond measure, all of them
/// together, as far as can be seen before it is opened.
fn is_modest(der: &[u8]) -> bool {
    iterations(der, MAX_DEPTH).is_some_and(|sum| sum <= MAX_ITERATIONS)
}

/// The sum of the numbers that follow a salt; `None` when that is no way in which
/// passwords are stretched here.
fn iterations(mut der: &[u8], depth: usize) -> Option<u64> {
    let (mut after_salt, mut numbers, mut sum) = (false, 0, 0_u64);
    while let Some((tag, content, rest)) = element(der) {
        der = rest;
        let is_box = tag == 0x04 || tag & 0x20 != 0;
        if is_box {
            sum = sum.saturating_add(iterations(content, depth.checked_sub(1)?)?);
        } else if tag == 0x02 && after_salt {
            numbers += 1;
            // More than two are another way of stretching, by memory.
            if numbers > 2 {
                return None;
            }
            sum = sum.saturating_add(number(content)?);
        }
        after_salt |= tag == 0x04;
    }
    Some(sum)
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

    #[test]
    fn a_password_is_not_stretched_for_hours() {
        let file = include_bytes!("../../../tests/certificates/slow.p12");
        assert!(!is_modest(file));
        for file in [
            &include_bytes!("../../../tests/certificates/merchant.p12")[..],
            include_bytes!("../../../tests/certificates/modern.p12"),
            b"",
            b"\x30\x84\xff\xff\xff\xff",
        ] {
            assert!(is_modest(file));
        }
    }

    #[test]
    fn boxes_within_boxes_end_somewhere() {
        let mut file = Vec::new();
        for _ in 0..10_000 {
            let len = u32::try_from(file.len()).unwrap().to_be_bytes();
            file = [&[0x30, 0x84][..], &len, &file].concat();
        }
        assert!(!is_modest(&file));
    }

    #[test]
    fn a_thousand_small_stretches_are_a_large_one() {
        // SEQUENCE { OCTET STRING "salt", INTEGER 50000 }
        let one = b"\x30\x09\x04\x02ab\x02\x03\x00\xc3\x50";
        assert!(is_modest(&one.repeat(2)));
        assert!(!is_modest(&one.repeat(3)));
    }
}
