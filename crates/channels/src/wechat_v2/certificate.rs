//! The certificate by which the platform knows who wants money to go back.

mod p12;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tongbao_core::Timestamp;
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::nom::Parser;

use crate::channel::ClientIdentity;
use crate::settings::{Settings, SettingsError};

const CERTIFICATE: &str = "client_certificate";
const KEY: &str = "client_key";
const P12: &str = "client_p12";
const P12_PASSWORD: &str = "client_p12_password";

/// A certificate that fits its key and its merchant.
pub(super) struct Certificate {
    pub(super) identity: ClientIdentity,
    /// It is good until then.
    pub(super) until: Timestamp,
}

/// Both halves, and the setting that is at fault when they are wrong.
struct Halves {
    /// The merchant's own first.
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    field: &'static str,
    key_field: &'static str,
}

/// `None` when nothing is there; one half without the other is of no use.
pub(super) fn read(
    settings: &Settings,
    mch_id: &str,
) -> Result<Option<Certificate>, SettingsError> {
    let set = |name| settings.get(name).filter(|text| !text.trim().is_empty());
    let halves = match (set(CERTIFICATE), set(KEY), set(P12)) {
        (None, None, None) => return Ok(None),
        (Some(_), None, None) => return Err(missing(KEY, "apiclient_key.pem")),
        (None, Some(_), None) => return Err(missing(CERTIFICATE, "apiclient_cert.pem")),
        (Some(certificate), Some(key), None) => pem(certificate, key)?,
        (None, None, Some(text)) => p12::open(text, set(P12_PASSWORD).unwrap_or(mch_id))?,
        (_, _, Some(_)) => {
            let detail = "is there beside client_certificate and client_key; keep one of the two, \
                          and set the other to \"\"";
            return Err(SettingsError::new(P12, detail));
        }
    };
    checked(halves, mch_id).map(Some)
}

fn pem(certificate: &str, key: &str) -> Result<Halves, SettingsError> {
    let certificates = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|certificates| !certificates.is_empty());
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok();
    Ok(Halves {
        certificates: certificates
            .ok_or_else(|| no_pem(CERTIFICATE, "apiclient_cert.pem", "CERTIFICATE"))?,
        key: key.ok_or_else(|| no_pem(KEY, "apiclient_key.pem", "PRIVATE KEY"))?,
        field: CERTIFICATE,
        key_field: KEY,
    })
}

fn missing(field: &str, file: &str) -> SettingsError {
    let detail = format!("is missing; it is {file}, in the same archive as the other half");
    SettingsError::new(field, detail)
}

fn no_pem(field: &str, file: &str, label: &str) -> SettingsError {
    let detail = format!(
        "is not PEM text (-----BEGIN {label}-----…); paste the content of {file}, from the archive \
         that apiclient_cert.p12 came in, or enter that one as {P12}, in base64"
    );
    SettingsError::new(field, detail)
}

fn checked(halves: Halves, mch_id: &str) -> Result<Certificate, SettingsError> {
    let Halves {
        certificates,
        key,
        field,
        key_field,
    } = halves;
    let unreadable = || SettingsError::new(field, "is not an X.509 certificate");
    let own = certificates.first().ok_or_else(unreadable)?;
    let parsed = parse(own).ok_or_else(unreadable)?;
    let signs_with = public_key(&key).ok_or_else(|| {
        SettingsError::new(key_field, "holds no private key that can be used for TLS")
    })?;
    if signs_with != parsed.public_key().raw {
        let detail = "does not belong to the certificate; take both from the same archive";
        return Err(SettingsError::new(key_field, detail));
    }
    if let Some(other) = merchant(&parsed).filter(|number| *number != mch_id) {
        let detail = format!(
            "is merchant {other}'s, and this channel's is {mch_id}; take the one of {mch_id} (a \
             service provider shows its own for all of its sub-merchants)"
        );
        return Err(SettingsError::new(field, detail));
    }
    Ok(Certificate {
        until: Timestamp::from_secs(parsed.validity().not_after.timestamp()),
        identity: identity(&certificates, &key),
    })
}

fn identity(certificates: &[CertificateDer<'_>], key: &PrivateKeyDer<'_>) -> ClientIdentity {
    let mut chain = String::new();
    for certificate in certificates {
        chain.push_str(&to_pem("CERTIFICATE", certificate));
    }
    ClientIdentity::new(&chain, &to_pem(label(key), key.secret_der()))
}

/// Without what the extensions say: the library keeps their parsers in a map whose
/// order is drawn.
fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let (_, parsed) = parser.parse(certificate.as_ref()).ok()?;
    Some(parsed)
}

/// The public half, as it stands in a certificate.
fn public_key(key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(key).ok()?;
    Some(key.public_key()?.as_ref().to_vec())
}

/// The platform writes the merchant's number into the name. Certificates of before
/// 2018 have the company's there, which proves nothing.
fn merchant<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a str> {
    let name = certificate.subject().iter_common_name().next()?;
    let name = name.as_str().ok()?.trim();
    let is_number = name.len() >= 8 && name.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(name)
}

const fn label(key: &PrivateKeyDer<'_>) -> &'static str {
    match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    }
}

fn to_pem(label: &str, der: &[u8]) -> zeroize::Zeroizing<String> {
    use base64::Engine as _;
    let text = zeroize::Zeroizing::new(base64::prelude::BASE64_STANDARD.encode(der));
    let mut pem = zeroize::Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    for part in ["-----END ", label, "-----\n"] {
        pem.push_str(part);
    }
    pem
}
