//! Lets every disk operation fail.
//!
//! `cargo run --release -p tongbao-torture --bin disk -- --seeds 0..9` tries
//! nine days; `--seed 3 --step 7 --operation 12` one operation of one of them.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tongbao_torture::disk_loop::{Bug, Day, Failure, Sums, run};

/// Every disk operation of a day fails in turn.
#[derive(Parser)]
struct Args {
    /// Try this day alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Try these days: `0..9`.
    #[arg(long, value_parser = range, default_value = "0..9")]
    seeds: Range<u64>,
    /// In the day of `--seed`, this step alone.
    #[arg(long, requires = "seed", requires = "operation")]
    step: Option<usize>,
    /// And this operation of it.
    #[arg(long, requires = "step")]
    operation: Option<u64>,
    /// Power cuts at each operation.
    #[arg(long, default_value_t = 8)]
    cuts: u64,
    /// Plant each known mistake in turn, and see that it is found.
    #[arg(long)]
    planted: bool,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (low, high) = text.split_once("..").ok_or("write it as 0..9")?;
    let number = |text: &str| {
        text.parse()
            .map_err(|_| format!("{text:?} is not a number"))
    };
    Ok(number(low)?..number(high)?)
}

fn main() -> Result<()> {
    let args = Args::parse();
    if args.planted {
        return planted(&args);
    }
    let seeds = args.seed.map_or(args.seeds.clone(), |seed| seed..seed + 1);
    let day = |seed| Day {
        seed,
        cuts: args.cuts,
        only: args.step.zip(args.operation),
        bug: None,
    };
    many(seeds, day)
}

fn planted(args: &Args) -> Result<()> {
    for bug in Bug::ALL {
        let found = args.seeds.clone().find_map(|seed| {
            let day = Day {
                seed,
                cuts: args.cuts,
                only: None,
                bug: Some(bug),
            };
            run(day, &mut Sums::default()).err()
        });
        match found {
            Some(failure) => println!("{bug:?}: found: {failure}"),
            None => bail!("{bug:?}: NOT FOUND in seeds {:?}", args.seeds),
        }
    }
    println!("{} of {0} planted mistakes found", Bug::ALL.len());
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the harness looks at a real clock; the disk does not"
)]
fn many(seeds: Range<u64>, day: impl Fn(u64) -> Day + Sync) -> Result<()> {
    let start = Instant::now();
    let bar = ProgressBar::new(seeds.end - seeds.start);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} days  {elapsed}  {msg}");
    bar.set_style(style.context("the progress line")?);
    let next = AtomicU64::new(seeds.start);
    let totals = Mutex::new((Sums::default(), Vec::<Failure>::new()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let mut sums = Sums::default();
                    let outcome = run(day(seed), &mut sums);
                    let mut totals = totals.lock().expect("no thread panics holding it");
                    totals.0.operations += sums.operations;
                    totals.0.runs += sums.runs;
                    bar.set_message(format!("{} crashes", totals.0.runs));
                    if let Err(failure) = outcome {
                        // Not by the bar: where nobody looks at it, it says nothing.
                        bar.suspend(|| println!("{failure}"));
                        totals.1.push(failure);
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish();
    let (sums, failures) = totals.into_inner().expect("no thread panics holding it");
    let millis = u64::try_from(start.elapsed().as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    println!(
        "{} crashes recovered from and verified in {} s, {} a second: every one of {} disk \
         operations failed in every way",
        sums.runs,
        millis / 1_000,
        sums.runs * 1_000 / millis,
        sums.operations
    );
    if let Some(first) = failures.first() {
        bail!(
            "{} days failed\nsee one with: cargo run --release -p tongbao-torture --bin disk -- \
             --seed {} --step {} --operation {}",
            failures.len(),
            first.seed,
            first.step,
            first.operation
        );
    }
    Ok(())
}
