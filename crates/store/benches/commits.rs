//! Durable commits a second: what one notification writes, with so many callers
//! waiting. On the disk that holds the target directory.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench is not a library")]

use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use futures::executor::block_on;
use futures::stream;
use tongbao_core::Payment;
use tongbao_core::id::Id;
use tongbao_core::inbox::{InboxEntry, Verdict};
use tongbao_core::job::{JobKey, JobKind, NewJob};
use tongbao_store::sqlite::SqliteStore;
use tongbao_store::{Change, Store};

#[allow(dead_code, reason = "the stories use the rest")]
#[path = "../tests/stories/people.rs"]
mod people;
use people::{decided, endpoint, event, message, open_shop, paid, payment, started};

/// Callers while the payments that are to be paid are made: nobody's time.
const MAKERS: usize = 512;

fn store() -> (SqliteStore, tempfile::TempDir) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::tempdir_in(target).unwrap();
    let store = SqliteStore::open(&directory.path().join("tongbao.db")).unwrap();
    block_on(open_shop(&store));
    (store, directory)
}

/// Makes payment `number`, as far as the payer's QR code, with its expiry.
async fn make(store: &SqliteStore, number: u64) -> Payment {
    let (payment, mut change) = decided(&payment(number), started(number));
    change.payment.as_mut().unwrap().read_version = None;
    change.jobs = vec![job(&payment, JobKind::Expire)];
    store.commit(change).await.unwrap();
    payment
}

fn job(payment: &Payment, kind: JobKind) -> NewJob {
    NewJob {
        key: JobKey {
            kind,
            payment: payment.id,
            attempt: (kind != JobKind::Expire).then(|| payment.attempts[0].id),
        },
        merchant: payment.merchant,
        due: payment.expires_at,
        lease_until: None,
    }
}

/// What a notification comes to: the payment, its attempt, the timeline, the
/// webhook, a query that confirms it, and the message itself.
fn notified(payment: &Payment) -> Change {
    let number = u64::try_from(payment.id.bits()).unwrap();
    let (payment, mut change) = decided(payment, paid(number));
    let mut event = event(number);
    event.payment = Some(payment.id);
    event.body = serde_json::to_string(&payment).unwrap();
    change.events = vec![event];
    change.jobs = vec![job(&payment, JobKind::Query)];
    // Spread like a hash, since that is where the index grows.
    let mut body_hash = [0; 32];
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    body_hash[..8].copy_from_slice(&spread);
    change.inbox = Some(InboxEntry {
        verdict: Verdict::Applied,
        payment: Some(payment.id),
        body_hash,
        body: vec![b'x'; 900],
        ..message(number, "")
    });
    change
}

/// Pays `count` payments, from `first` on, with so many callers waiting.
fn pay(store: &SqliteStore, first: u64, count: u64, waiting: usize) -> Duration {
    let numbers = first..first + count;
    let payments = stream::iter(numbers).map(|number| make(store, number));
    let changes = payments
        .buffered(MAKERS)
        .map(|payment| notified(&payment))
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
