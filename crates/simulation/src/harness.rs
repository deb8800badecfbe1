//! Runs seeds: one as a story, many on all cores, those that once failed, and
//! every planted mistake.

use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::coverage::{self, Meeting, Meetings};
use crate::seed::Plan;
use crate::shrink;
use crate::world::Outcome;

/// A mistake that is made on purpose.
pub struct Planted {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub what: &'static str,
    /// A day with it.
    pub run: Box<dyn Fn(Plan) -> Outcome + Sync>,
}

/// A world to be run.
pub struct Harness<'a> {
    /// The package that runs it, for the line that runs a seed again.
    pub package: &'a str,
    /// Seeds that once failed, and why: `seed orders invariant what`.
    pub past: &'a str,
    /// A day, told or not.
    pub run: &'a (dyn Fn(Plan, bool) -> Outcome + Sync),
    /// Every mistake that must be found.
    pub planted: Vec<Planted>,
    /// At most so many orders in each run, when not said.
    pub orders: usize,
    /// Meetings that these runs are too few or too small to be sure of.
    pub spared: &'a [Meeting],
}

/// A day of payments from one seed, with everything failing.
#[derive(Parser)]
struct Args {
    /// Run this seed and tell what happened.
    #[arg(long, conflicts_with_all = ["seeds", "minutes"])]
    seed: Option<u64>,
    /// Run these seeds: `0..10000`.
    #[arg(long, value_parser = range)]
    seeds: Option<Range<u64>>,
    /// Run seeds from the first of `--seeds` on, for so long.
    #[arg(long)]
    minutes: Option<u64>,
    /// Run the seeds that once failed.
    #[arg(long, conflicts_with_all = ["seed", "seeds", "minutes", "planted"])]
    past: bool,
    /// Plant each known mistake in turn, and see that it is found.
    #[arg(long, conflicts_with_all = ["seed", "minutes"])]
    planted: bool,
    /// At most so many orders in each run.
    #[arg(long)]
    orders: Option<usize>,
    /// Print the whole story of a seed, not only that of a failure.
    #[arg(long)]
    story: bool,
    /// Threads; as many as there are cores when not said.
    #[arg(long)]
    threads: Option<usize>,
}

