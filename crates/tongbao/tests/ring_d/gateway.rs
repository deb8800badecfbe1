//! The real program, in a process that can be killed.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Good for nothing outside this test.
pub(crate) const API_KEY: &str = "sk_0123456789abcdefghjkmnpqrstvwxyz";

/// Promised: a restart takes less.
const RESTART: Duration = Duration::from_secs(5);

/// Where the gateway's data outlives it.
pub(crate) struct Home {
    dir: TempDir,
    pub(crate) address: SocketAddr,
    /// The longest that a start took until the first "ready".
    pub(crate) slowest: Duration,
}

/// One life of the gateway.
pub(crate) struct Gateway {
    child: Child,
    spawned: Instant,
}

impl Home {
    /// A directory of its own for the data, and a free port. Both are put into
    /// the configuration.
    pub(crate) fn new(name: &str, mut config: Value) -> Self {
        let dir = tempfile::Builder::new()
            .prefix(&format!("tongbao-{name}-"))
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .expect("a directory on a real disk");
        let home = Self {
            dir,
            address: free_address(),
            slowest: Duration::ZERO,
        };
        config["listen"] = json!(home.address);
        config["data_dir"] = json!(home.data());
        let config = toml::to_string(&config).expect("it has no null");
        let file = home.dir.path().join("tongbao.toml");
        std::fs::write(file, config).expect("the directory is ours");
        home
    }

    /// A new process on the same data.
    pub(crate) fn spawn(&self) -> Gateway {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("gateway.log"))
            .expect("the directory is ours");
        let child = Command::new(env!("CARGO_BIN_EXE_tongbao"))
            .arg("serve")
            .arg("--config")
            .arg(self.dir.path().join("tongbao.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program was built for this test");
        Gateway {
            child,
            spawned: Instant::now(),
        }
    }

    /// Starts the gateway and waits until it is ready.
    pub(crate) async fn start(&mut self) -> Gateway {
        let mut gateway = self.spawn();
        let client = reqwest::Client::new();
        let url = format!("http://{}/readyz", self.address);
        loop {
            if let Ok(answer) = client.get(&url).send().await
                && answer.status().is_success()
            {
                self.slowest = self.slowest.max(gateway.spawned.elapsed());
                return gateway;
            }
            let late = gateway.spawned.elapsed() > RESTART;
            let ended = gateway.child.try_wait().expect("it is our child");
            assert!(!late && ended.is_none(), "{ended:?}; {}", self.said());
            super::pause(Duration::from_millis(3)).await;
        }
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// All that the gateway has logged over all its lives.
    pub(crate) fn log(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join("gateway.log")).unwrap_or_default()
    }

    /// The end of what the gateway has logged over all its lives.
    pub(crate) fn said(&self) -> String {
        let log = self.log();
        let end = &log[log.len().saturating_sub(8_000)..];
        format!("the gateway said:\n{}", String::from_utf8_lossy(end))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.dir.disable_cleanup(true);
            eprintln!("the data is left in {}", self.dir.path().display());
            eprintln!("{}", self.said());
        }
    }
}

impl Gateway {
    /// Memory that is its own, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(status).expect("it runs, on Linux");
        let (_, rest) = text.split_once("\nVmRSS:").expect("a line of its memory");
        let number = rest.split_whitespace().next().expect("a number");
        number.parse().expect("a number")
    }

    /// SIGKILL: it learns nothing of it.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound")
}
