//! `tongbao watch`

mod feed;
mod line;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use tongbao_engine::Clock;

use self::feed::{Feed, Read};
use super::api::{Api, Refused};
use super::gateway::GatewayArgs;
use crate::seams::SystemClock;

/// Shows what happens at a running gateway, as it happens: payments, attempts, refunds, cases,
/// webhooks.
///
/// Begins with what happens from now on, or with --payment at the beginning of that payment. It
/// asks the gateway every second and goes on after the gateway has been away. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  TONGBAO_API_KEY=sk_… tongbao watch
  tongbao watch --payment pay_01kb2v7q4w8z3n5m6r7t9x1c2d
  tongbao watch --json | jq 'select(.type == \"webhook\")'")]
pub(super) struct Args {
    #[command(flatten)]
    gateway: GatewayArgs,
    /// Follows this one alone.
    #[arg(long, value_name = "pay_…")]
    payment: Option<String>,
    /// One object a line, for programs.
    #[arg(long)]
    json: bool,
}

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A gateway that is away is not asked more seldom than that.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(30);

impl Read for Api {
    async fn read<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.get(path).await
    }
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let stop = super::stop::on_signal()?;
    let api = Api::new(&args.gateway)?;
    // In a path it must stay one segment.
    let only = args.payment.as_deref().map(str::parse).transpose()?;
    let feed = Feed::new(api, only);
    match stop.run_until_cancelled(watch(feed, args.json)).await {
        None => Ok(ExitCode::SUCCESS),
        Some(ended) => ended.map(|()| ExitCode::SUCCESS),
    }
}

/// Ends when nobody reads any more, or the gateway says no.
async fn watch(mut feed: Feed<Api>, json: bool) -> anyhow::Result<()> {
    let mut failures = 0;
    let mut first = true;
    loop {
        match feed.look().await {
            Ok(news) => {
                if failures > 0 {
                    eprintln!("connected again");
                }
                failures = 0;
                for one in news {
                    let text = if json { one.json() } else { one.line() };
                    if writeln!(std::io::stdout(), "{text}").is_err() {
                        return Ok(());
                    }
                }
            }
            Err(error) if first || is_final(&error) => return Err(error),
            Err(error) => {
                if failures == 0 {
                    eprintln!("connection lost ({error:#}); trying again");
                }
                failures += 1;
            }
        }
        if first && !json {
            eprintln!("watching; Ctrl-C ends it");
        }
        first = false;
        SystemClock.sleep(wait(failures)).await;
    }
}

/// After so many looks in a row that failed; twice as long with each.
fn wait(failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
    LOOK_EVERY.saturating_mul(factor).min(LOOK_AT_LEAST_EVERY)
}

/// The gateway would say the same again.
fn is_final(error: &anyhow::Error) -> bool {
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    error
        .downcast_ref::<Refused>()
        .is_some_and(|refused| refused.status.is_client_error() && !later.contains(&refused.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_is_away_is_asked_more_and_more_seldom() {
        let waits = [0, 1, 2, 3, 4, 5, 40].map(|failures| wait(failures).as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }
}