impl Harness<'_> {
    /// Does what the command line says.
    pub fn main(&self) -> Result<ExitCode> {
        let args = Args::parse();
        let orders = args.orders.unwrap_or(self.orders);
        if let Some(seed) = args.seed {
            return Ok(self.one(seed, orders, args.story));
        }
        if args.past {
            self.past()?;
        } else if args.planted {
            self.planted(args.seeds.clone().unwrap_or(0..200), orders)?;
        } else {
            let seeds = args.seeds.clone().unwrap_or(0..1_000);
            self.many(&args, seeds, orders)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn one(&self, seed: u64, orders: usize, story: bool) -> ExitCode {
        let plan = Plan::draw(seed, orders);
        println!("seed {seed}: {plan}\n");
        let outcome = (self.run)(plan.clone(), true);
        if outcome.violations.is_empty() {
            if story {
                println!("{}\n", outcome.lines.join("\n"));
            }
            summary(&outcome);
            return ExitCode::SUCCESS;
        }
        println!("shrinking …");
        let smaller = shrink::smaller(plan, self.run);
        let outcome = (self.run)(smaller.clone(), true);
        println!(
            "\na smaller day that still fails: {smaller}\n\n{}\n",
            outcome.lines.join("\n")
        );
        for violation in &outcome.violations {
            println!("{violation}");
        }
        println!("\n{}\n\nseed {seed} fails", outcome.evidence.join("\n"));
        ExitCode::FAILURE
    }

    /// What was mended stays mended.
    fn past(&self) -> Result<()> {
        let lines = self
            .past
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut count = 0;
        for line in lines {
            let mut words = line.split_whitespace().map(str::parse::<u64>);
            let (Some(Ok(seed)), Some(Ok(orders))) = (words.next(), words.next()) else {
                bail!("seeds.txt: {line:?} does not begin with a seed and a number of orders");
            };
            let orders = usize::try_from(orders).context("a number of orders")?;
            let outcome = (self.run)(Plan::draw(seed, orders), false);
            if let Some(violation) = outcome.violations.first() {
                bail!("a past failure is back: {line}\n{violation}");
            }
            count += 1;
        }
        println!("{count} past failures stay mended");
        Ok(())
    }

    /// Every planted mistake must be found by one of the seeds.
    fn planted(&self, seeds: Range<u64>, orders: usize) -> Result<()> {
        let mut missed = Vec::new();
        for Planted { name, what, run } in &self.planted {
            let found = seeds.clone().find_map(|seed| {
                let violation = run(Plan::draw(seed, orders)).violations.into_iter().next();
                Some((seed, violation?))
            });
            if let Some((first, seen)) = found {
                let (tried, what) = (first - seeds.start + 1, what.trim());
                println!("{name}: found by seed {tried} ({}): {what}", seen.invariant);
            } else {
                println!("{name}: NOT FOUND: {}", what.trim());
                missed.push(name);
            }
        }
        let all = self.planted.len();
        println!("{} of {all} planted mistakes found", all - missed.len());
        if !missed.is_empty() {
            let tried = seeds.end - seeds.start;
            bail!("not found within {tried} seeds: {missed:?}");
        }
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the harness looks at a real clock; the world does not"
    )]
    fn many(&self, args: &Args, seeds: Range<u64>, orders: usize) -> Result<()> {
        let start = Instant::now();
        let until = args.minutes.map(Duration::from_mins);
        let last = if until.is_some() { u64::MAX } else { seeds.end };
        let bar = if until.is_some() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::new(seeds.end - seeds.start)
        };
        bar.set_style(
            ProgressStyle::with_template("{bar:30} {pos}/{len} seeds  {per_sec}  {elapsed}  {msg}")
                .context("the progress line")?,
        );
        let next = AtomicU64::new(seeds.start);
        let stop = AtomicBool::new(false);
        let sums = Sums::default();
        let failed = Mutex::new(Vec::new());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..args.threads.unwrap_or(cores) {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= last || until.is_some_and(|until| start.elapsed() >= until) {
                            break;
                        }
                        if let Err(what) = self.run_seed(seed, orders, &sums) {
                            let mut failed = failed.lock().expect("no thread panics holding it");
                            failed.push((seed, what));
                            // Enough to work on.
                            stop.fetch_or(failed.len() >= 10, Ordering::Relaxed);
                        }
                        bar.inc(1);
                    }
                });
            }
        });
        bar.finish();
        report(&sums, start.elapsed());
        let failed = failed.into_inner().unwrap_or_default();
        for (seed, what) in &failed {
            println!("seed {seed}: {what}");
        }
        self.reached(&sums)?;
        if let Some((seed, _)) = failed.first() {
            bail!(
                "{} seeds failed\nsee one with: cargo run --release -p {} -- --seed \
             {seed} --orders {orders}",
                failed.len(),
                self.package
            );
        }
        Ok(())
    }

    fn run_seed(&self, seed: u64, orders: usize, sums: &Sums) -> Result<(), String> {
        let outcome = (self.run)(Plan::draw(seed, orders), false);
        let add = |sum: &AtomicU64, n: u64| sum.fetch_add(n, Ordering::Relaxed);
        add(&sums.seeds, 1);
        add(&sums.turns, outcome.turns);
        add(&sums.payments, outcome.payments.0 as u64);
        add(&sums.paid, outcome.payments.1 as u64);
        add(&sums.cases, outcome.cases as u64);
        add(&sums.acknowledged, outcome.acknowledged);
        add(&sums.virtual_secs, outcome.lasted.as_secs());
        add(&sums.faults, outcome.faults);
        let mut meetings = sums.meetings.lock().unwrap_or_else(PoisonError::into_inner);
        for (met, times) in &outcome.meetings {
            *meetings.entry(*met).or_default() += times;
        }
        drop(meetings);
        if let Some(violation) = outcome.violations.first() {
            return Err(violation.to_string());
        }
        if seed.is_multiple_of(COMPARED_EVERY) {
            let again = (self.run)(Plan::draw(seed, orders), false);
            if again.hash != outcome.hash {
                return Err(
                    "two runs of this seed differ: something is not deterministic".to_owned(),
                );
            }
        }
        Ok(())
    }

    /// What the workload met, and what it should have met and did not.
    fn reached(&self, sums: &Sums) -> Result<()> {
        let meetings = sums.meetings.lock().unwrap_or_else(PoisonError::into_inner);
        println!("what met what (what stood how, what came, how, times):");
        for ((state, outcome, source), times) in &*meetings {
            println!("  {state:<21} {outcome:<15} {source:<13} {times}");
        }
        let missing = coverage::missing(&meetings, self.spared);
        if sums.seeds.load(Ordering::Relaxed) >= ENOUGH_SEEDS && !missing.is_empty() {
            bail!("the workload no longer reaches: {}", missing.join("; "));
        }
        Ok(())
    }
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (low, high) = text.split_once("..").ok_or("write it as 0..10000")?;
    let number = |text: &str| {
        text.parse()
            .map_err(|_| format!("{text:?} is not a number"))
    };
    Ok(number(low)?..number(high)?)
}

fn summary(outcome: &Outcome) {
    let (payments, paid) = outcome.payments;
    println!(
        "all invariants held: {payments} payments, {paid} paid, {} cases, {} notifications \
         acknowledged, {} steps, hash {:016x}",
        outcome.cases, outcome.acknowledged, outcome.turns, outcome.hash
    );
}

/// Two runs of a hundred are made twice and compared.
const COMPARED_EVERY: u64 = 50;

#[derive(Default)]
struct Sums {
    seeds: AtomicU64,
    turns: AtomicU64,
    payments: AtomicU64,
    paid: AtomicU64,
    cases: AtomicU64,
    acknowledged: AtomicU64,
    virtual_secs: AtomicU64,
    faults: AtomicU64,
    meetings: Mutex<Meetings>,
}

/// So many seeds reach everything that there is to reach.
const ENOUGH_SEEDS: u64 = 5_000;

fn report(sums: &Sums, took: Duration) {
    let get = |sum: &AtomicU64| sum.load(Ordering::Relaxed);
    let seeds = get(&sums.seeds);
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    println!(
        "{seeds} seeds in {} s, {} a second: {} payments, {} paid, {} cases, {} notifications \
         acknowledged, {} faults, {} days of virtual time, {} steps",
        took.as_secs(),
        seeds * 1_000 / millis,
        get(&sums.payments),
        get(&sums.paid),
        get(&sums.cases),
        get(&sums.acknowledged),
        get(&sums.faults),
        get(&sums.virtual_secs) / 86_400,
        get(&sums.turns),
    );
}
