//! A connection that ends when its client keeps us waiting.
//!
//! There are three waits, each with its own limit: for a head that has begun, for
//! the next request, and for the client to take the answer. While a request is
//! with its handler nothing is expected of the client.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// From the first byte of a head to its last; also from the connection to the
/// first head's end.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// From an answer to the next request.
const NEXT_WITHIN: Duration = Duration::from_mins(1);

/// For the client to take some more of the answer.
const TAKE_WITHIN: Duration = Duration::from_secs(30);

/// What the connection waits for, shared with the service that runs on it.
///
/// All three live in one task; the atomic only lets them be `Send`.
pub(super) struct Phase {
    born: Instant,
    /// [`BUSY`], or when the wait ends, in milliseconds since `born`; the lowest
    /// bit tells the wait for a next request from the wait for a head.
    waits: AtomicU64,
}

const BUSY: u64 = u64::MAX;

impl Default for Phase {
    fn default() -> Self {
        let phase = Self {
            born: now(),
            waits: AtomicU64::new(BUSY),
        };
        phase.wait(HEAD_WITHIN, false);
        phase
    }
}

impl Phase {
    /// The head is here, and the handler has it.
    pub(super) fn busy(&self) {
        self.waits.store(BUSY, Ordering::Relaxed);
    }

    /// To be dropped with the answer's last byte.
    pub(super) fn leaving(self: Arc<Self>) -> Leaving {
        Leaving(self)
    }

    /// A byte came in: if it is the first of a head, the rest must follow soon.
    fn read_some(&self) {
        let waits = self.waits.load(Ordering::Relaxed);
        if waits != BUSY && waits & 1 == 1 {
            self.wait(HEAD_WITHIN, false);
        }
    }

    fn wait(&self, within: Duration, for_next: bool) {
        let due = (self.born.elapsed() + within).as_millis();
        let due = u64::try_from(due).unwrap_or(BUSY) & !1;
        self.waits
            .store(due | u64::from(for_next), Ordering::Relaxed);
    }

    /// When the client has kept us waiting too long; `None` while we are busy.
    fn due(&self) -> Option<Instant> {
        match self.waits.load(Ordering::Relaxed) {
            BUSY => None,
            waits => Some(self.born + Duration::from_millis(waits)),
        }
    }
}

/// The answer is under way as long as this lives.
pub(super) struct Leaving(Arc<Phase>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.wait(NEXT_WITHIN, true);
    }
}

/// A TCP stream with deadlines.
pub(super) struct Stream {
    io: TokioIo<TcpStream>,
    phase: Arc<Phase>,
    reading: Alarm,
    writing: Alarm,
    /// Since when the client takes nothing.
    stuck_since: Option<Instant>,
}

impl Stream {
    pub(super) fn new(stream: TcpStream, phase: Arc<Phase>) -> Self {
        Self {
            io: TokioIo::new(stream),
            phase,
            reading: Alarm::default(),
            writing: Alarm::default(),
            stuck_since: None,
        }
    }

    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck_since = None;
            return written;
        }
        let since = *self.stuck_since.get_or_insert_with(now);
        self.writing.ring(cx, since + TAKE_WITHIN)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.io).poll_read(cx, buf) {
            self.phase.read_some();
            return Poll::Ready(read);
        }
        match self.phase.due() {
            Some(due) => self.reading.ring(cx, due),
            None => Poll::Pending,
        }
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// A timer that is moved later without being touched: it wakes at the time it
/// was set for, and only then looks when it is due. A busy connection so costs a
/// timer a minute instead of one a request.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// An error once `due` is past; until then the task will be woken for it.
    fn ring<T>(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<io::Result<T>> {
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= due {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "connections live on real time")]
    Instant::now()
}
