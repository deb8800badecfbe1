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

/// Whether no password in it is to be stretched beyond measure, as far as can be
/// seen before it is opened: a number that follows a salt.
fn is_modest(mut der: &[u8]) -> bool {
    let (mut after_salt, mut numbers) = (false, 0);
    while let Some((tag, content, rest)) = element(der) {
        der = rest;
        match tag {
            0x02 if after_salt => {
                numbers += 1;
                // More than two are another way of stretching, by memory.
                if number(content).is_none_or(|count| count > MAX_ITERATIONS) || numbers > 2 {
                    return false;
                }
            }
            0x04 => {
                after_salt = true;
                if !is_modest(content) {
                    return false;
                }
            }
            _ if tag & 0x20 != 0 && !is_modest(content) => return false,
            _ => {}
        }
    }
    true
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
}
