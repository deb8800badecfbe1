//! Client libraries that nobody here wrote, with another base URL and nothing else changed.
//!
//! Our own gateway and this simulator share a codec, and could share its mistakes; these cannot.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::oneshot;
use tongbao_simulator::Platform;
use tongbao_simulator::server::{Certificates, Simulator, serve_with_tls, system_clock};

#[tokio::test]
#[ignore = "needs target/foreign-venv: python3 -m venv, then pip install wechatpy"]
async fn foreign_wechatpy_orders_queries_closes_and_verifies_a_notification() {
    let python = target().join("foreign-venv/bin/python");
    walk(&python, "wechatpy_walk.py", None).await;
}

#[tokio::test]
#[ignore = "needs target/foreign-venv: python3 -m venv, then pip install wechatpy"]
async fn foreign_wechatpy_charges_reverses_refunds_and_opens_a_notification() {
    let python = target().join("foreign-venv/bin/python");
    walk(&python, "wechatpy_till.py", None).await;
}

#[tokio::test]
#[ignore = "needs target/foreign-node: npm install --prefix, wechatpay-axios-plugin"]
async fn foreign_axios_plugin_orders_queries_closes_and_verifies_a_notification() {
    let modules = target().join("foreign-node");
    walk(Path::new("node"), "axios_walk.mjs", Some(&modules)).await;
}

/// With the simulator's address, and either where modules are or its address over TLS.
async fn walk(interpreter: &Path, script: &str, modules: Option<&Path>) {
    let simulator = Simulator::new(Platform::new(7), system_clock);
    let certificates = Certificates::make(&simulator, &["127.0.0.1".to_owned()]).unwrap();
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let secured = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", plain.local_addr().unwrap());
    let over_tls = format!("https://{}", secured.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    let tls = Some((secured, certificates));
    let serving = serve_with_tls(plain, tls, simulator, async {
        let _ = stopped.await;
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/foreign")
        .join(script);
    let second = modules.map_or_else(|| over_tls.into(), |modules| modules.as_os_str().to_owned());
    let walking = async {
        let output = Command::new(interpreter)
            .arg(script)
            .arg(base)
            .arg(second)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        stop.send(()).unwrap();
        output
    };

    let (served, walked) = futures::join!(serving, walking);
    served.unwrap();
    let walked = walked.unwrap_or_else(|error| panic!("{}: {error}", interpreter.display()));
    assert!(
        walked.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&walked.stdout),
        String::from_utf8_lossy(&walked.stderr)
    );
}

/// The directory that cargo builds into.
fn target() -> PathBuf {
    let inside = Path::new(env!("CARGO_TARGET_TMPDIR"));
    inside.parent().unwrap().to_owned()
}
