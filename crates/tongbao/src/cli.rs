//! The commands.

mod completions;
mod pay;
mod simulate;
mod stop;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// 通宝: a self-hosted payment gateway for merchants in China.
#[derive(Debug, Parser)]
#[command(name = "tongbao", version, after_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Cli {
    /// The configuration; ./tongbao.toml when it exists.
    ///
    /// tongbao.example.toml explains every setting. Environment variables are above the file:
    /// `TONGBAO_LISTEN`, `TONGBAO_LOG__LEVEL`, …
    #[arg(
        long,
        short,
        global = true,
        env = "TONGBAO_CONFIG",
        value_name = "FILE"
    )]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tongbao serve                            the gateway, on http://127.0.0.1:8080
  tongbao simulate                         the platforms, played on http://127.0.0.1:8100
  tongbao check                            tries every channel's keys
  tongbao pay 0.01                         shows a QR code and waits until it is paid
  tongbao key add default                  a new key for the merchant API
  tongbao completions zsh > ~/.zfunc/_tongbao";

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays the platforms, for any client.
    Simulate(simulate::Args),
    /// Asks for a payment, shows its QR code here, and waits until it is paid.
    Pay(pay::Args),
    /// Prints completions for a shell.
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
    match cli.command {
        Command::Simulate(args) => simulate::run(args).await,
        Command::Pay(args) => pay::run(args).await,
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
