//! The gateway from its first start to its end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;

use rustix::process::Signal;

use crate::program::{API_KEY, Home, Running, settings_of, shop, shop_with};

#[tokio::test]
async fn the_first_start_makes_a_merchant_and_shows_its_key_once() {
    let home = Home::new("");
    let mut gateway = home.serve();
    let key = gateway.says("sk_").trim().to_owned();

    let url = format!("{}/v1/payments", gateway.url);
    let body = r#"{"merchant_order_no":"1","amount":1,"subject":"Hello"}"#;
    let order = reqwest::Client::new()
        .post(url)
        .bearer_auth(&key)
        .header("content-type", "application/json")
        .body(body);
    assert_eq!(order.send().await.unwrap().status(), 201);
    let (status, _, log) = gateway.stop();
    assert!(status.success());
    assert!(!log.contains(&key), "the key is in the log");

    let (_, out, _) = home.serve().stop();
    assert!(!out.contains("sk_"), "{out}");
    let said = home.run(&["merchant", "list"]);
    assert!(said.out.contains("default"), "{}", said.out);
}

#[test]
fn everything_in_the_data_directory_is_for_its_owner_alone() {
    let home = Home::new("");
    let _gateway = home.serve();
    let data = home.path().join("data");
    assert_eq!(data.metadata().unwrap().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(data).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
    }
}

#[test]
fn a_second_process_is_turned_away() {
    let home = Home::new("");
    let gateway = home.serve();
    for command in [&["serve"][..], &["migrate"], &["merchant", "list"]] {
        let said = home.run(command);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains("is in use by process"), "{}", said.err);
    }
    assert!(gateway.stop().0.success());
    assert_eq!(home.run(&["migrate"]).code, 0);
}

#[tokio::test]
async fn a_wrong_master_key_is_refused_and_nothing_is_written() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    home.serve().stop();
    let read = |name: &str| std::fs::read(home.path().join("data").join(name)).unwrap();
    let before = read("tongbao.db");

    let wrong = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let output = home
        .command(&["serve"])
        .env("TONGBAO_KEY", wrong)
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("it is not the key that sealed them"), "{err}");
    assert!(!err.contains(wrong));
    assert_eq!(read("tongbao.db"), before);

    assert!(
        home.serve().stop().0.success(),
        "the right key still opens it"
    );
}

#[test]
fn a_lost_master_key_is_not_replaced_by_a_new_one() {
    let home = Home::new("");
    home.serve().stop();
    let key = home.path().join("data/master.key");
    std::fs::remove_file(&key).unwrap();

    let said = home.run(&["serve"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("put the file back"), "{}", said.err);
    assert!(!key.exists());
}

#[test]
fn a_request_under_way_is_finished_before_the_end() {
    let home = Home::new("");
    let mut gateway = home.serve();
    let key = gateway.says("sk_").trim().to_owned();
    let mut client = TcpStream::connect(gateway.url.trim_start_matches("http://")).unwrap();
    let body = r#"{"merchant_order_no":"7","amount":1,"subject":"Hello"}"#;
    let head = format!(
        "POST /v1/payments HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    client.read_exact(&mut go_on).unwrap();
    assert!(
        go_on.starts_with(b"HTTP/1.1 100"),
        "the handler waits for the body"
    );

    gateway.signal(Signal::TERM);
    gateway.logs("stopping");
    client.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (status, _, log) = gateway.ended();
    assert!(status.success(), "{log}");
    assert!(log.contains("stopped"), "{log}");

    let again = home.serve();
    let mut client = TcpStream::connect(again.url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "GET /v1/payments?merchant_order_no=7 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n\
         connection: close\r\n\r\n"
    );
    client.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(r#""merchant_order_no":"7""#), "{answer}");
}

#[tokio::test]
async fn what_is_declared_is_made_once_and_kept_up_to_date() {
    let home = Home::new("");
    let simulator = home.simulate();
    let declared = shop(&simulator).await;
    for confirm in ["query", "signature", "signature"] {
        let line = format!("name = \"wechat\"\nconfirm = \"{confirm}\"");
        home.configure(&declared.replace("name = \"wechat\"", &line));
        let gateway = home.serve();
        let request = reqwest::Client::new().get(format!("{}/v1/channels", gateway.url));
        let text = request
            .bearer_auth(API_KEY)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(text.matches("\"chn_").count(), 1, "{text}");
        assert!(
            text.contains(&format!("\"confirm\":\"{confirm}\"")),
            "{text}"
        );
        assert!(!text.contains("TongbaoSimulatorTestKey"), "{text}");
        assert!(gateway.stop().0.success());
    }
}

#[test]
fn merchants_and_keys_are_made_by_command() {
    let home = Home::new("");
    let added = home.run(&["merchant", "add", "茶馆"]);
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.out.starts_with("mer_"));
    assert_eq!(
        home.run(&["merchant", "add", "茶馆"]).code,
        2,
        "the name is taken"
    );

    let listed = home.run(&["merchant", "list"]).out;
    assert_eq!(listed, format!("{}  茶馆\n", added.out.trim()));
    for wanted in ["茶馆", added.out.trim()] {
        let key = home.run(&["key", "add", wanted]);
        assert_eq!(key.code, 0, "{key:?}");
        assert!(
            key.out.starts_with("sk_") && key.out.lines().count() == 1,
            "{}",
            key.out
        );
    }
    assert_eq!(home.run(&["key", "add", "nobody"]).code, 2);
}

#[tokio::test]
async fn no_secret_is_in_the_log_however_much_is_logged() {
    let home = Home::new("");
    let simulator = home.simulate();
    let settings = settings_of(&simulator).await;
    let line = settings
        .lines()
        .find(|line| line.starts_with("api_v2_key"))
        .unwrap();
    let v2_key = line.split('"').nth(1).unwrap().to_owned();
    home.configure(&shop_with(&simulator, &settings));
    let gateway = home.serve_with(&[("TONGBAO_LOG__LEVEL", "trace")]);
    let post = async |path: &str, body: &str| {
        let request = reqwest::Client::new().post(format!("{}{path}", gateway.url));
        let request = request
            .bearer_auth(API_KEY)
            .header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 201, "{text}");
        text
    };
    let endpoint = post(
        "/v1/webhook_endpoints",
        r#"{"url":"https://192.0.2.1/hook"}"#,
    )
    .await;
    let secret = endpoint
        .split("whsec_")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let order = r#"{"merchant_order_no":"1","amount":1,"subject":"Hello",
                    "attempt":{"scene":"native"}}"#;
    post("/v1/payments", order).await;

    let (status, _, log) = gateway.stop();
    assert!(status.success() && log.contains("TRACE"), "{log}");
    let master = std::fs::read_to_string(home.path().join("data/master.key")).unwrap();
    for secret in [API_KEY, v2_key.as_str(), secret.as_str(), master.trim()] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_log_for_machines_is_one_object_a_line() {
    let home = Home::new("");
    let mut gateway = Running::start({
        let mut command = home.command(&["serve"]);
        command.env("TONGBAO_LOG__FORMAT", "json");
        command
    });
    let ready = gateway.logs("\"ready\"");
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    assert_eq!(ready["level"], "INFO");
    assert_eq!(ready["message"], "ready");
    let (_, _, rest) = gateway.stop();
    for line in rest.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}
