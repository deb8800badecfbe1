//! The commands.

mod api;
mod attack;
mod audit;
mod check;
mod completions;
mod gateway;
mod merchant;
mod migrate;
mod pay;
mod refund;
mod serve;
mod settings;
mod shop;
mod simulate;
mod stop;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::{bench, demo};

/// 通宝: a self-hosted payment gateway for merchants in China.
#[derive(Debug, Parser)]
#[command(name = "tongbao", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The configuration; ./tongbao.toml when it exists.
    #[arg(
        long,
        short,
        global = true,
        env = "TONGBAO_CONFIG",
        value_name = "FILE"
    )]
    #[arg(long_help = CONFIG_HELP)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const CONFIG_HELP: &str = "\
The configuration; ./tongbao.toml when it exists.

tongbao.example.toml explains every setting. Environment variables are above the file: \
TONGBAO_LISTEN, TONGBAO_LOG__LEVEL, …";

const EXAMPLES: &str = "\
Examples:
  tongbao demo                             gateway, platforms and a shop to try it all
  tongbao serve                            the gateway, on http://127.0.0.1:8080
  tongbao simulate                         the platforms, played on http://127.0.0.1:8100
  tongbao check                            tries every channel's keys
  tongbao audit                            does everything in the database add up?
  tongbao pay 0.01                         shows a QR code and waits until it is paid
  tongbao refund pay_… 0.01                gives money back and waits until it has gone
  tongbao watch                            what happens, as it happens
  tongbao merchant settings                what goes back without a person, and what is kept
  tongbao key add default                  a new key for the merchant API
  tongbao attack http://127.0.0.1:8080/notify/… --list   forged notifications, for any gateway
  tongbao completions zsh > ~/.zfunc/_tongbao";

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    Simulate(simulate::Args),
    Pay(pay::Args),
    Refund(refund::Args),
    Watch(watch::Args),
    Check(check::Args),
    Audit(audit::Args),
    Migrate(migrate::Args),
    #[command(subcommand)]
    Merchant(merchant::MerchantCommand),
    #[command(subcommand)]
    Key(merchant::KeyCommand),
    #[command(subcommand)]
    Store(shop::StoreCommand),
    #[command(subcommand)]
    Till(shop::TillCommand),
    Attack(attack::Args),
    Bench(bench::Args),
    Completions(completions::Args),
}

/// What the program does; the exit code is the operating system's to have.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let code = match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    };
    // A name that is still being looked up must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = || Config::load(cli.config.as_deref(), environment());
    match cli.command {
        Command::Demo(args) => demo::run(args, stop::on_signal()?).await,
        Command::Serve(args) => serve::run(args, &config()?).await,
        Command::Simulate(args) => simulate::run(args).await,
        Command::Pay(args) => pay::run(args).await,
        Command::Refund(args) => refund::run(args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Check(args) => check::run(args, &config()?).await,
        Command::Audit(args) => audit::run(args, &config()?),
        Command::Migrate(args) => migrate::run(&args, &config()?),
        Command::Merchant(command) => merchant::run(command, config).await,
        Command::Key(command) => merchant::run_key(command, &config()?).await,
        Command::Store(command) => shop::run(command, &config()?).await,
        Command::Till(command) => shop::run_till(command, &config()?).await,
        Command::Attack(args) => attack::run(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::Completions(args) => Ok(completions::run(&args)),
    }
}

/// Variables that are not text cannot be ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("tongbao: {error:#}");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_has_no_contradictions() {
        super::Cli::command().debug_assert();
    }
}
