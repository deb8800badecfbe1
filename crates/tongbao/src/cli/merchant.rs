//! `tongbao merchant`, `tongbao key`

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use tongbao_core::merchant::Merchant;
use tongbao_engine::Engine;

use super::settings;
use crate::config::{Config, ConfigError};
use crate::declared::merchant;
use crate::gateway::Gateway;

/// Adds and lists merchants, and changes what they decided.
#[derive(Debug, Subcommand)]
pub(super) enum MerchantCommand {
    /// Adds a merchant. The gateway must not be running.
    Add {
        /// What payers read on the checkout page.
        name: String,
    },
    /// Lists the merchants. The gateway must not be running.
    List,
    Settings(settings::Args),
}

/// Makes keys for the merchant API.
///
/// The gateway must not be running.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Makes a key and prints it: the only time that it can be seen.
    #[command(after_help = "Example:\n  tongbao key add default > ~/.tongbao-key")]
    Add {
        /// The merchant's name or id.
        merchant: String,
    },
}

pub(super) async fn run(
    command: MerchantCommand,
    config: impl FnOnce() -> Result<Config, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let new = match command {
        MerchantCommand::Settings(args) => return settings::run(args).await,
        MerchantCommand::Add { name } => Some(name),
        MerchantCommand::List => None,
    };
    let gateway = open(&config()?).await?;
    let engine = gateway.engine();
    match new {
        Some(name) => {
            if merchant(engine, name.trim()).await?.is_some() {
                bail!("there is a merchant named {name:?}; choose another name");
            }
            println!("{}", engine.create_merchant(&name).await?.id);
        }
        None => {
            for merchant in engine.store().merchants().await? {
                println!("{}  {}", merchant.id, merchant.name);
            }
        }
    }
    gateway.close().await;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run_key(command: KeyCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let KeyCommand::Add { merchant: wanted } = command;
    let gateway = open(config).await?;
    let engine = gateway.engine();
    let merchant = named(engine, &wanted).await?;
    println!("{}", engine.create_api_key(merchant.id).await?);
    gateway.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The merchant of that name or id.
pub(super) async fn named(engine: &Engine, wanted: &str) -> anyhow::Result<Merchant> {
    let found = match wanted.parse() {
        Ok(id) => engine.store().merchant(id).await?,
        Err(_) => merchant(engine, wanted).await?,
    };
    found.with_context(|| {
        format!("there is no merchant {wanted:?}; tongbao merchant list shows all")
    })
}

pub(super) async fn open(config: &Config) -> anyhow::Result<Gateway> {
    crate::logs::start(&config.log);
    crate::process::harden(config.limits);
    Gateway::open(config).await
}
