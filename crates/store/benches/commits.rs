//! Durable commits a second: what one notification writes, with so many callers
//! waiting. On the disk that holds the target directory.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench is not a library")]

use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use futures::executor::block_on;
use futures::stream;
use tongbao_store::Store;
use tongbao_store::sqlite::SqliteStore;

mod notified;
use notified::people::{endpoint, open_shop};
use notified::{make, notified};

/// Callers while the payments that are to be paid are made: nobody's time.
const MAKERS: usize = 512;

fn store() -> (SqliteStore, tempfile::TempDir) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::tempdir_in(target).unwrap();
    let store = SqliteStore::open(&directory.path().join("tongbao.db")).unwrap();
    block_on(open_shop(&store));
    (store, directory)
}

/// Pays `count` payments, from `first` on, with so many callers waiting.
fn pay(store: &SqliteStore, first: u64, count: u64, waiting: usize) -> Duration {
    let numbers = first..first + count;
    let payments = stream::iter(numbers).map(|number| make(store, number));
    let changes = payments
        .buffered(MAKERS)
        .zip(stream::iter(first..))
        .map(|(payment, place)| notified(&payment, place))
        .collect::<Vec<_>>();
    let changes = block_on(changes);
    #[expect(clippy::disallowed_methods, reason = "a bench measures the real clock")]
    let begin = Instant::now();
    let commits = stream::iter(changes).map(|change| store.commit(change));
    let all = commits
        .buffer_unordered(waiting)
        .for_each(async |answer| drop(answer.unwrap()));
    block_on(all);
    begin.elapsed()
}

fn commits(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("notification");
    group
        .throughput(Throughput::Elements(1))
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    for (endpoints, name) in [(0, "no endpoint"), (1, "one endpoint")] {
        let (store, _directory) = store();
        for number in 1..=endpoints {
            block_on(store.save_endpoint(endpoint(number))).unwrap();
        }
        let mut next = 1;
        for waiting in [1, 64, 256, 1024] {
            let id = BenchmarkId::new(name, format!("{waiting} waiting"));
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|count| {
                    let first = next;
                    next += count;
                    pay(&store, first, count, waiting)
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
