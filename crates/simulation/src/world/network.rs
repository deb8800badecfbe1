//! What travels, and what becomes of it on the way.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tongbao_core::webhook::EventType;
use tongbao_core::{ChannelId, EventId, PaymentId};
use tongbao_engine::Target;
use tongbao_simulator::{
    Delivered, FaultKind, NewFault, NotificationId, Outgoing, UnixMillis, WireResponse,
};

use super::operator::Due;
use super::{World, account, lock};
use crate::coverage::{OLD_KEY_REFUSED, OLD_KEY_TAKEN};
use crate::event::{ExchangeId, WorldEvent};
use crate::invariants::at_boundary;
use crate::invariants::over_history::Received;
use crate::saboteur::Bug;
use crate::seed::DefenceOff;
use crate::truth::AtTheTill;
use tongbao_wire::wechat_v2::{ApiKey, Fields, Merchants, SignType, sign};

/// Of no message of the platform's: somebody else sends it, or sends it again.
pub(super) const NOBODYS: NotificationId = NotificationId(u64::MAX);

/// Where payments at a till are taken back.
const REVERSE: &str = "/secapi/pay/reverse";

impl World {
    /// A request of ours arrives.
    pub(super) fn arrives(
        &mut self,
        exchange: ExchangeId,
        target: Target,
        request: &Request<Bytes>,
    ) {
        // Where a login code is exchanged, the secret is the address.
        let address = request.uri().to_string();
        let shown = if asks_who(request) { "" } else { &address };
        let secret = self.secrets.in_bytes(request.body());
        if let Some(secret) = secret.or(self.secrets.in_bytes(shown.as_bytes())) {
            let what = format!("{secret} was sent to {}", request.uri().path());
            self.story.violate(self.kernel.now(), "X1", what);
        }
        let response = match target {
            Target::Platform => self.at_platform(request),
            Target::Webhook => self.at_merchant(request),
        };
        let lost = self.chance.percent(self.transport.faults().answer_lost);
        self.kernel.count(lost);
        let (response, delay) = match response {
            WireResponse::Answer { response, delay } if !lost => {
                if target == Target::Platform {
                    self.hears(request, &response);
                }
                (Some(response), delay)
            }
            WireResponse::Answer { delay, .. } | WireResponse::Dropped { delay } => (None, delay),
            WireResponse::Refused => (None, Duration::ZERO),
        };
        let travel = delay + self.chance.millis(2, 80);
        let response = response.map(Box::new);
        self.kernel
            .after(travel, WorldEvent::Answers { exchange, response });
    }

