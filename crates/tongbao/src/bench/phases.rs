//! The things that are measured, one function each.

use std::time::Duration;

use anyhow::{Context, ensure};
use tongbao_channels::{Addresses, Call, Order, Settings, Stamp};
use tongbao_core::{Currency, Money, Scene, Timestamp};

use super::gateway::{API_KEY, Gateway, pause};
use super::http::{request, text_field};
use super::load::{Answered, Load};
use super::platform::Channel;
use super::report::{Measure, micros};
use super::stopwatch::{Stopwatch, per_second};

/// A phase that takes longer has a fault.
const LIMIT: Duration = Duration::from_mins(2);

/// No phase but that of the notifications goes on for longer. The gateway asks
/// the platform about an open attempt after five seconds for the first time: by
/// then the notifications of all that were started are in, and nothing else is
/// measured with them.
const ENOUGH: Duration = Duration::from_millis(2_500);

/// A running gateway, and how it is loaded.
pub(super) struct Bench<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) channel: &'a Channel,
    pub(super) connections: usize,
    /// The last order number that was used.
    pub(super) orders: usize,
}

impl Bench<'_> {
    /// Nothing but the server: accept, route, answer.
    pub(super) fn empty(&self, count: usize) -> anyhow::Result<Measure> {
        let request = request("GET", "/healthz", &[], b"");
        self.measured(ENOUGH, |load| {
            load.send(
                count,
                |_| &request,
                |_, answer| {
                    ensure!(answer.status == 200, "status {}", answer.status);
                    Ok(())
                },
            )
        })
    }

    /// `POST /v1/payments`.
    pub(super) fn payments(&mut self, count: usize) -> anyhow::Result<Measure> {
        self.payments_until(ENOUGH, count)
    }

    /// All of them, however long that takes.
    pub(super) fn fill(&mut self, count: usize) -> anyhow::Result<()> {
        self.payments_until(LIMIT, count).map(drop)
    }

    fn payments_until(&mut self, enough: Duration, count: usize) -> anyhow::Result<Measure> {
        let requests = self.orders(count, "");
        self.measured(enough, |load| {
            load.send(
                count,
                |place| &requests[place],
                |_, answer| {
                    ensure!(answer.status == 201, "status {}", answer.status);
                    Ok(())
                },
            )
        })
    }

    /// `POST /v1/payments` with an attempt over the channel account of that
    /// name. Answers the numbers that the platform knows the orders by.
    pub(super) fn attempts(
        &mut self,
        count: usize,
        account: &str,
    ) -> anyhow::Result<(Measure, Vec<String>)> {
        let attempt = format!(r#","attempt":{{"scene":"native","channel":"{account}"}}"#);
        let requests = self.orders(count, &attempt);
        let mut numbers = Vec::with_capacity(count);
        let measure = self.measured(ENOUGH, |load| {
            load.send(
                count,
                |place| &requests[place],
                |_, answer| {
                    ensure!(answer.status == 201, "status {}", answer.status);
                    let has_code = text_field(answer.body, "code_url").is_some();
                    ensure!(has_code, "the attempt has no QR code");
                    let number =
                        text_field(answer.body, "out_trade_no").context("no out_trade_no")?;
                    numbers.push(number.to_owned());
                    Ok(())
                },
            )
        })?;
        Ok((measure, numbers))
    }

    /// Everybody pays; the platform's messages, signed and ready to be sent.
    pub(super) fn messages(&self, numbers: &[String]) -> anyhow::Result<Vec<Vec<u8>>> {
        numbers.iter().map(|no| self.channel.paid(no)).collect()
    }

    /// `POST /notify/{channel_id}`: each message once, each of another payment.
    pub(super) fn notifications(&self, messages: &[Vec<u8>]) -> anyhow::Result<Measure> {
        self.measured(LIMIT, |load| {
            load.send(
                messages.len(),
                |place| &messages[place],
                |_, answer| {
                    let heard = answer.body.windows(7).any(|seven| seven == b"SUCCESS");
                    ensure!(
                        answer.status == 200 && heard,
                        "the notification was refused"
                    );
                    Ok(())
                },
            )
        })
    }

    /// An order placed at the platform without the gateway: what the channel
    /// itself takes.
    pub(super) fn channel_alone(&mut self, count: usize) -> anyhow::Result<Measure> {
        let account = &self.channel.account;
        let kind = tongbao_channels::kind("wechat_v2").context("no such channel")?;
        let typed = serde_json::json!({
            "app_id": account.app_id,
            "mch_id": account.mch_id,
            "api_v2_key": account.api_v2_key.0,
        });
        let settings = Settings::read(kind.fields, typed)?;
        let codec = (kind.open)(&settings, &Addresses::default())?;
        let now = Timestamp::from_secs(tongbao_simulator::server::system_clock().as_secs());
        let mut requests = Vec::with_capacity(count);
        for _ in 0..count {
            self.orders += 1;
            let order = Order {
                out_trade_no: &format!("direct{}", self.orders),
                amount: Money::new(1, Currency::CNY),
                subject: "bench",
                scene: Scene::Native,
                auth_code: None,
                payer: None,
                client_ip: None,
                created_at: now,
                expires_at: now + Duration::from_mins(30),
                notify_url: "http://127.0.0.1/notify",
                pages: tongbao_channels::Pages {
                    site: "https://pay.test",
                    back: "https://shop.test",
                },
                asked_at: now,
            };
            let stamp = Stamp {
                now,
                nonce: format!("{:032}", self.orders),
            };
            let message = codec.encode(&Call::Start(order), &stamp)?;
            let headers = [("Content-Type", "text/xml; charset=utf-8")];
            requests.push(request(
                "POST",
                message.uri().path(),
                &headers,
                message.body(),
            ));
        }
        let load = Load {
            address: self.channel.address,
            connections: self.connections,
            enough: ENOUGH,
            limit: LIMIT,
        };
        let answered = load.send(
            count,
            |place| &requests[place],
            |_, answer| {
                let ordered = answer.body.windows(8).any(|eight| eight == b"code_url");
                ensure!(ordered, "the platform refused the order");
                Ok(())
            },
        )?;
        Ok(measure(&answered, None))
    }

    /// Waits until `count` payments are paid and nothing is left to be done at
    /// once, and answers how long that took.
    pub(super) fn settle(&self, count: usize) -> anyhow::Result<Duration> {
        const LOOK: Duration = Duration::from_millis(20);
        let watch = Stopwatch::start();
        loop {
            ensure!(
                watch.elapsed() < LIMIT,
                "{count} payments are not paid after {LIMIT:?}"
            );
            if self.paid()? >= count {
                return Ok(watch.elapsed());
            }
            pause(LOOK);
        }
    }

    /// Waits until the gateway has had nothing to ask the platform for a while:
    /// the questions about old payments are not to be measured with new ones.
    pub(super) fn rest(&self) -> anyhow::Result<()> {
        const QUIET: Duration = Duration::from_millis(500);
        let watch = Stopwatch::start();
        let mut before = None;
        loop {
            ensure!(
                watch.elapsed() < LIMIT,
                "the gateway has no rest after {LIMIT:?}"
            );
            let asked = self.gateway.metric("tongbao_channel_calls_total", &[])?;
            if before == Some(asked) {
                return Ok(());
            }
            before = Some(asked);
            pause(QUIET);
        }
    }

    /// So many payments have been paid.
    pub(super) fn paid(&self) -> anyhow::Result<usize> {
        self.gateway
            .metric("tongbao_payments_total", &["state=\"paid\""])
    }

    fn orders(&mut self, count: usize, rest: &str) -> Vec<Vec<u8>> {
        let key = format!("Bearer {API_KEY}");
        let headers = [
            ("Authorization", &*key),
            ("Content-Type", "application/json"),
        ];
        let one = |number| {
            let body = format!(
                r#"{{"merchant_order_no":"bench-{number}","amount":1,"subject":"bench"{rest}}}"#
            );
            request("POST", "/v1/payments", &headers, body.as_bytes())
        };
        let first = self.orders + 1;
        self.orders += count;
        (first..=self.orders).map(one).collect()
    }

    fn measured(
        &self,
        enough: Duration,
        send: impl FnOnce(&Load) -> anyhow::Result<Answered>,
    ) -> anyhow::Result<Measure> {
        let load = Load {
            address: self.gateway.address,
            connections: self.connections,
            enough,
            limit: LIMIT,
        };
        let before = self.gateway.cpu();
        let answered = send(&load)?;
        let after = self.gateway.cpu();
        let cpu = before
            .zip(after)
            .map(|(before, after)| after.saturating_sub(before));
        Ok(measure(&answered, cpu))
    }
}

fn measure(answered: &Answered, cpu: Option<Duration>) -> Measure {
    let each = u32::try_from(answered.count.max(1)).unwrap_or(u32::MAX);
    Measure {
        per_second: per_second(answered.count, answered.wall),
        median_micros: micros(answered.latencies.median()),
        p99_micros: micros(answered.latencies.p99()),
        server_cpu_micros: cpu.map(|cpu| micros(cpu / each)),
    }
}
