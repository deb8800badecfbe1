//! `tongbao bench`: how fast this gateway is on this machine, measured on the
//! real program over real sockets and a real disk.
//!
//! `docs/performance.md` says what each number means.

mod flush;
mod gateway;
mod http;
mod latency;
mod load;
mod order;
mod phases;
mod platform;
mod report;
mod stopwatch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use gateway::Home;
use latency::median;
use phases::Bench;
use platform::Channel;
use report::{Measure, Memory, OneAtATime, Ratio, Report, Settings, Start, UnderLoad, micros};
use stopwatch::per_second;

/// The account that believes a notification's signature.
const SIGNATURE: &str = "signature";
/// The account that asks the platform first.
const QUERY: &str = "query";

/// So many requests show how long one takes.
const ONE_AT_A_TIME: usize = 500;

/// Measure how fast the gateway is on this machine.
///
/// Starts this program as a server with a new database, plays the platform, and
/// sends requests over the loopback. Everything is gone afterwards.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Requests in a phase, at most; a phase ends after 2.5 seconds.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    requests: u32,
    /// How often everything is measured; the medians are reported.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Requests under way at once.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=256))]
    connections: u32,
    /// Payments that are in the database before anything is measured.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=20_000_000))]
    stored: u32,
    /// Where the database is made, in a directory of its own; beside this
    /// program when not said. What the disk there can do is part of the result.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Measures, and prints what it found.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    // The load has a thread and a runtime of its own.
    #[expect(clippy::disallowed_methods, reason = "the program itself spawns")]
    tokio::task::spawn_blocking(move || print(&args)).await??;
    Ok(ExitCode::SUCCESS)
}

