//! The certificate by which the platform knows who wants money to go back.

use crate::channel::ClientIdentity;
use crate::settings::{Settings, SettingsError};

/// `None` when neither setting is there; one without the other is of no use.
pub(super) fn read(settings: &Settings) -> Result<Option<ClientIdentity>, SettingsError> {
    let (certificate, key) = ("client_certificate", "client_key");
    let set = |name| settings.get(name).filter(|text| !text.trim().is_empty());
    match (set(certificate), set(key)) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(missing(key, "apiclient_key.pem")),
        (None, Some(_)) => Err(missing(certificate, "apiclient_cert.pem")),
        (Some(cert), Some(secret)) => {
            holds(certificate, cert, "apiclient_cert.pem", &["CERTIFICATE"])?;
            let keys = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
            holds(key, secret, "apiclient_key.pem", &keys)?;
            Ok(Some(ClientIdentity::new(cert, secret)))
        }
    }
}

fn missing(field: &str, file: &str) -> SettingsError {
    let detail = format!("is missing; it is {file}, in the same archive as the other half");
    SettingsError::new(field, detail)
}

/// A PKCS #12 file holds the same two, under a password that is the merchant's
/// number; whoever has it has the PEM files as well.
fn holds(field: &str, text: &str, file: &str, labels: &[&str]) -> Result<(), SettingsError> {
    let is_it = |label: &&str| {
        text.contains(&format!("-----BEGIN {label}-----"))
            && text.contains(&format!("-----END {label}-----"))
    };
    if labels.iter().any(is_it) {
        return Ok(());
    }
    let detail = format!(
        "is not PEM text (-----BEGIN {0}-----…); paste the content of {file}. It is in the \
         archive that apiclient_cert.p12 came in; from a p12 alone, make it with `openssl pkcs12 \
         -in apiclient_cert.p12 -nodes` and the merchant number as its password",
        labels[0]
    );
    Err(SettingsError::new(field, detail))
}
