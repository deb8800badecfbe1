//! The payer comes with a login code, and the gateway asks whose it is.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tongbao_simulator::{Account, FaultKind, NewFault, Opening};
use tongbao_wire::wechat_openid::authorize::{Authorize, Scope};

use crate::support::{Answer, World};

const SESSION: &str = "/sns/jscode2session";
const TOKEN: &str = "/sns/oauth2/access_token";

/// With a channel that knows its app's secret.
async fn world() -> World {
    let world = World::open().await;
    world
        .set_app_secret(&Account::ready_made().app_secret.0)
        .await;
    world
}

/// What `wx.login` gives a mini-program in somebody's hand.
fn login_code(world: &World, wallet: &str) -> String {
    let app_id = Account::ready_made().app_id;
    let now = world.platform_now();
    let mut platform = world.platform();
    platform.login_code(now, wallet, &app_id).unwrap()
}

/// What comes back to a page that somebody reads.
fn page_code(world: &World, wallet: &str) -> String {
    let asked = Authorize {
        appid: Account::ready_made().app_id,
        redirect_uri: "https://shop.test/back".to_owned(),
        scope: Scope::Base,
        state: "s".to_owned(),
    };
    let now = world.platform_now();
    let back = world.platform().authorize(now, wallet, &asked).unwrap();
    let code = back.split_once("code=").unwrap().1;
    code.split('&').next().unwrap().to_owned()
}

fn openid(world: &World, wallet: &str) -> String {
    let app_id = Account::ready_made().app_id;
    world.platform().truth().wallets[wallet].openid_in(&app_id)
}

async fn bare_payment(world: &World, number: &str) -> Value {
    let new = json!({"merchant_order_no": number, "amount": 1234, "subject": "豆浆"});
    world.post("/v1/payments", &new).await.json()
}

async fn start(world: &World, payment: &Value, scene: &str, code: &str) -> Answer {
    let path = format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap());
    let attempt = json!({"scene": scene, "payer": {"code": code}});
    world.post(&path, &attempt).await
}

fn problem(code: &str, status: u16) -> (u16, String, Option<String>) {
    (status, code.to_owned(), Some("payer.code".to_owned()))
}

/// How often somebody asked there.
fn asked(world: &World, path: &str) -> usize {
    let platform = world.platform();
    let entries = platform.journal().filter(|entry| entry.path == path);
    entries.count()
}

#[tokio::test]
async fn whoever_comes_with_a_code_pays() {
    for scene in ["mini_program", "jsapi"] {
        let world = world().await;
        let code = match scene {
            "jsapi" => page_code(&world, "alice"),
            _ => login_code(&world, "alice"),
        };
        let new = json!({
            "merchant_order_no": "T1", "amount": 1234, "subject": "豆浆",
            "attempt": {"scene": scene, "payer": {"code": code}},
        });
        let answer = world.post("/v1/payments", &new).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let payment = answer.json();
        let attempt = &payment["attempts"][0];
        assert_eq!(attempt["payer"]["openid"], openid(&world, "alice"));

        let json = attempt["action"]["params"].to_string();
        let now = world.platform_now();
        let opened = world.platform().open(now, &Opening::Jsapi { json });
        let target = opened.unwrap().target;
        let paid = world.platform().pay(now, "alice", &target, Some("123456"));
        paid.unwrap();
        world.settle().await;
        assert_eq!(world.payment(&payment).await["state"], "paid");
        assert!(!answer.text.contains(&code));
    }
}

#[tokio::test]
async fn one_code_is_one_attempt_however_often_it_comes() {
    let world = world().await;
    let payment = bare_payment(&world, "T1").await;
    let code = login_code(&world, "alice");

    let first = start(&world, &payment, "mini_program", &code).await;
    assert_eq!(first.status, 201);
    let again = start(&world, &payment, "mini_program", &code).await;
    assert_eq!(
        (again.status, again.json()["id"].clone()),
        (200, first.json()["id"].clone())
    );
    assert_eq!(asked(&world, SESSION), 1);

    // For another payment it is spent.
    let other = bare_payment(&world, "T2").await;
    let refused = start(&world, &other, "mini_program", &code).await;
    assert_eq!(refused.problem(), problem("payer_code_used", 409));
    assert_eq!(world.payment(&other).await["attempts"], json!([]));

    // A fresh code of the same payer finds the order that is open.
    let fresh = login_code(&world, "alice");
    let found = start(&world, &payment, "mini_program", &fresh).await;
    assert_eq!(
        (found.status, found.json()["id"].clone()),
        (200, first.json()["id"].clone())
    );
    assert_eq!(world.platform().truth().trades().count(), 1);
}

