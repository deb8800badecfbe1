//! The engine's seams, simulated.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Either, select};
use http::{Request, Response};
use tongbao_core::Timestamp;
use tongbao_engine::{Clock, Mint, SendError, Target, Transport};

use crate::chance::Chance;
use crate::event::{ExchangeId, WorldEvent, WorldKernel};
use crate::saboteur::Bug;
use crate::seed::Faults;

/// A node's clock: the world's time, a little off.
pub struct SimClock {
    /// The world's time.
    pub kernel: WorldKernel,
    /// How much this node's clock is ahead.
    pub ahead: Duration,
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.kernel.now() + self.ahead
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.kernel.sleep(duration)
    }
}

/// Chance from the seed.
pub struct SimMint(pub Mutex<Chance>);

impl Mint for SimMint {
    fn fill(&self, out: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill(out);
    }
}

/// Who waits for which answer.
#[derive(Default)]
pub struct Waiting {
    next: ExchangeId,
    waiting: BTreeMap<ExchangeId, oneshot::Sender<Option<Box<Response<Bytes>>>>>,
}

/// The network between the gateway, the platform and the merchant.
pub struct SimTransport {
    /// The world's time.
    pub kernel: WorldKernel,
    /// Who waits.
    pub waiting: Mutex<Waiting>,
    /// What goes wrong, by chance.
    pub chance: Mutex<Chance>,
    /// What goes wrong now.
    pub faults: Mutex<Faults>,
    /// A mistake that is made on purpose.
    pub bug: Option<Bug>,
}

impl SimTransport {
    /// The faults of this moment.
    pub fn faults(&self) -> Faults {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the answer to who waits for it, if somebody still does.
    pub fn answer(&self, exchange: ExchangeId, response: Option<Box<Response<Bytes>>>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiter) = waiting.waiting.remove(&exchange) {
            // The node that asked may be dead.
            let _ = waiter.send(response);
        }
    }

    fn begin(&self) -> (ExchangeId, oneshot::Receiver<Option<Box<Response<Bytes>>>>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let exchange = waiting.next;
        waiting.next += 1;
        let (sender, receiver) = oneshot::channel();
        waiting.waiting.insert(exchange, sender);
        (exchange, receiver)
    }

    /// The mistake of sending something else than what is written: now and then an
    /// order goes out changed.
    fn rewritten(&self, request: Request<Bytes>, what: &str, into: &str) -> Request<Bytes> {
        let paths = ["/pay/unifiedorder", "/secapi/pay/refund"];
        let order = paths.contains(&request.uri().path());
        let struck = self
            .chance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .percent(20);
        if !order || !struck {
            return request;
        }
        let text = String::from_utf8_lossy(request.body()).replace(what, into);
        request.map(|_| Bytes::from(text))
    }

    async fn exchange(
        &self,
        target: Target,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let request = match self.bug {
            Some(Bug::NewNumberOnRetry) => self.rewritten(
                request,
                "<out_trade_no><![CDATA[0",
                "<out_trade_no><![CDATA[1",
            ),
            Some(Bug::NewRefundNumberOnRetry) => self.rewritten(
                request,
                "<out_refund_no><![CDATA[0",
                "<out_refund_no><![CDATA[1",
            ),
            Some(Bug::AmountOnWireDiffers) => {
                self.rewritten(request, "<total_fee><![CDATA[", "<total_fee><![CDATA[1")
            }
            Some(Bug::SubOpenidAsOpenid) => {
                let (name, other) = ("sub_openid>", "openid>");
                let text = String::from_utf8_lossy(request.body()).replace(name, other);
                request.map(|_| Bytes::from(text))
            }
            _ => request,
        };
        let faults = self.faults();
        let (refused, lost, late, latency) = {
            let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
            (
                chance.percent(faults.refused),
                chance.percent(faults.request_lost),
                chance.percent(faults.late),
                chance.millis(2, 80),
            )
        };
        self.kernel.count(refused || lost || late);
        if refused {
            self.kernel.sleep(latency).await;
            return Err(SendError::NotSent("connection refused".to_owned()));
        }
        let (exchange, receiver) = self.begin();
        let code = request.uri().path() == "/pay/micropay";
        if code && self.bug == Some(Bug::CodeSentTwice) {
            let again = WorldEvent::Arrives {
                exchange,
                target,
                request: Box::new(request.clone()),
            };
            self.kernel.after(latency * 3, again);
        }
        if !lost {
            // What has left arrives, whether or not the sender lives to see it.
            let travel = if late {
                timeout + latency * 20
            } else {
                latency
            };
            self.kernel.after(
                travel,
                WorldEvent::Arrives {
                    exchange,
                    target,
                    request: Box::new(request),
                },
            );
        }
        match select(receiver, self.kernel.sleep(timeout)).await {
            Either::Left((Ok(Some(response)), _)) => Ok(*response),
            Either::Left(_) => Err(SendError::Unknown("connection reset".to_owned())),
            Either::Right(_) => Err(SendError::Unknown("timeout".to_owned())),
        }
    }
}

impl Transport for SimTransport {
    fn send(
        &self,
        target: Target,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(self.exchange(target, request, timeout))
    }
}

/// Keeps `Arc` in the public face of the seams.
pub type SharedTransport = Arc<SimTransport>;
