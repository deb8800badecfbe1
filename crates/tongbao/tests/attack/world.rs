//! A gateway that runs, the platform behind it, and two merchants.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tongbao::attack::{self, Algorithm, Target};
use tongbao::secret::Secret;
use tongbao_simulator::server::{Simulator, router, system_clock};
use tongbao_simulator::{Account, Delivered, Platform, Target as Code, TestKey};

use crate::database::Database;
use crate::gateway::{API_KEY, Gateway, Home, free_address};
use crate::http::{Answer, Client};

/// The other merchant's.
pub(crate) const NEIGHBOURS_KEY: &str = "sk_1123456789abcdefghjkmnpqrstvwxyz";

/// Alice's, in the simulator's books.
const PASSWORD: &str = "123456";

/// What is asked for an order.
pub(crate) const AMOUNT: u64 = 888;

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) gateway: Gateway,
    pub(crate) home: Home,
    pub(crate) client: Client,
    pub(crate) database: Database,
    /// Ends with the world.
    _runtime: tokio::runtime::Runtime,
}

/// An order that is placed at the platform.
pub(crate) struct Placed {
    pub(crate) id: String,
    pub(crate) out_trade_no: String,
    pub(crate) code: String,
    /// Where the platform tells of it.
    pub(crate) notify: String,
    pub(crate) channel: &'static str,
}

/// The other merchant's account.
pub(crate) fn neighbour() -> Account {
    Account {
        mch_id: "1900000002".to_owned(),
        app_id: "wx7e57000000000002".to_owned(),
        api_v2_key: TestKey("TongbaoSimulatorTestKey000000002".to_owned()),
        name: "隔壁".to_owned(),
        ..Account::ready_made()
    }
}

impl World {
    /// As talkative as it can be: nothing secret may be in the log even so.
    pub(crate) fn open(name: &str) -> Self {
        Self::open_with(name, "debug")
    }

    /// As an operator would run it.
    pub(crate) fn open_quiet(name: &str) -> Self {
        Self::open_with(name, "info")
    }

    fn open_with(name: &str, log: &str) -> Self {
        let mut platform = Platform::new(1);
        platform.add_account(neighbour());
        let simulator = Simulator::new(platform, system_clock);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // The platform answers, and tells nothing by itself: messages are sent
        // when a test wants them.
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let routes = router(simulator.clone());
        runtime.spawn(async { axum::serve(listener, routes).await });

        let channel = |account: &Account, name: &str, confirm: &str, sign_type: &str| {
            json!({
                "kind": "wechat_v2",
                "name": name,
                "confirm": confirm,
                "settings": {
                    "app_id": account.app_id,
                    "mch_id": account.mch_id,
                    "api_v2_key": account.api_v2_key.0,
                    "sign_type": sign_type,
                },
            })
        };
        let ours = Account::ready_made();
        let config = json!({
            "platforms": {
                "wechat_pay": format!("http://{address}"),
                "wechat_api": format!("http://{address}"),
            },
            "webhooks": { "allow_http": true, "allow_networks": ["127.0.0.0/8"] },
            "log": { "level": log },
            "merchants": [
                {
                    "name": "shop",
                    "api_key": API_KEY,
                    "channels": [
                        channel(&ours, "signature", "signature", "HMAC-SHA256"),
                        channel(&ours, "query", "query", "HMAC-SHA256"),
                        channel(&ours, "md5", "signature", "MD5"),
                    ],
                },
                {
                    "name": "neighbour",
                    "api_key": NEIGHBOURS_KEY,
                    "channels": [channel(&neighbour(), "signature", "signature", "HMAC-SHA256")],
                },
            ],
        });
        let mut home = Home::at(free_address(), name, config);
        let gateway = runtime.block_on(home.start());
        Self {
            client: Client::new(home.address),
            database: Database::open(&home.data().join("tongbao.db")),
            simulator,
            gateway,
            home,
            _runtime: runtime,
        }
    }

