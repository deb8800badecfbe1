//! `tongbao store`, `tongbao till`

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use tongbao_core::merchant::Merchant;
use tongbao_core::shop::Shop;
use tongbao_engine::Engine;

use super::merchant::{named, open};
use crate::config::Config;
use crate::declared::shop;

/// Adds and lists a merchant's shops.
///
/// The gateway must not be running.
#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Adds a shop.
    Add {
        /// The merchant's name or id.
        merchant: String,
        /// What people call the shop.
        name: String,
    },
    /// Lists the shops.
    List {
        /// The merchant's name or id.
        merchant: String,
    },
}

/// Adds, lists and revokes a shop's tills.
///
/// The gateway must not be running.
#[derive(Debug, Subcommand)]
pub(super) enum TillCommand {
    /// Adds a till and prints its key: the only time that it can be seen. It opens /pos.
    #[command(after_help = "Example:\n  tongbao till add default 南京路店 \"1 号收银台\"")]
    Add {
        /// The merchant's name or id.
        merchant: String,
        /// The shop's name or id.
        store: String,
        /// What people call the till.
        name: String,
    },
    /// Lists a shop's tills, with the beginnings of their keys.
    List {
        /// The merchant's name or id.
        merchant: String,
        /// The shop's name or id.
        store: String,
    },
    /// Revokes a till's key, for ever.
    Revoke {
        /// The merchant's name or id.
        merchant: String,
        /// The till's id, til_…
        till: String,
    },
}

pub(super) async fn run(command: StoreCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let gateway = open(config).await?;
    let engine = gateway.engine();
    match command {
        StoreCommand::Add { merchant, name } => {
            let merchant = named(engine, &merchant).await?;
            let made = engine.create_store(merchant.id, &name, None).await?;
            println!("{}", made.answer.id);
        }
        StoreCommand::List { merchant } => {
            let merchant = named(engine, &merchant).await?;
            for shop in engine.store().shops(merchant.id).await? {
                println!("{}  {}", shop.id, shop.name);
            }
        }
    }
    gateway.close().await;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run_till(command: TillCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let gateway = open(config).await?;
    let engine = gateway.engine();
    match command {
        TillCommand::Add {
            merchant,
            store,
            name,
        } => {
            let merchant = named(engine, &merchant).await?;
            let shop = shop_named(engine, &merchant, &store).await?;
            let made = engine
                .create_till(merchant.id, shop.id, &name, None)
                .await?;
            let key = made.key.context("a new till has a key")?;
            println!("{}", key.as_str());
        }
        TillCommand::List { merchant, store } => {
            let merchant = named(engine, &merchant).await?;
            let shop = shop_named(engine, &merchant, &store).await?;
            for till in engine.store().tills(merchant.id, shop.id).await? {
                let revoked = till.revoked_at.map_or("", |_| "  (revoked)");
                println!("{}  {}…  {}{revoked}", till.id, till.hint, till.name);
            }
        }
        TillCommand::Revoke { merchant, till } => {
            let merchant = named(engine, &merchant).await?;
            let id = till.parse().with_context(|| {
                format!("{till:?} is no id of a till; tongbao till list shows them")
            })?;
            engine.revoke_till(merchant.id, id, None).await?;
            println!("{id} is revoked");
        }
    }
    gateway.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn shop_named(engine: &Engine, merchant: &Merchant, wanted: &str) -> anyhow::Result<Shop> {
    let found = match wanted.parse() {
        Ok(id) => engine.store().shop(merchant.id, id).await?,
        Err(_) => shop(engine, merchant, wanted).await?,
    };
    found.with_context(|| {
        format!(
            "{} has no store {wanted:?}; tongbao store list shows all",
            merchant.name
        )
    })
}