    fn at_platform(&mut self, request: &Request<Bytes>) -> WireResponse {
        let now = self.kernel.now();
        let path = request.uri().path();
        let query = path == "/pay/orderquery";
        if !query && !asks_who(request) {
            let channel = |whose: Merchants<'_>| {
                let mut accounts = self.accounts.iter();
                let account = accounts.find(|account| account.merchants() == whose);
                account.map(|account| account.channel)
            };
            let verdict =
                at_boundary::e3_intent_before_call(&self.gateway.tables(), &channel, request);
            if let Err(what) = verdict {
                self.story.violate(now, "E3", what);
            }
            if path == "/pay/closeorder" {
                self.watch_the_close(request);
            }
        }
        if query && self.plan.off == DefenceOff::Queries {
            return WireResponse::Dropped {
                delay: Duration::ZERO,
            };
        }
        if query {
            let body = String::from_utf8_lossy(request.body());
            let mut known = self.truth.known();
            let number = short_number(&body);
            known.asked.insert(number.to_owned(), now);
            *known.times_asked.entry(number.to_owned()).or_default() += 1;
        }
        self.watch_the_till(request);
        let errs = self.chance.percent(self.transport.faults().platform_errs);
        self.kernel.count(errs);
        let (reverse, who) = (path == REVERSE, asks_who(request));
        let fault = errs.then(|| {
            if reverse && self.chance.percent(50) {
                return self
                    .chance
                    .pick(&[FaultKind::RecallReverse, FaultKind::ReverseWithoutEffect]);
            }
            if who && self.chance.percent(30) {
                // Longer than anybody waits for it.
                return FaultKind::Slow;
            }
            self.chance.pick(&[
                FaultKind::SystemError,
                FaultKind::SystemErrorAfterEffect,
                FaultKind::Http500,
                FaultKind::GarbageAnswer,
                FaultKind::BadSignatureAnswer,
                FaultKind::FrequencyLimited,
                FaultKind::NoAnswer,
                FaultKind::RefuseConnection,
            ])
        });
        let at = self.platform_now();
        let mut platform = lock(&self.platform);
        let fault = fault.map(|kind| {
            platform.add_fault(
                at,
                NewFault {
                    path: Some(path.to_owned()),
                    times: Some(1),
                    ..NewFault::of(kind)
                },
            )
        });
        let response = platform.handle(at, request);
        if let Some(fault) = fault {
            platform.remove_fault(fault);
        }
        drop(platform);
        self.story.tell(now, "gateway", "platform", || {
            let said = match &response {
                WireResponse::Answer { response, .. } if who => naming_words(response.body()),
                WireResponse::Answer { response, .. } => outcome_words(response.body()),
                WireResponse::Dropped { .. } => "(no answer)".to_owned(),
                WireResponse::Refused => "(refused)".to_owned(),
            };
            let body = String::from_utf8_lossy(request.body());
            format!("{path} {} ⇒ {said}", short_number(&body))
        });
        self.plan_platform();
        response
    }

    fn watch_the_close(&self, request: &Request<Bytes>) {
        let body = String::from_utf8_lossy(request.body());
        let number = short_number(&body);
        let least = Duration::from_secs(self.plan.close_after_secs.into());
        let now = self.kernel.now();
        let verdict = {
            let tables = self.gateway.tables();
            let mut payments = tables.payments.values();
            let payment = payments.find(|payment| payment.attempt_by_no(number).is_some());
            at_boundary::e12_nothing_is_closed_too_young(payment, number, least, now)
        };
        if let Err(what) = verdict {
            self.story.violate(now, "E12", what);
        }
    }

    /// What goes out for a payer at a till.
    fn watch_the_till(&self, request: &Request<Bytes>) {
        let mut known = self.truth.known();
        let (id, verdict) = match request.uri().path() {
            "/pay/micropay" => {
                let body = String::from_utf8_lossy(request.body());
                let number = short_number(&body).to_owned();
                let began = AtTheTill::began(self.kernel.now());
                known.at_the_till.entry(number).or_insert(began);
                // Two payments of one order are two charges.
                let one = self.plan.off != DefenceOff::UniqueNumbers;
                (
                    "E10",
                    at_boundary::e10_a_code_is_sent_once(&mut known, request, one),
                )
            }
            // One whose lease has ended under its hands may be overtaken.
            REVERSE if self.plan.off != DefenceOff::Leases => {
                let body = String::from_utf8_lossy(request.body());
                let number = short_number(&body);
                (
                    "E11",
                    at_boundary::e11_a_reverse_follows_a_query(
                        &mut known,
                        number,
                        self.kernel.now(),
                    ),
                )
            }
            _ => return,
        };
        drop(known);
        if let Err(what) = verdict {
            self.story.violate(self.kernel.now(), id, what);
        }
    }

    /// What an answer proves of an attempt's end. An error, and an answer that
    /// nobody can read or believe, proves nothing.
    fn hears(&self, request: &Request<Bytes>, response: &Response<Bytes>) {
        let asked = String::from_utf8_lossy(request.body());
        let number = short_number(&asked);
        // "Reversed" is a promise, which only a query can confirm.
        let promise = request.uri().path() == REVERSE;
        if promise || asks_who(request) || self.truth.known().ended.contains(number) {
            return;
        }
        let body = String::from_utf8_lossy(response.body());
        let says = |word: &str| body.contains(word);
        let open = says("NOTPAY") || says("USERPAYING") || says("prepay_id");
        let broken = !response.status().is_success()
            || says("SYSTEMERROR")
            || says("频率限制")
            || says("系统繁忙");
        if open || broken || self.unbelievable(&body) {
            return;
        }
        self.truth.known().ended.insert(number.to_owned());
    }

    /// Signed, and not by the platform.
    fn unbelievable(&self, body: &str) -> bool {
        let Ok(fields) = Fields::read(body.as_bytes()) else {
            return true;
        };
        let sign_type = if self.plan.md5 {
            SignType::Md5
        } else {
            SignType::HmacSha256
        };
        let mut keys = self
            .accounts
            .iter()
            .flat_map(|account| self.keys_of(account));
        fields.get("sign").is_some()
            && !keys.any(|key| {
                ApiKey::new(key).is_ok_and(|key| sign::verify(&fields, &key, sign_type).is_ok())
            })
    }

    /// A webhook arrives at the merchant's server.
    fn at_merchant(&mut self, request: &Request<Bytes>) -> WireResponse {
        let now = self.kernel.now();
        let answer = |status| WireResponse::Answer {
            response: respond(status),
            delay: Duration::ZERO,
        };
        if request.uri().host() == Some("dead.sim") {
            return WireResponse::Dropped {
                delay: Duration::from_mins(1),
            };
        }
        let Some(webhook) = self.read_webhook(request) else {
            self.story
                .violate(now, "W0", "a webhook cannot be verified".to_owned());
            return answer(StatusCode::BAD_REQUEST);
        };
        if let Some(kind) = EventType::parse(&webhook.kind) {
            let verdict = at_boundary::w5_no_webhook_before_its_state(
                &self.gateway.tables(),
                kind,
                webhook.payment,
                webhook.sequence,
            );
            if let Err(what) = verdict {
                self.story.violate(now, "W5", what);
            }
        }
        let fails = self.chance.percent(self.transport.faults().webhook_fails);
        self.kernel.count(fails);
        let failure = fails.then(|| self.chance.index(3));
        self.story.tell(now, "gateway", "merchant", || {
            let answered = match failure {
                None => "204",
                Some(0) => "500, not heard",
                Some(1) => "302, not heard",
                Some(_) => "heard, and no answer",
            };
            let Received { kind, sequence, .. } = &webhook;
            let subject = webhook.payment.map(|id| id.to_string());
            let subject = subject.unwrap_or_else(|| "nobody's money".to_owned());
            format!("{kind} no. {sequence} of {subject} ⇒ {answered}")
        });
        match failure {
            None => {}
            Some(0) => return answer(StatusCode::INTERNAL_SERVER_ERROR),
            Some(1) => return answer(StatusCode::FOUND),
            Some(_) => {
                // Done, but the answer never leaves.
                self.received.push(webhook);
                return WireResponse::Dropped {
                    delay: Duration::ZERO,
                };
            }
        }
        self.received.push(webhook);
        answer(StatusCode::NO_CONTENT)
    }

    fn read_webhook(&self, request: &Request<Bytes>) -> Option<Received> {
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        let (id, at) = (
            header("webhook-id")?,
            header("webhook-timestamp")?.parse().ok()?,
        );
        let signature = header("webhook-signature")?;
        // The library compares times with the machine's clock, which does not
        // exist here: the signature is made again and compared.
        let signer = standardwebhooks::Webhook::new(&self.webhook_secret).ok()?;
        if signer.sign(id, at, request.body()).ok()? != signature {
            return None;
        }
        let body: serde_json::Value = serde_json::from_slice(request.body()).ok()?;
        let kind = body["type"].as_str()?.to_owned();
        let field = if kind.starts_with("payment.") {
            "id"
        } else {
            "payment"
        };
        Some(Received {
            id: id.parse::<EventId>().ok()?,
            body: String::from_utf8(request.body().to_vec()).ok()?,
            payment: body["data"][field]
                .as_str()
                .and_then(|id| id.parse::<PaymentId>().ok()),
            sequence: body["sequence"].as_i64()?,
            kind,
        })
    }

    /// The platform's own timers: notifications, expiries.
    pub(super) fn platform_turns(&mut self, planned: UnixMillis) {
        if self.platform_turn_planned != Some(planned) {
            return;
        }
        self.platform_turn_planned = None;
        let at = self.platform_now();
        let outgoing = lock(&self.platform).fire(at);
        for message in outgoing {
            self.send_notification(message);
        }
        self.plan_platform();
    }

    /// Plans the platform's next turn, if it is earlier than the planned one.
    pub(super) fn plan_platform(&mut self) {
        let Some(due) = lock(&self.platform).next_due() else {
            return;
        };
        if self
            .platform_turn_planned
            .is_some_and(|planned| planned <= due)
        {
            return;
        }
        self.platform_turn_planned = Some(due);
        let wait = due.since(self.platform_now());
        self.kernel.after(wait, WorldEvent::PlatformTurns(due));
    }

    fn send_notification(&mut self, outgoing: Outgoing) {
        let faults = self.transport.faults();
        self.overhear(&outgoing.request);
        let lost = self.plan.off == DefenceOff::Notifications
            || self.chance.percent(faults.notification_lost);
        self.kernel.count(lost);
        if self
            .kernel
            .count(self.chance.percent(faults.notification_doubled))
        {
            let wait = self.chance.millis(1, 1_500);
            let copy = Box::new(outgoing.clone());
            self.kernel.after(
                wait,
                WorldEvent::Notifies {
                    outgoing: copy,
                    copy: true,
                },
            );
        }
        if lost {
            let delivered = Delivered::NoAnswer("lost".to_owned());
            let hears = WorldEvent::PlatformHears {
                id: outgoing.id,
                delivered,
            };
            self.kernel.after(Duration::from_secs(4), hears);
            return;
        }
        let wait = self.chance.millis(2, 400);
        let outgoing = Box::new(outgoing);
        self.kernel.after(
            wait,
            WorldEvent::Notifies {
                outgoing,
                copy: false,
            },
        );
    }

    /// A notification arrives at one of the nodes.
    pub(super) fn notifies(&mut self, outgoing: Outgoing, copy: bool) {
        let Outgoing { id, request, .. } = outgoing;
        let alive = self.alive();
        let refuse = move |kernel: &crate::event::WorldKernel| {
            let delivered = Delivered::NoAnswer("connection refused".to_owned());
            if !copy {
                kernel.after(Duration::ZERO, WorldEvent::PlatformHears { id, delivered });
            }
        };
        if alive.is_empty() {
            return refuse(&self.kernel);
        }
        let (node, face) = alive[self.chance.index(alive.len())].clone();
        let Some(channel) = channel_of(&request) else {
            return refuse(&self.kernel);
        };
        let now = self.kernel.now();
        let hash = sha256(request.body());
        let forged = self.truth.known().forged.contains(&(channel, hash));
        let sender = if forged { "attacker" } else { "platform" };
        self.story.tell(now, sender, &format!("node {node}"), || {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            format!("notification {}", short_number(&body))
        });
        let ack_lost = self.chance.percent(self.transport.faults().ack_lost);
        self.kernel.count(ack_lost);
        let travel = self.chance.millis(2, 80);
        let (kernel, gateway, story, truth) = (
            self.kernel.clone(),
            self.gateway.clone(),
            self.story.clone(),
            self.truth.clone(),
        );
        if !forged {
            let body = String::from_utf8_lossy(request.body());
            let mut known = self.truth.known();
            known.ended.insert(short_number(&body).to_owned());
        }
        let genuine = !forged && id.notification != NOBODYS;
        let due = self.is_due(channel, &request, genuine);
        if self.key_change.is_some() {
            let mut known = self.truth.known();
            match due {
                Due::Taken { .. } => known.to_be_taken.insert((channel, hash)),
                _ => known.to_be_taken.remove(&(channel, hash)),
            };
        }
        let request = self.as_it_is_taken(channel, request);
        let hash = sha256(request.body());
        let answer = face.notify(channel, request);
        self.kernel.spawn(node, async move {
            let Some(response) = answer.await else {
                return refuse(&kernel);
            };
            let received = String::from_utf8_lossy(response.body()).contains("SUCCESS");
            if received && forged {
                let what = "a forged message was acknowledged".to_owned();
                story.violate(kernel.now(), "X2", what);
            }
            match due {
                Due::Refused if received => {
                    let what = "a message with a key that has ended was acknowledged".to_owned();
                    story.violate(kernel.now(), "X7", what);
                }
                Due::Refused => truth.known().met(OLD_KEY_REFUSED),
                Due::Taken { overlapping: true } if received => truth.known().met(OLD_KEY_TAKEN),
                Due::Taken { .. } | Due::Either => {}
            }
            story.tell(kernel.now(), &format!("node {node}"), sender, || {
                if received { "SUCCESS" } else { "FAIL" }.to_owned()
            });
            if received && let Err(what) = gateway.acknowledges(channel, hash) {
                story.violate(kernel.now(), "E4", what);
            }
            if !ack_lost && !copy {
                let delivered = Delivered::Http {
                    status: response.status().as_u16(),
                    body: response.into_body(),
                };
                kernel.after(travel, WorldEvent::PlatformHears { id, delivered });
            }
        });
    }

    /// As it is, unless it is planted that nobody compares whose it is.
    fn as_it_is_taken(&self, channel: ChannelId, request: Request<Bytes>) -> Request<Bytes> {
        let mut accounts = self.accounts.iter();
        let account = accounts.find(|account| account.channel == channel);
        match account.filter(|_| self.plan.bug == Some(Bug::SubMerchantNotCompared)) {
            Some(account) => account::not_compared(request, account),
            None => request,
        }
    }
}

