//! The server that is measured: this very program, in a process of its own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;

use super::http::request;
use super::stopwatch::Stopwatch;

/// Good for nothing outside a bench.
pub(super) const API_KEY: &str = "sk_0123456789abcdefghjkmnpqrstvwxyz";

/// A server that is not there by then has a fault.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Looked for so often: a start is measured to this much.
const BETWEEN_LOOKS: Duration = Duration::from_micros(200);

/// Where a gateway lives, whether it runs or not.
pub(super) struct Home {
    dir: PathBuf,
    pub(super) address: SocketAddr,
    admin: SocketAddr,
}

/// A gateway that runs; killed when dropped.
pub(super) struct Gateway {
    child: Child,
    /// From the moment before the exec to the first "ready".
    pub(super) start: Duration,
    pub(super) address: SocketAddr,
    admin: SocketAddr,
}

impl Home {
    /// `channels` are pairs of name and `confirm`.
    pub(super) fn new(
        dir: &Path,
        platform: SocketAddr,
        account: &tongbao_simulator::Account,
        channels: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let (address, admin) = (free_address()?, free_address()?);
        let channel = |(name, confirm): &(&str, &str)| {
            json!({
                "kind": "wechat_v2",
                "name": name,
                "confirm": confirm,
                "settings": {
                    "app_id": account.app_id,
                    "mch_id": account.mch_id,
                    "api_v2_key": account.api_v2_key.0,
                },
            })
        };
        let config = json!({
            "listen": address,
            "admin_listen": admin,
            "data_dir": dir.join("data"),
            "platforms": { "wechat_pay": format!("http://{platform}") },
            "log": { "level": "warn" },
            "merchants": [{
                "name": "bench",
                "api_key": API_KEY,
                "channels": channels.iter().map(channel).collect::<Vec<_>>(),
            }],
        });
        let config = toml::to_string(&config).context("the configuration")?;
        std::fs::write(dir.join("tongbao.toml"), config)?;
        Ok(Self {
            dir: dir.to_owned(),
            address,
            admin,
        })
    }

    /// Starts the server and waits until it is ready.
    pub(super) fn start(&self) -> anyhow::Result<Gateway> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let log = self.dir.join("gateway.log");
        let watch = Stopwatch::start();
        let child = Command::new(program)
            .arg("serve")
            .arg("--config")
            .arg(self.dir.join("tongbao.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start the server")?;
        let mut gateway = Gateway {
            child,
            start: Duration::ZERO,
            address: self.address,
            admin: self.admin,
        };
        while !gateway.is_ready() {
            if gateway.child.try_wait()?.is_some() || watch.elapsed() > START_LIMIT {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("the server did not start; it said:\n{said}");
            }
            pause(BETWEEN_LOOKS);
        }
        gateway.start = watch.elapsed();
        Ok(gateway)
    }
}

impl Gateway {
    fn is_ready(&self) -> bool {
        get(self.address, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// The sum of a metric over those of its series that bear all `labels`.
    pub(super) fn metric(&self, name: &str, labels: &[&str]) -> anyhow::Result<usize> {
        let text = get(self.admin, "/metrics")?;
        let of_name = |line: &&str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['{', ' ']))
        };
        text.lines()
            .filter(of_name)
            .filter(|line| labels.iter().all(|label| line.contains(label)))
            .filter_map(|line| line.rsplit(' ').next())
            .map(|value| value.parse::<usize>().context(name.to_owned()))
            .sum()
    }

    /// Time on a processor so far, of all threads together. `None` where there
    /// is no `/proc`.
    pub(super) fn cpu(&self) -> Option<Duration> {
        let tasks = std::fs::read_dir(self.proc("task")).ok()?;
        let mut nanos = 0;
        for task in tasks.flatten() {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            nanos += text.split(' ').next()?.parse::<u64>().ok()?;
        }
        Some(Duration::from_nanos(nanos))
    }

    /// Memory that is the server's now, and the most that ever was, in KiB.
    pub(super) fn memory_kib(&self) -> Option<(u64, u64)> {
        let text = std::fs::read_to_string(self.proc("status")).ok()?;
        let field = |name: &str| {
            let (_, rest) = text.split_once(name)?;
            rest.split_whitespace().next()?.parse().ok()
        };
        Some((field("\nVmRSS:")?, field("\nVmHWM:")?))
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: SocketAddr, target: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&request("GET", target, &[("Connection", "close")], b""))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// An address that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}

/// Waits between two looks at something that another process does.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing here runs under the Clock seam"
)]
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
