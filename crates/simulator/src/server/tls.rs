//! The platform's certificates, made anew at every start: its own, and one for each merchant.

use std::collections::BTreeMap;
use std::sync::Arc;

use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::Simulator;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A certificate was not made.
    #[error("cannot make the simulator's certificates: {0}")]
    Make(#[from] rcgen::Error),
    /// A certificate was not packed.
    #[error("cannot pack the simulator's certificates: {0}")]
    Pack(#[from] p12_keystore::error::Error),
    /// A certificate does not work.
    #[error("cannot serve TLS with the simulator's certificates: {0}")]
    Use(String),
}

/// What a client of the platform over TLS needs to know.
pub struct Certificates {
    /// Whom a client must trust, as PEM.
    pub ca_pem: String,
    clients: BTreeMap<String, ClientCertificate>,
    config: Arc<ServerConfig>,
}

/// A merchant's, for refunds and reversals; good for nothing but this one run of the simulator.
#[derive(Clone)]
pub struct ClientCertificate {
    /// `apiclient_cert.pem`
    pub certificate_pem: String,
    /// `apiclient_key.pem`
    pub key_pem: String,
    /// Both as `apiclient_cert.p12`, whose password is the merchant's number.
    pub p12: Vec<u8>,
    der: CertificateDer<'static>,
}

impl Certificates {
    /// For the merchants that the platform has now, on these host names and addresses.
    pub fn make(simulator: &Simulator, hosts: &[String]) -> Result<Self, CertificateError> {
        let ca_key = KeyPair::generate()?;
        let ca_params = authority()?;
        let ca = ca_params.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca_params, ca_key);
        let merchants = simulator.look(|platform, _| {
            let accounts = platform.truth().accounts.keys();
            accounts.cloned().collect::<Vec<_>>()
        });
        let mut clients = BTreeMap::new();
        for mch_id in merchants {
            clients.insert(mch_id.clone(), client(&mch_id, &issuer)?);
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(hosts)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let own = params.signed_by(&key, &issuer)?;
        let config = config(ca.der(), own.der().clone(), &key)
            .map_err(|error| CertificateError::Use(error.to_string()))?;
        Ok(Self {
            ca_pem: ca.pem(),
            clients,
            config: Arc::new(config),
        })
    }

    /// One merchant's.
    pub fn of(&self, mch_id: &str) -> Option<&ClientCertificate> {
        self.clients.get(mch_id)
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Whose certificate a client has shown.
    pub(super) fn whose(&self, shown: &CertificateDer<'_>) -> Option<&str> {
        let mut clients = self.clients.iter();
        let (mch_id, _) = clients.find(|(_, client)| client.der == *shown)?;
        Some(mch_id)
    }
}

fn authority() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let name = "tongbao simulator";
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn client(
    mch_id: &str,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<ClientCertificate, CertificateError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.distinguished_name.push(DnType::CommonName, mch_id);
    let certificate = params.signed_by(&key, issuer)?;
    Ok(ClientCertificate {
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
        p12: p12(mch_id, certificate.der(), &key)?,
        der: certificate.der().clone(),
    })
}

fn p12(
    mch_id: &str,
    certificate: &[u8],
    key: &KeyPair,
) -> Result<Vec<u8>, p12_keystore::error::Error> {
    let certificate = p12_keystore::Certificate::from_der(certificate)?;
    let key = PrivateKey::from_der(key.serialized_der())?;
    let chain = PrivateKeyChain::new(mch_id, key, [certificate]);
    let mut store = KeyStore::new();
    let name = "Tenpay Certificate";
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(chain));
    // As the platform's own tool writes them.
    store
        .writer(mch_id)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
        .encryption_iterations(2_048)
        .mac_iterations(2_048)
        .write()
}

/// Asks for a certificate and goes on without one: most calls need none.
fn config(
    ca: &CertificateDer<'static>,
    own: CertificateDer<'static>,
    key: &KeyPair,
) -> Result<ServerConfig, Box<dyn std::error::Error>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone())?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own], key)?)
}
