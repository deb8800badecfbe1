//! B19: what a flood of forged messages costs, and whether genuine ones get
//! through. Times are reported, not asserted: the flood shares the machine with
//! the server. What is asserted holds on any machine: processor time against
//! that of an empty reply, and that nothing is lost.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tongbao::attack::{self, Forgery};

use crate::http::{connect, more};
use crate::world::{Placed, World};

/// Requests of one kind.
const COUNT: u32 = if cfg!(debug_assertions) {
    2_000
} else {
    40_000
};

/// Genuine messages within the flood, and the time for them.
const GENUINE: usize = 300;
const PACE: Duration = Duration::from_millis(10);

/// Senders of the flood, each with a kept connection.
const SENDERS: usize = 4;

/// A refusal may cost so many empty replies. Without optimisation parsing and
/// signing weigh more.
const AT_MOST: u32 = if cfg!(debug_assertions) { 25 } else { 4 };

#[test]
#[ignore = "measures; run it alone, and with --release for figures that mean something"]
fn a_flood_of_forgeries_is_cheap_and_holds_up_nobody() {
    let mut world = World::open_quiet("flood");
    let order = world.order("T1", "signature");
    let rows = attack::forgeries(&World::target(&order));
    let row = |id: &str| rows.iter().find(|row| row.id == id).unwrap().clone();
    let forged = |id: &str| bytes(&order.notify, &row(id));
    let genuine = attack::genuine(&World::target(&order));
    let genuine = [head(&order.notify, genuine.len()).as_bytes(), &genuine].concat();
    let nobody = bytes("/notify/chn_01kb2v7q4w8z3n5m6r7t9x1c2d", &row("A3-1"));
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").into_bytes();

    let empty = cost(&world, &get("/healthz"));
    eprintln!("{empty:>10.1?}  an empty reply");
    let mut dear = Vec::new();
    for (what, request) in [
        ("an unknown route", get("/nothing")),
        ("no account's id", bytes("/notify/x", &row("A3-1"))),
        ("nobody's account", nobody),
        ("a query string", forged("A17-1")),
        ("no document", forged("A13-1")),
        ("a document type", forged("A10-1")),
        ("no signature", forged("A3-1")),
        ("a wrong signature, HMAC-SHA256", forged("A4-12")),
        ("a wrong signature, MD5", forged("A1-1")),
        ("a good signature of another account", forged("B3-1")),
    ] {
        let each = cost(&world, &request);
        eprintln!("{each:>10.1?}  {what}");
        if each > empty * AT_MOST {
            dear.push(what);
        }
    }
    // For comparison: read, recognised as known, and counted in a commit.
    world.pay(&order);
    let repeated = cost(&world, &genuine);
    eprintln!("{repeated:>10.1?}  a genuine message, repeated");
    assert!(
        dear.is_empty(),
        "dearer than {AT_MOST} empty replies: {dear:?}"
    );

    let messages: Vec<_> = (0..GENUINE)
        .map(|n| {
            let order = world.order(&format!("G{n}"), "signature");
            let message = world.paid_at_platform(&order);
            (order, message)
        })
        .collect();
    let alone = told(&mut world, &messages[..GENUINE / 2], &[]);
    let flood = [
        forged("A1-1"),
        forged("A4-12"),
        forged("A8-3"),
        forged("A13-1"),
    ];
    let memory = world.gateway.memory_kib();
    let flooded = told(&mut world, &messages[GENUINE / 2..], &flood);
    for (what, times) in [("alone", alone), ("in the flood", flooded)] {
        eprintln!(
            "genuine messages {what}: median {:?}, 99 % within {:?}, all within {:?}",
            times[times.len() / 2],
            times[times.len() * 99 / 100],
            times[times.len() - 1]
        );
    }
    eprintln!(
        "memory: {memory} KiB before, {} KiB after",
        world.gateway.memory_kib()
    );
    for (order, _) in &messages {
        world.until_paid(order);
    }
}

/// Tells each message, one every [`PACE`], while the others are sent as fast as
/// they are answered. How long each took, sorted.
fn told(
    world: &mut World,
    messages: &[(Placed, (String, Vec<u8>))],
    flood: &[Vec<u8>],
) -> Vec<Duration> {
    let address = world.home.address;
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let since = Instant::now();
    let mut times = thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                let mut requests = flood.iter().cycle();
                let mut sender = Sender::new(address);
                while !over.load(Ordering::Relaxed)
                    && let Some(request) = requests.next()
                {
                    assert!(!sender.exchange(request), "a forgery was believed");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let times = messages.iter().map(|(order, (path, body))| {
            let began = Instant::now();
            let answer = world.tell(path, body);
            let took = began.elapsed();
            assert!(
                attack::is_success(answer.status, &answer.body),
                "{}",
                order.id
            );
            thread::sleep(PACE.saturating_sub(took));
            took
        });
        let times: Vec<_> = times.collect();
        over.store(true, Ordering::Relaxed);
        times
    });
    let sent = sent.into_inner();
    if sent > 0 {
        let rate = sent as u128 * 1_000 / since.elapsed().as_millis().max(1);
        eprintln!("{sent} forged messages refused, {rate} a second");
    }
    times.sort();
    times
}

/// The server's processor time for one request.
fn cost(world: &World, request: &[u8]) -> Duration {
    let mut sender = Sender::new(world.home.address);
    for _ in 0..COUNT / 10 {
        sender.exchange(request);
    }
    let before = world.gateway.cpu();
    for _ in 0..COUNT {
        sender.exchange(request);
    }
    world.gateway.cpu().saturating_sub(before) / COUNT
}

struct Sender {
    stream: std::net::TcpStream,
    buffer: Vec<u8>,
}

impl Sender {
    fn new(address: SocketAddr) -> Self {
        Self {
            stream: connect(address),
            buffer: Vec::new(),
        }
    }

    /// Whether it was answered with success. Costs as little as it can.
    fn exchange(&mut self, request: &[u8]) -> bool {
        self.stream.write_all(request).unwrap();
        self.buffer.clear();
        loop {
            more(&mut self.stream, &mut self.buffer).expect("an answer");
            let Some(head) = find(&self.buffer, b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head]).unwrap();
            let length = text.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if self.buffer.len() >= head + 4 + length {
                return find(&self.buffer[head..], b"SUCCESS").is_some();
            }
        }
    }
}

fn find(bytes: &[u8], words: &[u8]) -> Option<usize> {
    bytes
        .windows(words.len())
        .position(|window| window == words)
}

fn bytes(target: &str, row: &Forgery) -> Vec<u8> {
    let head = head(&format!("{target}{}", row.query), row.body.len());
    [head.as_bytes(), &row.body].concat()
}

fn head(target: &str, length: usize) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nhost: a\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\r\n"
    )
}
