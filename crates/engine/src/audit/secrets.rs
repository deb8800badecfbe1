//! Sealed secrets open with the key, and the accounts behind them can be used.

use tongbao_channels::{Addresses, Settings, kind};
use tongbao_core::channel::ChannelAccount;
use tongbao_core::merchant::Merchant;
use tongbao_core::webhook::Endpoint;
use tongbao_store::StoreError;
use tongbao_store::snapshot::Snapshot;
use zeroize::Zeroizing;

use super::report::{Findings, Rule};
use crate::endpoint::secret_place;
use crate::open_channel::secrets_place;
use crate::vault::Vault;

/// What the secrets are to be opened with.
#[derive(Debug)]
pub enum Keys {
    /// The master key.
    Master(Zeroizing<[u8; 32]>),
    /// They are not looked at.
    None,
}

pub(super) fn look(
    snapshot: &dyn Snapshot,
    keys: &Keys,
    merchants: &[Merchant],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let Keys::Master(kek) = keys else {
        return Ok(());
    };
    let vault = match Vault::open(kek, snapshot.data_keys()?) {
        Ok(vault) => vault,
        Err(error) => {
            findings.add(Rule::Secrets, None, String::new(), error.to_string());
            return Ok(());
        }
    };
    for merchant in merchants {
        let mut check = |subject: String, opened: Result<(), String>| {
            if let Err(what) = opened {
                findings.add(Rule::Secrets, Some(merchant.id), subject, what);
            }
        };
        for account in snapshot.channels(merchant.id)? {
            check(account.id.to_string(), account_opens(&vault, &account));
        }
        for endpoint in snapshot.endpoints(merchant.id)? {
            check(endpoint.id.to_string(), endpoint_opens(&vault, &endpoint));
        }
    }
    Ok(())
}

fn account_opens(vault: &Vault, account: &ChannelAccount) -> Result<(), String> {
    let row = account.id.to_string();
    let secrets = vault
        .unseal(
            account.merchant,
            &secrets_place(&row),
            &account.sealed_secrets,
        )
        .map_err(|error| error.to_string())?;
    let secrets = serde_json::from_slice(&secrets)
        .map_err(|_| format!("the secrets of {row} are unreadable"))?;
    let kind = kind(&account.kind).ok_or_else(|| format!("{} is no channel", account.kind))?;
    let settings = Settings::join(account.settings.clone(), secrets);
    match (kind.open)(&settings, &Addresses::default()) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn endpoint_opens(vault: &Vault, endpoint: &Endpoint) -> Result<(), String> {
    let row = endpoint.id.to_string();
    let opened = vault.unseal(
        endpoint.merchant,
        &secret_place(&row),
        &endpoint.sealed_secret,
    );
    opened.map(|_| ()).map_err(|error| error.to_string())
}