#[tokio::test]
async fn the_same_request_under_a_key_is_answered_without_the_code() {
    let world = world().await;
    let code = login_code(&world, "alice");
    let body = json!({
        "merchant_order_no": "T1", "amount": 1234, "subject": "豆浆",
        "attempt": {"scene": "mini_program", "payer": {"code": code}},
    })
    .to_string();
    let key = [("idempotency-key", "order-1")];
    let send = async || {
        world
            .send_json(Method::POST, "/v1/payments", &key, &body)
            .await
    };

    let (first, again) = (send().await, send().await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["id"], again.json()["id"]);
    // Without the key the order's number says the same.
    let bare = world
        .send_json(Method::POST, "/v1/payments", &[], &body)
        .await;
    assert_eq!(bare.json()["id"], first.json()["id"]);
    assert_eq!(asked(&world, SESSION), 1);
}

#[tokio::test]
async fn two_requests_at_once_with_one_code_are_one_attempt() {
    let world = world().await;
    let payment = bare_payment(&world, "T1").await;
    let code = login_code(&world, "alice");
    let (one, other) = futures::join!(
        start(&world, &payment, "mini_program", &code),
        start(&world, &payment, "mini_program", &code),
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    // Together, or one after the other.
    assert!(
        matches!(statuses, [201, 503] | [200, 201]),
        "{one:?} {other:?}"
    );
    let now = world.payment(&payment).await;
    assert_eq!(now["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(asked(&world, SESSION), 1);
}

#[tokio::test]
async fn when_the_answer_is_lost_a_new_code_is_asked_for() {
    let world = world().await;
    let payment = bare_payment(&world, "T1").await;
    for kind in [
        FaultKind::NoAnswer,
        FaultKind::GarbageAnswer,
        FaultKind::Http500,
    ] {
        world.fault(NewFault {
            path: Some(SESSION.to_owned()),
            times: Some(1),
            ..NewFault::of(kind)
        });
        let code = login_code(&world, "alice");
        let lost = start(&world, &payment, "mini_program", &code).await;
        assert_eq!(lost.problem(), problem("payer_unknown", 502), "{kind:?}");
        let detail = lost.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("get a new code"), "{detail}");
        assert!(!detail.contains(&code));
        if kind == FaultKind::NoAnswer {
            let spent = start(&world, &payment, "mini_program", &code).await;
            assert_eq!(spent.problem(), problem("payer_code_used", 409));
        }
    }
    assert_eq!(world.payment(&payment).await["attempts"], json!([]));
    let code = login_code(&world, "alice");
    assert_eq!(
        start(&world, &payment, "mini_program", &code).await.status,
        201
    );
}

#[tokio::test]
async fn what_cannot_have_been_asked_may_be_asked_again() {
    let world = world().await;
    let payment = bare_payment(&world, "T1").await;
    world.fault(NewFault {
        path: Some(TOKEN.to_owned()),
        times: Some(1),
        ..NewFault::of(FaultKind::RefuseConnection)
    });
    let code = page_code(&world, "alice");
    let refused = start(&world, &payment, "jsapi", &code).await;
    assert_eq!(refused.problem(), problem("platform_unreachable", 503));
    assert_eq!(start(&world, &payment, "jsapi", &code).await.status, 201);
}

#[tokio::test]
async fn what_the_platform_says_of_a_code_is_said_in_words() {
    let world = world().await;
    let payment = bare_payment(&world, "T1").await;
    for (errcode, code, status) in [
        ("-1", "platform_busy", 503),
        ("40001", "app_secret_wrong", 409),
        ("40013", "app_refused", 409),
        ("40029", "payer_code_invalid", 422),
        ("40125", "app_secret_wrong", 409),
        ("40163", "payer_code_used", 409),
        ("40226", "payer_blocked", 409),
        ("42003", "payer_code_expired", 409),
        ("45009", "platform_limit", 429),
        ("45011", "platform_limit", 429),
        ("48001", "app_refused", 409),
        ("50002", "app_refused", 409),
        ("61003", "payer_unknown", 502),
    ] {
        for (scene, path) in [("mini_program", SESSION), ("jsapi", TOKEN)] {
            world.fault(NewFault {
                path: Some(path.to_owned()),
                times: Some(1),
                err_code: Some(errcode.to_owned()),
                ..NewFault::of(FaultKind::SystemError)
            });
            let answer = start(&world, &payment, scene, "0anything").await;
            assert_eq!(answer.problem(), problem(code, status), "{errcode}");
            let wait = answer.header("retry-after");
            let expected = match status {
                429 => Some("60"),
                503 => Some("1"),
                _ => None,
            };
            assert_eq!(wait, expected, "{errcode}");
        }
    }
    assert_eq!(world.payment(&payment).await["attempts"], json!([]));
}

#[tokio::test]
async fn a_code_of_another_page_time_or_app_names_nobody() {
    let world = world().await;
    let payment = bare_payment(&world, "T1").await;
    let invalid = problem("payer_code_invalid", 422);

    let of_a_page = page_code(&world, "alice");
    let answer = start(&world, &payment, "mini_program", &of_a_page).await;
    assert_eq!(answer.problem(), invalid);
    let of_a_program = login_code(&world, "alice");
    let answer = start(&world, &payment, "jsapi", &of_a_program).await;
    assert_eq!(answer.problem(), invalid);

    let old = login_code(&world, "alice");
    world.pass(Duration::from_secs(301)).await;
    let answer = start(&world, &payment, "mini_program", &old).await;
    assert_eq!(answer.problem(), invalid);

    let now = world.platform_now();
    let account = Account::new(
        "1900000009",
        "wx7e57000000000009",
        "7e570000000000000000000000000009",
        "TongbaoSimulatorTestKey000000009",
        "别家",
    );
    world.platform().add_account(account);
    let of_another = world
        .platform()
        .login_code(now, "alice", "wx7e57000000000009")
        .unwrap();
    let answer = start(&world, &payment, "mini_program", &of_another).await;
    assert_eq!(answer.problem(), invalid);
    assert_eq!(world.payment(&payment).await["attempts"], json!([]));
}

#[tokio::test]
async fn without_the_right_secret_nobody_is_asked_in_vain() {
    let world = World::open().await;
    let payment = bare_payment(&world, "T1").await;
    let code = login_code(&world, "alice");
    let missing = start(&world, &payment, "mini_program", &code).await;
    assert_eq!(
        missing.problem(),
        (409, "app_secret_missing".to_owned(), None)
    );
    assert_eq!(asked(&world, SESSION), 0);

    world
        .set_app_secret("7e57ffffffffffffffffffffffffffff")
        .await;
    let wrong = start(&world, &payment, "mini_program", &code).await;
    assert_eq!(wrong.problem(), problem("app_secret_wrong", 409));
    assert!(!wrong.text.contains("7e57ffff"));

    let right = Account::ready_made().app_secret.0;
    world.set_app_secret(&right).await;
    let code = login_code(&world, "alice");
    assert_eq!(
        start(&world, &payment, "mini_program", &code).await.status,
        201
    );
    let channels = world.get("/v1/channels").await;
    assert!(!channels.text.contains(&right));
}

#[tokio::test]
async fn a_code_is_not_spent_on_what_is_refused_anyhow() {
    let world = world().await;
    let payment = world.order("T1").await;
    world.pay(&payment, "alice");
    world.settle().await;
    let code = login_code(&world, "alice");
    let paid = start(&world, &payment, "mini_program", &code).await;
    assert_eq!(paid.problem().1, "payment_already_paid");

    let other = bare_payment(&world, "T2").await;
    let path = format!("/v1/payments/{}/attempts", other["id"].as_str().unwrap());
    for attempt in [
        json!({"scene": "mini_program", "payer": {"code": code}, "client_ip": "1.2.3"}),
        json!({"scene": "mini_program", "payer": {"code": code, "openid": "o1"}}),
        json!({"scene": "native", "payer": {"code": code}}),
        json!({"scene": "mini_program", "payer": {"code": ""}}),
        json!({"scene": "mini_program", "payer": {"code": "a b"}}),
        json!({"scene": "mini_program", "payer": {"code": 7}}),
    ] {
        let refused = world.post(&path, &attempt).await;
        assert_eq!(refused.status / 100, 4, "{refused:?}");
    }
    assert_eq!(asked(&world, SESSION), 0);
    assert_eq!(
        start(&world, &other, "mini_program", &code).await.status,
        201
    );
}

#[tokio::test]
async fn no_row_has_a_code_or_a_secret() {
    let world = world().await;
    let payment = bare_payment(&world, "T1").await;
    let code = login_code(&world, "alice");
    assert_eq!(
        start(&world, &payment, "mini_program", &code).await.status,
        201
    );
    world.settle().await;

    let path = format!("/v1/payments/{}/events", payment["id"].as_str().unwrap());
    let told = world.get(&path).await.text;
    assert!(!told.contains(&code));
    let database = world.database();
    let world = world.restarted().await;
    let secret = Account::ready_made().app_secret.0;
    let mut files = 0;
    for file in std::fs::read_dir(database.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        files += usize::from(!bytes.is_empty());
        for marker in [&code, &secret] {
            let found = bytes
                .windows(marker.len())
                .any(|window| window == marker.as_bytes());
            assert!(!found, "{marker}");
        }
    }
    assert!(files > 0);
    // The payer is kept, and so is the fact that the code was.
    assert_eq!(
        world.payment(&payment).await["attempts"][0]["payer"]["openid"],
        openid(&world, "alice")
    );
    let again = start(&world, &payment, "mini_program", &code).await;
    assert_eq!(again.status, 200);
    assert_eq!(asked(&world, SESSION), 1);
}
