//! The accept loop against clients that are slow, many, or gone, on a clock that
//! jumps to the next deadline whenever everybody waits.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tongbao::config::Limits;
use tongbao::server::serve;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_hung_up_on_after_ten_seconds() {
    let server = Server::start(hello());
    let mut client = server.connect().await;
    let since = now();
    assert_eq!(rest(&mut client).await, "");
    assert_eq!(since.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_is_cut_off_ten_seconds_after_its_first_byte() {
    let server = Server::start(hello());
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    assert!(some(&mut client).await.ends_with("hello"));

    let since = now();
    for byte in &GET[..GET.len() - 1] {
        if client.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    rest(&mut client).await;
    assert!(
        since.elapsed() < Duration::from_secs(30),
        "{:?}",
        since.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_a_minute() {
    let server = Server::start(hello());
    let mut client = server.connect().await;
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(9)).await;
        client.write_all(GET).await.unwrap();
        assert!(some(&mut client).await.ends_with("hello"));
    }
    let since = now();
    assert_eq!(rest(&mut client).await, "");
    assert_eq!(since.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_take_longer_than_a_client() {
    let slow = get(|| async {
        tokio::time::advance(Duration::from_mins(5)).await;
        "at last"
    });
    let server = Server::start(Router::new().route("/", slow));
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    assert!(some(&mut client).await.ends_with("at last"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up_after_thirty_seconds() {
    let read = post(|body: Body| async move {
        match axum::body::to_bytes(body, 1024).await {
            Ok(_) => "all of it".to_owned(),
            Err(error) => format!("{error:?}"),
        }
    });
    let server = Server::start(Router::new().route("/", read));
    let mut client = server.connect().await;
    let since = now();
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf")
        .await
        .unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.contains("did not arrive in time"), "{answer}");
    assert_eq!(since.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_takes_is_given_up_after_thirty_seconds() {
    let endless = get(|| async {
        let chunk = Ok::<_, Infallible>(Bytes::from(vec![b'x'; 65_536]));
        Body::from_stream(futures::stream::iter(std::iter::repeat(chunk)))
    });
    let server = Server::start_with(Router::new().route("/", endless), 1);
    let mut stuck = server.connect().await;
    stuck.write_all(GET).await.unwrap();

    // There is one place, and it becomes free only when the other is given up.
    let since = now();
    let mut next = server.connect().await;
    next.write_all(b"GET /none HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(some(&mut next).await.starts_with("HTTP/1.1 404"));
    assert_eq!(since.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_answer() {
    async fn panics() -> &'static str {
        panic!("on purpose")
    }
    let server = Server::start(hello().route("/bug", get(panics)));
    let mut client = server.connect().await;
    client
        .write_all(b"GET /bug HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");

    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    assert!(some(&mut client).await.ends_with("hello"));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_long_is_refused() {
    let server = Server::start(hello());
    let mut client = server.connect().await;
    let head = format!(
        "GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n",
        "x".repeat(40_000)
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn two_lengths_end_the_connection() {
    let server = Server::start(hello().route("/", post(|| async { "taken" })));
    for heads in [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "content-length: +5\r\n",
    ] {
        let mut client = server.connect().await;
        let text =
            format!("POST / HTTP/1.1\r\nhost: a\r\n{heads}\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n");
        client.write_all(text.as_bytes()).await.unwrap();
        let answer = rest(&mut client).await;
        let answers = answer.matches("HTTP/1.1 ").count();
        assert!(
            answers <= 1,
            "{heads}: a second request was smuggled in: {answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn when_stopped_it_finishes_what_it_holds_and_takes_no_more() {
    let (entered, inside) = tokio::sync::oneshot::channel();
    let (leave, left) = tokio::sync::oneshot::channel::<()>();
    let once = std::sync::Mutex::new(Some((entered, left)));
    let once = std::sync::Arc::new(once);
    let held = get(move || {
        let (entered, left) = once.lock().unwrap().take().unwrap();
        async move {
            entered.send(()).unwrap();
            left.await.unwrap();
            "finished"
        }
    });
    let server = Server::start(Router::new().route("/", held));
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(GET).await.unwrap();
    inside.await.unwrap();

    server.stop.cancel();
    assert_eq!(
        rest(&mut idle).await,
        "",
        "an idle connection is closed at once"
    );
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nobody listens any more"
    );
    leave.send(()).unwrap();
    assert!(rest(&mut busy).await.ends_with("finished"));
    server.ended.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_does_not_finish_in_ten_seconds_is_cut_off() {
    let server = Server::start(Router::new().route("/", get(std::future::pending::<()>)));
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    tokio::task::yield_now().await;

    let since = now();
    server.stop.cancel();
    server.ended.await.unwrap();
    assert_eq!(since.elapsed().as_secs(), 10);
    assert_eq!(rest(&mut client).await, "");
}

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Server {
    fn start(router: Router) -> Self {
        Self::start_with(router, 64)
    }

    fn start_with(router: Router, connections: u32) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let connections = NonZeroU32::new(connections).unwrap();
        let limits = Limits {
            connections,
            ..Limits::default()
        };
        let stop = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "a server beside the test")]
        let ended = tokio::spawn(serve(listener, router, limits, stop.clone()));
        Self {
            address,
            stop,
            ended,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// What comes until the connection ends; a reset is an end too.
async fn rest(client: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let _ = client.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// What comes next.
async fn some(client: &mut TcpStream) -> String {
    let mut text = vec![0; 4096];
    let length = client.read(&mut text).await.unwrap();
    String::from_utf8_lossy(&text[..length]).into_owned()
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the clock that the test moves")]
    Instant::now()
}