/// Whose login code it is. That is no order, and moves no money.
fn asks_who(request: &Request<Bytes>) -> bool {
    request.uri().path().starts_with("/sns/")
}

pub(super) fn sha256(body: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(body).into()
}

pub(super) fn channel_of(request: &Request<Bytes>) -> Option<ChannelId> {
    request.uri().path().strip_prefix("/notify/")?.parse().ok()
}

fn respond(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// The order number in an XML body, or what there is.
fn short_number(body: &str) -> &str {
    let after = body.split("<out_trade_no>").nth(1).unwrap_or_default();
    let after = after.trim_start_matches("<![CDATA[");
    after.split([']', '<']).next().unwrap_or_default()
}

fn naming_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.split_once("\"errcode\":") {
        Some((_, rest)) => rest.split([',', '}']).next().unwrap_or_default().to_owned(),
        None if text.contains("\"openid\"") => "known".to_owned(),
        None => "(unreadable)".to_owned(),
    }
}

fn outcome_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words = ["trade_state>", "err_code>", "result_code>", "return_msg>"];
    let found = words.iter().find_map(|word| text.split(word).nth(1));
    let found = found
        .unwrap_or("(unreadable)")
        .trim_start_matches("<![CDATA[");
    found
        .split([']', '<'])
        .next()
        .unwrap_or_default()
        .to_owned()
}
