//! The control API and the platforms' paths, through the router.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use axum::Router;
use axum::body::Body;
use common::{Merchant, NOON, read};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tongbao_simulator::Platform;
use tongbao_simulator::server::{HangUp, Simulator, router};
use tongbao_wire::wechat_v2::Fields;
use tower::ServiceExt as _;

struct Api {
    router: Router,
}

impl Api {
    fn new() -> Self {
        let simulator = Simulator::new(Platform::new(7), || NOON);
        Self {
            router: router(simulator),
        }
    }

    async fn send(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let response = self.send(request.body(body).unwrap()).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let value = match &bytes[..] {
            [] => Value::Null,
            json => serde_json::from_slice(json).unwrap(),
        };
        (status, value)
    }

    async fn get(&self, path: &str) -> Value {
        let (status, value) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call("POST", path, Some(body)).await
    }

    async fn ask(&self, path: &str, fields: &Fields<'_>) -> http::Response<Body> {
        let request = Merchant::ready_made().request(path, fields);
        self.send(request.map(Body::from)).await
    }

    /// The code of a fresh order.
    async fn place(&self, number: &str, fen: u64) -> String {
        let response = self
            .ask("/pay/unifiedorder", &Merchant::order(number, fen))
            .await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        read(&body).get("code_url").unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_test_account_is_the_same_in_every_run() {
    let credentials = Api::new().get("/_sim/credentials").await;

    assert_eq!(
        credentials,
        json!({"wechat": {
            "app_id": "wx7e57000000000001",
            "app_secret": "7e570000000000000000000000000001",
            "mch_id": "1900007357",
            "api_v2_key": "TongbaoSimulatorTestKey000000001",
        }, "wechat_service_provider": {
            "app_id": "wx7e57000000000101",
            "app_secret": "7e570000000000000000000000000101",
            "mch_id": "1900007400",
            "api_v2_key": "TongbaoSimulatorTestKey000000101",
            "sub_merchants": [
                {"sub_mch_id": "1900007401", "name": "通宝测试茶馆",
                 "sub_app_id": "wx7e57000000000102",
                 "sub_app_secret": "7e570000000000000000000000000102"},
                {"sub_mch_id": "1900007402", "name": "通宝测试书店",
                 "sub_app_id": null, "sub_app_secret": null},
            ],
        }})
    );
}

#[tokio::test]
async fn alice_and_bob_are_there_from_the_start() {
    let api = Api::new();
    assert_eq!(
        api.get("/_sim/wallets").await,
        json!([
            {"id": "alice", "platform": "wechat", "openid": "oTongbaoSimulatorAlice000001",
             "balance": 1_000_000, "password": "123456", "status": "open"},
            {"id": "bob", "platform": "alipay", "openid": "2088000000000002",
             "balance": 1_000_000, "password": "123456", "status": "open"},
        ])
    );

    let (status, carol) = api
        .post(
            "/_sim/wallets",
            json!({"id": "carol", "platform": "wechat"}),
        )
        .await;
    assert_eq!(status, 201);
    assert_eq!(api.get("/_sim/wallets/carol").await, carol);
    assert_eq!(carol["openid"].as_str().unwrap().len(), 28);
}

#[tokio::test]
async fn a_person_scans_and_pays() {
    let api = Api::new();
    let code_url = api.place("T00001", 888).await;
    let body = json!({"code_url": code_url});

    let (status, prompt) = api.post("/_sim/wallets/alice/scan", body.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(
        prompt,
        json!({"payee": "通宝测试商户", "subject": "豆浆", "amount": 888, "currency": "CNY",
               "password_required": false, "out_trade_no": "T00001", "trade_type": "NATIVE"})
    );
    let (status, _) = api.post("/_sim/wallets/alice/cancel", body.clone()).await;
    assert_eq!(status, 204);
    let (status, receipt) = api.post("/_sim/wallets/alice/pay", body.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(receipt["balance"], 1_000_000 - 888);

    let trade = api.get("/_sim/trades/T00001").await;
    assert_eq!(trade["state"], "SUCCESS");
    assert_eq!(trade["transaction_id"], receipt["transaction_id"]);
    assert_eq!(trade["paid_at"], "2026-11-21T04:00:00.000Z");
    assert_eq!(trade["payer"]["wallet"], "alice");
    let told = api.get("/_sim/notifications?out_trade_no=T00001").await;
    assert_eq!(told[0]["state"], "waiting");
    assert_eq!(told[0]["url"], common::NOTIFY_URL);
}

#[tokio::test]
async fn a_refusal_is_a_problem_with_a_stable_code() {
    let api = Api::new();
    let dear = json!({"code_url": api.place("T00001", 50_001).await});
    let prepay = json!({"prepay_id": "wx1"});
    let wrong = json!({"code_url": dear["code_url"], "password": "000000"});
    let both = json!({"code_url": "a", "prepay_id": "b"});
    let cases = [
        ("alice/pay", dear.clone(), 403, "password_required"),
        ("alice/pay", wrong, 403, "wrong_password"),
        ("alice/open", prepay, 404, "unknown_code"),
        ("bob/scan", dear.clone(), 403, "other_platform"),
        ("carol/scan", dear.clone(), 404, "unknown_wallet"),
        ("alice/scan", both, 422, "invalid"),
        ("alice/scan", json!({"code": "a"}), 422, "invalid"),
        ("alice/fly", json!({}), 404, "not_found"),
    ];
    for (path, body, status, code) in cases {
        let (given, problem) = api.post(&format!("/_sim/wallets/{path}"), body).await;

        assert_eq!((given.as_u16(), &problem["code"]), (status, &json!(code)));
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let api = Api::new();
    let cases = [
        ("GET", "/_sim/nothing", 404, "not_found"),
        ("GET", "/_sim/trades/T00001", 404, "not_found"),
        ("PUT", "/_sim/clock", 405, "method_not_allowed"),
        ("GET", "/_sim/notifications?order=1", 400, "bad_query"),
        ("DELETE", "/_sim/faults/9", 404, "not_found"),
        ("DELETE", "/_sim/faults/x", 404, "not_found"),
    ];
    for (method, path, status, code) in cases {
        let (given, problem) = api.call(method, path, None).await;
        assert_eq!(
            (given.as_u16(), &problem["code"]),
            (status, &json!(code)),
            "{method} {path}"
        );
    }
    let bad_json = Request::post("/_sim/clock")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{"))
        .unwrap();
    assert_eq!(api.send(bad_json).await.status(), 400);
    let no_type = Request::post("/_sim/clock").body(Body::from("{}")).unwrap();
    assert_eq!(api.send(no_type).await.status(), 415);
}

#[tokio::test]
async fn faults_are_switched_on_counted_and_off() {
    let api = Api::new();
    let asked = json!({"path": "/pay/orderquery", "kind": "http_500", "times": 1});
    let (status, fault) = api.post("/_sim/faults", asked).await;
    assert_eq!(status, 201);
    assert_eq!(
        fault,
        json!({"id": 1, "path": "/pay/orderquery", "out_trade_no": null, "kind": "http_500",
               "times": 1, "seconds": null, "err_code": null, "hits": 0, "on": true})
    );

    let query = Merchant::number("T00001");
    assert_eq!(api.ask("/pay/orderquery", &query).await.status(), 500);
    assert_eq!(api.ask("/pay/orderquery", &query).await.status(), 200);
    let listed = api.get("/_sim/faults").await;
    assert_eq!(
        (&listed[0]["hits"], &listed[0]["on"]),
        (&json!(1), &json!(false))
    );

    let (status, _) = api.call("DELETE", "/_sim/faults", None).await;
    assert_eq!(status, 204);
    assert_eq!(api.get("/_sim/faults").await, json!([]));
    let (status, problem) = api.post("/_sim/faults", json!({"kind": "fire"})).await;
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().unwrap().contains("no_answer"));
}

#[tokio::test]
async fn a_lost_answer_is_a_response_that_says_to_hang_up() {
    let api = Api::new();
    for (kind, placed) in [("no_answer", 200), ("refuse_connection", 404)] {
        let (_, _) = api
            .post("/_sim/faults", json!({"kind": kind, "times": 1}))
            .await;
        let response = api
            .ask("/pay/unifiedorder", &Merchant::order(kind, 1))
            .await;

        assert!(response.extensions().get::<HangUp>().is_some());
        let (status, _) = api.call("GET", &format!("/_sim/trades/{kind}"), None).await;
        assert_eq!(status, placed, "{kind}");
    }
}

#[tokio::test]
async fn a_body_of_two_mebibytes_is_not_read() {
    let api = Api::new();
    let body = vec![b'x'; 2 * 1024 * 1024];
    let request = common::post("/pay/unifiedorder", body).map(Body::from);

    assert_eq!(api.send(request).await.status(), 413);
    assert_eq!(api.get("/_sim/requests").await, json!([]));
}

#[tokio::test]
async fn time_is_moved_by_hand() {
    let api = Api::new();
    let (status, clock) = api
        .post("/_sim/clock", json!({"advance_seconds": 7200, "speed": 0}))
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        clock,
        json!({"now": "2026-11-21T06:00:00.000Z", "ahead_seconds": 7200, "speed": 0})
    );
    assert_eq!(api.get("/_sim/clock").await, clock);
    let (status, _) = api
        .post("/_sim/clock", json!({"advance_seconds": -1}))
        .await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn habits_change_one_by_one() {
    let api = Api::new();
    let change = json!({"notify_schedule": "older", "early_close": "refused"});
    let (status, settings) = api.call("PATCH", "/_sim/settings", Some(change)).await;
    assert_eq!(status, 200);
    assert_eq!(settings["notify_schedule"], "older");
    assert_eq!(settings["free_limit_fen"], 50_000);

    let unknown = json!({"mood": "bad"});
    let (status, _) = api.call("PATCH", "/_sim/settings", Some(unknown)).await;
    assert_eq!(status, 422);
    assert_eq!(api.get("/_sim/settings").await, settings);
}

#[tokio::test]
async fn a_refused_request_is_explained() {
    let api = Api::new();
    let mut fields = Merchant::order("T00001", 1);
    fields.insert("product_id", "");
    api.ask("/pay/unifiedorder", &fields).await;

    let requests = api.get("/_sim/requests").await;
    assert_eq!(requests[0]["outcome"], "缺少参数");
    assert_eq!(requests[0]["hint"], "product_id is missing or empty");
}

#[tokio::test]
async fn a_code_is_shown_charged_asked_about_and_confirmed() {
    let api = Api::new();
    let (status, shown) = api.post("/_sim/wallets/alice/auth_code", json!({})).await;
    assert_eq!(status, 200);
    let code = shown["auth_code"].as_str().unwrap();
    assert_eq!(shown["expires_at"], "2026-11-21T04:01:00.000Z");
    let asked = Merchant::charge("T00001", 60_000, code);
    api.ask("/pay/micropay", &asked).await;

    let prompts = api.get("/_sim/wallets/alice/prompts").await;
    assert_eq!(prompts[0]["amount"], 60_000);
    assert_eq!(prompts[0]["trade_type"], "MICROPAY");
    let (status, wrong) = api
        .post(
            "/_sim/wallets/alice/confirm",
            json!({"accept": true, "password": "000000"}),
        )
        .await;
    assert_eq!(
        (status.as_u16(), &wrong["code"]),
        (403, &json!("wrong_password"))
    );
    let (status, paid) = api
        .post("/_sim/wallets/alice/confirm", json!({"accept": true}))
        .await;
    assert_eq!((status.as_u16(), &paid["accepted"]), (200, &json!(true)));
    assert_eq!(paid["receipt"]["amount"], 60_000);
    let (status, none) = api
        .post("/_sim/wallets/alice/confirm", json!({"accept": false}))
        .await;
    assert_eq!((status.as_u16(), &none["code"]), (404, &json!("no_prompt")));
    let trade = api.get("/_sim/trades/T00001").await;
    assert_eq!(
        (&trade["state"], &trade["prepay_id"]),
        (&json!("SUCCESS"), &json!(null))
    );
}

#[tokio::test]
async fn a_refund_is_seen_with_its_order_and_decided_on_by_a_person() {
    let api = Api::new();
    let code = api.place("T00001", 1_000).await;
    let pay = json!({"code_url": code, "password": "123456"});
    api.post("/_sim/wallets/alice/pay", pay).await;
    let dead = json!({"status": "card_closed"});
    let (status, alice) = api.call("PATCH", "/_sim/wallets/alice", Some(dead)).await;
    assert_eq!(
        (status.as_u16(), &alice["status"]),
        (200, &json!("card_closed"))
    );

    let path = "/_sim/trades/T00001/refunds";
    let (status, made) = api.post(path, json!({"amount": 300})).await;
    assert_eq!((status.as_u16(), &made["asked_by"]), (201, &json!("pages")));
    let (status, problem) = api.post(path, json!({"amount": 800})).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (409, &json!("too_much"))
    );
    let trade = api.get("/_sim/trades/T00001").await;
    assert_eq!(
        (&trade["state"], &trade["amount_refunded"]),
        (&json!("REFUND"), &json!(300))
    );
    assert_eq!(trade["refunds"][0], made);

    let refund_id = made["refund_id"].as_str().unwrap();
    let decide = format!("/_sim/refunds/{refund_id}/decide");
    let (status, problem) = api.post(&decide, json!({"outcome": "success"})).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (409, &json!("not_abnormal"))
    );
    let (status, _) = api
        .post("/_sim/refunds/503/decide", json!({"outcome": "closed"}))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_merchants_money_is_settled_and_put_in() {
    let api = Api::new();
    let code = api.place("T00001", 1_000).await;
    let pay = json!({"code_url": code, "password": "123456"});
    api.post("/_sim/wallets/alice/pay", pay).await;

    let (status, merchant) = api
        .post("/_sim/merchants/1900007357/settle", json!({}))
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        (&merchant["unsettled"], &merchant["bank"]),
        (&json!(0), &json!(10_001_000))
    );
    let put_in = json!({"amount": 5});
    let (_, merchant) = api
        .post("/_sim/merchants/1900007357/recharge", put_in)
        .await;
    assert_eq!(merchant["recharge"], 5);
    let much = json!({"amount": 1_u64 << 60});
    let (status, problem) = api.post("/_sim/merchants/1900007357/recharge", much).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (409, &json!("not_enough"))
    );
    let (status, _) = api.post("/_sim/merchants/19/settle", json!({})).await;
    assert_eq!(status, 404);

    let url = json!({"refund_notify_url": "http://shop.test/refunds"});
    let (_, merchant) = api
        .call("PATCH", "/_sim/merchants/1900007357", Some(url.clone()))
        .await;
    assert_eq!(merchant["refund_notify_url"], url["refund_notify_url"]);
}

#[tokio::test]
async fn a_merchant_changes_its_key_and_the_old_one_signs_no_more() {
    let api = Api::new();
    let path = "/_sim/merchants/1900007357";
    let new = "TongbaoSimulatorTestKey000000002";
    for key in ["", "short", "TongbaoSimulatorTestKey 00000002"] {
        let (status, _) = api
            .call("PATCH", path, Some(json!({"api_v2_key": key})))
            .await;
        assert_eq!(status, 422, "{key:?}");
    }
    let change = json!({"api_v2_key": new});
    let (status, merchant) = api.call("PATCH", path, Some(change)).await;
    assert_eq!(status, 200);
    assert!(!merchant.to_string().contains(new), "{merchant}");
    let known = api.get("/_sim/credentials").await;
    assert_eq!(known["wechat"]["api_v2_key"], new);

    let order = Merchant::order("T00001", 1_000);
    let refused = api.ask("/pay/unifiedorder", &order).await;
    let refused = read(&refused.into_body().collect().await.unwrap().to_bytes());
    assert_eq!(refused.get("return_msg"), Some("签名错误"));
}

#[tokio::test]
async fn a_page_opens_the_wallet_and_learns_who_reads_it() {
    let api = Api::new();
    let mut order = Merchant::order("T00001", 1_000);
    order.insert("trade_type", "APP");
    let placed = api.ask("/pay/unifiedorder", &order).await;
    let placed = read(&placed.into_body().collect().await.unwrap().to_bytes());
    let prepay_id = placed.get("prepay_id").unwrap();
    let (status, seen) = api
        .post("/_sim/wallets/alice/open", json!({"prepay_id": prepay_id}))
        .await;
    assert_eq!((status.as_u16(), &seen["amount"]), (200, &json!(1_000)));
    let call = json!({"prepayid": prepay_id, "sign": "0"});
    let (status, problem) = api
        .post("/_sim/wallets/alice/open", json!({"app": call}))
        .await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (403, &json!("bad_call"))
    );
    let (status, _) = api.post("/_sim/wallets/alice/open", json!({})).await;
    assert_eq!(status, 422);

    let (_, login) = api.post("/_sim/wallets/alice/login_code", json!({})).await;
    assert_eq!(login["code"].as_str().unwrap().len(), 32);
    let url = "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx7e57000000000001\
               &redirect_uri=https%3A%2F%2Fshop.test&response_type=code&scope=snsapi_base\
               &state=s1#wechat_redirect";
    let (status, back) = api
        .post("/_sim/wallets/alice/authorize", json!({"url": url}))
        .await;
    assert_eq!(status, 200);
    let back = back["redirect_url"].as_str().unwrap();
    assert!(back.starts_with("https://shop.test?code=0"), "{back}");
}