fn print(args: &Args) -> anyhow::Result<()> {
    let scratch = Scratch::new(args.dir.as_deref())?;
    let progress = progress(args.rounds)?;
    let report = measure(args, &scratch.dir, &progress)?;
    progress.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

fn measure(args: &Args, dir: &Path, progress: &ProgressBar) -> anyhow::Result<Report> {
    let disk_flush_micros = micros(flush::median_flush(dir)?);
    let channel = Channel::open()?;
    let accounts = [(SIGNATURE, SIGNATURE), (QUERY, QUERY)];
    let home = Home::new(dir, channel.address, &channel.account, &accounts)?;
    let gateway = home.start()?;
    let new = gateway.start;
    let at_rest = gateway.memory_kib();
    let mut bench = Bench {
        gateway: &gateway,
        channel: &channel,
        connections: usize::try_from(args.connections)?,
        orders: 0,
    };
    fill(&mut bench, usize::try_from(args.stored)?, progress)?;
    let requests = usize::try_from(args.requests)?;
    let mut rounds = Rounds::default();
    for _ in 0..args.rounds {
        rounds.add(&mut bench, requests, progress)?;
    }
    progress.set_message("one at a time");
    bench.connections = 1;
    let one_at_a_time = one_at_a_time(&mut bench)?;
    progress.inc(1);
    let at_the_end = gateway.memory_kib();
    drop(gateway);
    let again = starts_again(&home)?;
    Ok(Report {
        settings: Settings {
            requests,
            rounds: usize::try_from(args.rounds)?,
            connections: usize::try_from(args.connections)?,
            stored: usize::try_from(args.stored)?,
            processors: std::thread::available_parallelism()?.get(),
        },
        disk_flush_micros,
        under_load: rounds.medians(),
        one_at_a_time,
        memory_kib: at_rest
            .zip(at_the_end)
            .map(|((at_rest, _), (now, most))| Memory {
                at_rest,
                at_the_end: now,
                most,
            }),
        start_micros: Start {
            new: micros(new),
            again: micros(again),
        },
    })
}

/// So many payments, before anything is measured.
fn fill(bench: &mut Bench<'_>, stored: usize, progress: &ProgressBar) -> anyhow::Result<()> {
    const AT_ONCE: usize = 20_000;
    for before in (0..stored).step_by(AT_ONCE) {
        progress.set_message(format!("{before} of {stored} payments are stored"));
        bench.fill(AT_ONCE.min(stored - before))?;
    }
    Ok(())
}

/// What each round found.
#[derive(Default)]
struct Rounds {
    empty: Vec<Measure>,
    signature: Vec<Measure>,
    signature_ratio: Vec<Ratio>,
    no_order: Vec<Measure>,
    no_order_ratio: Vec<Ratio>,
    query: Vec<Measure>,
    query_ratio: Vec<Ratio>,
    query_paid: Vec<u64>,
    payment: Vec<Measure>,
    attempt: Vec<Measure>,
}

impl Rounds {
    /// Empty replies stand right before the notifications that are held against
    /// them: what else the machine does meanwhile hits both alike.
    fn add(
        &mut self,
        bench: &mut Bench<'_>,
        requests: usize,
        progress: &ProgressBar,
    ) -> anyhow::Result<()> {
        progress.set_message("payments");
        self.payment.push(bench.payments(requests)?);
        progress.inc(1);
        for account in [SIGNATURE, QUERY] {
            progress.set_message(format!("payments with attempts, confirm = {account}"));
            let (measure, numbers) = bench.attempts(requests, account)?;
            self.attempt.push(measure);
            let messages = bench.messages(&numbers)?;
            let paid_before = bench.paid()?;
            progress.set_message("empty replies");
            let empty = bench.empty(requests)?;
            progress.set_message(format!("notifications, confirm = {account}"));
            self.empty.push(empty);
            let ratio = |told: Measure| Ratio::new(told.per_second, empty.per_second);
            let all = messages.len();
            if account == SIGNATURE {
                let (in_order, in_no_order) = order::halves(messages);
                let told = bench.notifications(&in_order)?;
                self.signature.push(told);
                self.signature_ratio.push(ratio(told));
                let told = bench.notifications(&in_no_order)?;
                self.no_order.push(told);
                self.no_order_ratio.push(ratio(told));
                let paid = bench.paid()? - paid_before;
                ensure!(
                    paid == all,
                    "{all} notifications were answered, {paid} applied"
                );
            } else {
                let watch = stopwatch::Stopwatch::start();
                let told = bench.notifications(&messages)?;
                bench.settle(paid_before + all)?;
                let paid = per_second(all, watch.elapsed());
                self.query.push(told);
                self.query_ratio.push(ratio(told));
                self.query_paid.push(paid);
            }
            progress.set_message("until nothing is left to be asked");
            bench.rest()?;
            progress.inc(1);
        }
        Ok(())
    }

    fn medians(&self) -> UnderLoad {
        let ratio = |rounds: &[Ratio]| median(rounds.iter().copied()).unwrap_or(Ratio::new(0, 1));
        UnderLoad {
            empty: Measure::median(&self.empty),
            notification_signature: Measure::median(&self.signature),
            notification_signature_ratio: ratio(&self.signature_ratio),
            notification_in_no_order: Measure::median(&self.no_order),
            notification_in_no_order_ratio: ratio(&self.no_order_ratio),
            notification_query: Measure::median(&self.query),
            notification_query_ratio: ratio(&self.query_ratio),
            notification_query_paid_per_second: median(self.query_paid.iter().copied())
                .unwrap_or_default(),
            payment: Measure::median(&self.payment),
            payment_with_attempt: Measure::median(&self.attempt),
        }
    }
}

fn one_at_a_time(bench: &mut Bench<'_>) -> anyhow::Result<OneAtATime> {
    let empty = bench.empty(ONE_AT_A_TIME)?;
    let channel = bench.channel_alone(ONE_AT_A_TIME)?;
    let payment = bench.payments(ONE_AT_A_TIME)?;
    let (payment_with_attempt, numbers) = bench.attempts(ONE_AT_A_TIME, SIGNATURE)?;
    let messages = bench.messages(&numbers)?;
    let notification_signature = bench.notifications(&messages)?;
    Ok(OneAtATime {
        empty,
        channel,
        payment,
        payment_with_attempt,
        added_micros: payment_with_attempt
            .median_micros
            .saturating_sub(channel.median_micros),
        notification_signature,
    })
}

/// The middle of a few starts with the database as the bench left it.
fn starts_again(home: &Home) -> anyhow::Result<Duration> {
    let mut starts = Vec::new();
    for _ in 0..5 {
        starts.push(home.start()?.start);
    }
    median(starts).context("no start")
}

/// A directory that goes with the bench.
struct Scratch {
    dir: PathBuf,
}

impl Scratch {
    fn new(parent: Option<&Path>) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let parent = match parent {
            Some(parent) => parent,
            None => program.parent().context("this program lies nowhere")?,
        };
        let dir = parent.join(format!("tongbao-bench-{}", std::process::id()));
        std::fs::create_dir(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        // The server's config wants to know where it is, wherever that is from.
        let dir = std::fs::canonicalize(dir)?;
        Ok(Self { dir })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A bench's rubbish is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Three steps a round, and one at the end.
fn progress(rounds: u32) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}")?;
    Ok(ProgressBar::new(u64::from(rounds) * 3 + 1).with_style(style))
}
