//! What one notification costs the store when payments are paid in the order in
//! which they were made, and in no order: commits a second, processor time,
//! system calls that write and what they wrote.
//!
//! `cargo bench -p tongbao-store --bench order -- 30000 1000000` measures stores
//! of so many payments, on the disk that holds the target directory.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "a bench is not a library"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::executor::block_on;
use futures::stream;
use tongbao_core::Payment;
use tongbao_store::sqlite::SqliteStore;
use tongbao_store::{Change, Store};

mod notified;
use notified::{make, notified, people};

/// Callers while payments are made: nobody's time.
const MAKERS: usize = 1024;

/// Callers that pay: as many as `tongbao bench` has connections.
const WAITING: usize = 128;

/// Payments that are paid in one measurement, at most.
const PAID: usize = 20_000;

/// Behind the places of what is paid in order.
const PLACES: u64 = PAID as u64 + 1;

fn main() {
    // `cargo bench` adds flags of its own.
    let sizes: Vec<u64> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        vec![30_000]
    } else {
        sizes
    };
    println!("payments   order        commits/s  CPU µs  writes  KiB written  (each, a commit)");
    for size in sizes {
        measure(size);
    }
}

fn measure(size: u64) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::tempdir_in(target).unwrap();
    let store = SqliteStore::open(&directory.path().join("tongbao.db")).unwrap();
    block_on(people::open_shop(&store));
    let count = PAID.min(usize::try_from(size / 2).unwrap());
    // Odd ones are paid in order, from the middle on; even ones, all over the
    // place.
    let (mut in_order, mut spread) = (Vec::new(), Vec::new());
    let step = (size / count as u64).max(1);
    let makers = stream::iter(1..=size).map(|number| make(&store, number));
    let mut made = makers.buffered(MAKERS);
    block_on(async {
        let mut number = 0;
        while let Some(payment) = made.next().await {
            number += 1;
            if number % step == 0 && number % 2 == 0 {
                spread.push(payment);
            } else if number > size / 2 && in_order.len() < count / 2 {
                in_order.push(payment);
            }
        }
    });
    shuffle(&mut spread);
    report(&store, size, "in order", changes(&in_order, 1));
    report(&store, size, "in no order", changes(&spread, PLACES));
}

/// What paying them in this order comes to.
fn changes(payments: &[Payment], first: u64) -> Vec<Change> {
    let all = payments.iter().zip(first..);
    all.map(|(payment, place)| notified(payment, place))
        .collect()
}

fn report(store: &SqliteStore, size: u64, order: &str, changes: Vec<Change>) {
    let count = changes.len() as f64;
    let before = Used::now();
    let took = commit(store, changes);
    let used = Used::now();
    let each = |after: u64, before: u64| (after - before) as f64 / count;
    println!(
        "{size:>8}   {order:<11}  {:>9.0}  {:>6.1}  {:>6.1}  {:>11.1}",
        count / took.as_secs_f64(),
        each(used.cpu_nanos, before.cpu_nanos) / 1000.0,
        each(used.writes, before.writes),
        each(used.bytes, before.bytes) / 1024.0,
    );
}

fn commit(store: &SqliteStore, changes: Vec<Change>) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a bench measures the real clock")]
    let begin = Instant::now();
    let commits = stream::iter(changes).map(|change| store.commit(change));
    let all = commits
        .buffer_unordered(WAITING)
        .for_each(async |answer| drop(answer.unwrap()));
    block_on(all);
    begin.elapsed()
}

/// Anywhere, and everywhere the same.
fn shuffle<T>(things: &mut [T]) {
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    for last in (1..things.len()).rev() {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let place = usize::try_from(random >> 33).unwrap() % (last + 1);
        things.swap(last, place);
    }
}

/// What this process has used so far, all of its threads together.
struct Used {
    cpu_nanos: u64,
    writes: u64,
    bytes: u64,
}

impl Used {
    fn now() -> Self {
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        let cpu_nanos = threads
            .map(|thread| {
                let path = thread.unwrap().path().join("schedstat");
                let text = std::fs::read_to_string(path).unwrap();
                text.split(' ').next().unwrap().parse::<u64>().unwrap()
            })
            .sum();
        let io = std::fs::read_to_string("/proc/self/io").unwrap();
        let field = |name: &str| {
            let (_, rest) = io.split_once(name).unwrap();
            rest.split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            cpu_nanos,
            writes: field("syscw:"),
            bytes: field("wchar:"),
        }
    }
}
