//! The platform over TLS, which asks for the merchant's certificate where money goes back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Merchant, NOON, read};
use reqwest::{Certificate, Client, Identity};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tongbao_simulator::server::{Certificates, Simulator, serve_with_tls};
use tongbao_simulator::{Account, Platform, Settings};
use tongbao_wire::wechat_v2::Fields;

/// What a client saw: HTTP status, and the fields or the page.
async fn ask(base: &str, client: &Client, path: &str) -> (u16, String) {
    let refund = Fields::from_iter([
        ("out_trade_no", "NOBODY"),
        ("out_refund_no", "R1"),
        ("total_fee", "1"),
        ("refund_fee", "1"),
    ]);
    let number = Merchant::number("NOBODY");
    let fields = if path.ends_with("refund") {
        refund
    } else {
        number
    };
    let body = Merchant::ready_made().sign(&fields);
    let request = client.post(format!("{base}{path}")).body(body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.text().await.unwrap())
}

fn client(ca_pem: &str, identity: Option<Identity>) -> Client {
    let ca = Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    let builder = Client::builder().no_proxy().tls_certs_only([ca]);
    let builder = match identity {
        Some(identity) => builder.identity(identity),
        None => builder,
    };
    builder.build().unwrap()
}

fn err_code(body: &str) -> String {
    read(body.as_bytes()).get("err_code").unwrap().to_owned()
}

#[tokio::test]
async fn money_goes_back_only_with_the_merchants_own_certificate() {
    let simulator = Simulator::new(Platform::new(7), || NOON);
    let certificates = Certificates::make(&simulator, &["127.0.0.1".to_owned()]).unwrap();
    let identity = |mch_id: &str| {
        let own = certificates.of(mch_id).unwrap();
        let pem = [&*own.certificate_pem, &*own.key_pem].concat();
        Some(Identity::from_pem(pem.as_bytes()).unwrap())
    };
    let none = client(&certificates.ca_pem, None);
    let own = client(
        &certificates.ca_pem,
        identity(&Account::ready_made().mch_id),
    );
    let other = identity(&Account::service_provider().mch_id);
    let other = client(&certificates.ca_pem, other);

    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let secured = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = format!("http://{}", plain.local_addr().unwrap());
    let https = format!("https://{}", secured.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    let tls = Some((secured, certificates));
    let serving = serve_with_tls(plain, tls, simulator.clone(), async {
        let _ = stopped.await;
    });
    let asking = async {
        for path in ["/secapi/pay/refund", "/secapi/pay/reverse"] {
            let (status, page) = ask(&https, &none, path).await;
            assert_eq!(status, 400);
            assert!(
                page.contains("No required SSL certificate was sent"),
                "{page}"
            );
            let (status, reply) = ask(&https, &own, path).await;
            assert_eq!((status, &*err_code(&reply)), (200, "ORDERNOTEXIST"));
            let (_, reply) = ask(&https, &other, path).await;
            assert_eq!(err_code(&reply), "CERT_ERROR");
            let (_, reply) = ask(&http, &none, path).await;
            assert_eq!(err_code(&reply), "ORDERNOTEXIST", "plain HTTP does without");
        }
        let (_, reply) = ask(&https, &none, "/pay/orderquery").await;
        assert_eq!(err_code(&reply), "ORDERNOTEXIST");

        let handed = none.get(format!("{https}/_sim/credentials"));
        let handed = handed.send().await.unwrap().bytes().await.unwrap();
        let handed: serde_json::Value = serde_json::from_slice(&handed).unwrap();
        for name in ["ca_certificate", "client_certificate", "client_key"] {
            let pem = handed["wechat"][name].as_str().unwrap();
            assert!(pem.starts_with("-----BEGIN "), "{name}");
        }
        assert!(
            handed["wechat"]["client_p12"]
                .as_str()
                .unwrap()
                .starts_with("MII")
        );
        simulator.act(|platform, _| {
            platform.set_settings(Settings {
                certificate_over_http: true,
                ..Settings::default()
            });
        });
        let (status, _) = ask(&http, &none, "/secapi/pay/refund").await;
        assert_eq!(status, 400);
        stop.send(()).unwrap();
    };
    let (served, ()) = futures::join!(serving, asking);
    served.unwrap();
}
