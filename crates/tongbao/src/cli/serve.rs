//! `tongbao serve`

use std::process::ExitCode;

use crate::config::Config;
use crate::gateway::{Gateway, Listeners};

/// Runs the gateway.
///
/// On SIGTERM or Ctrl-C it takes nothing new, finishes what it holds, and ends; the second time it
/// ends at once. Nothing that was acknowledged is lost either way.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The first start makes the data directory, the master key and the database; without any merchant
also a first one, whose API key it prints once.")]
pub(super) struct Args {}

pub(super) async fn run(_: Args, config: &Config) -> anyhow::Result<ExitCode> {
    crate::logs::start(&config.log);
    crate::process::harden(config.limits);
    let stop = super::stop::on_signal()?;
    let listeners = Listeners::bind(config).await?;
    // Port 0 lets the system choose; from here on the choice counts.
    let config = Config {
        listen: listeners.public.local_addr()?,
        ..config.clone()
    };
    let gateway = Gateway::open(&config).await?;
    welcome(&gateway, &config).await?;
    tracing::info!(
        listen = %config.listen,
        public_url = config.public_url(),
        version = env!("CARGO_PKG_VERSION"),
        "ready"
    );
    gateway.run(listeners, stop).await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Without any merchant nobody could do anything: makes the first one. Its key
/// goes to the terminal alone, never to the log.
async fn welcome(gateway: &Gateway, config: &Config) -> anyhow::Result<()> {
    let engine = gateway.engine();
    if !engine.store().merchants().await?.is_empty() {
        return Ok(());
    }
    let merchant = engine.create_merchant("default").await?;
    let key = engine.create_api_key(merchant.id).await?;
    let url = config.public_url();
    println!(
        "A merchant named \"default\" was made. Its API key, shown this once:

  {key}

Try it:

  curl {url}/v1/payments \\
    -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{\"merchant_order_no\":\"1\",\"amount\":1,\"subject\":\"Hello\"}}'

All calls: {url}/docs
"
    );
    Ok(())
}
