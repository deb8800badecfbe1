//! Merchants, channels, shops and tills that the configuration declares.

use anyhow::{Context, ensure};
use tongbao_core::channel::ChannelAccount;
use tongbao_core::merchant::{Merchant, PolicyPatch};
use tongbao_core::shop::Shop;
use tongbao_engine::{ChannelPatch, Engine, NewChannel};

use crate::config::{DeclaredChannel, DeclaredMerchant, DeclaredStore};

/// Makes what is declared and not there, found by its name, and brings channels
/// that are there to what is declared.
pub(crate) async fn apply(engine: &Engine, declared: &[DeclaredMerchant]) -> anyhow::Result<()> {
    for declared in declared {
        apply_merchant(engine, declared)
            .await
            .with_context(|| format!("merchant {:?} of the configuration", declared.name))?;
    }
    Ok(())
}

/// The merchant of that name.
pub(crate) async fn merchant(engine: &Engine, name: &str) -> anyhow::Result<Option<Merchant>> {
    let merchants = engine.store().merchants().await?;
    Ok(merchants.into_iter().find(|merchant| merchant.name == name))
}

async fn apply_merchant(engine: &Engine, declared: &DeclaredMerchant) -> anyhow::Result<()> {
    let merchant = match merchant(engine, &declared.name).await? {
        Some(merchant) => merchant,
        None => engine.create_merchant(&declared.name).await?,
    };
    let merchant = engine.update_policy(&merchant, policy(declared)).await?;
    if let Some(key) = &declared.api_key {
        engine.insert_api_key(merchant.id, key.expose()).await?;
    }
    let accounts = engine.store().channels(merchant.id).await?;
    for channel in &declared.channels {
        let account = accounts.iter().find(|account| account.name == channel.name);
        apply_channel(engine, &merchant, account, channel)
            .await
            .with_context(|| format!("channel {:?}", channel.name))?;
    }
    for store in &declared.stores {
        apply_store(engine, &merchant, store)
            .await
            .with_context(|| format!("store {:?}", store.name))?;
    }
    Ok(())
}

async fn apply_store(
    engine: &Engine,
    merchant: &Merchant,
    declared: &DeclaredStore,
) -> anyhow::Result<()> {
    let shop = if let Some(shop) = shop(engine, merchant, &declared.name).await? {
        shop
    } else {
        let made = engine.create_store(merchant.id, &declared.name, None);
        made.await?.answer
    };
    for till in &declared.tills {
        if let Some(key) = &till.key {
            engine
                .insert_till(merchant.id, shop.id, &till.name, key.expose())
                .await
                .with_context(|| format!("till {:?}", till.name))?;
        }
    }
    Ok(())
}

/// The merchant's shop of that name.
pub(crate) async fn shop(
    engine: &Engine,
    merchant: &Merchant,
    name: &str,
) -> anyhow::Result<Option<Shop>> {
    let shops = engine.store().shops(merchant.id).await?;
    Ok(shops.into_iter().find(|shop| shop.name == name.trim()))
}

fn policy(declared: &DeclaredMerchant) -> PolicyPatch {
    let limits = declared.auto_refund;
    PolicyPatch {
        accept_late: declared.accept_late,
        auto_refund: limits.enabled,
        refund_per_case_fen: limits.per_case_fen,
        refund_per_day_fen: limits.per_day_fen,
    }
}

async fn apply_channel(
    engine: &Engine,
    merchant: &Merchant,
    account: Option<&ChannelAccount>,
    declared: &DeclaredChannel,
) -> anyhow::Result<()> {
    let Some(account) = account else {
        let new = NewChannel {
            kind: declared.kind.clone(),
            name: declared.name.clone(),
            settings: declared.settings_json(),
            confirm: declared.confirm,
            enabled: declared.enabled,
        };
        engine.create_channel(merchant.id, new, None).await?;
        return Ok(());
    };
    ensure!(
        account.kind == declared.kind,
        "it is of kind {} in the database; give the new one another name",
        account.kind
    );
    let patch = ChannelPatch {
        name: None,
        settings: Some(declared.settings_json()),
        confirm: Some(declared.confirm),
        enabled: Some(declared.enabled),
    };
    engine
        .update_channel(merchant.id, account.id, patch)
        .await?;
    Ok(())
}
