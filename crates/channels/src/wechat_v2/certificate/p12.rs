//! `apiclient_cert.p12`: certificate and key in one PKCS #12 file, under a
//! password that is the merchant's number.

mod work;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Halves, P12, P12_PASSWORD, parse, public_key};
use crate::settings::SettingsError;

/// A genuine one has less than 4 KiB.
const MAX_BYTES: usize = 64 * 1024;

pub(super) fn open(text: &str, password: &str) -> Result<Halves, SettingsError> {
    let wrong = |detail: &str| SettingsError::new(P12, detail);
    let text: String = text.split_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| {
        wrong("is not base64; send what `base64 apiclient_cert.p12` prints, or name the file with client_p12_file in the configuration")
    })?;
    if bytes.len() > MAX_BYTES || !work::is_modest(&bytes, password) {
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
