//! `tongbao simulate`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use tokio::net::TcpListener;
use tongbao_engine::Mint;
use tongbao_simulator::server::{Certificates, Simulator, serve_with_tls, system_clock};
use tongbao_simulator::{NotifySchedule, Platform};

use crate::config::Log;
use crate::seams::OsMint;

/// Plays the platforms, for any client.
///
/// They are at their real paths: a client only needs another base URL. The phone that scans and
/// pays is the page at `/`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tongbao simulate
  tongbao simulate --state sim.json --speed 60     an hour in a minute, kept over restarts
  tongbao simulate --tls-listen 127.0.0.1:8143     client certificates, as at the platform
  tongbao simulate --manual                        time moves by POST /_sim/clock alone
  curl http://127.0.0.1:8100/_sim/credentials      accounts to try with")]
pub(super) struct Args {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8100")]
    listen: SocketAddr,
    /// Listens with TLS as well, as the platform does: refunds and reversals then need the
    /// merchant's certificate, which /_sim/credentials hands out.
    #[arg(long, value_name = "ADDRESS")]
    tls_listen: Option<SocketAddr>,
    /// Keeps the platforms in this file; in memory without it.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How many seconds pass in one.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    speed: u32,
    /// Time stands still until it is moved.
    #[arg(long, conflicts_with = "speed")]
    manual: bool,
    /// When notifications are repeated.
    #[arg(long, value_enum)]
    schedule: Option<Schedule>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Schedule {
    /// Fifteen repetitions over a day, as published since 2019.
    Current,
    /// Nine over three and a half hours, as published before.
    Older,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    crate::logs::start(&Log::default());
    let stop = super::stop::on_signal()?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let simulator = match args.state {
        Some(file) => Simulator::open(file, seed(), system_clock)?,
        None => Simulator::new(Platform::new(seed()), system_clock),
    };
    simulator.act(|platform, now| {
        platform.set_speed(now, if args.manual { 0 } else { args.speed });
        if let Some(schedule) = args.schedule {
            let mut settings = platform.settings().clone();
            settings.notify_schedule = match schedule {
                Schedule::Current => NotifySchedule::Current,
                Schedule::Older => NotifySchedule::Older,
            };
            platform.set_settings(settings);
        }
    });
    let address = listener.local_addr()?;
    println!("The phone:      http://{address}/");
    println!("Test accounts:  http://{address}/_sim/credentials");
    simulator.act(|platform, _| {
        let mut settings = platform.settings().clone();
        settings.public_url = Some(format!("http://{address}"));
        platform.set_settings(settings);
    });
    let tls = match args.tls_listen {
        Some(listen) => Some(tls(listen, &simulator).await?),
        None => None,
    };
    serve_with_tls(listener, tls, simulator, stop.cancelled_owned()).await?;
    Ok(ExitCode::SUCCESS)
}

async fn tls(
    listen: SocketAddr,
    simulator: &Simulator,
) -> anyhow::Result<(TcpListener, Certificates)> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    if !address.ip().is_unspecified() && !hosts.contains(&address.ip().to_string()) {
        hosts.push(address.ip().to_string());
    }
    let certificates = Certificates::make(simulator, &hosts)?;
    println!("With TLS:       https://{address}/");
    Ok((listener, certificates))
}

fn seed() -> u64 {
    let mut bytes = [0; 8];
    OsMint::default().fill(&mut bytes);
    u64::from_be_bytes(bytes)
}
