//! The real program, in a process that can be killed.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
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
    /// What the program finds in its environment besides.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The longest that a start took until the first "ready".
    pub(crate) slowest: Duration,
}

/// One life of the gateway.
pub(crate) struct Gateway {
    child: Child,
    spawned: Instant,
}

impl Home {
    /// At this address, with a directory of its own. Both are put into the
    /// configuration.
    pub(crate) fn at(address: SocketAddr, name: &str, mut config: Value) -> Self {
        let dir = tempfile::Builder::new()
            .prefix(&format!("tongbao-{name}-"))
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .expect("a directory on a real disk");
        let home = Self {
            dir,
            address,
            environment: Vec::new(),
            slowest: Duration::ZERO,
        };
        config["listen"] = json!(home.address);
        if config["data_dir"].is_null() {
            config["data_dir"] = json!(home.data());
        }
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
        // Another build of it, such as an optimised one.
        let program = std::env::var_os("TONGBAO_TEST_PROGRAM");
        let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_tongbao").into());
        let mut command = Command::new(program);
        // What is said to the test is no setting of the gateway's.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"TONGBAO_") {
                command.env_remove(name);
            }
        }
        let child = command
            .envs(self.environment.iter().cloned())
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

    /// Time on a processor so far, of all threads together.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let nanos = tasks.expect("it runs, on Linux").flatten().map(|task| {
            // A thread may end meanwhile.
            let text = std::fs::read_to_string(task.path().join("schedstat"));
            let text = text.unwrap_or_default();
            let first = text.split(' ').next().unwrap_or_default();
            first.parse::<u64>().unwrap_or_default()
        });
        Duration::from_nanos(nanos.sum())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is our child");
    }

    /// Whether the process is still there.
    pub(crate) fn is_there(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
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

/// One that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound")
}
