//! `tongbao audit` beside a gateway, and on what somebody has edited.

use rusqlite::Connection;
use serde_json::Value;

use crate::program::{API_KEY, Home, Running, shop};

/// A gateway with one order.
async fn with_an_order(home: &Home) -> Running {
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    let gateway = home.serve();
    let order = reqwest::Client::new()
        .post(format!("{}/v1/payments", gateway.url))
        .bearer_auth(API_KEY)
        .header("content-type", "application/json")
        .body(r#"{"merchant_order_no":"1","amount":1234,"subject":"茶","attempt":{"scene":"native"}}"#);
    assert_eq!(order.send().await.unwrap().status(), 201);
    gateway
}

#[tokio::test]
async fn a_database_is_audited_while_the_gateway_runs_and_after() {
    let home = Home::new("");
    let gateway = with_an_order(&home).await;

    let said = home.run(&["audit"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.starts_with("1 payments"), "{}", said.out);
    assert!(
        said.out
            .contains("Sound: everything adds up, nothing is missing."),
        "{}",
        said.out
    );
    assert!(gateway.stop().0.success());
    assert_eq!(home.run(&["audit"]).code, 0);
}

#[tokio::test]
async fn what_was_edited_is_named_with_what_to_do() {
    let home = Home::new("");
    with_an_order(&home).await.stop();
    let database = home.path().join("data/tongbao.db");
    Connection::open(&database)
        .unwrap()
        .execute_batch("DELETE FROM jobs")
        .unwrap();

    let said = home.run(&["audit"]);
    assert_eq!(said.code, 1, "{said:?}");
    let wrong = "WRONG  everything open will be asked about (L0): 1";
    assert!(said.out.contains(wrong), "{}", said.out);
    assert!(said.out.contains("cure: ask by hand"), "{}", said.out);

    let said = home.run(&["audit", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["verdict"], "wrong");
    assert_eq!(report["payments"], 1);
    assert_eq!(report["findings"][0]["rule"], "L0");
    assert_eq!(report["merchants"][0]["sums"][0]["received"], 0);
}

#[tokio::test]
async fn another_directory_is_audited_with_the_key_that_is_in_it() {
    let home = Home::new("");
    with_an_order(&home).await.stop();
    let elsewhere = Home::new("");
    let data = home.path().join("data");
    let data = data.to_str().unwrap();

    let said = elsewhere.run(&["audit", "--data-dir", data]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("sealed secrets open"), "{}", said.out);

    std::fs::rename(format!("{data}/master.key"), format!("{data}/away")).unwrap();
    let said = elsewhere.run(&["audit", "--data-dir", data]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("there is no master key"), "{}", said.out);
    assert!(
        !home.path().join("data/master.key").exists(),
        "none is made"
    );
}

#[test]
fn where_there_is_no_database_none_is_made() {
    let home = Home::new("");
    let said = home.run(&["audit"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("no database in"), "{}", said.err);
    assert!(!home.path().join("data").exists());
}