    pub(crate) fn api(&mut self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {key}");
        let mut headers = vec![("authorization", &*authorization)];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.client.send(method, path, &headers, body.as_bytes())
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        let answer = self.api(API_KEY, "GET", path, &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// An order on that channel, ready to be paid.
    pub(crate) fn order(&mut self, number: &str, channel: &'static str) -> Placed {
        self.order_of(API_KEY, number, channel)
    }

    pub(crate) fn order_of(&mut self, key: &str, number: &str, channel: &'static str) -> Placed {
        let body = json!({
            "merchant_order_no": number,
            "amount": AMOUNT,
            "subject": "tea",
            "attempt": { "scene": "native", "channel": channel },
        });
        let answer = self.api(key, "POST", "/v1/payments", &body);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let payment = answer.json();
        let attempt = &payment["attempts"][0];
        assert_eq!(attempt["state"], "pending", "{payment}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let code = text(&attempt["action"]["code_url"]);
        Placed {
            id: text(&payment["id"]),
            out_trade_no: text(&attempt["out_trade_no"]),
            notify: self.simulator.look(|platform, _| {
                let trade = platform
                    .truth()
                    .trades()
                    .find(|trade| trade.code_url() == Some(&*code));
                let url = trade.unwrap().notify_url.clone().unwrap();
                url[url.find("/notify/").unwrap()..].to_owned()
            }),
            code,
            channel,
        }
    }

    /// What forgers know of it: everything.
    pub(crate) fn target(order: &Placed) -> Target {
        let ours = Account::ready_made();
        Target {
            account: attack::Account {
                app_id: ours.app_id,
                mch_id: ours.mch_id,
                key: Secret::new(ours.api_v2_key.0),
            },
            algorithm: if order.channel == "md5" {
                Algorithm::Md5
            } else {
                Algorithm::HmacSha256
            },
            out_trade_no: order.out_trade_no.clone(),
            amount_fen: AMOUNT,
        }
    }

    pub(crate) fn tell(&mut self, path: &str, body: &[u8]) -> Answer {
        self.client
            .send("POST", path, &[("content-type", "text/xml")], body)
    }

    /// Alice pays, the platform tells, the gateway knows.
    pub(crate) fn pay(&mut self, order: &Placed) {
        let (path, body) = self.paid_at_platform(order);
        let answer = self.tell(&path, &body);
        assert!(
            attack::is_success(answer.status, &answer.body),
            "{answer:?}"
        );
        self.until_paid(order);
    }

    /// Alice pays; what the platform would send now.
    pub(crate) fn paid_at_platform(&self, order: &Placed) -> (String, Vec<u8>) {
        self.simulator.act(|platform, now| {
            platform
                .pay(
                    now,
                    "alice",
                    &Code::CodeUrl(order.code.clone()),
                    Some(PASSWORD),
                )
                .unwrap();
            let mut told = platform.fire(now);
            let told = told.pop().expect("one message for one payment");
            // It is told once, by us.
            platform.answered(
                now,
                told.id,
                Delivered::Http {
                    status: 200,
                    body: b"<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>"
                        .as_slice()
                        .into(),
                },
            );
            let path = told.request.uri().path().to_owned();
            (path, told.request.body().to_vec())
        })
    }

    pub(crate) fn until_paid(&mut self, order: &Placed) {
        let since = Instant::now();
        loop {
            // A hint within the last minute leaves the next question to the
            // payment's own schedule; a merchant need not wait for it.
            let payment = self.get(&format!("/v1/payments/{}?refresh=true", order.id));
            if payment["state"] == "paid" {
                return;
            }
            assert!(
                since.elapsed() < Duration::from_secs(20),
                "not paid: {payment}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How often the platform was asked about it lately.
    pub(crate) fn queries(&self, order: &Placed) -> usize {
        self.simulator.look(|platform, _| {
            let about = |entry: &&tongbao_simulator::platform::journal::Entry| {
                entry.path == "/pay/orderquery"
                    && entry.out_trade_no.as_ref() == Some(&order.out_trade_no)
            };
            platform.journal().filter(about).count()
        })
    }
}
