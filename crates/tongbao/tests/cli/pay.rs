//! `tongbao pay`, with the gateway and the platforms beside it.

use rustix::process::Signal;

use crate::program::{API_KEY, Home, Running, shop};

#[tokio::test]
async fn a_payment_is_shown_paid_and_told() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    let gateway = home.serve();

    let mut paying = pay(&home, &gateway, "12.34");
    paying.says("¥12.34");
    let quiet = paying.says("█");
    assert!(quiet.chars().all(|c| " █▀▄".contains(c)), "{quiet}");
    scan_and_pay(&simulator).await;

    let (status, out, err) = paying.ended();
    assert_eq!(status.code(), Some(0), "{out}{err}");
    assert!(out.contains("paid  pay_"), "{out}");
}

#[tokio::test]
async fn what_was_paid_goes_back() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    let gateway = home.serve();
    let mut paying = pay(&home, &gateway, "12.34");
    paying.says("█");
    scan_and_pay(&simulator).await;
    let (_, out, err) = paying.ended();
    let payment = out.split("paid  ").nth(1).map_or(&*err, str::trim);

    let refund = |amount: &str, more: &[&str]| {
        let mut args = vec!["refund", payment, amount, "--gateway", &gateway.url];
        args.extend(more);
        let mut command = home.command(&args);
        let said = command.env("TONGBAO_API_KEY", API_KEY).output().unwrap();
        let text = [said.stdout, said.stderr].concat();
        (said.status.code(), String::from_utf8(text).unwrap())
    };
    // To the payer's change it takes some seconds; nobody waits for it here.
    let (code, text) = refund("12.34", &["--refund-no", "R-1", "--wait", "0"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(
        text.contains("rfd_") && text.contains("processing"),
        "{text}"
    );
    let (code, again) = refund("12.34", &["--refund-no", "R-1", "--wait", "0"]);
    assert_eq!(code, Some(3), "{again}");
    assert_eq!(text.lines().next(), again.lines().next());
    let (code, text) = refund("0.01", &["--wait", "0"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("refund_above_rest"), "{text}");
}

#[tokio::test]
async fn ctrl_c_closes_the_payment() {
    for (close_after, code, said) in [
        ("close_after_secs = \"0\"\n", 1, "closed, not paid  pay_"),
        // The platform closes nothing that is younger than five minutes.
        ("", 3, "until then it can be paid\npending  pay_"),
    ] {
        let home = Home::new("");
        let simulator = home.simulate();
        home.configure(&(shop(&simulator).await + close_after));
        let gateway = home.serve();

        let mut paying = pay(&home, &gateway, "0.01");
        paying.says("█");
        paying.signal(Signal::INT);
        let (status, out, err) = paying.ended();
        assert_eq!(status.code(), Some(code), "{out}{err}");
        assert!(out.contains(said), "{out}");
    }
}

#[tokio::test]
async fn a_gateway_that_refuses_is_quoted() {
    let home = Home::new("");
    let gateway = home.serve();
    let said = home
        .command(&["pay", "0.01", "--gateway", &gateway.url])
        .env("TONGBAO_API_KEY", "sk_00000000000000000000000000000000")
        .output()
        .unwrap();
    let err = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(err.contains("401"), "{err}");
}

#[tokio::test]
async fn a_code_that_the_payer_shows_is_charged_once() {
    let home = Home::new("");
    let simulator = home.simulate();
    home.configure(&shop(&simulator).await);
    let gateway = home.serve();
    let code = shown_code(&simulator).await;
    let scan = || {
        let said = home
            .command(&["pay", "1.00", "--barcode", &code, "--gateway", &gateway.url])
            .env("TONGBAO_API_KEY", API_KEY)
            .output()
            .unwrap();
        (
            said.status.code(),
            String::from_utf8(said.stdout).unwrap(),
            String::from_utf8(said.stderr).unwrap(),
        )
    };

    let (status, out, err) = scan();
    assert_eq!(status, Some(0), "{out}{err}");
    assert!(out.contains("paid  pay_"), "{out}");

    let (status, out, err) = scan();
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(out.contains("the code brought no money"), "{out}");
    assert!(out.contains("closed, not paid  pay_"), "{out}");
}

/// What alice's phone shows at the till.
async fn shown_code(simulator: &Running) -> String {
    let url = format!("{}/_sim/wallets/alice/auth_code", simulator.url);
    let shown = reqwest::Client::new().post(url).send().await.unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown.bytes().await.unwrap()).unwrap();
    shown["auth_code"].as_str().unwrap().to_owned()
}

fn pay(home: &Home, gateway: &Running, amount: &str) -> Running {
    let mut command = home.command(&["pay", amount, "--gateway", &gateway.url]);
    command.env("TONGBAO_API_KEY", API_KEY);
    Running::start(command)
}

/// Alice pays what lies on the platform.
async fn scan_and_pay(simulator: &Running) {
    let http = reqwest::Client::new();
    let trades = http.get(format!("{}/_sim/trades", simulator.url));
    let trades = trades.send().await.unwrap().text().await.unwrap();
    let code = trades
        .split("\"weixin://")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let body = format!(r#"{{"code_url":"weixin://{code}","password":"123456"}}"#);
    let paid = http
        .post(format!("{}/_sim/wallets/alice/pay", simulator.url))
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    assert!(paid.status().is_success(), "{}", paid.text().await.unwrap());
}
