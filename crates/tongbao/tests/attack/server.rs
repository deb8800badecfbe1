//! Group K: HTTP that is slow, large, torn, or two requests in one.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use tongbao::attack;

use crate::http::{connect, more, read};
use crate::world::World;

/// Every request is one connection's whole text; the answer's status, or 0 when
/// the connection is closed without one. Never more than one answer.
#[test]
fn what_is_not_one_plain_request_gets_one_answer_at_most() {
    let mut world = World::open("requests");
    let order = world.order("T1", "signature");
    let before = world.database.facts(&order.id);
    let mut wrong = Vec::new();
    for (id, what, request, status) in malformed(&order.notify) {
        let answers = whole(&world, request.as_bytes());
        let wanted: &[u16] = if status == 0 { &[] } else { &[status] };
        if answers != wanted {
            wrong.push(format!("{id} {what}: {answers:?}, not {status}"));
        }
    }
    for (id, what, request) in smuggled(&order.notify) {
        let answers = whole(&world, request.as_bytes());
        if answers.len() > 1 {
            wrong.push(format!(
                "{id} {what}: {answers:?}, a second request was smuggled in"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(before == world.database.facts(&order.id));
    world.pay(&order);
}

/// Number, what it is, the whole text, the status.
type Row = (&'static str, &'static str, String, u16);

/// Refused before anything reads it.
fn malformed(notify: &str) -> Vec<Row> {
    let mut rows = torn_heads();
    rows.extend(torn_lengths(notify));
    rows
}

fn torn_heads() -> Vec<Row> {
    let many: Vec<_> = (0..1_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    vec![
        ("K5", "1,000 headers", get("/healthz", &many.concat()), 431),
        (
            "K5",
            "a header of 40,000 characters",
            get("/healthz", &format!("x: {}\r\n", "x".repeat(40_000))),
            431,
        ),
        (
            "K5",
            "a path of 64,000 characters",
            get(&format!("/{}", "x".repeat(64_000)), ""),
            431,
        ),
        ("K5", "NUL in the path", get("/a\0b", ""), 400),
        ("K5", "a space in the path", get("/a b", ""), 400),
        ("K5", "NUL in a header", get("/healthz", "x: a\0b\r\n"), 400),
        (
            "K5",
            "a header without a name",
            get("/healthz", ": b\r\n"),
            400,
        ),
        (
            "K5",
            "a space before the colon",
            get("/healthz", "x : b\r\n"),
            400,
        ),
        (
            "K5",
            "a header that goes on in the next line",
            get("/healthz", "x: a\r\n b\r\n"),
            400,
        ),
        ("K5", "no HTTP at all", "hello\r\n\r\n".to_owned(), 400),
        (
            "K5",
            "another protocol",
            "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned(),
            400,
        ),
        (
            "K5",
            "TLS",
            "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}\r\n\r\n".to_owned(),
            400,
        ),
        (
            "K5",
            "HTTP/3.0",
            "GET /healthz HTTP/3.0\r\nhost: a\r\n\r\n".to_owned(),
            400,
        ),
        ("K5", "HTTP/0.9", "GET /healthz\r\n\r\n".to_owned(), 400),
        (
            "K7",
            "HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            0,
        ),
    ]
}

fn torn_lengths(notify: &str) -> Vec<Row> {
    let post = |head: &str, body: &str| post(notify, head, body);
    vec![
        (
            "K6",
            "two lengths",
            post("content-length: 5\r\ncontent-length: 6\r\n", "0\r\n\r\n"),
            400,
        ),
        (
            "K6",
            "two lengths in one",
            post("content-length: 5, 6\r\n", "0\r\n\r\n"),
            400,
        ),
        (
            "K6",
            "a length with a sign",
            post("content-length: +5\r\n", "12345"),
            400,
        ),
        (
            "K6",
            "a length below zero",
            post("content-length: -1\r\n", ""),
            400,
        ),
        (
            "K6",
            "a length that is no number",
            post("content-length: 0x5\r\n", "12345"),
            400,
        ),
        (
            "K6",
            "a length beyond all numbers",
            post("content-length: 99999999999999999999\r\n", ""),
            400,
        ),
        (
            "K6",
            "chunks, and not at the end",
            post("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
            400,
        ),
        (
            "K6",
            "an encoding that nobody has",
            post("transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
            400,
        ),
        (
            "K6",
            "chunks with a space before the colon",
            post("transfer-encoding : chunked\r\n", "0\r\n\r\n"),
            400,
        ),
    ]
}

/// Where one reader sees one request and another sees two.
fn smuggled(notify: &str) -> Vec<(&'static str, &'static str, String)> {
    let post = |head: &str, body: &str| post(notify, head, body);
    let second = "GET /v1/openapi.json HTTP/1.1\r\nhost: a\r\n\r\n";
    vec![
        (
            "K6",
            "a length and chunks",
            post(
                "content-length: 4\r\ntransfer-encoding: chunked\r\n",
                &format!("0\r\n\r\n{second}"),
            ),
        ),
        (
            "K6",
            "chunks and a length",
            post(
                "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
                &format!("0\r\n\r\n{second}"),
            ),
        ),
        (
            "K6",
            "a bare line feed in the head",
            format!("POST {notify} HTTP/1.1\nhost: a\ncontent-length: 0\n\n"),
        ),
        (
            "K6",
            "a chunk whose length is no number",
            post("transfer-encoding: chunked\r\n", &format!("zz\r\n{second}")),
        ),
        (
            "K6",
            "a chunk beyond all numbers",
            post(
                "transfer-encoding: chunked\r\n",
                &format!("ffffffffffffffffff\r\n{second}"),
            ),
        ),
        (
            "K6",
            "a chunk with a sign",
            post("transfer-encoding: chunked\r\n", &format!("-1\r\n{second}")),
        ),
        (
            "K6",
            "a chunk that is longer than it says",
            post(
                "transfer-encoding: chunked\r\n",
                &format!("1\r\nabc\r\n0\r\n\r\n{second}"),
            ),
        ),
        (
            "K6",
            "endless extensions of a chunk",
            post(
                "transfer-encoding: chunked\r\n",
                &format!("1;{}\r\n", "x".repeat(100_000)),
            ),
        ),
        (
            "K6",
            "endless trailers",
            post(
                "transfer-encoding: chunked\r\n",
                &format!("0\r\n{}", "x: y\r\n".repeat(20_000)),
            ),
        ),
    ]
}

fn post(notify: &str, head: &str, body: &str) -> String {
    format!("POST {notify} HTTP/1.1\r\nhost: a\r\n{head}\r\n{body}")
}

fn get(target: &str, head: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: a\r\n{head}\r\n")
}

/// What the server says until it hangs up, or says no more.
fn whole(world: &World, request: &[u8]) -> Vec<u16> {
    let mut stream = connect(world.home.address);
    // It may hang up before everything is sent.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let answers = text.split("HTTP/1.1 ").skip(1);
    answers.map(|answer| answer[..3].parse().unwrap()).collect()
}

/// K3: a body without an end is given up after a bounded part of it, and refused
/// in the platform's own form.
#[test]
fn a_body_without_an_end_is_not_read_to_its_end() {
    let mut world = World::open("bodies");
    let order = world.order("T1", "signature");
    for (head, chunked) in [
        ("content-length: 1073741824\r\n", false),
        ("transfer-encoding: chunked\r\n", true),
    ] {
        let mut stream = connect(world.home.address);
        let head = format!("POST {} HTTP/1.1\r\nhost: a\r\n{head}\r\n", order.notify);
        stream.write_all(head.as_bytes()).unwrap();
        let piece = vec![b'x'; 64 * 1024];
        let mut sent = 0;
        while sent < 64 * 1024 * 1024 {
            let head = if chunked { "10000\r\n" } else { "" };
            let tail = if chunked { "\r\n" } else { "" };
            let bytes = [head.as_bytes(), &piece, tail.as_bytes()].concat();
            if stream.write_all(&bytes).is_err() {
                break;
            }
            sent += piece.len();
        }
        assert!(sent < 32 * 1024 * 1024, "{sent} bytes were taken");
        if let Some(answer) = read(&mut stream) {
            assert!(
                !attack::is_success(answer.status, &answer.body),
                "{answer:?}"
            );
        }
    }
    let refused = world
        .database
        .rows("SELECT reason, max(length(body)) FROM inbox GROUP BY reason");
    assert_eq!(refused, ["|too_large|4096"]);
    world.pay(&order);
}

/// K1, K2: two hundred who say nothing, or say it slowly, are in nobody's way,
/// and are hung up on when their time is over.
#[test]
fn a_crowd_of_slow_clients_holds_up_nobody() {
    let mut world = World::open("crowd");
    let since = Instant::now();
    let mut crowd: Vec<_> = (0..200).map(|_| connect(world.home.address)).collect();
    for (place, stream) in crowd.iter_mut().enumerate() {
        let beginning: &[u8] = match place % 4 {
            0 => b"",
            1 => b"P",
            2 => b"POST /notify/x HTTP/1.1\r\nhost: a\r\nx-",
            _ => b"GET /healthz HTTP/1.1\r\n",
        };
        stream.write_all(beginning).unwrap();
    }
    for n in 0..8 {
        // They drip on, and orders are paid meanwhile.
        for stream in &mut crowd {
            let _ = stream.write_all(b"x");
        }
        let order = world.order(&format!("T{n}"), "signature");
        world.pay(&order);
        std::thread::sleep(Duration::from_millis(500));
    }
    for stream in &mut crowd {
        let _ = stream.read_to_end(&mut Vec::new());
    }
    // Ten seconds for a head; the rest is for a slow machine.
    assert!(
        since.elapsed() < Duration::from_secs(40),
        "{:?}",
        since.elapsed()
    );
    let order = world.order("last", "signature");
    world.pay(&order);
}

/// Many requests in one piece are answered one by one, in their order.
#[test]
fn requests_in_one_piece_are_answered_in_their_order() {
    let mut world = World::open("pipeline");
    let order = world.order("T1", "signature");
    let (path, message) = world.paid_at_platform(&order);
    let genuine = [
        format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
            message.len()
        )
        .as_bytes(),
        &message,
    ]
    .concat();
    let forged = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n<xml/>");
    let mut stream = connect(world.home.address);
    for _ in 0..20 {
        stream
            .write_all(&[&*genuine, forged.as_bytes()].concat())
            .unwrap();
    }
    let mut bytes = Vec::new();
    while bytes.windows(6).filter(|six| six == b"</xml>").count() < 40 {
        more(&mut stream, &mut bytes).expect("an answer each");
    }
    let text = String::from_utf8(bytes).unwrap();
    let words: Vec<_> = text
        .split("<return_code><![CDATA[")
        .skip(1)
        .map(|rest| rest.split(']').next().unwrap())
        .collect();
    assert_eq!(words, ["SUCCESS", "FAIL"].repeat(20));
    world.until_paid(&order);
}

/// D16: whoever goes away in the middle leaves nothing half done.
#[test]
fn a_request_that_breaks_off_is_done_or_not_done() {
    let mut world = World::open("torn");
    let order = world.order("T1", "signature");
    let (path, message) = world.paid_at_platform(&order);
    let before = world.database.facts(&order.id);
    let request = [
        format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
            message.len()
        )
        .as_bytes(),
        &message,
    ]
    .concat();
    for length in (0..request.len()).step_by(7) {
        let mut stream = connect(world.home.address);
        stream.write_all(&request[..length]).unwrap();
        drop(stream);
    }
    assert!(before == world.database.facts(&order.id));
    let answer = world.tell(&path, &message);
    assert!(attack::is_success(answer.status, &answer.body));
    world.until_paid(&order);
}
