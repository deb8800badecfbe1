//! X1: what is secret is nowhere but where it must be.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tongbao_simulator::Account;

use crate::gateway::API_KEY;
use crate::http;
use crate::world::{NEIGHBOURS_KEY, World, neighbour};

/// Entered while the gateway runs.
const LATE_KEY: &str = "MarkerOfALateKeyThatNobodySees01";

/// Entered in a field of another kind: whoever sent it is told what it sent, and
/// nobody else.
const MISPLACED_KEY: &str = "MarkerOfAKeyInAFieldForNumbers00";

/// An app's secret, which stands in the address where login codes are exchanged.
const APP_SECRET: &str = "7e57MarkerOfAnAppsSecretNobodySees0";

/// What a payer's page sends, which is not of the platform's making.
const LOGIN_CODE: &str = "0MarkerOfALoginCodeThatNobodyKeeps1";

/// Entered, and refused.
const REFUSED_KEY: &str = "MarkerOfAKeyThatIsTooLongToBeAKeyOfThePlatform";

#[test]
fn no_secret_is_in_a_file_a_log_a_metric_or_an_answer() {
    let mut world = World::open("secrets");
    let told = listen(&mut world);
    let order = world.order("T1", "signature");
    world.pay(&order);
    clumsy_people(&mut world);
    let second = world.order("T2", "query");
    world.pay(&second);
    for path in [
        "/v1/channels",
        "/v1/webhook_endpoints",
        "/v1/events",
        "/v1/notifications",
        "/docs",
        "/v1/openapi.json",
    ] {
        world.api(API_KEY, "GET", path, &Value::Null);
    }
    let metrics = world.client.send("GET", "/metrics", &[], b"");
    assert_eq!(metrics.status, 200);
    until_told(&told, 2);

    let data = world.home.data();
    let master_key = fs::read(data.join("master.key")).unwrap();
    let whsec = told.lock().unwrap().secret.clone();
    let secrets = [
        ("an API key", API_KEY.as_bytes().to_vec()),
        (
            "the neighbour's API key",
            NEIGHBOURS_KEY.as_bytes().to_vec(),
        ),
        (
            "the platform's key",
            Account::ready_made().api_v2_key.0.into_bytes(),
        ),
        (
            "the neighbour's platform key",
            neighbour().api_v2_key.0.into_bytes(),
        ),
        ("a key that was entered late", LATE_KEY.into()),
        ("a key that was refused", REFUSED_KEY.into()),
        ("a misplaced key", MISPLACED_KEY.into()),
        ("an app's secret", APP_SECRET.into()),
        ("a login code", LOGIN_CODE.into()),
        ("the master key", master_key.trim_ascii().to_vec()),
        (
            "an endpoint's secret",
            whsec.trim_start_matches("whsec_").as_bytes().to_vec(),
        ),
    ];
    let mut places = vec![
        ("metrics".to_owned(), metrics.body),
        ("answers".to_owned(), world.client.heard.clone()),
        ("webhooks".to_owned(), told.lock().unwrap().heard.clone()),
        ("the log".to_owned(), world.home.log()),
    ];
    // While it runs: the write-ahead log is there. And after it was stopped.
    places.extend(files(&data));
    drop(world);
    assert!(places.iter().any(|(name, _)| name.ends_with("-wal")));
    for (place, bytes) in &places {
        assert!(
            !bytes.is_empty() || place.ends_with("lock"),
            "{place} is empty"
        );
        for (what, secret) in &secrets {
            assert!(secret.len() >= 16, "{what} is no marker");
            if (*what, &**place) == ("a misplaced key", "answers") {
                continue;
            }
            let found = bytes
                .windows(secret.len())
                .position(|window| window == secret);
            assert_eq!(found, None, "{what} is in {place}");
        }
    }
}

/// What people do wrong with keys.
fn clumsy_people(world: &mut World) {
    let channel = |name: &str, key: &str| {
        let account = Account::ready_made();
        json!({
            "kind": "wechat_v2",
            "name": name,
            "settings": {"app_id": account.app_id, "mch_id": account.mch_id, "api_v2_key": key},
        })
    };
    let made = world.api(API_KEY, "POST", "/v1/channels", &channel("late", LATE_KEY));
    assert_eq!(made.status, 201, "{}", made.text());
    let refused = world.api(
        API_KEY,
        "POST",
        "/v1/channels",
        &channel("long", REFUSED_KEY),
    );
    assert_eq!(refused.status, 422, "{}", refused.text());
    // In the wrong field, in the wrong place, under the wrong name.
    let wrong = json!({"merchant_order_no": "x", "amount": MISPLACED_KEY, "subject": "x"});
    assert_eq!(
        world.api(API_KEY, "POST", "/v1/payments", &wrong).status,
        422
    );
    let wrong = json!({"kind": "wechat_v2", "settings": {"api_v3_key": REFUSED_KEY}});
    assert_eq!(
        world.api(API_KEY, "POST", "/v1/channels", &wrong).status,
        422
    );
    let path = format!("/v1/payments?api_key={API_KEY}");
    assert_eq!(world.client.send("GET", &path, &[], b"").status, 401);
    let path = format!("/v1/{LATE_KEY}");
    assert_eq!(world.client.send("GET", &path, &[], b"").status, 404);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    logs_in(world, &id);
    // The check asks the platform, which does not know this key.
    let checked = world.api(
        API_KEY,
        "POST",
        &format!("/v1/channels/{id}/check"),
        &Value::Null,
    );
    assert_eq!(checked.status, 200, "{}", checked.text());
}

/// A payer comes with a code to a channel that has a secret.
fn logs_in(world: &mut World, channel: &str) {
    let path = format!("/v1/channels/{channel}");
    let settings = json!({"settings": {"app_secret": APP_SECRET}});
    let patched = world.api(API_KEY, "PATCH", &path, &settings);
    assert_eq!(patched.status, 200, "{}", patched.text());
    for scene in ["jsapi", "mini_program"] {
        let new = json!({
            "merchant_order_no": format!("login-{scene}"), "amount": 1, "subject": "x",
            "attempt": {"scene": scene, "channel": channel, "payer": {"code": LOGIN_CODE}},
        });
        let asked = world.api(API_KEY, "POST", "/v1/payments", &new);
        // The platform has another secret for this app.
        assert_eq!(asked.status, 409, "{}", asked.text());
        assert!(
            asked.text().contains("app_secret_wrong"),
            "{}",
            asked.text()
        );
    }
}

/// A merchant's server, and all that it heard.
#[derive(Default)]
struct Told {
    secret: String,
    heard: Vec<u8>,
    times: usize,
}

fn listen(world: &mut World) -> Arc<Mutex<Told>> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Told::default()));
    let ear = told.clone();
    // Ends with the test.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Some(request) = http::read_request(&mut stream) {
                let mut told = ear.lock().unwrap();
                told.heard.extend_from_slice(&request);
                told.times += 1;
                drop(told);
                http::say(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    let made = world.api(
        API_KEY,
        "POST",
        "/v1/webhook_endpoints",
        &json!({"url": url}),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    // The one answer that shows the secret, and its only copy outside.
    world.client.heard.clear();
    made.json()["secret"]
        .as_str()
        .unwrap()
        .clone_into(&mut told.lock().unwrap().secret);
    told
}

fn until_told(told: &Mutex<Told>, times: usize) {
    let since = std::time::Instant::now();
    while told.lock().unwrap().times < times {
        assert!(since.elapsed().as_secs() < 30, "webhooks did not come");
        thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// Everything in the data directory but the master key's own file.
fn files(data: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file() && !path.ends_with("master.key"))
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}
