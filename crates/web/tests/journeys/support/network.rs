//! The network: the platform behind one kind of address, the shop behind the
//! other.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use tongbao_engine::{SendError, Target, Transport};
use tongbao_simulator::{Platform, UnixMillis, WireResponse};

use super::clock::ManualClock;
use super::shop::Shop;

pub(crate) struct Network {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) platform: Arc<Mutex<Platform>>,
    pub(crate) shop: Arc<Shop>,
}

impl Transport for Network {
    fn send(
        &self,
        target: Target,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        let answer = match target {
            Target::Webhook => Ok(self.shop.hear(self.clock.time(), &request)),
            Target::Platform => self.ask_platform(&request, timeout),
        };
        std::future::ready(answer).boxed()
    }
}

impl Network {
    fn ask_platform(
        &self,
        request: &Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let now = UnixMillis::from_millis(self.clock.time().as_millis());
        let mut platform = self.platform.lock().unwrap_or_else(PoisonError::into_inner);
        match platform.handle(now, request) {
            WireResponse::Answer { response, delay } if delay < timeout => Ok(response),
            WireResponse::Answer { .. } | WireResponse::Dropped { .. } => {
                Err(SendError::Unknown("timed out".to_owned()))
            }
            WireResponse::Refused => Err(SendError::NotSent("connection refused".to_owned())),
        }
    }
}
