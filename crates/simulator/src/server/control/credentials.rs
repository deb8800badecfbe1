//! `GET /_sim/credentials`: the ready-made accounts, keys included.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::server::problem::Problem;
use crate::server::{Certificates, Simulator};
use crate::{Account, SubMerchant, TestKey};

pub(super) fn router() -> Router<Simulator> {
    Router::new().route("/credentials", get(read))
}

/// One section a platform. A section appears when the platform is played, and a key in it when
/// the platform uses it.
#[derive(Serialize)]
struct Credentials {
    wechat: Wechat,
    wechat_service_provider: ServiceProvider,
}

#[derive(Serialize)]
struct Wechat {
    app_id: String,
    app_secret: TestKey,
    mch_id: String,
    api_v2_key: TestKey,
    /// Only where the simulator listens with TLS.
    #[serde(flatten)]
    certificate: Option<CertificateView>,
}

/// PEM.
#[derive(Serialize)]
struct CertificateView {
    /// Whom to trust.
    ca_certificate: String,
    /// For refunds and reversals.
    client_certificate: String,
    client_key: String,
    /// Both in one file, in base64; its password is `mch_id`.
    client_p12: String,
}

/// A provider's key signs for all of its sub-merchants.
#[derive(Serialize)]
struct ServiceProvider {
    #[serde(flatten)]
    account: Wechat,
    sub_merchants: Vec<SubMerchantView>,
}

#[derive(Serialize)]
struct SubMerchantView {
    sub_mch_id: String,
    name: String,
    /// Absent when it uses the provider's application.
    sub_app_id: Option<String>,
    sub_app_secret: Option<TestKey>,
}

async fn read(State(simulator): State<Simulator>) -> Result<Json<Credentials>, Problem> {
    let account = |ready_made: Account| {
        let known = simulator.look(|platform, _| {
            let accounts = platform.truth().accounts;
            accounts.get(&ready_made.mch_id).cloned()
        });
        known.ok_or_else(|| Problem::not_found("the ready-made account is gone"))
    };
    let provider = account(Account::service_provider())?;
    let known = simulator.shared.certificates.get().map(|known| &**known);
    let subs = provider.sub_merchants.iter().cloned();
    Ok(Json(Credentials {
        wechat: Wechat::of(account(Account::ready_made())?, known),
        wechat_service_provider: ServiceProvider {
            sub_merchants: subs.map(SubMerchantView::from).collect(),
            account: Wechat::of(provider, known),
        },
    }))
}

impl Wechat {
    fn of(account: Account, certificates: Option<&Certificates>) -> Self {
        let certificate = certificates.and_then(|known| {
            let own = known.of(&account.mch_id)?;
            Some(CertificateView {
                ca_certificate: known.ca_pem.clone(),
                client_certificate: own.certificate_pem.clone(),
                client_key: own.key_pem.clone(),
                client_p12: BASE64_STANDARD.encode(&own.p12),
            })
        });
        Self {
            app_id: account.app_id,
            app_secret: account.app_secret,
            mch_id: account.mch_id,
            api_v2_key: account.api_v2_key,
            certificate,
        }
    }
}

impl From<SubMerchant> for SubMerchantView {
    fn from(sub: SubMerchant) -> Self {
        let (sub_app_id, sub_app_secret) = match sub.app {
            Some(app) => (Some(app.app_id), Some(app.app_secret)),
            None => (None, None),
        };
        Self {
            sub_mch_id: sub.sub_mch_id,
            name: sub.name,
            sub_app_id,
            sub_app_secret,
        }
    }
}
