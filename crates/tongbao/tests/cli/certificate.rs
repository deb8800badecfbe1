//! Money goes back over real TLS, where the platform wants to see the merchant's
//! certificate: in each of its forms, and not without.

use std::process::Output;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::program::{API_KEY, Home, Running, settings_of, shop_with};

/// The platform with TLS, and what trusts it.
struct Stage {
    home: Home,
    simulator: Running,
    secured: String,
    credentials: Value,
}

impl Stage {
    async fn open() -> Self {
        let home = Home::new("");
        let mut simulator = home.simulate_with(&["--tls-listen", "127.0.0.1:0"]);
        let said = simulator.says("With TLS");
        let secured = said.split_whitespace().last().unwrap();
        let secured = secured.trim_end_matches('/').to_owned();
        let url = format!("{}/_sim/credentials", simulator.url);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let credentials: Value = serde_json::from_str(&text).unwrap();
        let stage = Self {
            home,
            simulator,
            secured,
            credentials,
        };
        let pem = |name: &str| stage.of(name).into_bytes();
        stage.file("ca.pem", &pem("ca_certificate"));
        stage.file("apiclient_cert.pem", &pem("client_certificate"));
        stage.file("apiclient_key.pem", &pem("client_key"));
        let p12 = BASE64_STANDARD.decode(stage.of("client_p12")).unwrap();
        stage.file("apiclient_cert.p12", &p12);
        stage
    }

    fn of(&self, name: &str) -> String {
        self.credentials["wechat"][name]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.home.path().join(name), content).unwrap();
    }

    /// A gateway that trusts this platform, with that certificate.
    async fn gateway(&self, certificate: &str) -> Running {
        let settings = settings_of(&self.simulator).await + certificate;
        let plain = shop_with(&self.simulator, &settings);
        let config = plain.replace(&self.simulator.url, &self.secured);
        self.home
            .configure(&format!("{config}\n[till]\nreverse_after_secs = 15\n"));
        self.home.serve_with(&[("SSL_CERT_FILE", &*self.ca())])
    }

    fn ca(&self) -> String {
        self.home.path().join("ca.pem").display().to_string()
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = self.home.command(args);
        command.env("SSL_CERT_FILE", self.ca());
        let Output {
            status,
            stdout,
            stderr,
        } = command.env("TONGBAO_API_KEY", API_KEY).output().unwrap();
        let text = [stdout, stderr].concat();
        (status.code(), String::from_utf8(text).unwrap())
    }

    /// Alice pays at the till; what the cashier sees.
    async fn charge(&self, gateway: &Running, yuan: &str) -> (Option<i32>, String) {
        let url = format!("{}/_sim/wallets/alice/auth_code", self.simulator.url);
        let shown = reqwest::Client::new().post(url).send().await.unwrap();
        let shown: Value = serde_json::from_slice(&shown.bytes().await.unwrap()).unwrap();
        let code = shown["auth_code"].as_str().unwrap();
        self.run(&["pay", yuan, "--barcode", code, "--gateway", &gateway.url])
    }

    /// The platform's word for the only order of that amount.
    async fn state(&self, fen: u64) -> String {
        let url = format!("{}/_sim/trades", self.simulator.url);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let trades: Value = serde_json::from_str(&text).unwrap();
        let mut trades = trades.as_array().unwrap().iter();
        let trade = trades.find(|trade| trade["amount"] == json!(fen)).unwrap();
        trade["state"].as_str().unwrap().to_owned()
    }
}

const PEM: &str = "client_certificate_file = \"apiclient_cert.pem\"\n\
                   client_key_file = \"apiclient_key.pem\"\n";
const P12: &str = "client_p12_file = \"apiclient_cert.p12\"\n";

fn payment_of(said: &str) -> &str {
    said.split("paid  ").nth(1).unwrap().trim()
}

#[tokio::test]
async fn money_goes_back_with_the_certificate_in_either_form() {
    for (form, fen) in [(PEM, 100), (P12, 200)] {
        let stage = Stage::open().await;
        let gateway = stage.gateway(form).await;
        let (code, said) = stage.charge(&gateway, &format!("{}.00", fen / 100)).await;
        assert_eq!(code, Some(0), "{said}");

        let (url, payment) = (&*gateway.url, payment_of(&said));
        let args = ["refund", payment, "0.50", "--gateway", url, "--wait", "0"];
        let (code, said) = stage.run(&args);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("processing"), "{said}");
        assert_eq!(stage.state(fen).await, "REFUND");
    }
}

/// Nobody types the password: after 15 seconds the till gives up.
#[tokio::test]
async fn a_payment_at_a_till_is_reversed_with_the_certificate() {
    let stage = Stage::open().await;
    let gateway = stage.gateway(P12).await;
    let (code, said) = stage.charge(&gateway, "600.00").await;
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(stage.state(60_000).await, "REVOKED");
}

#[tokio::test]
async fn without_a_certificate_the_error_says_what_is_missing() {
    let stage = Stage::open().await;
    let gateway = stage.gateway("").await;
    let (_, said) = stage.charge(&gateway, "3.00").await;
    let args = [
        "refund",
        payment_of(&said),
        "0.50",
        "--gateway",
        &gateway.url,
    ];
    let (code, said) = stage.run(&args);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("client_certificate_missing"), "{said}");
    assert!(said.contains("apiclient_cert.p12"), "{said}");
    assert_eq!(stage.state(300).await, "SUCCESS");
}

#[tokio::test]
async fn a_check_says_how_long_the_certificate_is_good_and_what_is_wrong_with_it() {
    let stage = Stage::open().await;
    let wrong_password = format!("{P12}client_p12_password = \"guessed\"\n");
    stage.file(
        "apiclient_key.pem",
        include_bytes!("../../../channels/tests/certificates/merchant_key.pem"),
    );
    for (certificate, code, words) in [
        (P12, 0, "the client certificate is good for "),
        ("", 0, "nothing can be refunded"),
        (
            &wrong_password,
            1,
            "settings.client_p12_password: does not open client_p12",
        ),
        (
            PEM,
            1,
            "settings.client_key: does not belong to the certificate",
        ),
    ] {
        let settings = settings_of(&stage.simulator).await + certificate;
        let plain = shop_with(&stage.simulator, &settings);
        let config = plain.replace(&stage.simulator.url, &stage.secured);
        stage.home.configure(&config);
        let (ended, said) = stage.run(&["check"]);
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("guessed"), "{said}");
    }
}
