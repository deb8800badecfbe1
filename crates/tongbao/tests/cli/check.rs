//! `tongbao check` against the platforms, played.

use crate::program::{Home, settings_of, shop, shop_with};

#[tokio::test]
async fn good_keys_are_good() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);

    let said = home.run(&["check"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.contains("ok     channel \"wechat\" of \"shop\""),
        "{}",
        said.out
    );
    assert!(!home.path().join("data").exists(), "a check makes nothing");
}

#[tokio::test]
async fn a_wrong_key_is_named_with_its_cause_and_cure() {
    let home = Home::new("");
    let simulator = home.simulate();
    let settings = settings_of(&simulator).await;
    let line = settings
        .lines()
        .find(|line| line.starts_with("api_v2_key"))
        .unwrap();
    let wrong = settings.replace(line, "api_v2_key = \"8Qx2Lr7Vn4Tm9Kp3Ws6Yb1Hd5Fz0Gj2C\"");
    home.configure(&shop_with(&simulator, &wrong));

    let said = home.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.out.contains("WRONG  channel \"wechat\" of \"shop\""),
        "{}",
        said.out
    );
    assert!(said.out.contains("(bad_key)"), "{}", said.out);
    assert!(
        said.out.contains("cure:  copy api_v2_key again"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("8Qx2Lr7V"), "the key is not shown");
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_found_without_asking() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop_with(
        &simulator,
        "app_id = \"wx1\"\nmch_id = \"1\"\napi_v2_key = \"k\"",
    ));
    let said = home.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("api_v2_key"), "{}", said.out);
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_unreachable() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    drop(simulator);

    let said = home.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("(unreachable)"), "{}", said.out);
}

#[tokio::test]
async fn channels_that_only_the_database_knows_are_tried_too() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    drop(home.serve().stop());
    home.configure(&format!("[platforms]\nwechat_pay = {:?}\n", simulator.url));

    let said = home.run(&["check"]);
    assert_eq!(said.code, 0, "{said:?}");
    let words = "ok     channel \"wechat\" of \"shop\", database";
    assert!(said.out.contains(words), "{}", said.out);
}

#[tokio::test]
async fn a_check_beside_a_running_gateway_tries_what_is_declared() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    let _gateway = home.serve();

    let said = home.run(&["check"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.contains("is using it; ask that one"),
        "{}",
        said.out
    );
}
